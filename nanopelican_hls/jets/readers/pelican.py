"""The PELICAN layout of the public top-tagging sets, also written by `write_jets`.

Datasets: ``Pmu`` [n, N, 4], (E, px, py, pz) in GeV, zero-padded; ``is_signal`` [n], 1 = top, or ``label`` [n], the
position of the class in the file attribute ``classes``; ``Nobj`` [n], the number of constituents in the file;
optionally ``jet_Pmu`` [n, 4], the whole jet, and ``Nobj_all`` [n], the number of constituents before any cut.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.jets.container import Jets
from nanopelican_hls.jets.readers.classes import Wanted, labels_of_file
from nanopelican_hls.jets.readers.datasets import check_dataset
from nanopelican_hls.jets.readers.interface import Reader, check_lengths, padded_with_zeros

logger = logging.getLogger(__name__)

#: dataset -> dtype kinds it may have, and the shape of its entry per jet (None: any size)
_DATASETS: dict[str, tuple[str, tuple[int | None, ...]]] = {
    "Pmu": ("f", (None, 4)),
    "Nobj": ("iu", ()),
    "jet_Pmu": ("f", (4,)),
    "Nobj_all": ("iu", ()),
}


class PelicanReader(Reader):
    """Only ``Pmu`` is required.

    Without ``is_signal`` and ``label`` the labels are None (and a warning is logged); without ``jet_Pmu`` the jet is
    the sum of its constituents in the file; without ``Nobj_all`` and ``Nobj`` they are counted.
    """

    layout = "PELICAN"
    identified_by = "dataset 'Pmu'"

    @classmethod
    def recognises(cls, file: Any) -> bool:
        return "Pmu" in file

    def __init__(self, path: Path, file: Any, wanted: Wanted) -> None:
        self._datasets = {name: file[name] for name in _DATASETS if name in file}
        self._labelling = labels_of_file(path, file, wanted)
        if self._labelling.dataset:
            self._datasets[self._labelling.dataset] = file[self._labelling.dataset]
        for name, dataset in self._datasets.items():
            check_dataset(f"{path}: {name}", dataset, *_DATASETS.get(name, ("biu", ())))
        check_lengths(path, {name: len(dataset) for name, dataset in self._datasets.items()})
        self._log_what_is_missing(path)

    def __len__(self) -> int:
        return len(self._datasets["Pmu"])

    def read(self, start: int, stop: int) -> Jets:
        arrays: dict[str, NDArray[Any]] = {name: dataset[start:stop] for name, dataset in self._datasets.items()}
        momenta = padded_with_zeros(arrays["Pmu"])
        counts = [arrays[name] for name in ("Nobj_all", "Nobj") if name in arrays]
        return Jets(
            four_momenta=momenta,
            jet_four_momentum=arrays["jet_Pmu"] if "jet_Pmu" in arrays else momenta.sum(axis=1),
            multiplicity=counts[0] if counts else np.count_nonzero(momenta[..., 0], axis=1),
            labels=self._labelling(arrays.get(self._labelling.dataset)),
            classes=self._labelling.classes,
        )

    def _log_what_is_missing(self, path: Path) -> None:
        if "jet_Pmu" not in self._datasets:
            logger.info("%s has no jet_Pmu: using the sum of the constituents in the file", path)
        if not {"Nobj", "Nobj_all"} & set(self._datasets):
            logger.info("%s has no Nobj: counting the constituents in the file", path)
