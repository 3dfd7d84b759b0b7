"""What an operator is: one class that says everything about it once, and whose instances are calls of it.

A subclass gives names, shapes, exact semantics, the range of its result and the constants of its C++ function. Each
executor derives what it needs from that, or has a rule of its own for the class (hls/layers.py, rtl/rules). So a new
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

#: ONNX domain of the operators and its version
DOMAIN = "nanopelican"
VERSION = 1

Shape = tuple[int, ...]

#: the custom operators by their ONNX op_type; a class enters when it is defined
OPERATORS: dict[str, type[CustomOperator]] = {}


@dataclass(frozen=True)
class Operator(ABC):
    """A call of an operator; its ONNX attributes are its fields.

    Class attributes
    ----------------
    inputs : names of the inputs in order. All are given, except those in `optional`, which may be absent (ONNX: '').
    parameters : those inputs that must be constants (initialisers, possibly through a Quant).
    optional : inputs that may be absent.
    elementwise : whether the result depends, entry by entry, on the entries of the only input.
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
        """Exact semantics on arrays with a leading batch axis (numpy or torch); absent inputs are None."""

    @abstractmethod
    def shape(self, *shapes: Shape | None) -> Shape:
        """Shape of the result, batch axis included.

        Raises
        ------
        ValueError
            If the inputs or attributes do not fit together.
        """

    @abstractmethod
    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        """Range of the result (and of every partial sum of it) from those of the inputs.

        `values` holds the quantised values of the parameters, by input name, as float64 arrays.
        """


@dataclass(frozen=True)
class CustomOperator(Operator):
    """An operator of the domain ``nanopelican``.

    Class attributes
    ----------------
    axes : of each input, one letter an axis; equal letters have equal lengths. B jets, M particles (N constituents, or
        K of them, where spurions are left out), P pairs, C channels, T rows of a table, 1 a single entry.
    together : groups of optional inputs that are given together or not at all.
    header : the C++ function; None for ``nnet_<operator>.h`` in firmware/templates.
    """

    axes: ClassVar[tuple[str, ...]]
    together: ClassVar[tuple[frozenset[str], ...]] = ()
    header: ClassVar[Path | None] = None

    def __init_subclass__(cls) -> None:
        OPERATORS[cls.__name__] = cls

    @classmethod
    def attributes(cls) -> dict[str, int | str]:
        """Names of the ONNX attributes and their defaults."""
        return {field.name: cast("int | str", field.default) for field in dataclasses.fields(cls)}

    def sizes(self, *shapes: Shape | None) -> dict[str, int]:
        """Lengths by the letters of `axes`; ValueError if an input has another shape than its letters allow."""
        given = {name for name, shape in zip(self.inputs, shapes, strict=True) if shape is not None}
        for group in self.together:
            if given & group and not group <= given:
                raise ValueError(f"{', '.join(sorted(given & group))} without {', '.join(sorted(group - given))}")
        sizes = {"1": 1}
        for name, axes, shape in zip(self.inputs, self.axes, shapes, strict=True):
            if shape is None:
                continue
            lengths = list(zip(axes, shape, strict=False))
            if len(shape) != len(axes) or any(sizes.get(axis, length) != length for axis, length in lengths):
                expected = ", ".join(str(sizes.get(axis, axis)) for axis in axes)
                raise ValueError(f"{name} has shape {shape}, expected ({expected})")
            sizes.update(lengths)
        return sizes

    @abstractmethod
    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        """Constants of the C++ config struct of ``nnet::<operator>`` (firmware/templates/nnet_<operator>.h).

        Takes what `shape` takes. ``n_multiplications``, where the operator multiplies, bounds its multipliers.
        """

    def body(self, *shapes: Shape | None) -> list[onnx.NodeProto]:
        """Nodes of standard ONNX operators that compute the result (`record_body`), from the tensors named in `inputs`.

        Takes what `shape` takes; the body serves any number of jets.
        """
        return record_body(self.compute, self.inputs, shapes)
