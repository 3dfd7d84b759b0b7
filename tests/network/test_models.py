"""The shipped models: each matches its configuration and performs as its card says."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from random_networks import numpy_tensors
from zoo_models import NAMES, ROOT, of_the_zoo

from nanopelican_hls.config import load_config
from nanopelican_hls.evaluation.figures import quantised_figures
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.jets import port_values, read_jets, sample_path
from nanopelican_hls.network.model import export_qonnx, load_model

MODELS = {path.stem: path for path in (ROOT / "models").glob("*.pt")}
#: largest AUC loss allowed from quantisation, on the test jets
ALLOWED_LOSS = {"trigger": 0.002, "paper": 0.006}
#: AUC of the quantised network on the test jets
LEAST_AUC = {"trigger-n8": 0.960, "trigger-n16": 0.966}


def test_every_configuration_has_its_model():
    assert sorted(MODELS) == NAMES


@pytest.fixture(params=of_the_zoo())
def path(request):
    return MODELS[request.param]


class TestModel:
    def test_was_trained_with_its_configuration(self, path):
        config = load_config(ROOT / "configs" / f"{path.stem}.yaml")
        assert load_model(path).config == config

    def test_graph_is_the_export_of_the_checkpoint(self, path):
        expected = export_qonnx(load_model(path)).model.SerializeToString(deterministic=True)
        assert onnx.load(path.with_suffix(".onnx")).SerializeToString(deterministic=True) == expected

    def test_every_tensor_is_exact_on_real_jets(self, path):
        model = load_model(path)
        arrays = port_values(read_jets(sample_path(), events=300), model.config.network)
        found, expected = model.quantised_tensors(arrays), numpy_tensors(model.checkpoint.description, arrays)
        assert set(found) == set(expected)
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name], value, err_msg=name)

    def test_is_as_good_as_its_card_says(self, path):
        card = json.loads(path.with_suffix(".json").read_text())
        model = load_model(path)
        assert card["figures"] == model.checkpoint.metrics
        auc = {form: values["auc"] for form, values in card["figures"]["test"].items()}
        assert auc["quantised"] >= auc["float"] - ALLOWED_LOSS[path.stem.split("-")[0]]
        assert auc["quantised"] >= LEAST_AUC.get(path.stem, 0)
        if not model.config.network.classes:  # the sample has two
            jets = read_jets(sample_path(), events=2000)
            sample = Sample(port_values(jets, model.config.network), jets.labels)
            assert quantised_figures(model.quantised_network, sample).auc == pytest.approx(auc["quantised"], abs=0.01)
