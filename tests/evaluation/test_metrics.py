from __future__ import annotations

import json
import math

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from nanopelican_hls.errors import JetsError, NetworkError
from nanopelican_hls.evaluation.figure_text import with_error
from nanopelican_hls.evaluation.metrics import Figures, figures, require_every_class, roc, save_roc


def gaussians(n_signal, n_background, distance, seed=0):
    """Labels and logits; the area under the curve is the normal CDF at distance / sqrt(2)."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([1, 0], [n_signal, n_background])
    return labels, rng.normal(size=len(labels)) + distance * (labels - 0.5)


def test_by_hand():
    """Ten of each class: 8 signal jets and 1 background jet are above 0, the latter below 5 of the former."""
    signal = [9, 8, 7, 6, 5, 3, 2, 1, -3, -4]
    background = [4, *np.linspace(-2, -2.5, 4), *np.linspace(-5, -6, 5)]
    found = figures([1] * 10 + [0] * 10, signal + background)
    assert found.accuracy == (8 + 9) / 20
    assert found.accuracy_error == pytest.approx(math.sqrt(0.85 * 0.15 / 20))
    pairs = sum(s > b for s in signal for b in background)
    assert found.auc == pytest.approx(pairs / 100)
    logits = np.array(signal + background)
    probability = 1 / (1 + np.exp(-logits))
    expected = -np.mean(np.log(np.where(np.arange(20) < 10, probability, 1 - probability)))
    assert found.loss == pytest.approx(expected)
    # none passes at 30%: limited to what the sample can show; one of ten passes at 60%, and at 50% (the larger side)
    assert found.rejection_30 == found.rejection_30_error == 10
    assert found.rejection_50 == pytest.approx(10)
    assert found.rejection_50_error == pytest.approx(10 * math.sqrt(0.9))
    assert with_error(found.as_dict(), "rejection_30") == "> 10"
    assert with_error(found.as_dict(), "rejection_50") == "10 ± 9"
    assert with_error(found.as_dict(), "accuracy") == "0.8500 ± 0.0798"


def test_a_logit_of_0_is_background():
    labels = np.repeat([1, 0], 10)
    assert figures(labels, np.zeros(20)).accuracy == 0.5
    assert figures(labels, np.where(labels == 1, 1.0, 0.0)).accuracy == 1
    assert figures(labels, np.where(labels == 1, 0.0, -1.0)).accuracy == 0.5


@pytest.mark.parametrize(("n_signal", "n_background"), [(20, 2000), (2000, 20)])
def test_auc_error_of_classes_of_different_sizes(n_signal, n_background):
    """Equation 1 of Hanley and McNeil: Q1 = A / (2 - A) goes with the signal, Q2 = 2 A^2 / (1 + A) with the rest."""
    found = figures(*gaussians(n_signal, n_background, 1.5))
    a = found.auc
    variance = a * (1 - a) + (n_signal - 1) * (a / (2 - a) - a**2) + (n_background - 1) * (2 * a**2 / (1 + a) - a**2)
    assert found.auc_error == pytest.approx(math.sqrt(variance / n_signal / n_background), rel=1e-12)


def test_auc_error_of_the_source():
    """The example of Hanley and McNeil: 58 normal and 51 abnormal images, area 0.893, standard error 0.032."""
    labels, _ = gaussians(51, 58, 0)
    rng = np.random.default_rng(1)
    for _ in range(1000):  # an area of 0.893 +- 0.005
        found = figures(labels, rng.normal(size=len(labels)) + 1.757 * labels)
        if abs(found.auc - 0.893) < 0.005:
            break
    assert found.auc == pytest.approx(0.893, abs=0.005)
    assert found.auc_error == pytest.approx(0.032, abs=0.001)


def test_errors_are_the_spread_over_samples():
    """The cut of a rejection is taken as given; its own spread adds at most a third here."""
    found = [figures(*gaussians(800, 800, 1.5, seed)) for seed in range(300)]
    for name, allowed in {"auc": 0.15, "accuracy": 0.15, "rejection_30": 0.4, "rejection_50": 0.4}.items():
        spread = np.std([getattr(f, name) for f in found])
        error = np.median([getattr(f, f"{name}_error") for f in found])
        assert error == pytest.approx(spread, rel=allowed), name


def test_guessing():
    rng = np.random.default_rng(0)
    found = figures(rng.integers(0, 2, 100_000), rng.normal(size=100_000))
    assert abs(found.auc - 0.5) < 4 * found.auc_error < 0.01
    assert abs(found.rejection_50 - 2) < 4 * found.rejection_50_error < 0.1
    assert abs(found.rejection_30 - 1 / 0.3) < 4 * found.rejection_30_error < 0.1


@pytest.mark.parametrize("sign", [1, -1])
def test_no_error_is_ever_0(sign):
    """Separated classes, both right and wrong way round: huge logits do not overflow, and no figure is certain."""
    labels = np.repeat([1, 0], 10)
    found = figures(labels, sign * np.where(labels == 1, 1e6, -1e6))
    assert found.auc == found.accuracy == (sign > 0)
    assert found.loss == (0 if sign > 0 else 1e6)
    assert found.rejection_30 == (10 if sign > 0 else 1)
    errors = {name: value for name, value in found.as_dict().items() if name.endswith("_error")}
    assert len(errors) == 4
    assert all(0 < error < 11 for error in errors.values())


@pytest.mark.parametrize(("n_signal", "n_background", "named"), [(9, 50, "signal"), (50, 9, "background")])
def test_too_few_jets(n_signal, n_background, named):
    with pytest.raises(JetsError, match=f"has 9 {named} jets .* at least 10"):
        figures(*gaussians(n_signal, n_background, 1))


@pytest.mark.parametrize(("label", "missing"), [(0, "signal"), (1, "background")])
def test_missing_class(label, missing):
    with pytest.raises(JetsError, match=f"no {missing} jets"):
        figures([label] * 50, np.arange(50))
    with pytest.raises(JetsError, match=rf"train\.h5: has no {missing} jets \(label {1 - label}\)"):
        require_every_class([label] * 3, "train.h5")
    require_every_class([0, 1], "train.h5")


def test_no_labels():
    with pytest.raises(JetsError, match=r"train\.h5: has no labels"):
        require_every_class(None, "train.h5")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_logit_that_is_no_number(value):
    labels, logits = gaussians(20, 20, 1)
    logits[7] = value
    with pytest.raises(NetworkError, match=f"jet 7: the logit is {value}"):
        figures(labels, logits)


def test_plain_values_pass_through_json():
    """Old cards have no errors, but are still read."""
    values = figures(*gaussians(100, 100, 1)).as_dict()
    assert Figures(**json.loads(json.dumps(values, allow_nan=False))).as_dict() == values
    old = {name: value for name, value in values.items() if not name.endswith("_error")}
    assert with_error(old, "auc") == f"{values['auc']:.4f}"
    assert with_error(values, "auc") == f"{values['auc']:.4f} ± {values['auc_error']:.4f}"
    assert with_error(values, "loss") == f"{values['loss']:.4f}"


def test_roc_is_thinned_without_loss():
    labels, logits = gaussians(3000, 2000, 1.5)
    logits = np.round(logits, 2)  # ties
    curve = roc(labels, logits)
    background, signal, _ = roc_curve(labels, logits, drop_intermediate=False)
    assert len(curve.threshold) < len(signal)
    assert curve.signal_efficiency[[0, -1]].tolist() == curve.background_efficiency[[0, -1]].tolist() == [0, 1]
    for s, b, cut in zip(curve.signal_efficiency, curve.background_efficiency, curve.threshold, strict=True):
        assert s == np.mean(logits[labels == 1] >= cut)
        assert b == np.mean(logits[labels == 0] >= cut)
    # every dropped point is on the curve: x + y increases strictly, and is linear between the points kept
    path = curve.signal_efficiency + curve.background_efficiency
    assert np.interp(signal + background, path, curve.signal_efficiency) == pytest.approx(signal, abs=1e-12)


def test_roc_file_gives_every_digit_back(tmp_path):
    curve = roc(*gaussians(300, 200, 1.5))
    save_roc(curve, tmp_path / "roc.csv")
    back = np.genfromtxt(tmp_path / "roc.csv", delimiter=",", names=True)
    for name in ("signal_efficiency", "background_efficiency", "threshold"):
        assert np.array_equal(back[name], getattr(curve, name))
    with pytest.raises(NetworkError, match="cannot be written"):
        save_roc(curve, tmp_path / "missing" / "roc.csv")
