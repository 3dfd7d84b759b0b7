"""``nanopelican study``: tables and plots from many small training runs."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from nanopelican_hls.cli import main
from nanopelican_hls.config.recipes import recommended
from nanopelican_hls.files import LOCK
from nanopelican_hls.network.canonical import multiplier_free
from nanopelican_hls.network.checkpoint import load_checkpoint
from nanopelican_hls.studies import architecture, firmware, forms, inputs, normalisation, study
from nanopelican_hls.studies.architecture import ArchitectureStudy, pair_relus
from nanopelican_hls.studies.files import JetFiles
from nanopelican_hls.studies.firmware import SizeStudy, WidthStudy
from nanopelican_hls.studies.forms import FormsStudy
from nanopelican_hls.topology.config import Coordinates, Multiplicity, MultiplicityBins, Spurions
from nanopelican_hls.training.run_folder import RunFolder


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Two seeds of two epochs, and few configurations."""

    def short():
        config = recommended()
        training = replace(config.training, float_epochs=2, second_order_steps=2, quantised_epochs=1)
        return replace(config, network=replace(config.network, n_constituents=4, channels=1), training=training)

    monkeypatch.setattr(study.Study, "at_most", {"train": 300, "valid": 100, "test": 100})
    monkeypatch.setattr(ArchitectureStudy, "at_most", study.Study.at_most)
    monkeypatch.setattr(firmware, "recommended", short)
    monkeypatch.setattr(architecture, "recommended", short)
    monkeypatch.setattr(forms, "recommended", short)
    monkeypatch.setattr(inputs, "recommended", short)
    monkeypatch.setattr(FormsStudy, "at_most", study.Study.at_most)
    for module, name, values in (
        (firmware, "SIZES", (4, 5)),
        (firmware, "CHANNELS", (1,)),
        (firmware, "LABORATORY_BITS", (12,)),
        (firmware, "LIGHT_CONE_BITS", (8,)),
        (firmware, "INNER_BITS", (6,)),
        (firmware, "SCANNED", 4),
        (forms, "SIZES", (4,)),
        (forms, "EPOCHS", 5),
        (forms, "QUANTISED_EPOCHS", 1),
        (architecture, "CHANNELS", (1,)),
        (architecture, "SIZES", (4,)),
        (architecture, "LARGEST_CHANNELS", (1,)),
        (architecture, "BEAM_CHANNELS", (1,)),
        (architecture, "BEAM_SIZES", (4,)),
        (inputs, "SIZES", (4,)),
        (normalisation, "MODEL", "paper-n16-c1"),
        (normalisation, "EPOCHS", 1),
        (normalisation, "STEPS", 1),
        # the sample has 32 constituents of each jet
        (inputs, "COUNTS", {"all": (MultiplicityBins(), 0.0), "of 20 GeV": (MultiplicityBins(0, 1, 8), 20.0)}),
    ):
        monkeypatch.setattr(module, name, values)


