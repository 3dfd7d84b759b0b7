"""The one module that knows alkaid: arrays of symbolic fixed-point numbers, and what becomes of them.

`Symbolic` follows the array protocol that `Operator.compute` needs (operators/_arrays.py), so that the semantics of an
operator, written once, runs on it unchanged and leaves behind the adders, multipliers and tables that compute it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from alkaid.codegen.rtl import RTLModel
from alkaid.trace import FVariable, FVArray, FVArrayInput, HWConfig, trace
from alkaid.types import CombLogic
from numpy.typing import ArrayLike, DTypeLike, NDArray

from nanopelican_hls.fixed_point import FixedRange, Quantiser
from nanopelican_hls.rtl.quantise import quantised, select_bits

#: adders of any width, carry chains of 8 bits (UltraScale+ CARRY8), no limit on latency while tracing; alkaid sorts
#: wide multiplications wrongly when the size of the carry chain is not positive
HWCONF = HWConfig(1, 8, -1)

Shape = tuple[int, ...]


class Symbolic:
    """An array of symbolic fixed-point numbers; constants may stand among them.

    Parameters
    ----------
    values : object array
        alkaid's variables, or float64 where the whole array is constant.
    """

    __array_ufunc__ = None  # numpy leaves ``ndarray * Symbolic`` to `__rmul__`
    dtype = np.dtype(np.float64)

    def __init__(self, values: Any) -> None:
        self.values = values

    @classmethod
    def inputs(cls, shape: Shape, quantiser: Quantiser) -> Symbolic:
        """New inputs, each with the type of a quantiser."""
        bounds = (np.full(shape, float(limit)) for limit in (quantiser.low, quantiser.high, 1))
        low, high, step = (bound * quantiser.scale for bound in bounds)
        return cls(FVArray.from_lhs(low, high, step, hwconf=HWCONF))

    @property
    def shape(self) -> Shape:
        shape: Shape = self.values.shape
        return shape

    def __add__(self, other: Symbolic | ArrayLike) -> Symbolic:
        return Symbolic(self.values + _raw(other))

    def __sub__(self, other: Symbolic | ArrayLike) -> Symbolic:
        return Symbolic(self.values - _raw(other))

    def __mul__(self, other: Symbolic | ArrayLike) -> Symbolic:
        return Symbolic(_products(self.values, _raw(other)))

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: float) -> Symbolic:
        return Symbolic(self.values / other)

    def __matmul__(self, other: ArrayLike) -> Symbolic:
        return Symbolic(self.values @ np.asarray(other, dtype=np.float64))

    def __ne__(self, other: object) -> Symbolic:  # type: ignore[override]
        return Symbolic(self.values != other)

    __hash__ = None  # type: ignore[assignment]

    def astype(self, dtype: DTypeLike) -> Symbolic:
        """As an index: whole numbers that are not negative. Fixed-point numbers have types of their own otherwise."""
        if np.dtype(dtype).kind != "i":
            return self
        return Symbolic(_each(lambda x: x if _is_constant(x) else select_bits(x, False, x.kif[1], 0), self.values))

    def clip(self, low: float, high: float) -> Symbolic:
        return Symbolic(np.clip(self.values, low, high))

    def sum(self, axis: int) -> Symbolic:
        return Symbolic(np.sum(self.values, axis=axis))

    def __getitem__(self, key: Symbolic | tuple[slice | None, ...]) -> Symbolic:
        """Rows of a constant table by a symbolic index, or a tuple of slices and new axes."""
        if isinstance(key, Symbolic):
            return Symbolic(_rows(self.values, key.values))
        return Symbolic(self.values[key])

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """What the functions of numpy that the algebra uses do on symbolic arrays (`_arrays`)."""
        if function is np.take:
            array, index = args
            return Symbolic(np.take(array.values, index, **kwargs))
        if function is np.concatenate:
            arrays, axis = args
            return Symbolic(np.concatenate([_raw(a) for a in arrays], axis=axis))
        return NotImplemented

    def rectified(self) -> Symbolic:
        return Symbolic(np.maximum(self.values, 0))

    def quantised(self, quantiser: Quantiser) -> Symbolic:
        """After a `Quantiser`: rounded, then saturated."""
        return Symbolic(_each(lambda x: quantised(x, quantiser), self.values))

    def as_port(self, quantiser: Quantiser) -> Symbolic:
        """Inputs behind the quantiser of a port; those of no type yet get its type."""
        if not isinstance(self.values, FVArrayInput):
            return self.quantised(quantiser)
        integer_bits = quantiser.bits - quantiser.signed + quantiser.exponent
        return Symbolic(self.values.quantize(int(quantiser.signed), integer_bits, -quantiser.exponent))

    def known_within(self, values: FixedRange) -> Symbolic:
        """The same numbers, which are known to lie in a range: bits above it fall off, and cost nothing."""
        integer_bits = values.bits - values.signed + values.exponent
        return Symbolic(_each(lambda x: _clip_type(x, values.signed, integer_bits), self.values))


def _each(function: Callable[[Any], Any], values: Any) -> Any:
    return _array(np.frompyfunc(function, 1, 1)(np.asarray(values)))


def _clip_type(x: Any, signed: bool, integer_bits: int) -> Any:
    return x if _is_constant(x) else select_bits(x, signed, integer_bits, x.kif[2])


def _array(values: Any) -> Any:
    settings = (value.hwconf for value in np.ravel(values) if isinstance(value, FVariable))
    return FVArray(values, hwconf=next(settings, HWCONF))


def _raw(value: Symbolic | ArrayLike) -> Any:
    return value.values if isinstance(value, Symbolic) else np.asarray(value, dtype=np.float64)


def _is_constant(value: Any) -> bool:
    return not isinstance(value, FVariable) or value.low == value.high


def _is_within(value: Any, low: int, high: int) -> bool:
    """Whether it is a whole number between two bounds, and no constant."""
    return not _is_constant(value) and value.low >= low and value.high <= high and value.step >= 1


def _product(a: Any, b: Any) -> Any:
    """A product; by a mask or a sign it is a gate or a choice, not a multiplier."""
    if _is_constant(a) or _is_constant(b):
        return a * b
    if _is_within(a, -1, 1):
        a, b = b, a
    if _is_within(b, 0, 1):
        return b.msb_mux(a, 0.0)
    if _is_within(b, -1, 1):
        return b.unary_bit_op("any").msb_mux(b.msb_mux(-a, a), 0.0)
    return a * b


def _products(a: Any, b: Any) -> Any:
    return _array(np.frompyfunc(_product, 2, 1)(np.asarray(a), np.asarray(b)))


def _entry(column: NDArray[np.float64], index: Any) -> Any:
    if _is_constant(index):
        return column[int(index.low)]
    # the interval of an index may be wider than the table; the index itself is not
    padded = np.pad(column, (0, max(0, int(index.high) + 1 - len(column))))
    return index.lookup(padded[int(index.low) : int(index.high) + 1])


def _rows(table: NDArray[np.float64], index: Any) -> Any:
    """``table[index]``, table [T, ...], index of any shape: a ROM for each entry of a row."""
    columns = table.reshape(len(table), -1).T
    entries = np.array([_entry(column, n) for n in np.ravel(np.asarray(index)) for column in columns], dtype=object)
    return _array(entries.reshape(*index.shape, *table.shape[1:]))


@dataclass(frozen=True)
class Sources:
    """A pipeline in a hardware description language.

    Attributes
    ----------
    files : contents by name, the module's own parts and what alkaid provides.
    latency_cycles : clock edges from the one that takes an event in to the one that gives its result.
    input_bits : width of each input element, first element in the lowest bits of ``model_inp``.
    output : signed, integer and fractional bits of ``model_out``.
    """

    files: Mapping[str, str]
    latency_cycles: int
    input_bits: tuple[int, ...]
    output: tuple[bool, int, int]


@dataclass(frozen=True)
class Circuit:
    """Combinational logic from inputs to outputs, optimised.

    Attributes
    ----------
    logic : alkaid's program.
    inputs : names and shapes of the inputs, without the batch axis, in order.
    outputs : the same for the outputs.
    """

    logic: CombLogic
    inputs: Mapping[str, Shape]
    outputs: Mapping[str, Shape]

    @property
    def delay(self) -> float:
        """Longest path in levels of logic, by alkaid's delay model."""
        return float(max(self.logic.out_latency))

    @property
    def is_constant(self) -> bool:
        """Whether no output depends on any input."""
        return all(bounds.min == bounds.max for bounds in self.logic.out_qint)

    def evaluate(self, arrays: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        """Run alkaid's interpreter.

        Parameters
        ----------
        arrays : mapping of str to float64 array [n, ...]
            Values of the inputs, on their grids and within their ranges.

        Returns
        -------
        dict of str to float64 array [n, ...]
        """
        flat = np.concatenate([arrays[name].reshape(len(arrays[name]), -1) for name in self.inputs], axis=1)
        result = self.logic.predict(np.ascontiguousarray(flat, dtype=np.float64), n_threads=1)
        widths = [int(np.prod(shape)) for shape in self.outputs.values()]
        parts = np.split(result, np.cumsum(widths)[:-1], axis=1)
        return {name: part.reshape(-1, *shape) for (name, shape), part in zip(self.outputs.items(), parts, strict=True)}

    def pipeline(self, module: str, *, language: str, levels_per_stage: float) -> Sources:
        """Cut into stages of at most so many levels of logic, with registers between them, before and behind."""
        with tempfile.TemporaryDirectory() as folder:
            model = RTLModel(self.logic, folder, module, language, latency_cutoff=levels_per_stage, print_latency=False)
            model.write()
            sources = (path for path in Path(folder, "src").rglob("*.v*") if path.stem != f"{module}_wrapper")
            files = {path.name: path.read_text(encoding="utf-8") for path in sorted(sources)}
        ((signed, integers, fraction),) = model.fsm.out_signals[0].precisions
        return Sources(
            files=files,
            latency_cycles=int(model.latency),
            input_bits=tuple(int(sum(p)) for p in model.fsm.inp_signals[0].precisions),
            output=(bool(signed), int(integers), int(fraction)),
        )


def circuit(inputs: Mapping[str, Symbolic], outputs: Mapping[str, Symbolic]) -> Circuit:
    """The logic between symbolic arrays [1, ...], without what no output needs; all inputs stay."""
    return Circuit(
        logic=trace(_flat(inputs.values()), _flat(outputs.values()), keep_dead_inputs=True),
        inputs={name: array.shape[1:] for name, array in inputs.items()},
        outputs={name: array.shape[1:] for name, array in outputs.items()},
    )


def _flat(arrays: Sequence[Symbolic] | Any) -> Any:
    return np.concatenate([np.ravel(array.values) for array in arrays])
