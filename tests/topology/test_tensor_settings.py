"""Settings of a quantiser by role and by tensor, and the errors for invalid ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_networks import NETWORKS, network_id

from nanopelican_hls.config import Config, load_config, parse_mapping, to_mapping
from nanopelican_hls.errors import ConfigError
from nanopelican_hls.fixed_point import MAX_QUANTISER_BITS, Rounding
from nanopelican_hls.topology.config import (
    Coordinates,
    Input,
    NetworkConfig,
    QuantiserConfig,
    QuantisersConfig,
    Spurions,
)
from nanopelican_hls.topology.dataflow import SPURION_QUANTISERS, activations, parameters, ports, words
from nanopelican_hls.topology.tensor_settings import tensor_settings

EIGHT = QuantiserConfig(8)
NETWORK = NetworkConfig(4, 2)
NEEDED = dict.fromkeys(("momenta", "logit", "weights", "biases"), EIGHT)


def config(network: NetworkConfig = NETWORK, **quantisers) -> Config:
    return Config("tiny", network, QuantisersConfig(**{**NEEDED, **quantisers}))


def settings(given: Config) -> dict[str, QuantiserConfig]:
    return tensor_settings(given.network, given.quantisers)


@pytest.mark.parametrize("network", NETWORKS, ids=network_id)
def test_every_role_reaches_its_tensors(network):
    inner = ("d", "r", "s", "mix", "relu", "diagonal", "sums")
    spurion = SPURION_QUANTISERS[network.spurion] if network.spurion else ()
    jet = ("jet_momenta",) if network.needs_jet else ()
    found = settings(config(network, **dict.fromkeys((*inner, *spurion, *jet), EIGHT)))
    roles = ports(network) | {n: role for n, (role, _) in parameters(network, tables=False).items()}
    roles |= activations(network)
    assert {name: s.signed for name, s in found.items()} == {
        name: role.signed for name, role in roles.items() if name not in words(network)
    }


def test_a_tensor_has_settings_of_its_own():
    found = settings(config(sums=EIGHT, tensors={"q_plus": QuantiserConfig(9), "diagonal_sum": None}))
    assert (found["q_plus"].bits, found["q_minus"].bits) == (9, 8)
    assert "pair_sum" in found
    assert "diagonal_sum" not in found


def test_what_is_never_negative_may_be_signed():
    found = settings(config(momenta=QuantiserConfig(8, signed=True)))
    assert found["q_plus"].signed
    assert found["q_plus"].holding(1.0).low < 0


@pytest.mark.parametrize(
    ("network", "quantisers", "message"),
    [
        (NETWORK, {"tensors": {"q_puls": EIGHT}}, "unknown tensor 'q_puls'\n  remedy: did you mean 'q_plus'?"),
        (NETWORK, {"tensors": {"jet_q_plus": EIGHT}}, "unknown tensor 'jet_q_plus'"),
        (NETWORK, {"momenta": QuantiserConfig(8, signed=False)}, "quantisers.momenta: is unsigned, but q_y can be neg"),
        (NETWORK, {"tensors": {"w_d": QuantiserConfig(8, signed=False)}}, "quantisers.tensors.w_d: is unsigned, but"),
        (NETWORK, {"tensors": {"logit": None}}, "quantisers.tensors.logit: is null, but ports"),
        (NETWORK, {"tensors": {"q_plus": None}}, "quantisers.tensors.q_plus: is null, but ports"),
        (
            NetworkConfig(4, 2, input=Input.L1),
            {"tensors": {"pt": EIGHT}},
            "tensors.pt: its grid is set by the Level-1",
        ),
        (NETWORK, {"jet_momenta": EIGHT}, "quantisers.jet_momenta: set, but the network has no jet spurion"),
        (
            NetworkConfig(4, 2, spurions=Spurions.JET),
            {},
            "quantisers.jet_momenta: missing, but the network has the jet",
        ),
        (
            NetworkConfig(4, 2, spurions=Spurions.BEAMS, coordinates=Coordinates.CARTESIAN),
            {"momenta": QuantiserConfig(8, clip=300.0)},
            "quantisers.momenta: clip 300 requires a scale of 2 GeV, but the beams need 1 GeV to be on the grid",
        ),
        (
            NetworkConfig(4, 2, spurions=Spurions.BEAMS, coordinates=Coordinates.CARTESIAN),
            {"momenta": QuantiserConfig(8, clip=1000.0)},
            "quantisers.momenta: clip 1000 requires a scale of 4 GeV, but the beams need 1 GeV to be on the grid",
        ),
    ],
)
def test_what_cannot_be_is_refused(network, quantisers, message):
    with pytest.raises(ConfigError) as error:
        config(network, **quantisers)
    assert message in str(error.value)
    assert str(error.value).startswith("tiny: quantisers")


@pytest.mark.parametrize("clip", [0.0, -1.0, float("inf"), float("nan")])
def test_a_clip_is_positive_and_finite(clip):
    with pytest.raises(ConfigError, match="clip must be positive and finite"):
        QuantiserConfig(8, clip=clip)


@given(
    bits=st.integers(2, MAX_QUANTISER_BITS),
    signed=st.booleans(),
    bound=st.floats(2.0**-60, 2.0**60),
    nudge=st.integers(-1, 1),
)
def test_the_scale_is_the_finest_that_holds_a_bound(bits, signed, bound, nudge):
    """Exact, also right next to every power of two: Python compares floats and integers exactly."""
    quantiser = QuantiserConfig(bits, signed=signed).holding(bound)
    assert quantiser.high * quantiser.scale >= bound
    assert quantiser.high * quantiser.scale / 2 < bound
    beside = quantiser.high * quantiser.scale * (1 + nudge * 2.0**-52)
    assert QuantiserConfig(bits, signed=signed).holding(beside).exponent == quantiser.exponent + (nudge > 0)


def test_mapping_and_back():
    mixed = config(
        d=QuantiserConfig(8, Rounding.FLOOR, signed=True, clip=1e4),
        tensors={"q_plus": QuantiserConfig(9, clip=255.5), "pair_sum": None, "w_d": QuantiserConfig(6)},
    )
    mapping = to_mapping(mixed)
    assert mapping["quantisers"]["tensors"]["q_plus"] == {
        "bits": 9,
        "rounding": "ROUND",
        "signed": None,
        "clip": 255.5,
    }
    assert parse_mapping(mapping, "there") == mixed
    assert hash(parse_mapping(mapping, "there")) == hash(mixed)


def test_a_mapping_of_before_is_read():
    """Older checkpoints and cards have only `bits` and `rounding`, and no settings of single tensors."""
    mapping = to_mapping(config())
    del mapping["quantisers"]["tensors"]
    for settings_of_role in filter(None, mapping["quantisers"].values()):
        del settings_of_role["signed"], settings_of_role["clip"]
    assert parse_mapping(mapping, "there") == config()


def test_from_a_file(tmp_path):
    path = tmp_path / "model.yaml"
    path.write_text(
        "network: {n_constituents: 4, channels: 1}\n"
        "quantisers:\n"
        "  momenta: {bits: 8}\n"
        "  logit: {bits: 8}\n"
        "  weights: {bits: 8}\n"
        "  biases: {bits: 8}\n"
        "  tensors: {q_plus: {bits: 9, clip: 255, rounding: FLOOR}}\n"
    )
    found = load_config(path)
    q_plus = tensor_settings(found.network, found.quantisers)["q_plus"]
    assert q_plus == QuantiserConfig(9, Rounding.FLOOR, signed=False, clip=255.0)
    path.write_text(path.read_text().replace("{bits: 9", "{bit: 9"))
    with pytest.raises(ConfigError, match="quantisers: tensors: q_plus: unknown key 'bit'"):
        load_config(path)
    path.write_text(path.read_text().replace("{q_plus: {bit: 9, clip: 255, rounding: FLOOR}}", "[q_plus]"))
    with pytest.raises(ConfigError, match="quantisers: tensors: must be a mapping"):
        load_config(path)


def test_replacing_checks_again():
    with pytest.raises(ConfigError, match="unknown tensor"):
        replace(config(), quantisers=QuantisersConfig(**NEEDED, tensors={"x": EIGHT}))
