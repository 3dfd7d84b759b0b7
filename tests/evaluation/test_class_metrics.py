from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import auc as area_under
from torch.nn import functional

from nanopelican_hls.errors import JetsError, NetworkError
from nanopelican_hls.evaluation.class_metrics import against_others, auc, class_figures, class_rocs, tags
from nanopelican_hls.evaluation.loss import cross_entropy
from nanopelican_hls.evaluation.metrics import figures

CLASSES = ("g", "W", "t")


@pytest.fixture
def jets():
    """Labels and logits of 300 jets, those of W the easiest."""
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    return labels, rng.normal(size=(300, 3)) + np.array([1.0, 3.0, 1.0]) * np.eye(3)[labels]


def test_by_hand():
    """Of 10 jets of each class, 9, 10 and 8 have their own logit largest; the others mistake g and t for each other."""
    logits = 2.0 * np.eye(3)[np.repeat([0, 1, 2], 10)]
    logits[0], logits[20], logits[21] = [0, 0, 2], [2, 0, 0], [2, 0, 0]
    found = class_figures(np.repeat([0, 1, 2], 10), logits, CLASSES)
    assert found.accuracy == 27 / 30
    right, wrong = (np.log(np.exp(2) + 2) - own for own in (2, 0))
    assert found.loss == pytest.approx((27 * right + 3 * wrong) / 30)
    # of 100 pairs of a g and a t: 9 * 8 in order, 1 * 2 the other way round, all others equal
    for one, other in (("g", "t"), ("t", "g")):
        assert found.pairwise_auc[one][other] == pytest.approx((72 + (100 - 72 - 2) / 2) / 100)
    assert found.classes["W"]["auc"] == found.pairwise_auc["W"]["g"] == 1
    assert found.auc == pytest.approx(np.mean([found.classes[name]["auc"] for name in CLASSES]))


def test_two_classes_are_signal_and_background(jets):
    labels, logits = jets[0] % 2, jets[1][:, :2]
    found = class_figures(labels, logits, ("qcd", "top"))
    expected = figures(labels, logits[:, 1] - logits[:, 0])
    assert found.classes["top"] == expected.as_dict()
    assert (found.accuracy, found.accuracy_error) == (expected.accuracy, expected.accuracy_error)
    assert found.loss == pytest.approx(expected.loss, rel=1e-12)
    assert found.auc == pytest.approx(expected.auc, rel=1e-12) == pytest.approx(found.pairwise_auc["top"]["qcd"])


def test_each_class_has_the_figures_of_its_probability(jets):
    labels, logits = jets
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    found = class_figures(labels, logits, CLASSES)
    for k, name in enumerate(CLASSES):
        odds = probability[:, k] / (1 - probability[:, k])
        np.testing.assert_allclose(against_others(logits, k), np.log(odds), rtol=1e-9, atol=1e-9)
        assert found.classes[name] == figures(labels == k, against_others(logits, k)).as_dict()
    assert found.classes["W"]["rejection_50"] > found.classes["g"]["rejection_50"]


def test_curves_are_those_of_the_figures(jets):
    found, curves = class_figures(*jets, CLASSES), class_rocs(*jets, CLASSES)
    assert list(curves) == list(CLASSES)
    for name, curve in curves.items():
        area = area_under(curve.background_efficiency, curve.signal_efficiency)
        assert area == pytest.approx(found.classes[name]["auc"])


def test_areas_and_tags(jets):
    labels, logits = jets
    assert auc(labels, logits) == class_figures(*jets, CLASSES).auc
    assert auc(labels == 1, logits[:, 1]) == figures(labels == 1, logits[:, 1]).auc
    assert tags(logits[:, 0]).tolist() == (logits[:, 0] > 0).astype(int).tolist()
    assert tags(np.array([-1.0, -0.0, 0.0, 5e-324])).tolist() == [0, 0, 0, 1]
    assert tags(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 2.0]])).tolist() == [0, 2]


def test_too_few_jets_of_a_class(jets):
    labels, logits = jets
    few = np.where((labels == 1) & (np.arange(300) > 9), 0, labels)
    with pytest.raises(JetsError, match=r"labels: has 3 W jets \(label 1\), but at least 10 are needed"):
        class_figures(few, logits, CLASSES)


def test_a_logit_that_is_no_number(jets):
    labels, logits = jets
    logits[7, 2] = np.nan
    with pytest.raises(NetworkError, match="jet 7: the logit is nan"):
        class_figures(labels, logits, CLASSES)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_loss_is_that_of_the_number_of_logits(jets, reduction):
    labels, logits = torch.as_tensor(jets[0]).double(), torch.as_tensor(jets[1])
    one = functional.binary_cross_entropy_with_logits(logits[:, 0], labels % 2, reduction=reduction)
    assert torch.equal(cross_entropy(logits[:, 0], labels % 2, reduction=reduction), one)
    several = functional.cross_entropy(logits, labels.long(), reduction=reduction)
    assert torch.equal(cross_entropy(logits, labels, reduction=reduction), several)
