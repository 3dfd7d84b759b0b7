from fractions import Fraction

import pytest
import yaml

from nanopelican_hls.config import load_config
from nanopelican_hls.errors import ConfigError
from nanopelican_hls.topology.config import QuantiserConfig

MINIMAL = """
network: {n_constituents: 4, channels: 1}
quantisers: {momenta: {bits: 8}, logit: {bits: 8}, weights: {bits: 8}, biases: {bits: 8}}
"""


@pytest.mark.parametrize("text", ["1e-3", "1.0e-3", "0.001"])
def test_numbers_are_read_as_they_are_written(tmp_path, text):
    """YAML 1.1 reads 1e-3, without a point, as text."""
    path = tmp_path / "model.yaml"
    path.write_text(f"{MINIMAL}training: {{learning_rate: {text}}}\n")
    assert load_config(path).training.learning_rate == 1e-3


@pytest.mark.parametrize("text", ["fast", "true", "[1]", "1" + 400 * "0"])
def test_what_is_no_number_is_refused_by_its_key(tmp_path, text):
    path = tmp_path / "model.yaml"
    path.write_text(f"{MINIMAL}training: {{learning_rate: {text}}}\n")
    value = yaml.safe_load(text)
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert str(error.value).startswith(f"{path}: training: learning_rate: must be of type float, not {value!r}")


@pytest.mark.parametrize("text", ["2001-99-99", "[" * 3000], ids=["no date", "too deep"])
def test_what_is_no_yaml_is_refused(tmp_path, text):
    path = tmp_path / "model.yaml"
    path.write_text(f"{MINIMAL}training: {text}\n")
    with pytest.raises(ConfigError, match="is not valid YAML"):
        load_config(path)


@pytest.mark.parametrize("value", [".nan", ".inf", "-1.0"])
@pytest.mark.parametrize("key", ["training.learning_rate", "training.weight_decay", "firmware.clock_period_ns"])
def test_numbers_that_are_not_finite_are_refused(tmp_path, key, value):
    section, name = key.split(".")
    path = tmp_path / "model.yaml"
    path.write_text(f"{MINIMAL}{section}: {{{name}: {value}}}\n")
    with pytest.raises(ConfigError, match=f"{key}: must be .*finite"):
        load_config(path)


@pytest.mark.parametrize("bound", [5e-324, 1e-310, 0.1, 127.0, 127.0000001, 1.7e308])
def test_the_finest_scale_that_holds_a_bound(bound):
    found = QuantiserConfig(8, signed=True).holding(bound)
    largest = found.high * Fraction(2) ** found.exponent
    assert largest / 2 < Fraction(bound) <= largest


def test_one_bit_is_for_unsigned_tensors():
    """As in the contract; whether a tensor is signed depends on its role, or on `signed`."""
    assert QuantiserConfig(1).bits == QuantiserConfig(1, signed=False).bits == 1
    for bits, signed in ((0, None), (0, False), (1, True), (25, None)):
        with pytest.raises(ConfigError, match=f"bits must be {2 if signed else 1} to 24, not {bits}"):
            QuantiserConfig(bits, signed=signed)


def test_one_bit_of_a_signed_tensor_is_refused_by_name(tmp_path):
    path = tmp_path / "one.yaml"
    path.write_text(MINIMAL.replace("logit: {bits: 8}", "logit: {bits: 1}"))
    with pytest.raises(ConfigError, match="has 1 bit, but logit is signed"):
        load_config(path)
