"""The formula is the network: evaluated from its text, it yields the logits of the network."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from network.test_fold import random_float_network, reference_logits
from random_networks import NETWORKS, network_id, random_ports

from nanopelican_hls.analysis.formula import Formula, latex, latex_number, parameter_count, spreads, text, unit
from nanopelican_hls.errors import NetworkError
from nanopelican_hls.network.canonical import MIXING, READOUT
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.straightforward import straightforward_logits
from nanopelican_hls.operators.pairwise_dot import BEAMS
from nanopelican_hls.topology.config import (
    Coordinates,
    Multiplicity,
    MultiplicityBins,
    MultiplicityTables,
    NetworkConfig,
    Spurions,
)

METRIC = np.diag([1.0, -1.0, -1.0, -1.0])
#: symbols of the formula -> those of `evaluated`
PYTHON = [
    ("p_i.p_j", "d[i, j]"),
    ("J.p_i", "R[i]"),
    ("J.p_j", "R[j]"),
    ("m_J^2", "T"),
    ("[i = j]", "(i == j)"),
    ("^", "**"),
]


def forms(*, batch_norm: bool, channels: int = 3) -> list[NetworkConfig]:
    return [
        replace(n, channels=channels, batch_norm=batch_norm)
        for n in NETWORKS
        if n.level1 is None and n.multiplicity is Multiplicity.NONE and not n.spurion_readout and not n.classes
    ]


def with_table(network: NetworkConfig) -> NetworkConfig:
    """The same form with a table of b0 over the jet's multiplicity."""
    bins = MultiplicityBins(low=4, width=16, bins=4)
    return replace(network, multiplicity=Multiplicity.JET, multiplicity_bins=bins)


def with_scaling(network: NetworkConfig) -> NetworkConfig:
    """The same form with learned exponents."""
    return replace(network, multiplicity_scaling=True)


def jet_products(network: NetworkConfig, jet: dict[str, np.ndarray]) -> np.ndarray:
    """p_i.p_j [n, n] of the particles of one jet, from its port values."""
    p = np.stack([jet[c] for c in network.components], axis=1)
    p = p[p[:, 0] != 0]
    if network.spurion:
        given = "jet" if network.needs_jet else "rest"
        spurion = np.array([jet[f"{given}_{c}"][0] if f"{given}_{c}" in jet else 0.0 for c in network.components])
        p = np.concatenate([[spurion - p.sum(0) if given != network.spurion else spurion], p])
    if network.coordinates is Coordinates.LIGHT_CONE:
        p = np.stack([(p[:, 0] + p[:, 1]) / 2, (p[:, 0] - p[:, 1]) / 2, p[:, 2], p[:, 3]], axis=1)
    if network.beams:
        p = np.concatenate([BEAMS, p])
    d = p @ METRIC @ p.T
    massless = np.arange(len(d)) >= (network.spurion is not None)
    d[massless, massless] = 0
    return d


def evaluated(printed: str, d: np.ndarray, n_jet: int | None = None) -> float:
    """w of the printed formula, in Python arithmetic, for a jet with products d and n_jet constituents."""
    for symbol, python in PYTHON:
        printed = printed.replace(symbol, python)
    equations, _ = printed.split("\n\n")
    right_sides = dict(re.split(r" = ", e, maxsplit=1) for e in re.split(r"\n(?=\S)", equations))
    n = len(d)
    known = {"n": n, "d": d, "R": d.sum(1), "T": d.sum()}
    if "t" in right_sides:
        known["t"] = float(right_sides.pop("t"))
    if "b0" in right_sides:
        of_jet = {"n_jet": n_jet, "clip": lambda x, low, high: min(max(x, low), high)}
        known["b0"] = eval(right_sides.pop("b0"), {}, of_jet)

    def z(name: str, i: int, j: int) -> float:
        return eval(right_sides[name].replace("\n", " "), {}, known | {"i": i, "j": j})

    w = right_sides["w"].replace("\n", " ")
    for channel in sorted(set(re.findall(r"sum_\w+ ReLU\(z(\d+)_", w))):
        rectified = np.array([[max(0.0, z(f"z{channel}_ij", i, j)) for j in range(n)] for i in range(n)]).reshape(n, n)
        w = w.replace(f"sum_ij ReLU(z{channel}_ij)", repr(float(rectified.sum())))
        w = w.replace(f"sum_i ReLU(z{channel}_ii)", repr(float(np.trace(rectified))))
    return eval(w, {}, known)


