"""How an event comes in: whole in one clock cycle, or its constituents in several, as a jet builder sends them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.port import Port


@dataclass(frozen=True)
class Arrival:
    """When the elements of the input ports come.

    Attributes
    ----------
    constituents : N; a port with as many elements has one for each of them.
    beats : clock cycles in which the constituents come, from the one with ``start`` on: ceil(N / beats) in each, in
        order. All else comes with ``start``.
    """

    constituents: int
    beats: int = 1

    @classmethod
    def of(cls, constituents: int, cycles: int, streamed: bool) -> Arrival:
        """As few constituents at a time as the initiation interval allows, or all of them at once."""
        return cls(constituents, -(-constituents // -(-constituents // cycles)) if streamed else 1)

    def lanes(self, port: Port) -> int:
        """Elements of a port that come in a clock cycle."""
        return -(-port.elements // self.beats) if self._is_streamed(port) else port.elements

    def on_top(self, port: Port) -> Port:
        """The port as the top module has it."""
        return dataclasses.replace(port, shape=(self.lanes(port),)) if self._is_streamed(port) else port

    def bits(self, port: Port, values: NDArray[np.float64], noise: np.random.Generator) -> NDArray[np.uint8]:
        """Values [n, ...] of events as bits [n * beats, width] of the port; what is not to be read is noise."""
        events, lanes = len(values), self.lanes(port)
        codes = port.range
        drawn = noise.integers(codes.low, codes.high, (events, self.beats * lanes), endpoint=True)
        beats = np.ldexp(drawn.astype(np.float64), codes.exponent)
        beats[:, : port.elements] = values.reshape(events, -1)
        return self.on_top(port).to_bits(beats.reshape(-1, lanes))

    def _is_streamed(self, port: Port) -> bool:
        return self.beats > 1 and port.elements == self.constituents
