"""Writers of jets in every layout, with the same libraries as the public files."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import h5py
import numpy as np

from nanopelican_hls.jets import Jets
from nanopelican_hls.jets.hdf5 import write_level1
from nanopelican_hls.jets.level1 import to_level1

LHC_CLASSES = ("g", "q", "w", "z", "t")
JETCLASS_CLASSES = ("QCD", "Hbb", "Tbqq", "Tbl")


def assert_same_jets(a: Jets, b: Jets) -> None:
    """All but the file that they come from."""
    for field in dataclasses.fields(Jets):
        if field.compare:
            assert np.array_equal(getattr(a, field.name), getattr(b, field.name)), field.name


def plain(jets: Jets) -> Jets:
    """The jets as read from a file with constituents only: the jet is their sum, the multiplicity their number."""
    momenta = jets.four_momenta
    return dataclasses.replace(
        jets, jet_four_momentum=momenta.sum(axis=1), multiplicity=np.count_nonzero(momenta[..., 0], axis=1)
    )


def write_pelican(path: Path, jets: Jets) -> None:
    with h5py.File(path, "w") as file:
        file["Pmu"], file["is_signal"] = jets.four_momenta, jets.labels


def top_tagging_frame(jets: Jets, dtype=np.float64):
    import pandas

    n = jets.four_momenta.shape[1]
    names = [f"{component}_{i}" for i in range(n) for component in ("E", "PX", "PY", "PZ")]
    truth = ["truthE", "truthPX", "truthPY", "truthPZ"]
    values = np.concatenate([jets.four_momenta.reshape(len(jets), -1), np.full((len(jets), 4), 7.0)], axis=1)
    frame = pandas.DataFrame(values.astype(dtype), columns=names + truth)
    return frame.assign(ttv=2, is_signal_new=jets.labels.astype(np.int64))


def write_top_tagging(path: Path, jets: Jets, dtype=np.float64, **compression) -> None:
    top_tagging_frame(jets, dtype).to_hdf(path, key="table", mode="w", format="table", **compression)


def write_lhc_jets(path: Path, jets: Jets, *, names: bool = True) -> None:
    """As published: 16 features per constituent and 59 per jet, the last of which is j_undef."""
    n, width, _ = jets.four_momenta.shape
    constituents = np.full((n, width, 16), 3.0)
    constituents[..., :4] = jets.four_momenta[..., [1, 2, 3, 0]]
    features = np.full((n, 59), 5.0)
    features[:, -6:] = 0
    if jets.classes:
        features[np.arange(n), [LHC_CLASSES.index(jets.classes[label].lower()) - 6 for label in jets.labels]] = 1
    else:
        features[:, -2] = jets.labels
        features[np.flatnonzero(jets.labels == 0), -6 + np.arange(np.sum(jets.labels == 0)) % 4] = 1
    with h5py.File(path, "w") as file:
        file["jetConstituentList"], file["jets"] = constituents, features
        if names:
            file["particleFeatureNames"] = [
                b"j1_px", b"j1_py", b"j1_pz", b"j1_e", *(b"j1_%d" % i for i in range(12)), b"j_index"
            ]  # fmt: skip
            file["jetFeatureNames"] = [
                *(b"j_%d" % i for i in range(53)), *(b"j_" + c.encode() for c in LHC_CLASSES), b"j_undef"
            ]  # fmt: skip


def jetclass_branches(jets: Jets) -> dict:
    import awkward

    counts = np.count_nonzero(jets.four_momenta[..., 0], axis=1)
    present = np.arange(jets.four_momenta.shape[1]) < counts[:, None]
    branches = {
        name: awkward.unflatten(jets.four_momenta[..., k][present], counts)
        for k, name in enumerate(("part_energy", "part_px", "part_py", "part_pz"))
    }
    # both kinds of top and both kinds of background, in turn
    kind = np.arange(len(jets)) // 2 % 2
    index = np.where(jets.labels == 1, 2 + kind, kind)
    labels = {f"label_{name}": (index == k).astype(np.float32) for k, name in enumerate(JETCLASS_CLASSES)}
    return branches | {"jet_pt": np.ones(len(jets), np.float32)} | labels


def write_jetclass(path: Path, jets: Jets) -> None:
    write_tree(path, jetclass_branches(jets))


def write_tree(path: Path, branches: dict, tree: str = "tree") -> None:
    import uproot

    with uproot.recreate(path) as file:
        file.mktree(tree, {name: getattr(values, "type", None) or values.dtype for name, values in branches.items()})
        for start in range(0, len(next(iter(branches.values()))), 5):  # several baskets
            file[tree].extend({name: values[start : start + 5] for name, values in branches.items()})


def write_words(path: Path, jets: Jets) -> None:
    write_level1(path, to_level1(jets), {})


#: name -> suffix and writer
LAYOUTS = {
    "pelican": (".h5", write_pelican),
    "top tagging": (".h5", write_top_tagging),
    "top tagging, blosc": (".h5", lambda p, j: write_top_tagging(p, j, complib="blosc", complevel=5)),
    "top tagging, blosc2": (".h5", lambda p, j: write_top_tagging(p, j, complib="blosc2", complevel=5)),
    "top tagging, zlib": (".h5", lambda p, j: write_top_tagging(p, j, complib="zlib", complevel=5)),
    "lhc jets": (".h5", write_lhc_jets),
    "lhc jets without names": (".h5", lambda p, j: write_lhc_jets(p, j, names=False)),
    "jetclass": (".root", write_jetclass),
    "level 1": (".h5", write_words),
}
