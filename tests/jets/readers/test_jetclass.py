from __future__ import annotations

import logging

import numpy as np
import pytest
from jet_files import jetclass_branches, write_jetclass, write_tree

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets import iterate_jets, read_jets


@pytest.fixture
def path(tmp_path):
    return tmp_path / "jets.root"


def refused(path, what, **arguments) -> JetsError:
    with pytest.raises(JetsError, match=what) as caught:
        read_jets(path, **arguments)
    assert str(path) in caught.value.where
    assert caught.value.remedy
    return caught.value


def test_both_tops_are_signal(path, jets):
    write_jetclass(path, jets)
    assert read_jets(path).labels.tolist() == [0, 1] * 6


def test_other_classes_can_be(path, jets):
    write_jetclass(path, jets)
    assert read_jets(path, signal=["Hbb"]).labels.tolist() == [0, 0, 1, 0] * 3


def test_each_class_with_a_label(path, jets):
    write_jetclass(path, jets)
    read = read_jets(path, classes=("Tbl", "Tbqq", "QCD", "Hbb"))
    assert read.classes == ("Tbl", "Tbqq", "QCD", "Hbb")
    assert read.labels.tolist() == [2, 1, 3, 0] * 3


def test_classes_without_jets_need_no_name(path, jets):
    write_jetclass(path, jets[:2])
    assert read_jets(path, classes=("qcd", "tbqq")).labels.tolist() == [0, 1]


def test_unknown_class(path, jets):
    write_jetclass(path, jets)
    refused(path, "has no class 'top'; its classes are QCD, Hbb, Tbqq, Tbl", signal=["top"])


def test_every_chunk_is_as_wide_as_the_longest_jet(path, jets):
    write_jetclass(path, jets)
    assert {chunk.four_momenta.shape[1] for chunk in iterate_jets(path, 3)} == {14}


def test_no_labels(path, jets, caplog):
    write_tree(path, {n: v for n, v in jetclass_branches(jets).items() if not n.startswith("label_")})
    with caplog.at_level(logging.WARNING, logger="nanopelican_hls"):
        assert read_jets(path).labels is None
    assert caplog.messages == [f"{path} has no labels (label_...): AUC will be skipped"]
    assert read_jets(path, classes=("QCD", "Hbb")).labels is None


def test_not_one_hot(path, jets):
    write_tree(path, jetclass_branches(jets) | {"label_QCD": np.ones(12, np.float32)})
    assert refused(path, "its classes are not one-hot: QCD 1, Hbb 0, Tbqq 1, Tbl 0").where == f"{path}: jet 1"


def test_no_jets(path, jets):
    write_tree(path, {name: values[:0] for name, values in jetclass_branches(jets).items()})
    refused(path, "holds no jets")


def test_missing_branch(path, jets):
    branches = jetclass_branches(jets)
    del branches["part_energy"]
    write_tree(path, branches)
    error = refused(path, "has no branch part_energy; it has ")
    assert error.where == f"{path}: tree"


def test_branch_that_is_not_a_list(path, jets):
    write_tree(path, jetclass_branches(jets) | {"part_energy": np.ones(12)})
    refused(path, "part_energy: must be lists of numbers, one per constituent")


def test_a_jet_without_constituents(path, jets, caplog):
    import awkward

    branches = jetclass_branches(jets)
    keep = awkward.Array([[True] * len(c) if i != 4 else [False] * len(c) for i, c in enumerate(branches["part_px"])])
    write_tree(path, {n: v[keep] if n.startswith("part_") else v for n, v in branches.items()})
    assert read_jets(path).multiplicity[4] == 0
    assert "1 of 12 jets have no constituents, the first is jet 4" in caplog.text


@pytest.mark.parametrize("form", ["mktree", "mkrntuple"])
def test_texts_in_place_of_lists(path, jets, form):
    import awkward
    import uproot

    branches = jetclass_branches(jets) | {"part_px": awkward.Array(["12"] * len(jets))}
    with uproot.recreate(path) as file:
        if form == "mktree":
            file.mktree("tree", {name: getattr(v, "type", None) or v.dtype for name, v in branches.items()})
            file["tree"].extend(branches)
        else:
            file.mkrntuple("tree", branches)
    refused(path, "part_px: must be lists of numbers, one per constituent, not ")


def test_whatever_uproot_raises_is_damage(path, jets):
    """`make fuzz` found that its errors of damaged baskets and keys have no base class that others have."""
    import uproot

    with uproot.recreate(path, compression=None) as file:
        branches = jetclass_branches(jets)
        file.mktree("tree", {name: getattr(v, "type", None) or v.dtype for name, v in branches.items()})
        file["tree"].extend(branches)
    content = path.read_bytes()
    accepted, refusals = 0, []
    rng = np.random.default_rng(1)
    for place in rng.integers(4, len(content), 60):
        path.write_bytes(content[:place] + b"\xff\xff\xff\xff" + content[place + 4 :])
        try:
            accepted += len(read_jets(path)) > 0
        except JetsError as error:
            refusals.append(error)
    assert accepted > 0
    assert all(error.remedy for error in refusals)
    assert any("is truncated or damaged (DeserializationError: " in text for text in map(str, refusals))