def run(name, jets, output) -> tuple[str, dict]:
    assert main(["study", name, "--jets", str(jets), "--output", str(output), "--jobs", "1"]) == 0
    assert (output / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    return (output / f"{name}.md").read_text(), json.loads((output / f"{name}.json").read_text())


def table(page: str, row: int) -> list[str]:
    lines = [line for line in page.splitlines() if line.startswith("|") and "---" not in line]
    return [cell.strip() for cell in lines[row].strip("|").split("|")]


def test_firmware(jets_file, tmp_path):
    page, content = run("firmware", jets_file, tmp_path)
    assert page.startswith(
        "4 trainings; 300 training jets, 100 validation jets, 100 test jets; "
        "2 float epochs, up to 2 steps of L-BFGS and 1 quantised epochs."
    )
    figures = [result["figures"]["test"] for result in content["results"]["n4-c1"]]
    mean = sum(f["quantised"]["auc"] for f in figures) / 2
    assert table(page, 1)[:2] == ["4", "1"]
    assert table(page, 1)[4].startswith(f"{mean:.4f} ± ")
    for f in figures:
        # the fold is exact, and an AUC counts pairs of jets
        assert f["folded"]["auc"] == f["float"]["auc"]
        assert f["folded"]["loss"] == pytest.approx(f["float"]["loss"], rel=1e-9)


def test_two_studies_in_one_folder(jets_file, tmp_path, capsys):
    folder = RunFolder(tmp_path / "runs" / "n4-c1" / "seed1")
    with folder.held("--output"):
        assert main(["study", "firmware", "--jets", str(jets_file), "--output", str(tmp_path), "--jobs", "1"]) == 2
    error = capsys.readouterr().err
    assert f"seed1: is in use by another run (process {os.getpid()})" in error
    assert "remedy: wait for it, or choose another folder (--output FOLDER)" in error
    assert [path.name for path in folder.path.iterdir()] == [LOCK]


def test_widths(jets_file, tmp_path):
    page, content = run("widths", jets_file, tmp_path)
    assert set(content["results"]) == {"laboratory-12", "light-cone-8", "inner-6"}
    # fine-tuning at another width starts from the same float network
    floats = {name: [r["figures"]["test"]["float"] for r in found] for name, found in content["results"].items()}
    assert floats["light-cone-8"] == floats["inner-6"]
    assert page.count("| bits |") == 3


def test_architecture(jets_file, tmp_path):
    page, content = run("architecture", jets_file, tmp_path)
    assert len(content["results"]) == 6
    assert {table(page, row)[1] for row in range(1, 7)} == {"none", "jet", "beams"}


def test_inputs(jets_file, tmp_path):
    assert main(["study", "inputs", "--jets", str(jets_file), "--output", str(tmp_path), "--jobs", "1"]) == 0
    page = (tmp_path / "inputs.md").read_text()
    assert [table(page, row)[1:3] for row in (1, 3, 11)] == [
        ["none", "none"],
        ["jet", "none, k0' of the spurion"],
        ["rest", "b0, b and b_diag"],
    ]
    assert [table(page, row)[0] for row in (13, 14)] == ["all", "of 20 GeV"]
    assert len(json.loads((tmp_path / "inputs.json").read_text())["results"]) == 11 + 2 + 3
    assert [table(page, row)[0] for row in (16, 17, 18)] == ["5", "10", "20"]


def test_normalisation(jets_file, tmp_path):
    assert main(["study", "normalisation", "--jets", str(jets_file), "--output", str(tmp_path), "--jobs", "1"]) == 0
    page = (tmp_path / "normalisation.md").read_text()
    assert [table(page, row)[:2] for row in range(1, 5)] == [["no", "64"], ["no", "49"], ["yes", "64"], ["yes", "49"]]
    kept = {
        name: load_checkpoint(tmp_path / "runs" / name / "seed1" / "best.pt").config
        for name in json.loads((tmp_path / "normalisation.json").read_text())["results"]
    }
    assert {name: (c.network.batch_norm, c.training.nbar) for name, c in kept.items()} == {
        "plain-nbar64": (False, 64),
        "plain-nbar49": (False, 49),
        "batch-norm-nbar64": (True, 64),
        "batch-norm-nbar49": (True, 49),
    }


def test_smeared_multiplicity(jets_file):
    network = replace(recommended().network, n_constituents=4, spurions=Spurions.REST, multiplicity=Multiplicity.JET)
    files = JetFiles.find(jets_file)
    plain, smeared = (files.sample("train", network, mean) for mean in (0.0, 10.0))
    moved = smeared.values["n_jet"].astype(int) - plain.values["n_jet"]
    assert abs(moved.mean()) < 1 and 2.7 < moved.std() < 3.6
    assert all((smeared.values[name] == plain.values[name]).all() for name in set(plain.values) - {"n_jet"})
    assert (files.sample("train", network, 10.0).values["n_jet"] == smeared.values["n_jet"]).all()


def test_forms(jets_file, tmp_path):
    page, content = run("forms", jets_file, tmp_path)
    assert set(content["results"]) == {f"form-{letter}-n4" for letter in "abc"}
    assert table(page, 3)[:3] == ["(c) symmetric, light cone, jet", "4", "4"]
    for letter in "abc":
        description = load_checkpoint(tmp_path / "runs" / f"form-{letter}-n4" / "seed1" / "best.pt").description
        assert multiplier_free(description)


def test_widths_that_are_scanned():
    configs = {config.name: config for config in WidthStudy().configs()}
    assert configs["laboratory-12"].network.coordinates is Coordinates.CARTESIAN
    assert configs["laboratory-12"].quantisers.momenta.bits == 12
    assert configs["laboratory-12"].quantisers.rest_momenta.bits == 13
    plain, narrow = recommended().quantisers, configs["inner-6"].quantisers
    assert (narrow.d.bits, narrow.d_rr.bits, narrow.weights.bits) == (6, 8, 6)
    assert (narrow.momenta, narrow.rest_momenta) == (plain.momenta, plain.rest_momenta)
    assert narrow.tensors is None
    assert narrow.logit == plain.logit


def test_sizes_of_the_firmware_table(monkeypatch):
    monkeypatch.undo()
    sizes = {(c.network.n_constituents, c.network.channels) for c in SizeStudy().configs()}
    assert sizes == {(n, c) for n in (8, 16) for c in (1, 2, 4)}
    assert all(len(c.training.seeds) == 2 for c in SizeStudy().configs())


def test_cost_is_what_stands_at_pair_level():
    base = recommended().network  # 16 constituents and the rest, 2 channels, symmetric
    assert pair_relus(base) == 17 * 16 // 2 * 2
    assert pair_relus(replace(base, symmetric=False)) == 17 * 16 * 2
