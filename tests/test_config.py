import math
from fractions import Fraction

import pytest
import yaml

from nanopelican_hls.config import load_config
from nanopelican_hls.errors import ConfigError
from nanopelican_hls.topology.config import (
    Input,
    Multiplicity,
    MultiplicityBins,
    NetworkConfig,
    QuantiserConfig,
    RestFrom,
    Spurions,
)

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


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("channels: 1", "channels: true", "network: channels: must be of type int, not True"),
        ("channels: 1", "channels: 1.0", "network: channels: must be of type int, not 1.0"),
        ("channels: 1", "channels: null", "network: channels: must be of type int, not None"),
        ("channels: 1", "channels: 1, symmetric: 1", "network: symmetric: must be of type bool, not 1"),
        ("channels: 1", "channels: 1, classes: g", "network: classes: must be a list, not 'g'"),
        ("channels: 1", "channels: 1, input: words", "network: input: must be one of components, l1, not 'words'"),
        (", channels: 1", "", "network: missing key 'channels'"),
        ("channels: 1", "chanels: 1", "network: unknown key 'chanels'"),
        ("channels: 1", "channels: 0", "network.channels: at least 1 hidden channel is needed"),
        ("n_constituents: 4", "n_constituents: 1", "network.n_constituents: a jet needs at least 2"),
        ("momenta: {bits: 8}", "momenta: 8", "quantisers: momenta: must be a mapping, not 8"),
        (", biases: {bits: 8}", "", "quantisers: missing key 'biases'"),
        ("network:", "firmware: {interval: 0}\nnetwork:", "firmware.interval: must be at least 1, not 0"),
        ("network:", "firmware: {clock_period_ns: 0}\nnetwork:", "firmware.clock_period_ns: must be positive"),
        ("network:", "firmware: {backend: Quartus}\nnetwork:", "firmware.backend: unknown backend 'Quartus'"),
        ("network:", "training: {seeds: 3}\nnetwork:", "training: seeds: must be a list, not 3"),
        ("network:", "training: {seeds: [1, 1]}\nnetwork:", "training.seeds: must be one or more different numbers"),
        ("network:", "training: {seeds: [-1]}\nnetwork:", "training.seeds: must be one or more different numbers"),
        ("network:", "training: {seeds: []}\nnetwork:", "training.seeds: must be one or more different numbers"),
        (
            "network:",
            "training: {seeds: [9223372036854775807]}\nnetwork:",
            "training.seeds: must be one or more different numbers from 0 to 2^32 - 1, not 9223372036854775807",
        ),
        ("channels: 1", "channels: 1, channels: 2", "is not valid YAML: key 'channels' is there twice"),
        ("network:", "firmware: {interval: 2, reuse_factor: 2}\nnetwork:", "reuse_factor: is the old name of interval"),
        (
            "channels: 1",
            "channels: 1, multiplicity_bins: {low: 10, bins: 8}",
            "network.multiplicity_bins: the multiplicity is not that of the jet",
        ),
        (
            "channels: 1",
            "channels: 1, multiplicity_tables: all",
            "network.multiplicity_tables: there are no tables over the multiplicity",
        ),
        ("network:", "training: {seeds: [1, x]}\nnetwork:", "training: seeds[1]: must be of type int, not 'x'"),
        ("network:", "name: mine\nnetwork:", "unknown key 'name': a configuration is named after its file"),
    ],
)
def test_what_is_no_configuration_is_refused_by_its_key(tmp_path, old, new, message):
    path = tmp_path / "model.yaml"
    assert MINIMAL.count(old) == 1
    path.write_text(MINIMAL.replace(old, new))
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spurions": Spurions.BEAMS}, "network.spurions: beams are not constants in light-cone coordinates"),
        ({"rest_from": RestFrom.JET}, "network.rest_from: there is no rest"),
        ({"spurions": Spurions.REST, "input": Input.L1}, "network.rest_from: no Level-1 word is that of the rest"),
        ({"multiplicity": Multiplicity.JET, "batch_norm": True}, "network.multiplicity: the biases would be tables"),
        ({"multiplicity_min_pt": 1.0}, "network.multiplicity_min_pt: the multiplicity is not that of the jet"),
        ({"multiplicity_min_pt": math.inf}, "network.multiplicity_min_pt: must be finite and not negative, not inf"),
        ({"spurion_readout": True}, "network.spurion_readout: there is neither jet nor rest"),
        ({"classes": ("g",)}, "network.classes: g is the only one"),
        ({"classes": ("w", "z", "W")}, "network.classes: w is named twice"),
        ({"classes": ("g", "bias_t")}, "network.classes: 'bias_t' cannot be part of the name of a tensor"),
    ],
)
def test_networks_that_cannot_be(options, message):
    with pytest.raises(ConfigError) as error:
        NetworkConfig(4, 1, **options)
    assert str(error.value).startswith(message)


def test_bins_of_the_multiplicity():
    assert MultiplicityBins(low=3, width=4, bins=64).bins == 64  # the last begins at 255, the largest number
    for options, message in (
        ({"low": 4, "width": 4, "bins": 64}, "the last of 64 bins of 4 begins above 255"),
        ({"width": 3}, "width must be a power of two, not 3"),
        ({"width": 0}, "width must be a power of two, not 0"),
        ({"bins": 12}, "bins must be 2, 4, 8, 16, 32 or 64, not 12"),
        ({"low": -1}, "low must be 0 to 254, not -1"),
    ):
        with pytest.raises(ConfigError, match=message):
            MultiplicityBins(**options)


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


BOMB = "[x]"
for level in range(9):
    BOMB = f"[&b{level} {BOMB}{f', *b{level}' * 9}]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"training: {{batch_size: {BOMB}}}", "training: batch_size: must be of type int, not "),
        (f"training: {{seeds: {{a: {BOMB}}}}}", "training: seeds: must be a list, not "),
        (f"training: {BOMB}", "training: must be a mapping, not "),
        (f"training: {{optimiser: {BOMB}}}", "training: optimiser: must be one of adam, adamw, not "),
        (f"training: {{batch_size: 0x{'f' * 9000}}}", "training: batch_size: is a number of 36000 bits, too large"),
        (
            f"training: {{learning_rate: 0x{'f' * 9000}}}",
            "training: learning_rate: must be of type float, not a number",
        ),
        (f"training:\n  ? 0x{'f' * 9000}\n  : 1", "training: unknown key a number of 36000 bits"),
        (f"firmware: {{part: 0x{'f' * 9000}}}", "firmware: part: must be of type str, not a number of 36000 bits"),
        ("training: !!timestamp x", "is not valid YAML: "),
        ("training: !!bool maybe", "is not valid YAML: "),
        ("training: !!int ''", "is not valid YAML: "),
        ("training: !!python/object/apply:os.system ['true']", "is not valid YAML: "),
    ],
    ids=lambda text: text[:30],
)
def test_values_of_any_size_and_kind_are_refused_in_few_words(tmp_path, text, message):
    """References make 10^9 values of a line, Python does not write such integers, and YAML's readers raise anything."""
    path = tmp_path / "model.yaml"
    path.write_text(f"{MINIMAL}{text}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert message in str(caught.value)
    assert caught.value.remedy
    assert len(str(caught.value)) < 2000 + len(str(tmp_path))


def test_more_constituents_than_any_firmware_takes():
    with pytest.raises(ConfigError, match="must be at most 256, not 257"):
        NetworkConfig(257, 1)
