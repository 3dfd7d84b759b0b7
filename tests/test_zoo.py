"""The shipped models: their cards match what the files compute."""

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from zoo_models import NAMES, ROOT, of_the_zoo

from nanopelican_hls.config import load_config
from nanopelican_hls.contract.execution import execute
from nanopelican_hls.contract.program import read_program
from nanopelican_hls.jets import port_values, read_jets, sample_path
from nanopelican_hls.network.model import export_qonnx, load_model
from nanopelican_hls.proof.comparison import compare
from nanopelican_hls.proof.hostile import hostile_events
from nanopelican_hls.topology.dataflow import outputs
from nanopelican_hls.topology.result import Result, with_result
from nanopelican_hls.training.card import logits_of, measure
from nanopelican_hls.training.seeds import read_sample

#: the jets on which the cards were measured; only developers have them, next to the repository
TEST_JETS = ROOT.parent / "shared" / "jets" / "test.h5"
JETS = 1000
#: at least this in AUC, quantised, on the test jets; the mean over the classes if there are several
LEAST = {
    "trigger-n8": 0.9735,
    "trigger-n8-l1": 0.973,
    "trigger-n16": 0.977,
    "trigger-n16-c4": 0.9785,
    "trigger-n16-l1": 0.976,
    "trigger-n16-plain": 0.975,
    "trigger-n32": 0.974,
    "paper-n80-c2": 0.973,
    "paper-n80-c10": 0.9775,
    "paper-n80-n-c10": 0.978,
}


def at_most(events, model):
    """A tenth of the events for 80 constituents, whose activations take gigabytes."""
    return events if model.config.network.n_constituents <= 32 else events // 10


@pytest.fixture(scope="module")
def jets():
    return read_jets(sample_path(), JETS)


@pytest.fixture(scope="module", params=of_the_zoo())
def zoo(request):
    """Name, trained model and QONNX file of one configuration, which must be the one used for training."""
    stem = ROOT / "models" / request.param
    model = load_model(stem.with_suffix(".pt"), load_config(ROOT / "configs" / f"{request.param}.yaml"))
    return request.param, model, read_program(stem.with_suffix(".onnx"))


def test_there_is_a_model_for_every_configuration_and_no_other():
    assert NAMES == [
        "paper-n16-c1",
        "paper-n16-c2",
        "paper-n16-c3",
        "paper-n20-c2",
        "paper-n80-c10",
        "paper-n80-c2",
        "paper-n80-n-c10",
        "trigger-n16",
        "trigger-n16-5c",
        "trigger-n16-c4",
        "trigger-n16-l1",
        "trigger-n16-plain",
        "trigger-n32",
        "trigger-n6",
        "trigger-n8",
        "trigger-n8-l1",
    ]
    for suffix in (".pt", ".onnx", ".md", ".json"):
        assert sorted(path.stem for path in (ROOT / "models").glob(f"*{suffix}") if path.stem != "README") == NAMES


def test_the_file_is_the_export_of_the_checkpoint(zoo):
    _, model, program = zoo
    assert export_qonnx(model).model.SerializeToString(deterministic=True) == program.model.SerializeToString(
        deterministic=True
    )


def test_brevitas_equals_qonnx_on_jets_and_hostile_events(zoo, jets):
    _, model, program = zoo
    events = at_most(JETS, model)
    hostile = hostile_events(program, lambda ports: execute(program, ports), events, seed=3)
    for ports in (port_values(jets[:events], model.config.network), hostile.ports):
        comparison = compare(program, execute(program, ports), model.quantised_tensors(ports))
        assert comparison.first is None
        assert len(comparison.tensors) == len(program.ranges)


def test_the_logit_does_not_depend_on_the_order_of_the_constituents(zoo, jets):
    _, model, program = zoo
    events = at_most(JETS, model)
    ports = port_values(jets[:events], model.config.network)
    rng = np.random.default_rng(1)
    order = rng.permuted(np.tile(np.arange(model.config.network.n_constituents), (events, 1)), axis=1)
    permuted = {
        name: array if array.shape[1] == 1 else np.take_along_axis(array, order, axis=1)
        for name, array in ports.items()
    }
    before, after = execute(program, ports), execute(program, permuted)
    for output in program.outputs:
        assert np.array_equal(before[output.name], after[output.name])


