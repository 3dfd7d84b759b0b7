"""What goes out: score and decision, added to a graph that has a logit."""

from __future__ import annotations

import re

import numpy as np
import pytest
from random_networks import random_description, random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.errors import ConfigError, ContractError
from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.topology.config import NetworkConfig, Spurions
from nanopelican_hls.topology.export import build_program
from nanopelican_hls.topology.result import (
    PLAIN,
    REACH,
    SCORE,
    Output,
    Result,
    score_table,
    threshold_code,
    with_result,
)

NETWORK = NetworkConfig(4, 2, spurions=Spurions.REST)
LOGITS = FixedRange(-2048, 2047, -7)


@pytest.fixture(scope="module")
def program():
    return build_program(random_description(NETWORK, bits=8, seed=3))


def test_the_type_of_a_score():
    assert (SCORE.bits, SCORE.signed, SCORE.high, SCORE.scale) == (8, False, 255, 1 / 128)


@pytest.mark.parametrize("bits", [2, 5, 8, 12, 16])
@pytest.mark.parametrize("exponent", [-12, -7, -5, -3, 0, 2])
def test_the_score_is_the_nearest_probability_and_monotone(bits, exponent):
    logits = FixedRange(-(1 << bits - 1), (1 << bits - 1) - 1, exponent)
    (step, *_) = Result(Output.SCORE).steps("logit", logits)
    codes = np.arange(logits.low, logits.high + 1)
    values = np.ldexp(codes.astype(float), exponent)
    scores = step.operator.compute(values[:, None], step.constants["score_table"])[:, 0]
    assert (np.diff(scores) >= 0).all()
    exact = np.exp(-np.logaddexp(0, -values))
    # half a unit of rounding, and half a step of the table, where the probability rises by at most 1/4 per unit
    assert np.abs(scores - exact).max() <= 0.5 / 128 + (2**-5 / 8 if exponent < -5 else 0)
    assert step.constants["score_table"].shape[0] <= 2 * REACH * 2**5


def test_a_table_is_no_longer_than_the_logit():
    assert score_table(FixedRange(-4, 3, -1))[1].shape == (8,)
    assert score_table(LOGITS)[1].shape == (512,)


def test_every_score_of_a_fine_logit_occurs():
    _, table = score_table(LOGITS)
    assert set(np.ldexp(table, 7)) == set(range(129))


@pytest.mark.parametrize(("threshold", "code"), [(1.5, 192), (1.501, 193), (-3.0, -384), (1e-9, 1)])
def test_thresholds_between_logits_take_the_next(threshold, code):
    assert threshold_code(threshold, LOGITS) == code


@pytest.mark.parametrize("threshold", [-16.0, 16.0, -1e9, 1e300])
def test_thresholds_that_decide_nothing(threshold):
    with pytest.raises(ConfigError, match=r"decides nothing: logits are -16 to 15.9922"):
        threshold_code(threshold, LOGITS)


@pytest.mark.parametrize("threshold", [float("nan"), float("inf")])
def test_thresholds_that_are_none(threshold):
    with pytest.raises(ConfigError, match="must be finite"):
        Result(threshold=threshold)


@pytest.mark.parametrize("output", Output)
@pytest.mark.parametrize("threshold", [None, 0.25])
def test_outputs(program, output, threshold):
    found = with_result(program, Result(output, threshold))
    names = [output.value, *(["accept"] if threshold is not None else [])]
    assert [port.name for port in found.outputs] == names
    tensors = execute(found, random_ports(NETWORK, 300, seed=5))
    plain = execute(program, random_ports(NETWORK, 300, seed=5))
    for name, values in plain.items():
        np.testing.assert_array_equal(tensors[name], values)
    logit = tensors["logit"]
    if threshold is not None:
        np.testing.assert_array_equal(tensors["accept"], logit >= threshold)
    if output is Output.SCORE:
        order = np.argsort(logit[:, 0])
        assert (np.diff(tensors["score"][order, 0]) >= 0).all()
        assert len(np.unique(tensors["score"])) > 2
        assert (found.outputs[0].bits, found.outputs[0].signed, found.outputs[0].exponent) == (8, False, -7)


def test_nothing_asked_changes_nothing(program):
    assert with_result(program, PLAIN) is program


def test_a_result_is_added_once(program):
    with pytest.raises(ConfigError, match="are for one logit, but the outputs are score, accept"):
        with_result(with_result(program, Result(Output.SCORE, 0.5)), Result(threshold=0.5))
    with pytest.raises(ContractError, match=re.escape("'score_exact' is already defined")):
        with_result(with_result(program, Result(Output.SCORE)), Result(Output.SCORE))


def test_several_classes_have_no_score():
    classes = NetworkConfig(4, 2, classes=("q", "g"))
    with pytest.raises(ConfigError, match=r"firmware\.output: a score and a threshold are for one logit"):
        with_result(build_program(random_description(classes)), Result(Output.SCORE))