def assert_is_the_network(net: FloatNetwork, jets: int = 5):
    ports = random_ports(net.network, jets, seed=8)
    printed = text(Formula.of(net), digits=17)
    for k, expected in enumerate(reference_logits(net, ports)):
        d = jet_products(net.network, {name: value[k] for name, value in ports.items()})
        if not len(d) and net.network.multiplicity_scaling:
            assert expected == net.b0.item()
            continue
        found = evaluated(printed, d, int(ports["n_jet"][k, 0]) if "n_jet" in ports else None)
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch_norm"])
@pytest.mark.parametrize("network", forms(batch_norm=False), ids=network_id)
class TestText:
    def test_evaluated_it_is_the_network(self, network, batch_norm):
        assert_is_the_network(random_float_network(replace(network, batch_norm=batch_norm), seed=5))

    def test_with_learned_exponents_too(self, network, batch_norm):
        assert_is_the_network(random_float_network(with_scaling(replace(network, batch_norm=batch_norm)), seed=5))

    def test_with_a_table_over_the_multiplicity_too(self, network, batch_norm):
        if batch_norm or network.multiplicity_scaling:
            pytest.skip("its biases cannot be tables over two numbers")
        assert_is_the_network(random_float_network(with_table(network), seed=5), jets=12)

    def test_of_another_jet_it_is_something_else(self, network, batch_norm):
        """Shows that the comparison above is meaningful."""
        net = random_float_network(replace(network, batch_norm=batch_norm), seed=5)
        first, second = reference_logits(net, random_ports(network, 5, seed=8))[:2]
        assert abs(first - second) > 1e-3


def test_text_by_hand():
    """c1 = -2, so z is divided and its readout multiplied by 2; 1 of z is then 2 GeV^2, since d_unit is 1/2 GeV^-2."""
    net = FloatNetwork(NetworkConfig(4, 1, spurions=Spurions.JET), nbar=1, seed=0).double()
    values = {"c1": -2.0, "c2": 0.5, "c3": 1.0, "c5": 4.0, "c6": 6.0, "b": 8.0, "b_diag": -10.0, "k0": 3.0, "k1": -1.0}
    with torch.no_grad():
        for name, value in values.items():
            getattr(net, name).fill_(value)
    net.d_unit = 0.5
    assert text(Formula.of(net), digits=6).split("\n\n")[0] == (
        "w = 0.5\n"
        "    + 3 * sum_ij ReLU(z1_ij)\n"
        "    - sum_i ReLU(z1_ii)\n"
        "z1_ij = - p_i.p_j + 0.5 * J.p_i + 0.5 * J.p_j + 2 * m_J^2 + 8\n"
        "        + [i = j] * (0.25 * J.p_i + 3 * m_J^2 - 10)"
    )


class TestLatex:
    @pytest.mark.parametrize(
        ("value", "unit", "expected"),
        [
            (0.5, "1", "0.5"),
            (-1.5e-7, "GeV^-2", r"-1.5\times 10^{-7}\,\mathrm{GeV}^{-2}"),
            (2e12, "GeV^2", r"2\times 10^{12}\,\mathrm{GeV}^{2}"),
        ],
    )
    def test_numbers(self, value, unit, expected):
        assert latex_number(value, 3, unit) == expected

    @pytest.mark.parametrize(
        "network",
        [*forms(batch_norm=True), *map(with_scaling, forms(batch_norm=False)), with_table(NetworkConfig(4, 2))],
    )
    def test_has_every_number_of_the_text(self, network):
        formula = Formula.of(random_float_network(network))
        plain, written = text(formula, digits=17), latex(formula, digits=17)
        written = re.sub(r"(?m)^%.*$", "", written)
        written = re.sub(r"\\times 10\^\{(-?\d+)\}", r"e\1", written)
        numbers = [float(x) for x in re.findall(r"\d+\.\d+(?:e-?\d+)?", plain.split("\n\n")[0])]
        assert len(numbers) > 10 * network.channels - 3
        assert numbers == [float(x) for x in re.findall(r"\d+\.\d+(?:e-?\d+)?", written)]

    def test_braces_and_environments_close(self):
        written = latex(Formula.of(random_float_network(with_scaling(NetworkConfig(4, 3, batch_norm=True)))), digits=3)
        assert written.count("{") == written.count("}")
        assert written.count(r"\left") == written.count(r"\right")
        assert written.count(r"\begin{align*}") == written.count(r"\end{align*}") == 1


