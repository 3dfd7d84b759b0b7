"""Plain-integer emulators for tests."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from nanopelican_hls.contract.program import Program
from nanopelican_hls.contract.quant import QUANT_DOMAIN
from nanopelican_hls.emulator.project import EmulatorTarget
from nanopelican_hls.flows.emulation import Emulator, compile_emulator
from nanopelican_hls.operators._onnx_body import OPSET


def build(program, folder, optimisation="-O0") -> Emulator:
    """A program's emulator, compiled fast."""
    return compile_emulator(EmulatorTarget().write(program, folder), optimisation=optimisation)


def quantisers_program(port, quantisers):
    """A port of one number, and one output for each quantiser of it."""
    nodes, outputs, constants = [], [], {}

    def quant(source, tensor, quantiser):
        settings = {"scale": quantiser.scale, "zero_point": 0.0, "bit_width": float(quantiser.bits)}
        names = [f"{tensor}_{name}" for name in settings]
        constants.update(zip(names, settings.values(), strict=True))
        attributes = {"signed": int(quantiser.signed), "narrow": 0, "rounding_mode": quantiser.rounding.value}
        nodes.append(
            helper.make_node("Quant", [source, *names], [tensor], name=tensor, domain=QUANT_DOMAIN, **attributes)
        )

    quant("x_in", "x", port)
    for k, quantiser in enumerate(quantisers):
        quant("x", f"y{k}", quantiser)
        outputs.append(helper.make_tensor_value_info(f"y{k}", TensorProto.FLOAT, (1, 1)))
    graph = helper.make_graph(
        nodes,
        "quantisers",
        [helper.make_tensor_value_info("x_in", TensorProto.DOUBLE, (1, 1))],
        outputs,
        [numpy_helper.from_array(np.asarray(value, dtype=np.float32), name) for name, value in constants.items()],
        value_info=[helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 1))],
    )
    imports = [helper.make_opsetid(domain, version) for domain, version in {"": OPSET, QUANT_DOMAIN: 1}.items()]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=imports)
    return Program.parse(model)
