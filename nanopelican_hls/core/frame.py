"""The frames in which events go into a core and results come out: which bits of a word hold what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.port import Port
from nanopelican_hls.rtl.arrival import Arrival

Arrays = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Field:
    """Some bits of a word.

    Attributes
    ----------
    name : ``<port>_<place>``.
    low, bits : lowest bit, and number of bits.
    signed, exponent : the field is an integer of this type, times ``2**exponent``.
    elements : element of the tensor in each word of a frame; None where the field is not read.
    """

    name: str
    low: int
    bits: int
    signed: bool
    exponent: int
    elements: tuple[int | None, ...]

    @property
    def high(self) -> int:
        return self.low + self.bits - 1


@dataclass(frozen=True)
class Frame:
    """Frames of a stream.

    Attributes
    ----------
    ports : concatenated in a word, the first in the lowest bits; the word is filled up to whole bytes.
    arrival : when the elements come.
    """

    ports: tuple[Port, ...]
    arrival: Arrival

    @property
    def words(self) -> int:
        """Words of a frame."""
        return self.arrival.beats

    @property
    def width(self) -> int:
        """Bits of a word, whole bytes, as AXI4-Stream has them."""
        return -(-sum(port.width for port in self._on_top()) // 8) * 8

    @property
    def fields(self) -> list[Field]:
        """Fields of a word, from the lowest bits on."""
        fields, low = [], 0
        for port, shown in zip(self.ports, self._on_top(), strict=True):
            for place in range(shown.elements):
                elements = [place + beat * shown.elements for beat in range(self.words)]
                read = tuple(k if k < port.elements else None for k in elements)
                fields.append(Field(f"{port.tensor}_{place}", low, port.bits, port.signed, port.exponent, read))
                low += port.bits
        return fields

    def low(self, port: Port) -> int:
        """Lowest bit of a port."""
        return next(field.low for field in self.fields if field.name == f"{port.tensor}_0")

    def of(self, tensors: Arrays) -> NDArray[np.uint8]:
        """Frames of events as bytes [n, words, width / 8], the lowest first; bits that are not read are noise."""
        noise = np.random.default_rng(1)
        bits = [self.arrival.bits(port, tensors[port.tensor], noise) for port in self.ports]
        packed = np.packbits(np.concatenate(bits, axis=1), axis=1, bitorder="little")
        return packed.reshape(-1, self.words, self.width // 8)

    def _on_top(self) -> Sequence[Port]:
        return [self.arrival.on_top(port) for port in self.ports]