class TestCount:
    @pytest.mark.parametrize(("channels", "nominal"), [(1, 11), (2, 21), (3, 31), (10, 101)])
    @pytest.mark.parametrize("batch_norm", [False, True])
    def test_is_that_of_the_paper(self, channels, nominal, batch_norm):
        network = NetworkConfig(4, channels, symmetric=False, batch_norm=batch_norm)
        assert parameter_count(random_float_network(network))[:2] == (nominal, 9 * channels + 1)
        network = with_scaling(network)
        assert parameter_count(random_float_network(network))[:2] == (nominal + 7, 9 * channels + 8)

    @pytest.mark.parametrize("channels", [1, 2, 4])
    def test_the_symmetric_form_has_fewer(self, channels):
        network = NetworkConfig(4, channels)
        assert parameter_count(random_float_network(network))[:2] == (9 * channels + 1, 8 * channels + 1)
        network = with_scaling(network)
        assert parameter_count(random_float_network(network))[:2] == (9 * channels + 7, 8 * channels + 7)


def active_network(network: NetworkConfig) -> FloatNetwork:
    """Near the physical initial values, with d in units in which channels turn on in the middle of the random jets."""
    net = FloatNetwork(network, nbar=16, seed=2).double().eval()
    ports = random_ports(network, 200)
    totals = [jet_products(network, {name: v[k] for name, v in ports.items()}).sum() for k in range(200)]
    net.d_unit = net.nbar**2 / np.median(totals)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name in {"c1", "c3", "untied_c4"} & set(dict(net.named_parameters())):
            getattr(net, name).zero_()  # the entry of the jet, the only massive one, must turn on too
        for parameter in net.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return net


class Straightforward(torch.nn.Module):
    """A network in its straightforward form, which torch differentiates jet by jet."""

    def __init__(self, net: FloatNetwork):
        super().__init__()
        self.net = net

    def forward(self, jet: dict[str, torch.Tensor]) -> torch.Tensor:
        return straightforward_logits(self.net, {name: value[None] for name, value in jet.items()})[0]


def rank(net: FloatNetwork) -> int:
    """Rank of the Jacobian of the logits of 800 random jets: the number of singular values above rounding."""
    ports = {name: torch.as_tensor(value) for name, value in random_ports(net.network, 800, seed=2).items()}
    parameters = {f"net.{name}": p for name, p in net.named_parameters()}
    derivative = torch.func.grad(lambda p, jet: torch.func.functional_call(Straightforward(net), p, (jet,)))
    columns = torch.func.vmap(derivative, in_dims=(None, 0))(parameters, ports)
    full = np.concatenate([columns[name].reshape(800, -1).detach().numpy() for name in parameters], axis=1)
    values = np.linalg.svd(full / np.linalg.norm(full, axis=0), compute_uv=False)
    real = values > 1e-10 * values[0]
    # a gap of many orders of magnitude: the rank is unambiguous
    assert (values[real] > 1e-6 * values[0]).all()
    assert (values[~real] < 1e-14 * values[0]).all()
    return int(real.sum())


class TestIndependentParameters:
    """Number of parameters that the logits can distinguish: the rank of their Jacobian."""

    @pytest.mark.parametrize("channels", [1, 2, 3])
    @pytest.mark.parametrize("scaling", [False, True], ids=["plain", "scaling"])
    @pytest.mark.parametrize("symmetric", [False, True], ids=["untied", "symmetric"])
    @pytest.mark.parametrize("spurions", [Spurions.NONE, Spurions.JET])
    def test_are_the_rank(self, spurions, symmetric, scaling, channels):
        network = NetworkConfig(12, channels, symmetric=symmetric, spurions=spurions)
        net = active_network(with_scaling(network) if scaling else network)
        assert rank(net) == parameter_count(net).independent

    @pytest.mark.parametrize("spurions", [Spurions.NONE, Spurions.JET])
    def test_b0_adds_to_every_row_of_its_table(self, spurions):
        net = active_network(with_table(NetworkConfig(12, 2, spurions=spurions)))
        assert rank(net) == parameter_count(net).independent

    def test_are_19_with_a_massive_particle_and_17_without(self):
        """The 19 of the paper require a non-zero d_ii: that of the jet. Other particles, beams too, are massless."""
        network = NetworkConfig(12, 2, symmetric=False, spurions=Spurions.JET)
        assert rank(active_network(network)) == 19
        network = replace(network, spurions=Spurions.BEAMS, coordinates=Coordinates.CARTESIAN)
        assert rank(active_network(network)) == 17
        assert parameter_count(active_network(network)) == (21, 19, 17)

    @pytest.mark.parametrize("channels", [1, 2, 3])
    @pytest.mark.parametrize("spurions", [Spurions.NONE, Spurions.JET])
    def test_batch_norm_adds_three_offsets(self, spurions, channels):
        """One of d, and a n^2 + b n in the logit; one channel with a massive particle ties a and b together."""
        network = NetworkConfig(12, channels, symmetric=False, spurions=spurions, batch_norm=True)
        net = active_network(network)
        bound = channels == 1 and network.spurion is not None
        assert rank(net) == parameter_count(net).independent + 3 - bound


