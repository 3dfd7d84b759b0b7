"""Checkpoints survive a round trip, and errors name what is wrong with a bad one."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from random_networks import random_description

from nanopelican_hls.errors import NetworkError
from nanopelican_hls.network.checkpoint import Checkpoint, load_checkpoint, require_equal, save_checkpoint
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.model import load_model


@pytest.fixture
def checkpoint(config) -> Checkpoint:
    state = FloatNetwork(config.network, nbar=config.training.nbar, seed=7).state_dict()
    description = random_description(config.network)
    return Checkpoint(config, 7, state, description, {"valid": {"float": {"auc": 0.9}}})


@pytest.fixture
def path(checkpoint, tmp_path):
    save_checkpoint(checkpoint, tmp_path / "model.pt")
    return tmp_path / "model.pt"


def tamper(path, **changes):
    content = torch.load(path, weights_only=True) | changes
    torch.save({key: value for key, value in content.items() if value is not None}, path)


def test_round_trip(checkpoint, path):
    found = load_checkpoint(path)
    assert found.config == checkpoint.config
    assert found.seed == 7
    assert found.metrics == checkpoint.metrics
    assert found.description.network == checkpoint.description.network
    assert found.description.quantisers == checkpoint.description.quantisers
    for name, value in checkpoint.description.parameters.items():
        assert found.description.parameters[name].dtype == np.float64
        np.testing.assert_array_equal(found.description.parameters[name], value)
    for name, tensor in checkpoint.float_state.items():
        assert torch.equal(found.float_state[name], tensor)


def test_only_the_file_is_left(path):
    assert [p.name for p in path.parent.iterdir()] == ["model.pt"]


def test_a_full_disk_leaves_the_old_file_alone(checkpoint, path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "model.pt")

    before = path.read_bytes()
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(NetworkError, match="No space left"):
        save_checkpoint(replace(checkpoint, seed=8), path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["model.pt"]


def test_missing_file(tmp_path):
    with pytest.raises(NetworkError, match=r"none\.pt: cannot be read \(No such file"):
        load_checkpoint(tmp_path / "none.pt")


@pytest.mark.parametrize("content", [b"", b"name: model\n", b"PK\x03\x04 half a file"])
def test_not_a_torch_file(tmp_path, content):
    (tmp_path / "model.pt").write_bytes(content)
    with pytest.raises(NetworkError, match=r"model\.pt: is not a torch file of plain values"):
        load_checkpoint(tmp_path / "model.pt")


def test_a_file_that_would_run_code_is_refused(tmp_path):
    torch.save({"format": 1, "config": FloatNetwork}, tmp_path / "model.pt")
    with pytest.raises(NetworkError, match="is not a torch file of plain values"):
        load_checkpoint(tmp_path / "model.pt")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 0}, "format is 0, expected 1"),
        ({"quantisers": None}, "has no 'quantisers'"),
        ({"quantisers": {}}, "is inconsistent: q_plus: has no quantiser"),
        ({"config": {}}, "is inconsistent: .*missing key 'name'"),
        ({"quantisers": 3}, "is inconsistent: "),
        ({"float_state": 3}, "is inconsistent: "),
        ({"float_state": {"c1": torch.tensor([1.0, torch.nan])}}, "is inconsistent: c1 is NaN or infinite"),
    ],
    ids=["format", "missing", "no quantisers", "no config", "other quantisers", "no state", "diverged"],
)
def test_inconsistent_content_is_named(path, changes, message):
    tamper(path, **changes)
    with pytest.raises(NetworkError, match=message):
        load_checkpoint(path)


def test_a_float_network_that_lacks_a_parameter_is_named(path):
    state = torch.load(path, weights_only=True)["float_state"]
    tamper(path, float_state={name: value for name, value in state.items() if name != "c5"})
    with pytest.raises(NetworkError, match=r'the parameters do not match its float network: .*"c5"'):
        _ = load_model(path).float_network


def test_a_parameter_of_the_wrong_shape_is_named(path):
    parameters = torch.load(path, weights_only=True)["parameters"]
    tamper(path, parameters=parameters | {"w_d": torch.zeros(3, dtype=torch.float64)})
    with pytest.raises(NetworkError, match=r"w_d: parameter has shape \(3,\), expected \(2,\)"):
        load_checkpoint(path)


def test_another_configuration_is_refused_by_field(config, path):
    wider = replace(config, network=replace(config.network, n_constituents=5))
    with pytest.raises(NetworkError, match=r"network\.n_constituents is 4, expected 5"):
        load_model(path, wider)
    coarser = replace(config, quantisers=replace(config.quantisers, d=None))
    with pytest.raises(NetworkError, match=r"quantisers\.d is "):
        load_model(path, coarser)


def test_differences_are_found_at_any_depth():
    require_equal({"a": {"b": 1}}, {"a": {"b": 1}}, "file")
    with pytest.raises(NetworkError, match=r"file: a\.b is 2, expected 1"):
        require_equal({"a": {"b": 1}}, {"a": {"b": 2}}, "file")
    with pytest.raises(NetworkError, match=r"file: c is 3, expected None"):
        require_equal({"a": {}}, {"a": {}, "c": 3}, "file")


@pytest.mark.parametrize("field", ["float_state", "parameters"])
@pytest.mark.parametrize(
    "tensor",
    [
        torch.ones(2).to_sparse(),
        torch.ones(2, device="meta"),
        torch.ones(1).expand(10**12),
        torch.ones(2, dtype=torch.complex64),
        torch.ones(2, dtype=torch.bfloat16),
        "text",
    ],
    ids=["sparse", "meta", "repeated", "complex", "bfloat16", "text"],
)
def test_tensors_of_other_kinds(path, field, tensor):
    values = torch.load(path, weights_only=True)[field]
    tamper(path, **{field: values | {next(iter(values)): tensor}})
    with pytest.raises(NetworkError, match=f"is inconsistent: {field}: .* is no tensor of plain numbers"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("signed", None), ("signed", float("nan")), ("signed", 1), ("bits", 8.0), ("bits", True), ("exponent", "2")],
)
def test_quantisers_of_other_types(path, key, value):
    quantisers = torch.load(path, weights_only=True)["quantisers"]
    name = next(iter(quantisers))
    tamper(path, quantisers=quantisers | {name: quantisers[name] | {key: value}})
    with pytest.raises(NetworkError, match=f"is inconsistent: quantisers: {key} of '{name}' is no "):
        load_checkpoint(path)
    for far in (127, -5000, 10**30):
        tamper(path, quantisers=quantisers | {name: quantisers[name] | {"exponent": far}})
        with pytest.raises(NetworkError, match=f"is inconsistent: quantisers: exponent of '{name}' is beyond 126"):
            load_checkpoint(path)
    del quantisers[name][key]
    tamper(path, quantisers=quantisers)
    with pytest.raises(NetworkError, match=f"is inconsistent: '{key}'"):
        load_checkpoint(path)


@pytest.mark.parametrize("seed", ["7", -1, 2**64, 1.5, True])
def test_a_seed_that_is_none(path, seed):
    tamper(path, seed=seed)
    with pytest.raises(NetworkError, match="is inconsistent: seed is no whole number"):
        load_checkpoint(path)


def test_names_that_are_no_text(path):
    tamper(path, float_state={1: torch.ones(1)})
    with pytest.raises(NetworkError, match="is inconsistent: float_state: '1' is no tensor"):
        load_checkpoint(path)


def test_parameters_that_want_a_gradient_are_numbers(path):
    values = torch.load(path, weights_only=True)["parameters"]
    expected = {name: value.numpy() for name, value in values.items()}
    tamper(path, parameters={name: torch.nn.Parameter(value) for name, value in values.items()})
    found = load_checkpoint(path).description.parameters
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)
