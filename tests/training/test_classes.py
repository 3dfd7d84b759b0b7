"""Several classes, from files of jets to firmware."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import replace

import numpy as np
import pytest
from jet_files import plain, write_lhc_jets

from nanopelican_hls.cli import csim, main
from nanopelican_hls.contract.program import read_program
from nanopelican_hls.evaluation.class_metrics import class_figures
from nanopelican_hls.jets import Jets, port_values, read_jets, sample_path, write_jets
from nanopelican_hls.network.model import load_model

CLASSES = ("g", "W", "t")
CONFIG = """
network: {n_constituents: 4, channels: 2, classes: [g, W, t]}
quantisers:
  momenta: {bits: 8}
  d: {bits: 8}
  r: {bits: 8}
  s: {bits: 8}
  mix: {bits: 8}
  relu: {bits: 8}
  diagonal: {bits: 8}
  sums: {bits: 12}
  weights: {bits: 8}
  biases: {bits: 10}
  logit: {bits: 12}
  tensors: {logit_W: {bits: 10}}
training: {float_epochs: 2, second_order_steps: 2, quantised_epochs: 2, batch_size: 100, seeds: [1]}
"""
LAYOUTS = {"generic": lambda path, jets: write_jets(path, jets, {}), "lhc": write_lhc_jets}


@pytest.fixture(scope="module")
def jets() -> Jets:
    """Jets of three classes, which are thirds in their mass; on a grid that no layout rounds, nor the sum of a jet."""
    jets = read_jets(sample_path(), events=600).leading(16)
    momenta = np.round(256 * jets.four_momenta) / 256
    momenta[..., 0] = np.ceil(256 * np.linalg.norm(momenta[..., 1:], axis=-1)) / 256
    jets = plain(replace(jets, four_momenta=momenta))
    energy, *momentum = jets.jet_four_momentum.T
    mass_squared = energy**2 - sum(p**2 for p in momentum)
    return replace(
        jets, labels=np.searchsorted(np.quantile(mass_squared, [1 / 3, 2 / 3]), mass_squared), classes=CLASSES
    )


def train(folder, layout: str, config: str = CONFIG, *more: str) -> int:
    (folder / "three.yaml").write_text(config)
    jets = str(folder / f"{layout}.h5")
    files = [
        "--train",
        jets,
        "--valid",
        jets,
        "--output",
        str(folder / layout),
        "--runs",
        str(folder / f"runs-{layout}"),
    ]
    return main(["train", str(folder / "three.yaml"), *files, *more])


@pytest.fixture(scope="module")
def folder(jets, tmp_path_factory):
    """Models trained on the same jets in both layouts."""
    folder = tmp_path_factory.mktemp("classes")
    for layout, write in LAYOUTS.items():
        write(folder / f"{layout}.h5", jets)
        assert train(folder, layout) == 0
    return folder


def test_both_layouts_give_the_same_model(folder):
    generic, lhc = (json.loads((folder / layout / "three.json").read_text()) for layout in LAYOUTS)
    assert generic["figures"] == lhc["figures"]
    assert (folder / "generic" / "three.onnx").read_bytes() == (folder / "lhc" / "three.onnx").read_bytes()


def test_the_card_has_the_figures_of_every_class(folder, jets):
    model = load_model(folder / "lhc" / "three.pt")
    found = json.loads((folder / "lhc" / "three.json").read_text())["figures"]["valid"]
    ports = port_values(jets, model.config.network)
    logits = {"float": model.float_logits(ports), "quantised": model.quantised_network(ports).detach().numpy()}
    for form, values in logits.items():
        assert values.shape == (len(jets), 3)
        assert found[form] == class_figures(jets.labels, values, CLASSES).as_dict()
        assert list(found[form]["classes"]) == list(CLASSES)
    assert found["quantised"]["auc"] > 0.6
    page = (folder / "lhc" / "three.md").read_text()
    assert "## Classes" in page
    row = [f"{value:.4f}" for value in found["quantised"]["pairwise_auc"]["W"].values()]
    assert f"| W | {row[0]} |  | {row[1]} |" in page
    assert "| model |" not in page


def test_the_zoo_lists_it(folder, capsys):
    card = folder / "zoo" / "three.json"
    card.parent.mkdir()
    content = json.loads((folder / "lhc" / "three.json").read_text())
    content["figures"]["test"] = content["figures"]["valid"]
    card.write_text(json.dumps(content))
    assert main(["zoo", str(card.parent)]) == 0
    assert f"| three | 4 | 2 | {content['figures']['test']['float']['auc']:.4f} |" in capsys.readouterr().out


def test_the_graph_has_an_output_for_each(folder):
    program = read_program(folder / "lhc" / "three.onnx")
    assert [(port.name, port.bits) for port in program.outputs] == [("logit_g", 12), ("logit_W", 10), ("logit_t", 12)]


@pytest.mark.long
def test_the_firmware_is_bit_exact(folder, capsys):
    arguments = ["csim", str(folder / "three.yaml"), "--models", str(folder / "lhc"), "--build", str(folder / "build")]
    assert main([*arguments, "--jets", str(folder / "lhc.h5")]) == 0
    report = json.loads((folder / "build" / "three" / "csim.json").read_text())
    none = dict.fromkeys(("brevitas_vs_qonnx", "csim_vs_qonnx", "emulator_vs_qonnx"), 0)
    assert report["mismatches"] == report["hostile"]["mismatches"] == none
    assert report["testbench"]["mismatches"] == 0
    assert {f"logit_{name}" for name in CLASSES} <= set(report["tensors_compared"])
    card = json.loads((folder / "lhc" / "three.json").read_text())["figures"]["valid"]
    assert report["auc"]["firmware"] == report["auc"]["quantised"] == card["quantised"]["auc"]
    assert f"{report['auc']['firmware']:.4f}" in capsys.readouterr().out


def test_its_invariance_is_measured(folder):
    arguments = ["equivariance", str(folder / "lhc" / "three.pt"), "--jets", str(folder / "lhc.h5"), "--events", "200"]
    assert main([*arguments, "--output", str(folder), "--betas", "0.5", "--widths"]) == 0


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ("[g, W, H]", "generic.h5: has no class 'H'; its classes are g, W, t"),
        ("[g, W]", "its class is t, which is none of g, W"),
        ("[g]", "network.classes: g is the only one"),
        ("[g, W, w]", "network.classes: W is named twice"),
        ("[g, W-jet]", "network.classes: 'W-jet' cannot be part of the name of a tensor"),
        ("[g, g_exact]", "network.classes: 'g_exact' cannot be"),
        ("[g, bias_g]", "network.classes: 'bias_g' cannot be"),
        ("[g, '']", "network.classes: '' cannot be"),
    ],
)
def test_what_does_not_fit_is_refused(classes, expected, folder, tmp_path, capsys):
    (tmp_path / "generic.h5").symlink_to(folder / "generic.h5")
    assert train(tmp_path, "generic", CONFIG.replace("[g, W, t]", classes).replace("tensors", "# tensors")) == 2
    assert expected in capsys.readouterr().err


def test_jets_without_a_class_or_without_labels_are_refused(jets, tmp_path, capsys):
    write_jets(tmp_path / "generic.h5", jets[jets.labels != 1], {})
    assert train(tmp_path, "generic") == 2
    assert "generic.h5: holds no W jets" in capsys.readouterr().err
    write_jets(tmp_path / "generic.h5", replace(jets, labels=None), {}, force=True)
    assert train(tmp_path, "generic") == 2
    assert "generic.h5: holds no g jets" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["formula", "precision"])
def test_what_needs_one_logit_says_so(command, folder, capsys):
    model = str(folder / "lhc" / "three.pt")
    arguments = {
        "formula": [model],
        "precision": [str(folder / "three.yaml"), model, "--jets", str(folder / "lhc.h5"), "--budget", "0.5"],
    }
    assert main([command, *arguments[command]]) == 2
    assert "network.classes: " in capsys.readouterr().err


def test_the_shipped_sample_has_no_labels_for_other_classes(caplog):
    args = Namespace(jets=None, events=50)
    assert csim._jets(args, CLASSES).labels is None
    assert "lacks some of the classes g, W, t: AUC will be skipped; --jets" in caplog.text
    assert csim._jets(args, ()).classes is None
    assert csim._jets(args, ("top", "QCD")).classes == ("top", "QCD")
