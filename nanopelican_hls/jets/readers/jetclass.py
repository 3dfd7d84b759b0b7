"""ROOT files in the JetClass layout (Qu, Li, Qian; doi 10.5281/zenodo.6619768), read with uproot.

Tree ``tree``, a TTree or an RNTuple (which uproot writes by default), one entry per jet: branches part_energy, part_px,
part_py, part_pz with one number per constituent, in GeV, and label_QCD, label_Hbb, ..., label_Tbqq, label_Tbl, exactly
one of which is set. Other branches are ignored.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import numpy as np

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import Jets
from nanopelican_hls.jets.readers.classes import Labelling, Wanted, class_of_one_hot
from nanopelican_hls.jets.readers.interface import Reader, check_lengths, jets_of_constituents

logger = logging.getLogger(__name__)

MOMENTA = ("part_energy", "part_px", "part_py", "part_pz")
DEFAULT_SIGNAL = ("Tbqq", "Tbl")
_PREFIX = "label_"


class JetClassReader(Reader):
    """Both top classes are signal and all others background, unless ``signal`` or ``classes`` say otherwise."""

    layout = "JetClass (ROOT)"
    identified_by = "tree 'tree' with branch 'part_px'"

    @classmethod
    def recognises(cls, file: Any) -> bool:
        return "tree" in file and hasattr(file["tree"], "arrays")

    def __init__(self, path: Path, file: Any, wanted: Wanted) -> None:
        self._tree = file["tree"]
        branches = list(self._tree.keys())
        missing = [name for name in MOMENTA if name not in branches]
        if missing:
            shown = ", ".join(branches[:8]) + (", ..." if len(branches) > 8 else "")
            raise JetsError(
                f"has no branch {', '.join(missing)}; it has {shown or 'none at all'}",
                where=f"{path}: tree",
                remedy=f"write the constituents as branches {', '.join(MOMENTA)}, in GeV",
            )
        for name in MOMENTA:
            if not _holds_lists(self._tree[name]):
                raise JetsError(
                    f"must be lists of numbers, one per constituent, not {self._tree[name].typename}",
                    where=f"{path}: {name}",
                    remedy="write one list per jet",
                )
        check_lengths(path, {"tree": len(self)})
        self._classes = [name.removeprefix(_PREFIX) for name in branches if name.startswith(_PREFIX)]
        self._labelling = self._label(path, wanted)
        # the longest jet sets one width for all ranges of the file
        self._width = max(self._longest(), 1)

    def __len__(self) -> int:
        return int(self._tree.num_entries)

    def read(self, start: int, stop: int) -> Jets:
        import awkward

        labels = [_PREFIX + name for name in self._classes]
        columns = self._tree.arrays([*MOMENTA, *labels], entry_start=start, entry_stop=stop)
        padded = (awkward.fill_none(awkward.pad_none(columns[name], self._width), 0.0) for name in MOMENTA)
        momenta = np.stack([awkward.to_numpy(component) for component in padded], axis=-1)
        if self._labelling is None:
            return jets_of_constituents(momenta, None)
        one_hot = np.stack([awkward.to_numpy(columns[name]) for name in labels], axis=-1).astype(np.float32)
        found = self._labelling(class_of_one_hot(one_hot, self._classes))
        return jets_of_constituents(momenta, found, self._labelling.classes)

    def _longest(self) -> int:
        import awkward

        chunks = self._tree.iterate(MOMENTA[:1], step_size="20 MB")
        return max(int(awkward.max(awkward.num(chunk[MOMENTA[0]]))) for chunk in chunks)

    def _label(self, path: Path, wanted: Wanted) -> Labelling | None:
        if not self._classes:
            logger.warning("%s has no labels (%s...): AUC will be skipped", path, _PREFIX)
            return None
        return wanted.of_classes(path, self._classes, DEFAULT_SIGNAL)


def _holds_lists(branch: Any) -> bool:
    """Whether a branch of a TTree, or a field of an RNTuple, has a list of numbers per jet."""
    if hasattr(branch, "interpretation"):
        content = getattr(branch.interpretation, "content", None)  # of lists, not of texts
        return bool(getattr(content, "numpy_dtype", np.dtype("O")).kind in "fiu")
    return bool(re.match(r"(std::vector|ROOT::VecOps::RVec|ROOT::RVec)<[^<>:]*(::u?int\d+_t)?>$", branch.typename))
