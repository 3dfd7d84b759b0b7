"""Pythia 8 events, in batches of flat arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.generation.detector import Floats, Integers, Particles
from nanopelican_hls.jets.generation.processes import PROCESSES
from nanopelican_hls.jets.generation.recipe import ChunkKey, Recipe
from nanopelican_hls.jets.generation.veto import parton_veto


@dataclass(frozen=True)
class Batch:
    """Complete event records, partons included, one entry per particle.

    ``start`` [events + 1] is the first entry of each event; ``status`` is positive for stable particles; ``daughters``
    [n, 2] are the first and last daughter, as positions within the event; the rest as in `Particles`.
    """

    start: NDArray[np.int64]
    pdg_id: Integers
    status: Integers
    daughters: Integers
    momentum: Floats
    vertex_m: Floats

    def __len__(self) -> int:
        return len(self.start) - 1


class Events:
    """Pythia 8, configured for a chunk.

    Raises
    ------
    JetsError
        If Pythia rejects a setting or cannot start.
    """

    def __init__(self, recipe: Recipe, key: ChunkKey) -> None:
        import pythia8mc

        self._pythia = pythia8mc.Pythia("", False)
        for setting in ("Print:quiet = on", *recipe.pythia_settings(key)):
            if not self._pythia.readString(setting):
                raise JetsError(
                    f"Pythia rejects the setting {setting!r}",
                    where=key.name,
                    remedy="see the manual of Pythia 8 for its settings",
                )
        self._veto = parton_veto(recipe, PROCESSES[key.process])
        self._pythia.setUserHooksPtr(self._veto)
        if not self._pythia.init():
            raise JetsError("Pythia does not start", where=key.name, remedy="check the ranges of the recipe")
        self._charges: dict[int, float] = {}

    @property
    def seen(self) -> int:
        """Number of events that have reached parton level so far."""
        return int(self._veto.seen)

    def batch(self, events: int) -> Batch:
        """The next events that pass the parton-level veto."""
        import awkward as ak

        def flat(values: Any) -> NDArray[Any]:
            array: NDArray[Any] = ak.to_numpy(ak.flatten(values))
            return array

        record = self._pythia.nextBatch(events).prt
        counts = ak.to_numpy(ak.num(record.id))
        vertex = [flat(ak.fill_none(record.vProd[c], 0.0)) for c in ("px", "py", "pz")]
        return Batch(
            start=np.concatenate([[0], np.cumsum(counts)]),
            pdg_id=flat(record.id).astype(np.int64),
            status=flat(record.status).astype(np.int64),
            daughters=np.stack([flat(record.daughter1), flat(record.daughter2)], axis=1).astype(np.int64),
            momentum=np.stack([flat(record.p[c]) for c in ("e", "px", "py", "pz")], axis=1),
            vertex_m=1e-3 * np.stack(vertex, axis=1),
        )

    def stable(self, batch: Batch) -> Particles:
        """The stable particles of a batch."""
        stable = batch.status > 0
        event = np.repeat(np.arange(len(batch)), np.diff(batch.start))
        pdg_id = batch.pdg_id[stable]
        return Particles(event[stable], pdg_id, self._charge(pdg_id), batch.momentum[stable], batch.vertex_m[stable])

    def _charge(self, pdg_id: Integers) -> Floats:
        kinds, kind_of = np.unique(pdg_id, return_inverse=True)
        for kind in kinds.tolist():
            if kind not in self._charges:
                self._charges[kind] = float(round(self._pythia.particleData.charge(kind)))
        charges: Floats = np.array([self._charges[kind] for kind in kinds.tolist()])[kind_of]
        return charges
