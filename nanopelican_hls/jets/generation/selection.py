"""The jet of an event: the leading anti-kT jet, if it passes the selection; for tops, also matched to the top."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.jets.generation.detector import Floats, Integers, Objects
from nanopelican_hls.jets.generation.events import Batch
from nanopelican_hls.jets.generation.recipe import JetClass, Recipe

#: jets below this fraction of the lowest selected pT are not looked at: even a leading one would not be selected
_CLUSTER_PT = 0.9
_TOP, _W, _B = 6, 24, 5


@dataclass(frozen=True)
class FoundJet:
    """A selected jet: its event in the batch, constituents [k, 4], momentum [4], and matched top [4] or zeros."""

    event: int
    constituents: Floats
    momentum: Floats
    truth: Floats


def select_jets(batch: Batch, objects: Objects, recipe: Recipe, jet_class: JetClass) -> list[FoundJet]:
    """Selected jets of a batch, at most one per event, in event order; constituents in descending pT."""
    found = []
    for event, momentum, constituents in leading_jets(objects, len(batch), recipe):
        eta, phi = direction(momentum)
        if not (recipe.pt_min_gev < np.hypot(momentum[1], momentum[2]) < recipe.pt_max_gev):
            continue
        if abs(eta) >= recipe.eta_max:
            continue
        truth: Floats | None = np.zeros(4)
        if jet_class is JetClass.TOP:
            truth = matched_top(batch, event, eta, phi, recipe.radius)
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


def matched_top(batch: Batch, event: int, eta: float, phi: float, radius: float) -> Floats | None:
    """(E, px, py, pz) of the top within ``radius`` of the direction whose three quarks are too, or None."""
    first, last = batch.start[event], batch.start[event + 1]
    kind = np.abs(batch.pdg_id[first:last])
    momentum, daughters = batch.momentum[first:last], batch.daughters[first:last]

    def near(index: int) -> bool:
        own_eta, own_phi = direction(momentum[index])
        return bool(np.hypot(own_eta - eta, (own_phi - phi + np.pi) % (2 * np.pi) - np.pi) < radius)

    for top in np.flatnonzero(kind == _TOP).tolist():
        decay = _daughters(daughters, top)
        if not (kind[decay] == _W).any() or not near(top):
            continue  # an earlier copy, or the other top
        quarks = [i for i in decay if kind[i] <= _B]
        for w in (i for i in decay if kind[i] == _W):
            quarks += [i for i in _w_decay(kind, daughters, w) if kind[i] <= _B]
        if len(quarks) == 3 and all(near(quark) for quark in quarks):
            matched: Floats = momentum[top]
            return matched
    return None


def direction(momentum: Floats) -> tuple[float, float]:
    """Pseudorapidity and azimuth of (E, px, py, pz)."""
    _, px, py, pz = momentum.tolist()
    return float(np.arcsinh(pz / np.hypot(px, py))), float(np.arctan2(py, px))


def _daughters(daughters: Integers, index: int) -> list[int]:
    first, last = daughters[index].tolist()
    return list(range(first, max(first, last) + 1)) if first > 0 else []


def _w_decay(kind: NDArray[np.int64], daughters: Integers, w: int) -> list[int]:
    """Decay products of the last copy of a W."""
    decay = _daughters(daughters, w)
    copies = [i for i in decay if kind[i] == _W]
    return _w_decay(kind, daughters, copies[0]) if copies else decay