class TestDiagonal:
    def test_has_no_weight_of_its_own_without_masses(self):
        for batch_norm in (False, True):
            formula = Formula.of(random_float_network(NetworkConfig(4, 8, batch_norm=batch_norm)))
            ratios = formula.parameters["k1"] * formula.nbar / formula.parameters["k0"]
            assert set(ratios.round(12)) == {0.0, -2.0}

    def test_keeps_what_cannot_be_scaled(self):
        net = random_float_network(NetworkConfig(4, 2))
        with torch.no_grad():
            net.k0[0] = 0.0
            net.k1[1] = -net.k0[1] / net.nbar
        found = Formula.of(net).parameters
        assert sorted(found["k1"] != 0) == [True, True]
        assert_is_the_network(net)


class TestSpread:
    def test_matches_channels_whatever_their_order(self):
        first = Formula.of(random_float_network(NetworkConfig(4, 5, symmetric=False)))
        order = [3, 0, 4, 1, 2]
        per_channel = (*MIXING, *READOUT)
        second = replace(
            first, parameters={n: v[order] if n in per_channel else v for n, v in first.parameters.items()}
        )
        for (name, channel), (canonical, scaled) in spreads([first, second]).items():
            assert canonical == (pytest.approx(first.parameters[name][channel], rel=1e-15), 0)
            assert scaled == (pytest.approx(first.coefficient(name)[channel], rel=1e-15), 0)

    def test_is_mean_and_standard_deviation_over_seeds(self):
        first = Formula.of(random_float_network(NetworkConfig(4, 3)))
        seeds = [
            replace(first, parameters=first.parameters | {"c5": first.parameters["c5"] + shift})
            for shift in (0.0, 0.01, 0.05)
        ]
        found = spreads(seeds)
        canonical, scaled = found["c5", 1]
        assert canonical.mean == pytest.approx(first.parameters["c5"][1] + 0.02)
        assert canonical.deviation == pytest.approx(np.std([0, 0.01, 0.05], ddof=1))
        assert scaled.deviation == pytest.approx(canonical.deviation / first.nbar**2)
        assert found["c2", 1][0].deviation == 0

    def test_of_one_network_is_not_a_number(self):
        formula = Formula.of(random_float_network(NetworkConfig(4, 1)))
        assert np.isnan([canonical.deviation for canonical, _ in spreads([formula]).values()]).all()


@pytest.mark.parametrize(
    ("option", "given"),
    [
        ("multiplicity", {"multiplicity": Multiplicity.VALID}),
        ("multiplicity", {"multiplicity": Multiplicity.JET, "multiplicity_tables": MultiplicityTables.ALL}),
        ("multiplicity", {"multiplicity": Multiplicity.JET, "multiplicity_scaling": True}),
        ("spurion_readout", {"spurion_readout": True}),
    ],
)
def test_what_it_has_no_term_for_is_refused(option, given):
    network = NetworkConfig(4, 2, spurions=Spurions.REST, **given)
    with pytest.raises(NetworkError, match=f"network.{option}: the formula has no term"):
        Formula.of(random_float_network(network))


def test_units():
    assert {name: unit(name) for name in ("c1", "b", "k0", "b0")} == {
        "c1": "1",
        "b": "GeV^2",
        "k0": "GeV^-2",
        "b0": "1",
    }
