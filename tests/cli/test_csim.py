"""The whole chain on the command line, with a network small enough to compile in seconds."""

import dataclasses
import functools
import json
import os

import h5py
import numpy as np
import onnx
import pytest
import yaml
from onnx import numpy_helper
from random_networks import random_description

from nanopelican_hls import rtl
from nanopelican_hls.cli import main
from nanopelican_hls.config import Config, to_mapping
from nanopelican_hls.flows import bit_accuracy as csim
from nanopelican_hls.flows.build_folder import locked
from nanopelican_hls.jets import read_jets, sample_path, write_jets
from nanopelican_hls.network.checkpoint import Checkpoint, save_checkpoint
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.model import TrainedModel, export_qonnx
from nanopelican_hls.topology.config import Coordinates, NetworkConfig, QuantiserConfig, QuantisersConfig, Spurions

EVENTS = 300
EXECUTORS = ("brevitas_vs_qonnx", "csim_vs_qonnx", "emulator_vs_qonnx")
WIDE = QuantiserConfig(10)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A folder with tiny.yaml, models/tiny.pt and models/tiny.onnx, as written by training."""
    return make_workspace(tmp_path_factory.mktemp("workspace"))


def make_workspace(folder):
    network = NetworkConfig(3, 1, symmetric=True, spurions=Spurions.JET, coordinates=Coordinates.LIGHT_CONE)
    quantisers = QuantisersConfig(**dict.fromkeys(("momenta", "logit", "weights", "biases", "jet_momenta", "d"), WIDE))
    config = Config("tiny", network, quantisers)
    mapping = to_mapping(config)
    del mapping["name"]
    (folder / "tiny.yaml").write_text(yaml.safe_dump(mapping))
    state = FloatNetwork(network, nbar=config.training.nbar, seed=1).state_dict()
    checkpoint = Checkpoint(config, 1, state, random_description(network, seed=11))
    (folder / "models").mkdir()
    save_checkpoint(checkpoint, folder / "models" / "tiny.pt")
    export_qonnx(TrainedModel(checkpoint), folder / "models" / "tiny.onnx")
    return folder


@pytest.fixture
def command(workspace, monkeypatch):
    monkeypatch.setattr(csim, "HOSTILE_EVENTS", 900)
    # compiling with optimisation takes longer than the simulation it would speed up
    for compiler in ("compile_firmware", "compile_emulator"):
        monkeypatch.setattr(csim, compiler, functools.partial(getattr(csim, compiler), optimisation="-O0"))

    def run(*arguments, models="models", config="tiny.yaml"):
        return main(
            [
                "csim",
                str(workspace / config),
                "--models",
                str(workspace / models),
                "--build",
                str(workspace / "build"),
                *arguments,
            ]
        )

    return run


def report(workspace):
    return json.loads((workspace / "build" / "tiny" / "csim.json").read_text())


def test_equal_executors_end_with_status_0_and_a_whole_report(command, workspace, capsys):
    assert command("--events", str(EVENTS)) == 0
    content = report(workspace)
    assert content["n_constituents"] == 3
    assert content["channels"] == 1
    assert content["events"] == EVENTS
    assert content["mismatches"] == dict.fromkeys(EXECUTORS, 0)
    assert content["hostile"]["mismatches"] == dict.fromkeys(EXECUTORS, 0)
    assert content["hostile"]["events"] >= 900
    assert content["testbench"] == {"events": EVENTS, "mismatches": 0}
    assert {"q_plus", "d_exact", "d", "r", "z", "pair", "pair_sum", "logit"} <= set(content["tensors_compared"])
    assert set(content["auc"]) == {"float", "quantised", "firmware"}
    assert content["auc"]["quantised"] == content["auc"]["firmware"]
    assert content["max_abs_logit_difference_float_vs_firmware"] > 0
    assert {"convert", "compile", "jets", "hostile events", "test bench"} <= set(content["seconds"])
    assert content["versions"]["hls4ml"].startswith("1.3")
    row = capsys.readouterr().out.splitlines()[-1].split()
    assert row[:9] == [
        "tiny",
        "3",
        "1",
        str(EVENTS),
        str(content["hostile"]["events"]),
        str(len(content["tensors_compared"])),
        *3 * "0",
    ]


@pytest.mark.long
def test_verilog_is_one_more_executor(command, workspace, capsys):
    assert command("--events", str(EVENTS), "--rtl") == 0
    content = report(workspace)
    assert content["mismatches"] == dict.fromkeys([*EXECUTORS, "rtl_vs_qonnx"], 0)
    assert content["hostile"]["mismatches"]["rtl_vs_qonnx"] == 0
    header, row = capsys.readouterr().out.splitlines()[-2:]
    assert row.split()[6:10] == 4 * ["0"]
    assert header.split()[6:10] == ["Brevitas", "firmware", "emulator", "RTL"]


def test_score_and_decision_in_every_executor(command, workspace, capsys):
    assert command("--events", str(EVENTS), "--rtl", "--score", "--threshold", "0") == 0
    content = report(workspace)
    assert {"score_exact", "score", "accept"} <= set(content["tensors_compared"])
    assert content["mismatches"] == dict.fromkeys([*EXECUTORS, "rtl_vs_qonnx"], 0)
    assert content["hostile"]["mismatches"] == content["mismatches"]
    assert content["max_abs_logit_difference_float_vs_firmware"] is None
    accepted = content["accepted"]
    assert sum(jets for _, jets in accepted.values()) == EVENTS
    passed, jets = accepted["signal"]
    assert 0 < sum(passed for passed, _ in accepted.values()) < EVENTS
    assert f"tiny: accepted {passed} of {jets} signal jets" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("threshold", "message"),
    [
        ("high", "--threshold: 'high' is neither a logit nor a working point"),
        ("nan", "threshold: must be finite"),
        ("1e9", "threshold: 1e+09 decides nothing: logits are"),
        ("30%", "there is no trained model for this configuration"),
    ],
)
def test_thresholds_that_cannot_be(command, threshold, message, capsys):
    assert command("--threshold", threshold) == 2
    assert message in capsys.readouterr().err


#: faults: a function that writes sources, one of them, a change, and the executor that then differs
FAULTS = {
    "a sum in HLS C++": (csim, "convert", "firmware/nnet_utils/nnet_total_sum.h", "+= r[i]", "-= r[i]", "csim"),
    "rounding in the emulator": (
        csim.EmulatorTarget,
        "write",
        "emulator.cpp",
        "- 1) + ((x >>",
        ") + ((x >>",
        "emulator",
    ),
    "a product in Verilog": (rtl, "generate_rtl", "src/nanopelican_product.v", "<= ad * b_now", "<= ad + b_now", "rtl"),
}


@pytest.mark.parametrize(
    "fault", [pytest.param(name, marks=pytest.mark.long if place else []) for place, name in enumerate(FAULTS)]
)
def test_a_fault_in_generated_sources_is_found(fault, command, workspace, monkeypatch, capsys):
    place, function, file, old, new, executor = FAULTS[fault]
    write = getattr(place, function)

    def write_damaged(*arguments, **options):
        project = write(*arguments, **options)
        text = (project.path / file).read_text()
        assert text.count(old) == 1
        (project.path / file).write_text(text.replace(old, new))
        return project

    monkeypatch.setattr(place, function, write_damaged)
    assert command("--events", str(EVENTS), *["--rtl"] * (executor == "rtl")) == 1
    content = report(workspace)
    found = {name for name, count in content["hostile"]["mismatches"].items() if count}
    assert found == {f"{executor}_vs_qonnx"}
    # the bench runs the same C++, and expects what QONNX execution gives
    assert (content["testbench"]["mismatches"] > 0) == (executor == "csim")
    assert f"tiny: MISMATCH, hostile events, {executor} against qonnx" in capsys.readouterr().err


@pytest.mark.long
def test_a_mismatch_is_counted_named_and_ends_with_status_1(command, workspace, capsys):
    """One weight differs between the file and the checkpoint, by one grid step."""
    other = workspace / "other"
    other.mkdir()
    os.link(workspace / "models" / "tiny.pt", other / "tiny.pt")
    model = onnx.load(workspace / "models" / "tiny.onnx")
    tensors = {i.name: i for i in model.graph.initializer}
    step = numpy_helper.to_array(tensors["w_d_scale"])
    weight = numpy_helper.to_array(tensors["w_d_value"])
    tensors["w_d_value"].CopyFrom(numpy_helper.from_array(weight - np.sign(weight) * step, "w_d_value"))
    onnx.save(model, other / "tiny.onnx")
    assert command("--events", str(EVENTS), models="other") == 1
    content = report(workspace)
    assert content["mismatches"]["brevitas_vs_qonnx"] > 0
    assert content["mismatches"]["csim_vs_qonnx"] == content["mismatches"]["emulator_vs_qonnx"] == 0
    assert "tiny: MISMATCH, jets, brevitas against qonnx" in capsys.readouterr().err
    assert "first: tensor 'z'" in content["first_mismatch"][0]


@dataclasses.dataclass
class MadeUp:
    """A report with so many mismatches, on jets and on hostile events."""

    model: object
    jets: int
    hostile: int
    command: str = ""
    accepted = ()

    @property
    def mismatches(self):
        return self.jets + self.hostile

    def first_mismatches(self):
        return [f"{self.mismatches} differ"] * (self.mismatches > 0)

    def as_json(self):
        return {
            "model": self.model.config.name,
            "n_constituents": 3,
            "channels": 1,
            "events": 10,
            "mismatches": dict.fromkeys(EXECUTORS, self.jets),
            "tensors_compared": ["logit"],
            "auc": None,
            "hostile": {"events": 10, "mismatches": dict.fromkeys(EXECUTORS, self.hostile)},
            "seconds": {},
        }


@pytest.mark.parametrize("mismatches", [[(0, 0), (0, 0)], [(2, 0), (0, 0)], [(0, 0), (0, 3)], [(1, 4), (0, 0)]])
def test_of_several_models_each_counts(mismatches, workspace, monkeypatch, tmp_path, capsys):
    reports = iter(mismatches)
    monkeypatch.setattr(csim, "simulate", lambda model, *_, **__: MadeUp(model, *next(reports)))
    arguments = ["--models", str(workspace / "models"), "--build", str(tmp_path)]
    status = main(["csim", str(workspace / "tiny.yaml"), str(workspace / "tiny.yaml"), *arguments])
    assert status == (sum(map(sum, mismatches)) > 0)
    output = capsys.readouterr()
    rows = [row.split()[6:9] for row in output.out.splitlines()[-2:]]
    assert rows == [[str(jets + hostile)] * 3 for jets, hostile in mismatches]
    named = [f"tiny: MISMATCH, {sum(counts)} differ" for counts in mismatches if sum(counts)]
    assert output.err.splitlines() == named


@pytest.mark.long
def test_jets_without_labels_have_no_auc(command, workspace, tmp_path, caplog):
    sample = read_jets(sample_path(), EVENTS)
    with h5py.File(tmp_path / "unlabelled.h5", "w") as file:
        file["Pmu"] = sample.four_momenta.astype(np.float32)
        file["Nobj"] = sample.multiplicity
    assert command("--jets", str(tmp_path / "unlabelled.h5")) == 0
    assert report(workspace)["auc"] is None
    assert "AUC will be skipped" in caplog.text


def test_more_than_two_classes_are_refused(command, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(csim, "convert", None)  # before anything is built
    three = dataclasses.replace(read_jets(sample_path(), EVENTS), classes=("g", "W", "t"))
    write_jets(tmp_path / "three.h5", three, {})
    assert command("--jets", str(tmp_path / "three.h5")) == 2
    assert "csim jets: has 3 classes (g, W, t), but signal and background are needed" in capsys.readouterr().err


def test_a_user_error_is_one_message_and_status_2(command, workspace, tmp_path, capsys):
    (tmp_path / "foreign.h5").write_text("not HDF5")
    before = (workspace / "build").exists() and report(workspace)
    assert command("--jets", str(tmp_path / "foreign.h5")) == 2
    assert command(config="tinny.yaml") == 2
    assert command(models="nowhere") == 2
    assert command("--build", str(tmp_path / "foreign.h5")) == 2
    errors = capsys.readouterr().err
    assert errors.count("error: ") == 4
    assert "foreign.h5/tiny: cannot be made (Not a directory)" in errors
    assert "foreign.h5" in errors
    assert "did you mean" in errors
    assert "nanopelican train" in errors
    assert ((workspace / "build").exists() and report(workspace)) == before


def test_a_checkpoint_of_another_network_is_refused(command, workspace, capsys):
    mapping = yaml.safe_load((workspace / "tiny.yaml").read_text())
    mapping["network"]["n_constituents"] = 4
    folder = workspace / "changed"
    folder.mkdir()
    (folder / "tiny.yaml").write_text(yaml.safe_dump(mapping))
    assert command(config="changed/tiny.yaml") == 2
    assert "network.n_constituents is 3, expected 4" in capsys.readouterr().err


@pytest.mark.long
def test_firmware_settings_may_differ_from_those_of_the_training(command, workspace):
    mapping = yaml.safe_load((workspace / "tiny.yaml").read_text())
    mapping["firmware"]["interval"] = 2
    mapping["firmware"]["backend"] = "Vivado"
    folder = workspace / "slower"
    folder.mkdir()
    (folder / "tiny.yaml").write_text(yaml.safe_dump(mapping))
    assert command("--events", "50", config="slower/tiny.yaml") == 0
    sources = (workspace / "build" / "tiny" / "hls" / "firmware" / "parameters.h").read_text()
    assert "reuse_factor = 2" in sources


def test_a_full_disk_is_one_message_and_leaves_no_report(command, workspace, monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "csim.json")

    report_path = workspace / "build" / "tiny" / "csim.json"
    report_path.unlink(missing_ok=True)
    monkeypatch.setattr(csim.Path, "write_text", full)
    assert command("--events", "10") == 2
    assert "No space left on device" in capsys.readouterr().err
    assert not report_path.exists()


def test_one_run_at_a_time_in_a_build_folder(command, workspace, capsys):
    """With synth too: both take this lock."""
    with locked(workspace / "build" / "tiny"):
        assert command("--events", "10") == 2
    assert f"is in use by another run (process {os.getpid()})" in capsys.readouterr().err


def test_a_build_folder_that_cannot_be_made(command, capsys):
    assert command("--build", "/proc/x") == 2
    assert "/proc/x/tiny: cannot be made" in capsys.readouterr().err
