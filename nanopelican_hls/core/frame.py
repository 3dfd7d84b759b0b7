"""The frames in which events go into a core and results come out: which bits of a word hold what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.port import Port
from nanopelican_hls.errors import RtlError
from nanopelican_hls.rtl.arrival import Arrival
from nanopelican_hls.topology.level1_format import LEVEL1_FORMATS, Level1Format, WordFormat

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
    ports : whose elements the words hold.
    arrival : when the elements come.
    level1 : format of the words: in a frame's first word that of the jet, in the lowest bits, then in each that of as
        many candidates as come at once. Without it the ports are concatenated, the first in the lowest bits.
    """

    ports: tuple[Port, ...]
    arrival: Arrival
    level1: Level1Format | None = None

    @property
    def words(self) -> int:
        """Words of a frame."""
        return self.arrival.beats

    @property
    def width(self) -> int:
        """Bits of a word, whole bytes, as AXI4-Stream has them."""
        if self.level1 is None:
            bits = sum(port.width for port in map(self.arrival.on_top, self.ports))
        else:
            jet, candidate = _word_formats(self.level1)
            bits = jet.bits + self._candidates * candidate.bits
        return -(-bits // 8) * 8

    @property
    def fields(self) -> list[Field]:
        """Fields of a word, from the lowest bits on."""
        return sorted((field for port in self.ports for field in self.of_port(port)), key=lambda field: field.low)

    def of_port(self, port: Port) -> list[Field]:
        """Fields of the elements of a port that come at once, in order."""
        lanes = self.arrival.lanes(port)
        fields = []
        for place in range(lanes):
            elements = [place + beat * lanes for beat in range(self.words if lanes < port.elements else 1)]
            elements += [port.elements] * (self.words - len(elements))
            read = tuple(k if k < port.elements else None for k in elements)
            low = self._low(port, place)
            fields.append(Field(f"{port.tensor}_{place}", low, port.bits, port.signed, port.exponent, read))
        return fields

    def of(self, tensors: Arrays, noise: np.random.Generator | None = None) -> NDArray[np.uint8]:
        """Frames of events as bytes [n, words, width / 8], the lowest first; bits that are not read are noise, or 0."""
        events = len(tensors[self.ports[0].tensor])
        draw = noise or np.random.default_rng(1)
        bits = draw.integers(0, 2 if noise else 1, (events * self.words, self.width), dtype=np.uint8)
        for port in self.ports:
            columns = self.arrival.bits(port, tensors[port.tensor], draw)
            for place, field in enumerate(self.of_port(port)):
                bits[:, field.low : field.high + 1] = columns[:, place * port.bits : (place + 1) * port.bits]
        return np.packbits(bits, axis=1, bitorder="little").reshape(-1, self.words, self.width // 8)

    @property
    def _candidates(self) -> int:
        """Candidates that come at once."""
        return -(-self.arrival.constituents // self.arrival.beats)

    def _low(self, port: Port, place: int) -> int:
        if self.level1 is None:
            before = self.ports[: self.ports.index(port)]
            return sum(self.arrival.on_top(each).width for each in before) + place * port.bits
        jet, candidate = _word_formats(self.level1)
        if port.tensor in candidate.fields:
            return jet.bits + place * candidate.bits + candidate.fields[port.tensor][0]
        return jet.fields[port.tensor][0]


def require_words(ports: Sequence[Port], level1: Level1Format) -> None:
    """Check that the words of a format hold all ports.

    Raises
    ------
    RtlError
        If the format has no words, or they lack a port, or have it with another width.
    """
    known = {name: bits for word in _word_formats(level1) for name, (_, bits) in word.fields.items()}
    for port in ports:
        if known.get(port.tensor) != port.bits:
            found = f"has {known[port.tensor]} bits" if port.tensor in known else "is not"
            raise RtlError(
                f"{found} in the words of {level1.name}, which have {', '.join(known)}",
                where=f"port {port.name!r} of {port.bits} bits",
                remedy="use a model with `input: l1` (docs/level1.md), or leave --words out",
            )


def _word_formats(level1: Level1Format) -> tuple[WordFormat, WordFormat]:
    if level1.jet is None or level1.candidate is None:
        having = ", ".join(name for name, each in LEVEL1_FORMATS.items() if each.jet and each.candidate)
        raise RtlError("has no words of candidates and jets", where=level1.name, remedy=f"use one of {having}")
    return level1.jet, level1.candidate
