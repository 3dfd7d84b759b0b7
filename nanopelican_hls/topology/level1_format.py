"""Integer formats of particles and jets in a Level-1 trigger (docs/level1.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nanopelican_hls.fixed_point import Quantiser


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
    """

    name: str
    pt_bits: int
    pt_exponent: int
    eta_bits: int
    phi_bits: int
    half_turn: int

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


#: candidates from the CMS correlator: pt ap_ufixed<14,12> (0.25 GeV), eta ap_int<12> and phi ap_int<11> (pi/720)
CMS_CORRELATOR = Level1Format("cms_correlator", pt_bits=14, pt_exponent=-2, eta_bits=12, phi_bits=11, half_turn=720)
#: the Global Trigger's scales: pt ap_ufixed<16,11> (1/32 GeV), eta ap_int<14> and phi ap_int<13> (pi/4096)
GLOBAL_TRIGGER = Level1Format("global_trigger", pt_bits=16, pt_exponent=-5, eta_bits=14, phi_bits=13, half_turn=4096)

#: the formats by name
LEVEL1_FORMATS = {f.name: f for f in (CMS_CORRELATOR, GLOBAL_TRIGGER)}
