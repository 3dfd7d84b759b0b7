"""An operator defined only in this module runs in every executor; no other module needs to know it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from emulators import build
from onnx import TensorProto, helper, numpy_helper
from rtl_extra import MISSING

from nanopelican_hls.contract.execution import execute, with_batch_size
from nanopelican_hls.contract.functions import attach_functions
from nanopelican_hls.contract.program import Program
from nanopelican_hls.contract.quant import QUANT_DOMAIN
from nanopelican_hls.fixed_point import FixedRange, Quantiser
from nanopelican_hls.flows.csimulation import compile, trace
from nanopelican_hls.hls import convert
from nanopelican_hls.operators import DOMAIN, OPERATORS, VERSION, CustomOperator
from nanopelican_hls.operators._onnx_body import OPSET
from nanopelican_hls.proof.comparison import compare

N, EVENTS = 3, 200
HEADER = """
#ifndef NNET_TOY_SQUARES_H_
#define NNET_TOY_SQUARES_H_

#include "nnet_common.h"

namespace nnet {

struct toy_squares_config {
    static const unsigned n = 1;
    static const unsigned factor = 1;
};

template <class x_T, class w_T, class res_T, typename CONFIG_T>
void toy_squares(x_T x[CONFIG_T::n], w_T w[CONFIG_T::n], res_T res[1]) {
    res_T total = 0;
    for (unsigned i = 0; i < CONFIG_T::n; i++) {
        total += x[i] * x[i] * w[i] * ap_uint<8>(CONFIG_T::factor);
    }
    res[0] = total;
}

} // namespace nnet

#endif
"""


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """The class of the operator, registered while these tests run."""
    path = tmp_path_factory.mktemp("toy") / "nnet_toy_squares.h"
    path.write_text(HEADER)

    @dataclass(frozen=True)
    class ToySquares(CustomOperator):
        """``factor * sum_i w_i x_i^2``."""

        inputs = ("x", "w")
        axes = ("BN", "N")
        parameters = frozenset({"w"})
        header = path

        factor: int = 1

        def compute(self, *inputs):
            x, w = inputs
            return (x * x * w * float(self.factor)).sum(1)[:, None]

        def shape(self, *shapes):
            return (self.sizes(*shapes)["B"], 1)

        def hls_config(self, *shapes):
            return {"n": self.sizes(*shapes)["N"], "factor": self.factor}

        def range(self, *ranges, shapes: Sequence[Any], values: Mapping[str, Any]):  # noqa: ARG002
            factor = FixedRange(self.factor, self.factor, 0)
            terms = [ranges[0] * ranges[0] * FixedRange.of_values(w) * factor for w in values["w"]]
            return sum(terms[1:], start=terms[0])

    yield ToySquares
    del OPERATORS["ToySquares"]


@pytest.fixture(scope="module")
def program(toy) -> Program:
    """x -> Quant -> ToySquares -> Quant."""
    model = onnx.ModelProto()
    nodes, values, constants = [], [], {"w": np.array([0.75, -2.0, 1.5])}

    def quant(source, tensor, quantiser, shape):
        settings = {"scale": quantiser.scale, "zero_point": 0.0, "bit_width": float(quantiser.bits)}
        names = [f"{tensor}_{name}" for name in settings]
        constants.update(zip(names, settings.values(), strict=True))
        attributes = {"signed": int(quantiser.signed), "narrow": 0, "rounding_mode": quantiser.rounding.value}
        nodes.append(
            helper.make_node("Quant", [source, *names], [tensor], name=tensor, domain=QUANT_DOMAIN, **attributes)
        )
        values.append(helper.make_tensor_value_info(tensor, TensorProto.FLOAT, shape))

    quant("x_in", "x", Quantiser(6, True, -2), (1, N))
    nodes.append(helper.make_node(toy.__name__, ["x", "w"], ["y_exact"], name="y_ToySquares", domain=DOMAIN, factor=5))
    values.append(helper.make_tensor_value_info("y_exact", TensorProto.DOUBLE, (1, 1)))
    quant("y_exact", "y", Quantiser(8, True, 1), (1, 1))
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("x_in", TensorProto.DOUBLE, (1, N))],
        [values.pop()],
        [numpy_helper.from_array(np.asarray(value, dtype=np.float32), name) for name, value in constants.items()],
        value_info=values,
    )
    imports = [helper.make_opsetid(d, v) for d, v in {"": OPSET, QUANT_DOMAIN: 1, DOMAIN: VERSION}.items()]
    model = helper.make_model(graph, opset_imports=imports)
    model.ir_version = 10
    attach_functions(model)
    return Program.parse(model)


@pytest.fixture(scope="module")
def events() -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(1).normal(0, 4, (EVENTS, N))}


@pytest.fixture(scope="module")
def reference(program, events):
    tensors = execute(program, events)
    assert np.ptp(tensors["y"]) > 0
    return tensors


def test_qonnx_execution(reference):
    x = reference["x"]
    np.testing.assert_array_equal(reference["y_exact"][:, 0], 5 * (x * x) @ [0.75, -2.0, 1.5])


def test_onnxruntime(program, events, reference):
    session = onnxruntime.InferenceSession(with_batch_size(program, EVENTS).SerializeToString())
    (y,) = session.run(["y"], {"x_in": events["x"]})
    np.testing.assert_array_equal(y, reference["y"])


def test_c_simulation(program, events, reference, tmp_path):
    firmware = compile(convert(program, tmp_path / "hls"), optimisation="-O0")
    comparison = compare(program, reference, trace(firmware, events))
    assert comparison.tensors == ("x", "y_exact", "y")
    assert comparison.first is None


def test_emulator(program, events, reference, tmp_path):
    comparison = compare(program, reference, build(program, tmp_path / "emulator").trace(events))
    assert comparison.tensors == ("x", "y_exact", "y")
    assert comparison.first is None


@pytest.mark.skipif(bool(MISSING), reason=f"needs the extra rtl: {', '.join(MISSING)}")
def test_rtl(program, reference, tmp_path):
    from nanopelican_hls.flows.verilator import compile_simulation, simulate
    from nanopelican_hls.rtl import generate_rtl

    project = generate_rtl(program, tmp_path / "rtl")
    compile_simulation(project)
    assert simulate(program, project, reference).comparison.first is None
