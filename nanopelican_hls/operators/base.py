"""Base classes of operators. A class defines one operator completely; its instances are calls with given attributes.

A subclass defines names, shapes, exact semantics, the range of the result and the constants of the C++ function. Each
executor derives what it needs from these, or has its own rule for the class (hls/layers.py, rtl/rules). So a new
operator is one module here, one header in firmware/templates, one page in docs/operators and one test module.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import onnx

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array
from nanopelican_hls.operators._onnx_body import record_body

#: ONNX domain of the operators, and its version
DOMAIN = "nanopelican"
VERSION = 1

Shape = tuple[int, ...]

#: the custom operators by ONNX op_type; a class is added when it is defined
OPERATORS: dict[str, type[CustomOperator]] = {}


@dataclass(frozen=True)
class Operator(ABC):
    """A call of an operator, with its ONNX attributes as fields.

    Class attributes
    ----------------
    inputs : names of the inputs, in order.
    optional : inputs that may be absent (ONNX: '').
    parameters : inputs that must be constants (initialisers, possibly through a Quant).
    elementwise : whether each entry of the result depends only on the same entry of the single input.
    """

    inputs: ClassVar[tuple[str, ...]]
    optional: ClassVar[frozenset[str]] = frozenset()
    parameters: ClassVar[frozenset[str]] = frozenset()
    elementwise: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The ONNX op_type."""
        return type(self).__name__

    @abstractmethod
    def compute(self, *inputs: Array | None) -> Array:
        """Exact semantics for arrays with a leading batch axis (numpy or torch); absent inputs are None."""

    @abstractmethod
    def shape(self, *shapes: Shape | None) -> Shape:
        """Shape of the result, including the batch axis.

        Raises
        ------
        ValueError
            If the inputs or attributes are inconsistent.
        """

    @abstractmethod
    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        """Range of the result (and of each of its partial sums), from the ranges of the inputs.

        `values` holds the quantised values of the parameters, by input name, as float64 arrays.
        """


@dataclass(frozen=True)
class Elementwise(Operator):
    """An operator of one input, whose result depends, entry by entry, on the same entry of the input alone."""

    inputs = ("x",)
    elementwise = True

    def shape(self, *shapes: Shape | None) -> Shape:
        (x,) = shapes
        assert x is not None
        return x


@dataclass(frozen=True)
class CustomOperator(Operator):
    """An operator of the domain ``nanopelican``.

    Class attributes
    ----------------
    axes : axes of each input, one letter per axis; equal letters have equal lengths. B jets, M particles (N
        constituents; K particles without the spurion), P pairs, C channels, T and U table entries, W rows of weights, 1
        a single entry.
    together : groups of optional inputs that must be present or absent together.
    later : optional inputs that files without them do not mention, since they came after the others.
    tabled : parameters that may be tables over the multiplicity instead: an axis W of rows, before those in `axes`.
    header : C++ header; None for ``nnet_<operator>.h`` in firmware/templates.
    """

    axes: ClassVar[tuple[str, ...]]
    together: ClassVar[tuple[frozenset[str], ...]] = ()
    later: ClassVar[frozenset[str]] = frozenset()
    tabled: ClassVar[frozenset[str]] = frozenset()
    header: ClassVar[Path | None] = None

    def __init_subclass__(cls) -> None:
        OPERATORS[cls.__name__] = cls

    @classmethod
    def attributes(cls) -> dict[str, int | str]:
        """The ONNX attributes and their defaults."""
        return {field.name: cast("int | str", field.default) for field in dataclasses.fields(cls)}

    def sizes(self, *shapes: Shape | None) -> dict[str, int]:
        """Axis lengths by the letters of `axes`; ValueError if the input shapes do not match them."""
        given = {name for name, shape in zip(self.inputs, shapes, strict=True) if shape is not None}
        for group in self.together:
            if given & group and not group <= given:
                raise ValueError(f"{', '.join(sorted(given & group))} without {', '.join(sorted(group - given))}")
        sizes = {"1": 1}
        for name, axes, shape in zip(self.inputs, self.axes, shapes, strict=True):
            if shape is None:
                continue
            if name in self.tabled and len(shape) > len(axes):
                axes = f"W{axes}"
            lengths = list(zip(axes, shape, strict=False))
            if len(shape) != len(axes) or any(sizes.get(axis, length) != length for axis, length in lengths):
                expected = ", ".join(str(sizes.get(axis, axis)) for axis in axes)
                raise ValueError(f"{name} has shape {shape}, expected ({expected})")
            sizes.update(lengths)
        return sizes

    @abstractmethod
    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        """Constants of the C++ config struct of ``nnet::<operator>`` (firmware/templates/nnet_<operator>.h).

        Arguments as for `shape`. An operator that multiplies sets ``n_multiplications``, the limit of its multipliers.
        """

    def body(self, *shapes: Shape | None) -> list[onnx.NodeProto]:
        """Nodes of standard ONNX operators that compute the result from the tensors in `inputs` (`record_body`).

        Arguments as for `shape`; the body works for any number of jets.
        """
        return record_body(self.compute, self.inputs, shapes)
