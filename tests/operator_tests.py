"""What every operator of the contract must satisfy; a test module supplies the operator, its cases and its terms.

The oracle is naive on purpose. From the definition on the full M x M array, it lists the terms that sum to one entry
of the result, as Python fractions. Their sum is the expected value; the sums of the positive and of the negative terms
bound every partial sum, in any order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import onnxruntime
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators import DOMAIN, VERSION, CustomOperator
from nanopelican_hls.operators._onnx_body import OPSET, RESULT

JETS = 3
MASK = FixedRange(0, 1, 0)

fixed_ranges = st.builds(FixedRange, st.integers(-9, 0), st.integers(0, 9), st.integers(-3, 3))


@dataclass(frozen=True)
class Case:
    """Shapes of the inputs present, without the batch axis (which parameters do not have), and the attributes."""

    name: str
    shapes: Mapping[str, tuple[int, ...]]
    attributes: Mapping[str, Any] = field(default_factory=dict)


def pair_indices(m: int) -> list[tuple[int, int]]:
    """The condensed order of scipy.spatial.distance.pdist, from its definition."""
    return [(i, j) for i in range(m) for j in range(i + 1, m)]


def fractions(array: np.ndarray) -> Any:
    """The array as nested lists of exact fractions."""
    return [fractions(a) for a in array] if array.ndim else Fraction(float(array))


def selected_row(given: Mapping[str, Any], jet: int) -> int:
    """Row of a multiplicity table: the bin, or else the number of valid particles."""
    return int(given["multiplicity_bin"][jet][0] if given["multiplicity_bin"] is not None else sum(given["mask"][jet]))


def selected_weights(given: Mapping[str, Any], name: str, jet: int) -> list[Fraction]:
    """Weights [C]: those given, or a row of a table of them."""
    weights: list[Any] = given[name]
    if not isinstance(weights[0], list):
        return weights
    return weights[0] if len(weights) == 1 else weights[selected_row(given, jet)]


def minkowski_terms(a: Sequence[Any], b: Sequence[Any], coordinates: str) -> list[Fraction]:
    """The terms of a . b, as in docs/network.md."""
    if coordinates == "cartesian":
        return [a[0] * b[0], -a[1] * b[1], -a[2] * b[2], -a[3] * b[3]]
    return [a[0] * b[1] / 2, a[1] * b[0] / 2, -a[2] * b[2], -a[3] * b[3]]


def condense(matrix: np.ndarray) -> np.ndarray:
    """Entries above the diagonal of [B, M, M, ...] in condensed order."""
    return np.stack([matrix[:, i, j] for i, j in pair_indices(matrix.shape[1])], axis=1)


def condense_both(matrix: np.ndarray) -> np.ndarray:
    """Entries above the diagonal in condensed order, then their mirror images."""
    return np.concatenate([condense(matrix), condense(matrix.swapaxes(1, 2))], axis=1)


def permuted(matrix: np.ndarray, order: Sequence[int]) -> np.ndarray:
    """[B, M, M, ...] with its particles permuted."""
    return matrix[:, order][:, :, order]


class OperatorTests:
    """numpy == torch == onnxruntime == the oracle; the shape is as declared; the range bounds every partial sum."""

    operator: ClassVar[type[CustomOperator]]
    cases: ClassVar[Sequence[Case]]
    #: inputs with a limited range
    limited: ClassVar[Mapping[str, FixedRange]] = {"mask": MASK}

    @staticmethod
    def terms(index: tuple[int, ...], given: Mapping[str, Any]) -> list[Fraction]:
        """The terms of one entry of the result, from inputs (nested lists of fractions) and attributes, by name."""
        raise NotImplementedError

    def shapes(self, case: Case) -> list[tuple[int, ...] | None]:
        batched = {k: v if k in self.operator.parameters else (JETS, *v) for k, v in case.shapes.items()}
        return [batched.get(name) for name in self.operator.inputs]

    def random_inputs(
        self, case: Case, rng: np.random.Generator, ranges: Mapping[str, FixedRange], corners: bool = False
    ) -> list[np.ndarray | None]:
        """Random numbers in the given ranges; with ``corners``, only their ends."""
        arrays: list[np.ndarray | None] = []
        for name, shape in zip(self.operator.inputs, self.shapes(case), strict=True):
            if shape is None:
                arrays.append(None)
                continue
            r = ranges[name]
            ends = rng.choice([r.low, r.high], shape)
            integers = ends if corners else rng.integers(r.low, r.high + 1, shape)
            arrays.append(np.ldexp(integers.astype(np.float64), r.exponent))
        return arrays

    def ordinary_inputs(self, case: Case, seed: int = 0) -> list[np.ndarray | None]:
        ranges = dict.fromkeys(self.operator.inputs, FixedRange(-50, 50, -1)) | self.limited
        return self.random_inputs(case, np.random.default_rng(seed), ranges)

    def expected_terms(self, case: Case, inputs: Sequence[np.ndarray | None], shape: tuple[int, ...]) -> dict[Any, Any]:
        exact = {n: None if a is None else fractions(a) for n, a in zip(self.operator.inputs, inputs, strict=True)}
        return {index: self.terms(index, exact | case.attributes) for index in np.ndindex(shape)}

    def test_equals_the_definition(self, case):
        for seed in range(5):
            inputs = self.ordinary_inputs(case, seed)
            result = self.operator(**case.attributes).compute(*inputs)
            for index, terms in self.expected_terms(case, inputs, result.shape).items():
                assert Fraction(float(result[index])) == sum(terms), index

    def test_shape(self, case):
        result = self.operator(**case.attributes).compute(*self.ordinary_inputs(case))
        assert result.shape == self.operator(**case.attributes).shape(*self.shapes(case))
        assert result.dtype == np.float64

    def test_torch_gives_the_same(self, case):
        inputs = self.ordinary_inputs(case)
        tensors = [None if a is None else torch.from_numpy(a) for a in inputs]
        result = self.operator(**case.attributes).compute(*tensors)
        assert result.dtype == torch.float64
        np.testing.assert_array_equal(result.numpy(), self.operator(**case.attributes).compute(*inputs))

    def test_the_onnx_body_gives_the_same(self, case):
        inputs = self.ordinary_inputs(case)
        result = self.operator(**case.attributes).compute(*inputs)
        np.testing.assert_array_equal(run_body(self.operator, inputs, case), result)

    @settings(derandomize=True, max_examples=25, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(data=st.data(), seed=st.integers(0, 2**32 - 1), corners=st.booleans())
    def test_the_range_bounds_every_partial_sum(self, case, data, seed, corners):
        ranges = {name: data.draw(fixed_ranges, name) for name in case.shapes} | self.limited
        inputs = self.random_inputs(case, np.random.default_rng(seed), ranges, corners)
        bound = self.range_of(case, ranges, inputs)
        result = self.operator(**case.attributes).compute(*inputs)
        grid = Fraction(2) ** bound.exponent
        for terms in self.expected_terms(case, inputs, result.shape).values():
            assert (sum(terms) / grid).denominator == 1
            assert sum(t for t in terms if t > 0) <= bound.high * grid
            assert sum(t for t in terms if t < 0) >= bound.low * grid

    def range_of(self, case: Case, ranges: Mapping[str, FixedRange], inputs: Sequence[np.ndarray | None]) -> FixedRange:
        operator = self.operator(**case.attributes)
        by_name = dict(zip(operator.inputs, inputs, strict=True))
        return operator.range(
            *(ranges[n] if n in case.shapes and n not in operator.parameters else None for n in operator.inputs),
            shapes=self.shapes(case),
            values={n: by_name[n] for n in operator.parameters if n in case.shapes},
        )


def run_body(operator: type[CustomOperator], inputs: Sequence[np.ndarray | None], case: Case) -> np.ndarray:
    """Run the operator's function body in onnxruntime, as the only node of a graph."""
    given_inputs = {n: a for n, a in zip(operator.inputs, inputs, strict=True) if a is not None}
    one_jet = [
        None if a is None else (a.shape if n in operator.parameters else (1, *a.shape[1:]))
        for n, a in zip(operator.inputs, inputs, strict=True)
    ]
    versions = [helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, VERSION)]
    function = helper.make_function(
        DOMAIN,
        operator.__name__,
        operator.inputs,
        [RESULT],
        operator(**case.attributes).body(*one_jet),
        versions[:1],
        attributes=list(case.attributes),
    )
    names = [n if n in given_inputs else "" for n in operator.inputs]
    node = helper.make_node(operator.__name__, names, ["result"], domain=DOMAIN, **case.attributes)
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info(n, TensorProto.DOUBLE, a.shape) for n, a in given_inputs.items()],
        [helper.make_tensor_value_info("result", TensorProto.DOUBLE, None)],
    )
    model = helper.make_model(graph, opset_imports=versions, functions=[function], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (result,) = session.run(None, given_inputs)
    return result
