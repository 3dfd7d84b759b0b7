"""The jets of a study."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nanopelican_hls.config import load_config
from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets import read_jets, write_jets
from nanopelican_hls.progress import SILENT
from nanopelican_hls.studies.files import JetFiles
from nanopelican_hls.studies.tasks import NetworkTask
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.training.run_folder import RunFolder

ROOT = Path(__file__).parents[2]


def test_one_file_is_divided(jets_file):
    files = JetFiles.find(jets_file)
    parts = [files.jets(name) for name in ("train", "valid", "test")]
    assert [len(part) for part in parts] == [360, 120, 120]
    everything = read_jets(jets_file)
    together = np.concatenate([part.four_momenta for part in parts])
    order = np.argsort(together[:, 0, 0], kind="stable")
    expected = everything.four_momenta[np.argsort(everything.four_momenta[:, 0, 0], kind="stable")]
    np.testing.assert_array_equal(together[order], expected)
    for part in parts:
        assert 0.3 < part.labels.mean() < 0.7  # even though the file is sorted by class


def test_at_most(jets_file):
    files = JetFiles.find(jets_file, at_most={"test": 110})
    assert len(files.jets("test")) == 110
    # only as much as needed is read from the head of the file, which is all signal here
    with pytest.raises(JetsError, match="background"):
        JetFiles.find(jets_file, at_most={"train": 30}).jets("train")


def test_a_folder_of_three(jets_file, tmp_path):
    for name in ("train.h5", "val.h5", "test.h5"):
        shutil.copy(jets_file, tmp_path / name)
    files = JetFiles.find(tmp_path)
    assert [len(files.jets(name)) for name in ("train", "valid", "test")] == [600, 600, 600]
    (tmp_path / "test.h5").unlink()
    with pytest.raises(JetsError, match=r"has 0 files test\*"):
        JetFiles.find(tmp_path)


def test_samples_are_shared_by_networks_of_one_size(jets_file):
    files = JetFiles.find(jets_file)
    one, other = (files.sample("test", NetworkConfig(8, channels)) for channels in (2, 5))
    assert one is other
    assert len(one) == 120


def test_more_than_two_classes_are_refused(jets_file, tmp_path):
    write_jets(tmp_path / "three.h5", replace(read_jets(jets_file), classes=("g", "W", "t")), {})
    with pytest.raises(JetsError, match=r"three\.h5: has 3 classes \(g, W, t\)"):
        JetFiles.find(tmp_path / "three.h5").jets("train")


def test_classes_of_a_network(jets_file):
    files = JetFiles.find(jets_file)
    plain, named = (files.sample("test", NetworkConfig(8, 2, classes=classes)) for classes in ((), ("top", "qcd")))
    np.testing.assert_array_equal(named.labels, 1 - plain.labels)
    with pytest.raises(JetsError, match="has no class 'W'; its classes are qcd, top"):
        files.sample("test", NetworkConfig(8, 2, classes=("qcd", "W")))


def test_a_curve_for_each_class(jets_file, tmp_path):
    config = load_config(ROOT / "configs" / "trigger-n6.yaml")
    config = replace(
        config,
        name="tiny",
        network=replace(config.network, classes=("qcd", "top")),
        training=replace(config.training, float_epochs=1, second_order_steps=0, quantised_epochs=0),
    )
    found = NetworkTask(config, 1).train(JetFiles.find(jets_file), RunFolder(tmp_path), progress=SILENT)
    assert list(found["test"]["float"]["classes"]) == ["qcd", "top"]
    for name in ("qcd", "top"):
        assert (tmp_path / f"roc-{name}.csv").read_text().startswith("signal_efficiency,")
