"""Loose selection at parton level, to avoid hadronising the many events that cannot yield a jet.

The windows are wide enough to lose only about 1 in 1000 selected jets (measured in docs/generation.md).
"""

from __future__ import annotations

import math
from typing import Any

from nanopelican_hls.jets.generation.processes import Process
from nanopelican_hls.jets.generation.recipe import Recipe

#: pT window of the leading parton-level jet, relative to the limits of the selection. The upper one is loose because a
#: K_S or Lambda that decays outside the tracker carries its energy away.
PT_BELOW, PT_ABOVE = 0.88, 1.5
#: margins in |eta|, and in the distance of the truth particle and its quarks from the jet
ETA_MARGIN, MATCH_MARGIN = 0.8, 0.15
#: indices of the two products of the hard process in the event record of Pythia
_HARD_PRODUCTS = (5, 6)
_W = 24


def parton_veto(recipe: Recipe, process: Process) -> Any:
    """A `pythia8mc.UserHooks` that vetoes events without a parton-level jet near the selection; ``seen`` counts all."""
    import pythia8mc

    pt_low, pt_high = PT_BELOW * recipe.pt_min_gev, PT_ABOVE * recipe.pt_max_gev
    y_max = recipe.eta_max + ETA_MARGIN
    distance = recipe.radius + MATCH_MARGIN

    class Veto(pythia8mc.UserHooks):  # type: ignore[misc]
        def __init__(self) -> None:
            pythia8mc.UserHooks.__init__(self)
            anti_kt, visible, massless = -1, 2, 1
            self._jets = pythia8mc.SlowJet(anti_kt, recipe.radius, pt_low, 5.0, visible, massless)
            self.seen = 0

        def canVetoPartonLevel(self) -> bool:  # noqa: N802
            return True

        def doVetoPartonLevel(self, event: Any) -> bool:  # noqa: N802
            self.seen += 1
            jets = self._jets
            if not jets.analyze(event) or jets.sizeJet() == 0:
                return True
            if jets.pT(0) > pt_high or abs(jets.y(0)) > y_max:
                return True
            return bool(process.truth) and not self._has_truth(event)

        def _has_truth(self, event: Any) -> bool:
            axes = [(self._jets.y(i), self._jets.phi(i)) for i in range(self._jets.sizeJet())]
            products = [product for product in _HARD_PRODUCTS if abs(event[product].id()) in process.truth]
            groups = [_decay(event, product) if process.quarks else [event[product]] for product in products]
            return any(all(_near(particle, axis, distance) for particle in group) for axis in axes for group in groups)

    return Veto()


def _decay(event: Any, index: int) -> list[Any]:
    """A particle at its decay, and its quarks before radiation."""
    particle = event[event[index].iBotCopyId()]
    particles = [particle]
    for daughter in (event[particle.daughter1()], event[particle.daughter2()]):
        if abs(daughter.id()) == _W:
            w = event[daughter.iBotCopyId()]
            particles += [event[w.daughter1()], event[w.daughter2()]]
        else:
            particles.append(daughter)
    return particles


def _near(particle: Any, axis: tuple[float, float], distance: float) -> bool:
    eta, phi = axis
    return math.hypot(particle.eta() - eta, math.remainder(particle.phi() - phi, 2 * math.pi)) < distance
