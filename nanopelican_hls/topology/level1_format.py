"""Integer formats of particles and jets in a Level-1 trigger (docs/level1.md)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from nanopelican_hls.errors import ConfigError
from nanopelican_hls.fixed_point import Quantiser

#: most bits of a word
MOST_BITS = 64


@dataclass(frozen=True)
class WordFormat:
    """Which bits of a word hold what; bits in no field are passed over.

    Parameters
    ----------
    bits : int
        Width of the word, up to `MOST_BITS`.
    fields : mapping of str to (int, int)
        Lowest bit and number of bits, by name: that of an input port, or any other for bits that are not read.

    Raises
    ------
    ConfigError
        If a field leaves the word, or two overlap.
    """

    bits: int
    fields: Mapping[str, tuple[int, int]]

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MOST_BITS:
            raise ConfigError(f"a word has 1 to {MOST_BITS} bits, not {self.bits}", remedy="use several words")
        for name, (low, bits) in self.fields.items():
            if not isinstance(low, int) or not isinstance(bits, int):
                raise ConfigError(
                    f"has bits from {low}, {bits} of them", where=f"field {name!r}", remedy="give whole numbers"
                )
            if low < 0 or bits < 1 or low + bits > self.bits:
                raise ConfigError(
                    f"bits {low} to {low + bits - 1} leave the word, which has bits 0 to {self.bits - 1}",
                    where=f"field {name!r}",
                    remedy="move it, or make the word wider",
                )
        in_order = sorted(self.fields.items(), key=lambda field: field[1])
        for (one, (low, bits)), (other, (start, _)) in pairwise(in_order):
            if low + bits > start:
                raise ConfigError(
                    f"begins at bit {start}, inside of {one!r}, which ends at bit {low + bits - 1}",
                    where=f"field {other!r}",
                    remedy="move one of the two",
                )


@dataclass(frozen=True)
class Level1Format:
    """Widths and units of the words: pt, eta and phi of a particle; pt, eta, phi and mass of a jet.

    A word is an integer, a *code*: pt and mass are unsigned, in units of ``2**pt_exponent`` GeV; eta and phi are two's
    complement, in units of pi / ``half_turn``. phi is periodic, with codes from -half_turn to half_turn - 1.

    Parameters
    ----------
    name : str
        Name in files and configurations.
    pt_bits, pt_exponent : int
        Width, and exponent of the unit, of pt and of the mass of a jet.
    eta_bits, phi_bits : int
        Widths of the angles.
    half_turn : int
        Codes from phi = 0 to pi.
    candidate, jet : WordFormat, optional
        Words that hold these integers; fields are named after the ports of a network with `input: l1`.

    Raises
    ------
    ConfigError
        If a word lacks a field that it needs, or one has another width than the integer that it holds.
    """

    name: str
    pt_bits: int
    pt_exponent: int
    eta_bits: int
    phi_bits: int
    half_turn: int
    candidate: WordFormat | None = None
    jet: WordFormat | None = None

    def __post_init__(self) -> None:
        needed = ((self.candidate, ("pt", "eta", "phi")), (self.jet, ("jet_pt", "jet_eta", "jet_phi", "jet_mass")))
        for word, names in needed:
            if word is not None:
                self._check(word, names)

    def _check(self, word: WordFormat, needed: Sequence[str]) -> None:
        for name in needed:
            if name not in word.fields:
                raise ConfigError("is missing", where=f"{self.name}: field {name!r}", remedy="add it to the word")
        widths = {"pt": self.pt_bits, "mass": self.pt_bits, "eta": self.eta_bits, "phi": self.phi_bits}
        for name, (_, bits) in word.fields.items():
            wanted = widths.get(name.removeprefix("jet_"), bits)
            if bits != wanted:
                raise ConfigError(
                    f"has {bits} bits, but the format's has {wanted}",
                    where=f"{self.name}: field {name!r}",
                    remedy=f"give it {wanted} bits",
                )

    @property
    def pt_lsb_gev(self) -> float:
        """Step of pt and mass, in GeV."""
        return 2.0**self.pt_exponent

    @property
    def angle_lsb(self) -> float:
        """Step of eta and phi, in radians."""
        return math.pi / self.half_turn

    @property
    def turn(self) -> int:
        """Codes in a full turn of phi."""
        return 2 * self.half_turn

    @property
    def pt(self) -> Quantiser:
        """The grid of pt and mass, in GeV."""
        return Quantiser(self.pt_bits, signed=False, exponent=self.pt_exponent)

    @property
    def eta(self) -> Quantiser:
        """The grid of eta, in codes."""
        return Quantiser(self.eta_bits, signed=True, exponent=0)

    @property
    def phi(self) -> Quantiser:
        """The grid of phi, in codes; codes outside a turn never occur."""
        return Quantiser(self.phi_bits, signed=True, exponent=0)


#: candidates from the CMS correlator: pt ap_ufixed<14,12> (0.25 GeV), eta ap_int<12> and phi ap_int<11> (pi/720); in
#: their word of 64 bits a type of 3 bits and 24 bits of other data follow; the word of a jet is one of this project
CMS_CORRELATOR = Level1Format(
    "cms_correlator",
    pt_bits=14,
    pt_exponent=-2,
    eta_bits=12,
    phi_bits=11,
    half_turn=720,
    candidate=WordFormat(64, {"pt": (0, 14), "eta": (14, 12), "phi": (26, 11), "id": (37, 3)}),
    jet=WordFormat(
        64, {"jet_pt": (0, 14), "jet_eta": (14, 12), "jet_phi": (26, 11), "n_jet": (37, 8), "jet_mass": (45, 14)}
    ),
)
#: the Global Trigger's scales: pt ap_ufixed<16,11> (1/32 GeV), eta ap_int<14> and phi ap_int<13> (pi/4096)
GLOBAL_TRIGGER = Level1Format("global_trigger", pt_bits=16, pt_exponent=-5, eta_bits=14, phi_bits=13, half_turn=4096)

#: the formats by name
LEVEL1_FORMATS = {f.name: f for f in (CMS_CORRELATOR, GLOBAL_TRIGGER)}


def find_format(name: str) -> Level1Format:
    """A format with words, by its name; a ConfigError lists those that there are."""
    known = {name: level1 for name, level1 in LEVEL1_FORMATS.items() if level1.candidate and level1.jet}
    if name not in known:
        raise ConfigError("is no format of Level-1 words", where=repr(name), remedy=f"use one of {', '.join(known)}")
    return known[name]
