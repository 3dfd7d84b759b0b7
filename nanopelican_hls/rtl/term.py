"""Terms of sums of products, for chains of DSPs and for multipliers in LUTs."""

from __future__ import annotations

from dataclasses import dataclass

from nanopelican_hls.rtl.netlist import Word


@dataclass(frozen=True)
class Term:
    """``+- (a + d) * b * 2**exponent + x`` in one lane; d and x are optional."""

    a: Word
    b: Word
    d: Word | None = None
    x: Word | None = None
    subtract: bool = False
    exponent: int = 0

    @property
    def a_exponent(self) -> int:
        return min(word.number.exponent for word in (self.a, self.d) if word)

    @property
    def grid(self) -> int:
        return self.a_exponent + self.b.number.exponent + self.exponent