def test_quantisation_keeps_what_the_card_promises(zoo):
    """According to the cards, trigger models lose at most 0.002 in AUC, paper models 0.006."""
    name, _, _ = zoo
    figures = json.loads((ROOT / "models" / f"{name}.json").read_text())["figures"]["test"]
    allowed = 0.002 if name.startswith("trigger") else 0.006
    assert figures["quantised"]["auc"] > figures["float"]["auc"] - allowed
    assert figures["quantised"]["auc"] >= LEAST.get(name, 0.9)


@pytest.mark.parametrize("name", ["trigger-n8", "trigger-n16"])
def test_words_at_the_ports_cost_next_to_nothing(name):
    """trigger-n8-l1 is trigger-n8 with trigger words as input: AUC within 0.002."""
    components, words = (
        json.loads((ROOT / "models" / f"{model}.json").read_text())["figures"]["test"]["quantised"]["auc"]
        for model in (name, f"{name}-l1")
    )
    assert abs(components - words) <= 0.002


def test_the_sample_gives_about_the_figures_of_the_card(zoo):
    """The sample is part of the test jets: its AUC agrees within five standard errors (10,000 jets)."""
    name, model, program = zoo
    if model.config.network.classes:
        pytest.skip("trained on other jets, of classes that the sample lacks")
    sample = read_jets(sample_path(), at_most(10_000, model))
    auc = roc_auc_score(sample.labels, execute(program, port_values(sample, model.config.network))["logit"][:, 0])
    card = json.loads((ROOT / "models" / f"{name}.json").read_text())["figures"]["test"]["quantised"]["auc"]
    assert abs(auc - card) < 5 * np.sqrt(card * (1 - card) / (len(sample) / 2))


@pytest.mark.long
@pytest.mark.skipif(not TEST_JETS.exists(), reason="the developers' test jets are missing")
def test_the_card_is_reproduced_on_the_test_jets(zoo):
    name, model, _ = zoo
    if model.config.network.classes:
        pytest.skip("trained on other jets")
    card = json.loads((ROOT / "models" / f"{name}.json").read_text())["figures"]["test"]
    sample = read_sample(TEST_JETS, model.config.network)
    measured = measure(model.config.network.classes, sample.labels, logits_of(model.checkpoint, sample))
    for form, found in measured.items():
        # rank statistics of the same logits, so only float64 rounding may differ
        assert abs(found["auc"] - card[form]["auc"]) < 1e-9


def test_five_classes_know_a_top_from_a_gluon_or_quark():
    """The sample's QCD jets are of both, and its AUC is that of a binary tagger of the same size, nearly."""
    model = load_model(ROOT / "models" / "trigger-n16-5c.pt")
    assert model.config.network.classes == ("g", "q", "W", "Z", "t")
    sample = read_jets(sample_path())
    tensors = model.quantised_tensors(port_values(sample, model.config.network))
    gluon, quark, _, _, top = (tensors[name][:, 0] for name in outputs(model.config.network))
    assert roc_auc_score(sample.labels, top - np.logaddexp(gluon, quark)) > 0.975


@pytest.mark.skipif(not TEST_JETS.exists(), reason=f"{TEST_JETS} is for developers")
def test_the_decision_gives_the_efficiencies_of_the_card(zoo):
    """On all test jets, in QONNX execution with the decision bit added."""
    name, model, program = zoo
    points = json.loads((ROOT / "models" / f"{name}.json").read_text())["working_points"]
    if model.config.network.classes:
        assert points == {}
        return
    assert list(points) == ["30%", "50%", "70%"]
    sample = read_sample(TEST_JETS, model.config.network).head(at_most(16_000, model))
    decided = with_result(program, Result(threshold=points["30%"]["threshold"]))
    chunks = [{k: v[start : start + 1000] for k, v in sample.values.items()} for start in range(0, len(sample), 1000)]
    found = [(tensors["logit"], tensors["accept"]) for tensors in (execute(decided, chunk) for chunk in chunks)]
    logits, bits = (np.concatenate(parts)[:, 0] for parts in zip(*found, strict=True))
    for percent, point in points.items():
        accepted = bits == 1 if percent == "30%" else logits >= point["threshold"]
        for kind, label in (("signal", 1), ("background", 0)):
            share, expected = accepted[sample.labels == label].mean(), point[f"{kind}_efficiency"]
            if len(sample) == 16_000:
                assert share == expected
            else:
                assert abs(share - expected) < 10 * point[f"{kind}_efficiency_error"]
