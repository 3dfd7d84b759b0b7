"""What an operator of the contract is: one class that says everything about it once.

A subclass gives names, shapes, exact semantics, the range of its result and how the C++ header is called. The QONNX
execution class, the ONNX function body, the hls4ml layer and the tracer's rule are derived from it generically,
so that a new operator is one module here, one header in firmware/templates, one page in docs/operators and one test
module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import onnx

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array
from nanopelican_hls.operators._onnx_body import record_body

#: ONNX domain of the operators and its version
DOMAIN = "nanopelican"
VERSION = 1

Shape = tuple[int, ...]


class Operator:
    """An operator of the domain ``nanopelican``; never instantiated.

    Class attributes
    ----------------
    inputs : names of the inputs in order. All are given, except those in `optional`, which may be absent (ONNX: '').
    axes : of each input, one letter an axis; equal letters have equal lengths. B jets, M particles (N constituents, or
        K of them, where spurions are left out), P pairs, C channels, T rows of a table, 1 a single entry.
    parameters : those inputs that must be constants (initialisers, possibly through a Quant).
    optional : inputs that may be absent.
    together : groups of optional inputs that are given together or not at all.
    attributes : names of the ONNX attributes and their defaults.
    """

    name: ClassVar[str]
    inputs: ClassVar[tuple[str, ...]]
    axes: ClassVar[tuple[str, ...]]
    optional: ClassVar[frozenset[str]] = frozenset()
    together: ClassVar[tuple[frozenset[str], ...]] = ()
    parameters: ClassVar[frozenset[str]] = frozenset()
    attributes: ClassVar[Mapping[str, int | str]] = {}

    @classmethod
    def compute(cls, *inputs: Array | None, **attributes: Any) -> Array:
        """Exact semantics on arrays with a leading batch axis (numpy or torch); absent inputs are None."""
        raise NotImplementedError

    @classmethod
    def shape(cls, *shapes: Shape | None, **attributes: Any) -> Shape:
        """Shape of the result, batch axis included.

        Raises
        ------
        ValueError
            If the inputs or attributes do not fit together.
        """
        raise NotImplementedError

    @classmethod
    def sizes(cls, *shapes: Shape | None) -> dict[str, int]:
        """Lengths by the letters of `axes`; ValueError if an input has another shape than its letters allow."""
        given = {name for name, shape in zip(cls.inputs, shapes, strict=True) if shape is not None}
        for group in cls.together:
            if given & group and not group <= given:
                raise ValueError(f"{', '.join(sorted(given & group))} without {', '.join(sorted(group - given))}")
        sizes = {"1": 1}
        for name, axes, shape in zip(cls.inputs, cls.axes, shapes, strict=True):
            if shape is None:
                continue
            lengths = list(zip(axes, shape, strict=False))
            if len(shape) != len(axes) or any(sizes.get(axis, length) != length for axis, length in lengths):
                expected = ", ".join(str(sizes.get(axis, axis)) for axis in axes)
                raise ValueError(f"{name} has shape {shape}, expected ({expected})")
            sizes.update(lengths)
        return sizes

    @classmethod
    def hls_config(cls, *shapes: Shape | None, **attributes: Any) -> dict[str, int]:
        """Constants of the C++ config struct of ``nnet::<operator>`` (firmware/templates/nnet_<operator>.h).

        Takes what `shape` takes. ``n_multiplications``, where the operator multiplies, bounds its multipliers.
        """
        raise NotImplementedError

    @classmethod
    def range(
        cls, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any], **attributes: Any
    ) -> FixedRange:
        """Range of the result (and of every partial sum of it) from those of the inputs.

        `values` holds the quantised values of the parameters, by input name, as float64 arrays.
        """
        raise NotImplementedError

    @classmethod
    def body(cls, *shapes: Shape | None, **attributes: Any) -> list[onnx.NodeProto]:
        """Nodes of standard ONNX operators that compute the result (`record_body`), from the tensors named in `inputs`.

        Takes what `shape` takes; the body serves any number of jets.
        """
        return record_body(cls.compute, cls.inputs, shapes, **attributes)
