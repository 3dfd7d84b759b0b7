"""The jet of an event: the leading anti-kT jet, if it passes the selection and is matched to the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.jets.generation.detector import Floats, Integers, Objects
from nanopelican_hls.jets.generation.events import Batch
from nanopelican_hls.jets.generation.processes import Process
from nanopelican_hls.jets.generation.recipe import Recipe

#: jets below this fraction of the lowest selected pT are not looked at: even a leading one would not be selected
_CLUSTER_PT = 0.9
_W, _B = 24, 5
#: status of the partons that leave the hard process
_HARD_PARTON = 23


@dataclass(frozen=True)
class FoundJet:
    """A selected jet: its event in the batch, constituents [k, 4], momentum [4], and matched truth [4] or zeros."""

    event: int
    constituents: Floats
    momentum: Floats
    truth: Floats


def select_jets(batch: Batch, objects: Objects, recipe: Recipe, process: Process) -> list[FoundJet]:
    """Selected jets of a batch, at most one per event, in event order; constituents in descending pT."""
    found = []
    for event, momentum, constituents in leading_jets(objects, len(batch), recipe):
        eta, phi = direction(momentum)
        if not (recipe.pt_min_gev < np.hypot(momentum[1], momentum[2]) < recipe.pt_max_gev):
            continue
        if abs(eta) >= recipe.eta_max:
            continue
        truth: Floats | None = np.zeros(4)
        if process.truth:
            truth = matched_truth(batch, event, process, eta, phi, recipe.radius)
        if truth is not None:
            pt = np.hypot(constituents[:, 1], constituents[:, 2])
            found.append(FoundJet(event, constituents[np.argsort(-pt, kind="stable")], momentum, truth))
    return found


def leading_jets(objects: Objects, n_events: int, recipe: Recipe) -> list[tuple[int, Floats, Floats]]:
    """Event, momentum [4] and constituents [k, 4] of the leading jet, for events with a jet near the selection."""
    import awkward as ak
    import fastjet

    counts = np.bincount(objects.event, minlength=n_events)
    columns = dict(zip(("E", "px", "py", "pz"), objects.momentum.T, strict=True))
    arrays = ak.zip({name: ak.unflatten(values, counts) for name, values in columns.items()}, with_name="Momentum4D")
    clusters = fastjet.ClusterSequence(arrays, fastjet.JetDefinition(fastjet.antikt_algorithm, recipe.radius))
    pt_min = _CLUSTER_PT * recipe.pt_min_gev
    jets, members = clusters.inclusive_jets(pt_min), clusters.constituent_index(pt_min)
    momenta = np.stack([ak.to_numpy(ak.flatten(jets[name])) for name in columns], axis=1)
    jet_start = np.concatenate([[0], np.cumsum(ak.to_numpy(ak.num(jets)))])
    sizes = ak.to_numpy(ak.flatten(ak.num(members, axis=2)))
    member_start = np.concatenate([[0], np.cumsum(sizes)])
    member = ak.to_numpy(ak.flatten(members, axis=None))
    object_start = np.concatenate([[0], np.cumsum(counts)])
    leading = []
    for event in np.flatnonzero(np.diff(jet_start)).tolist():
        pt = np.hypot(*momenta[jet_start[event] : jet_start[event + 1], 1:3].T)
        jet = jet_start[event] + int(np.argmax(pt))
        own = member[member_start[jet] : member_start[jet + 1]] + object_start[event]
        leading.append((event, momenta[jet], objects.momentum[own]))
    return leading


def matched_truth(batch: Batch, event: int, process: Process, eta: float, phi: float, radius: float) -> Floats | None:
    """(E, px, py, pz) of the truth particle within ``radius`` of the direction whose quarks are too, or None."""
    first, last = batch.start[event], batch.start[event + 1]
    kind = np.abs(batch.pdg_id[first:last])
    momentum, daughters = batch.momentum[first:last], batch.daughters[first:last]
    status = np.abs(batch.status[first:last])

    def near(index: int) -> bool:
        own_eta, own_phi = direction(momentum[index])
        return bool(np.hypot(own_eta - eta, (own_phi - phi + np.pi) % (2 * np.pi) - np.pi) < radius)

    for index in np.flatnonzero(np.isin(kind, process.truth)).tolist():
        if process.quarks and kind[index] in kind[_daughters(daughters, index)]:
            continue  # an earlier copy
        if not process.quarks and status[index] != _HARD_PARTON:
            continue
        quarks = _quarks(kind, daughters, index) if process.quarks else []
        if len(quarks) == process.quarks and all(near(i) for i in (index, *quarks)):
            matched: Floats = momentum[index]
            return matched
    return None


def direction(momentum: Floats) -> tuple[float, float]:
    """Pseudorapidity and azimuth of (E, px, py, pz)."""
    _, px, py, pz = momentum.tolist()
    return float(np.arcsinh(pz / np.hypot(px, py))), float(np.arctan2(py, px))


def _daughters(daughters: Integers, index: int) -> list[int]:
    first, last = daughters[index].tolist()
    return list(range(first, max(first, last) + 1)) if first > 0 else []


def _quarks(kind: NDArray[np.int64], daughters: Integers, index: int) -> list[int]:
    """Quarks from the decay of a particle, including those of its W, before radiation."""
    quarks: list[int] = []
    for daughter in _decay(kind, daughters, index):
        if kind[daughter] <= _B:
            quarks.append(daughter)
        elif kind[daughter] == _W:
            quarks += _quarks(kind, daughters, daughter)
    return quarks


def _decay(kind: NDArray[np.int64], daughters: Integers, index: int) -> list[int]:
    """Decay products of the last copy of a particle."""
    decay = _daughters(daughters, index)
    copies = [i for i in decay if kind[i] == kind[index]]
    return _decay(kind, daughters, copies[0]) if copies else decay
