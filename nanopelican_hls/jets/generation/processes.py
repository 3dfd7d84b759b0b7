"""Table of the processes that produce jets: what Pythia generates, and what a jet must be matched to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: random-number stream that shuffles the jets of all processes
MIXING_STREAM = 2
_W_TO_QUARKS = ("24:onMode = off", "24:onIfAny = 1 2 3 4 5")


@dataclass(frozen=True)
class Process:
    """Process that produces a jet.

    Parameters
    ----------
    stream : int
        Random-number stream of its chunks, its own (`t` is `top`) and never `MIXING_STREAM`.
    settings : tuple of str
        Pythia 8 settings that select the process.
    truth : tuple of int
        Unsigned PDG ids of the particle that must lie within the radius of the jet; empty to accept any jet.
    quarks : int
        Number of quarks it decays to, which must lie within the radius too; 0 for a parton of the hard process.
    selection : str
        The same in words, for the file attributes.
    """

    stream: int
    settings: tuple[str, ...]
    truth: tuple[int, ...] = ()
    quarks: int = 0
    selection: str = ""


def _on_shell(pdg_id: int, low_gev: float, high_gev: float) -> tuple[str, ...]:
    """Mass range; without it, 9% of the W in WW are more than 20 GeV above the pole."""
    return (f"{pdg_id}:mMin = {low_gev}", f"{pdg_id}:mMax = {high_gev}")


_TOP = Process(
    stream=1,
    settings=("Top:gg2ttbar = on", "Top:qqbar2ttbar = on", *_W_TO_QUARKS),
    truth=(6,),
    quarks=3,
    selection="tops with the top and its three quarks within the radius",
)

#: process by name, which is also the class name
PROCESSES: Mapping[str, Process] = {
    "top": _TOP,
    "qcd": Process(stream=0, settings=("HardQCD:all = on",)),
    "g": Process(
        stream=3,
        settings=("HardQCD:gg2gg = on", "HardQCD:qqbar2gg = on"),
        truth=(21,),
        selection="gluon jets with a gluon of the hard process within the radius",
    ),
    "q": Process(
        stream=4,
        settings=("HardQCD:qq2qq = on", "HardQCD:gg2qqbar = on", "HardQCD:qqbar2qqbarNew = on"),
        truth=(1, 2, 3),
        selection="quark jets with a d, u or s quark of the hard process within the radius",
    ),
    "W": Process(
        stream=5,
        settings=("WeakDoubleBoson:ffbar2WW = on", *_W_TO_QUARKS, *_on_shell(24, 60.0, 100.0)),
        truth=(24,),
        quarks=2,
        selection="W jets with the W and its two quarks within the radius",
    ),
    "Z": Process(
        stream=6,
        settings=(
            "WeakDoubleBoson:ffbar2gmZgmZ = on",
            "WeakZ0:gmZmode = 2",  # no photon
            "23:onMode = off",
            "23:onIfAny = 1 2 3 4 5",
            *_on_shell(23, 71.0, 111.0),
        ),
        truth=(23,),
        quarks=2,
        selection="Z jets with the Z and its two quarks within the radius",
    ),
    "H": Process(
        stream=7,
        settings=(
            "HiggsSM:ffbar2HZ = on",
            "25:onMode = off",
            "25:onIfMatch = 5 -5",
            "23:onMode = off",
            "23:onIfAny = 12 14 16",  # the jet is that of the Higgs boson
        ),
        truth=(25,),
        quarks=2,
        selection="H jets with the H and its two b quarks within the radius",
    ),
    "t": _TOP,
}
#: processes of a sample by default
DEFAULT_PROCESSES = ("top", "qcd")
#: the background in a sample with one other process
BACKGROUND = "qcd"
