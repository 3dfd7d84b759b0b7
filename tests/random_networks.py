"""Small random networks and jets for them, seeded, for every test that needs a complete graph.

Scales are calibrated on random jets, as after training, so that some values saturate and not all are 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.fixed_point import Quantiser, Rounding
from nanopelican_hls.topology.config import (
    Coordinates,
    Input,
    Multiplicity,
    MultiplicityBins,
    MultiplicityTables,
    NetworkConfig,
    RestFrom,
    Spurions,
)
from nanopelican_hls.topology.dataflow import activations, dataflow, momenta, outputs, parameters, ports, words
from nanopelican_hls.topology.description import NetworkDescription

Arrays = dict[str, NDArray[np.float64]]

BINS = MultiplicityBins(low=4, width=16, bins=4)
#: small networks of every form
NETWORKS = [
    NetworkConfig(4, 2, symmetric=symmetric, spurions=spurions, coordinates=coordinates)
    for symmetric, spurions, coordinates in itertools.product((True, False), Spurions, Coordinates)
    if spurions is not Spurions.BEAMS or coordinates is Coordinates.CARTESIAN
]
NETWORKS += [
    NetworkConfig(4, 2, spurions=Spurions.JET, input=Input.L1),
    NetworkConfig(4, 2, symmetric=False, input=Input.L1),
    NetworkConfig(4, 2, spurions=Spurions.REST, rest_from=RestFrom.JET, coordinates=Coordinates.CARTESIAN),
    NetworkConfig(4, 2, spurions=Spurions.REST, rest_from=RestFrom.JET, spurion_readout=True),
    NetworkConfig(
        *(4, 2, False),
        spurions=Spurions.REST,
        rest_from=RestFrom.JET,
        input=Input.L1,
        multiplicity=Multiplicity.JET,
        multiplicity_bins=BINS,
        multiplicity_tables=MultiplicityTables.ALL,
    ),
    NetworkConfig(
        *(4, 2),
        spurions=Spurions.REST,
        multiplicity=Multiplicity.JET,
        multiplicity_bins=BINS,
        spurion_readout=True,
    ),
    NetworkConfig(4, 2, symmetric=False, spurions=Spurions.JET, multiplicity=Multiplicity.VALID, spurion_readout=True),
    NetworkConfig(4, 2, spurions=Spurions.JET, multiplicity_scaling=True),
    NetworkConfig(
        *(4, 2, False),
        spurions=Spurions.REST,
        multiplicity=Multiplicity.JET,
        multiplicity_bins=BINS,
        multiplicity_scaling=True,
    ),
    NetworkConfig(*(4, 2, False), multiplicity=Multiplicity.JET, multiplicity_bins=BINS, classes=("qcd", "top")),
    NetworkConfig(
        *(4, 2), spurions=Spurions.REST, rest_from=RestFrom.JET, spurion_readout=True, classes=("g", "W", "t_had")
    ),
]


def network_id(network: NetworkConfig) -> str:
    form = "symmetric" if network.symmetric else "untied"
    frame = network.coordinates.value if network.level1 is None else network.input.value
    rest = "-from-jet" if network.rest_from is RestFrom.JET else ""
    given = {
        "n": network.multiplicity is not Multiplicity.NONE,
        "k": network.spurion_readout,
        "alpha": network.multiplicity_scaling,
        f"{len(network.classes)}-classes": bool(network.classes),
    }
    return "-".join((form, network.spurions.value + rest, frame, *(name for name, used in given.items() if used)))


def inner_tensors(network: NetworkConfig) -> list[str]:
    """The tensors whose quantiser may be switched off."""
    return [tensor for tensor in activations(network) if tensor not in (*momenta(network), *outputs(network))]


def random_ports(network: NetworkConfig, n: int, seed: int = 0) -> Arrays:
    """``n`` jets of massless constituents, by port, zero-padded; some are empty, and some are full.

    The jet is the sum of its constituents, including those that were cut off.
    """
    rng = np.random.default_rng(seed)
    shape = (n, network.n_constituents + 4)
    pt = -np.sort(-rng.exponential(30.0, shape), axis=1)
    pt[np.arange(shape[1]) >= rng.integers(0, shape[1] + 1, n)[:, None]] = 0
    d_eta, d_phi = rng.normal(0, 0.3, (2, *shape))
    # of particles softer than those too
    multiplicity = (pt > 0).sum(1, keepdims=True) + rng.integers(0, 90, (n, 1)).astype(float)
    if network.level1 is not None:
        given = _random_words(network, pt, d_eta, d_phi, rng)
        return {name: given.get(name, multiplicity) for name in ports(network)}
    if network.coordinates is Coordinates.LIGHT_CONE:
        plus, minus = np.cosh(d_eta) + np.cos(d_phi), np.cosh(d_eta) - np.cos(d_phi)
        components = [pt * plus, pt * minus, pt * np.sin(d_phi), pt * np.sinh(d_eta)]
    else:
        eta, phi = d_eta + rng.uniform(-1, 1, (n, 1)), d_phi + rng.uniform(-np.pi, np.pi, (n, 1))
        components = [pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)]
    arrays = [c[:, : network.n_constituents] for c in components]
    given = dict(zip(network.components, arrays, strict=True))
    if network.needs_jet:
        given |= {
            f"jet_{name}": c.sum(1, keepdims=True) for name, c in zip(network.components, components, strict=True)
        }
    elif network.spurion == "rest":
        cut = [c[:, network.n_constituents :].sum(1, keepdims=True) for c in components]
        given |= {f"rest_{name}": c for name, c in zip(network.components, cut, strict=True)}
    return {name: given.get(name, multiplicity) for name in ports(network)}


def _random_words(
    network: NetworkConfig,
    pt: NDArray[np.float64],
    d_eta: NDArray[np.float64],
    d_phi: NDArray[np.float64],
    rng: np.random.Generator,
) -> Arrays:
    """Words of jets at any phi, some across its wrap-around, and of their constituents [n, K]."""
    level1 = network.level1
    assert level1 is not None
    axis_eta, axis_phi = rng.integers(-600, 600, (len(pt), 1)), rng.integers(-720, 720, (len(pt), 1))
    phi = axis_phi + np.rint(d_phi / level1.angle_lsb)
    mass_square = 2 * (pt * (np.cosh(d_eta) - np.cos(d_phi))).sum(1, keepdims=True) * pt.sum(1, keepdims=True)
    arrays = {
        "pt": level1.pt(pt),
        "eta": axis_eta + np.rint(d_eta / level1.angle_lsb),
        "phi": (phi + level1.half_turn) % level1.turn - level1.half_turn,
        "jet_eta": axis_eta.astype(float),
        "jet_phi": axis_phi.astype(float),
        "jet_pt": level1.pt(pt.sum(1, keepdims=True)),
        "jet_mass": level1.pt(np.sqrt(mass_square)),
    }
    return {name: words[:, : network.n_constituents] for name, words in arrays.items()}


def random_description(
    network: NetworkConfig,
    tables: bool = False,
    seed: int = 0,
    *,
    bits: int = 8,
    roundings: Collection[Rounding] = tuple(Rounding),
    without: Collection[str] = (),
) -> NetworkDescription:
    """A network with random parameters and calibrated quantisers.

    Parameters
    ----------
    network : NetworkConfig
        Its form.
    tables : bool
        Whether the biases depend on the number of valid particles.
    seed : int
        Of parameters and rounding modes.
    bits : int
        Width of the quantisers; the ports have 2 bits more.
    roundings : collection of Rounding
        Each quantiser has one of these, at random.
    without : collection of str
        Inner tensors without a quantiser.
    """
    rng = np.random.default_rng(seed)
    quantisers: dict[str, Quantiser] = words(network)
    signs = {name: role.signed for name, role in (ports(network) | activations(network)).items()}

    def calibrated(name: str, exact: NDArray[np.float64]) -> NDArray[np.float64]:
        if name not in signs or name in without or name in quantisers:
            return exact
        width = bits + 2 * (name in momenta(network))
        quantisers[name] = _covering(exact, width, signs[name], list(roundings)[rng.integers(len(roundings))])
        return quantisers[name](exact)

    values = {}
    for name, (_, shape) in parameters(network, tables=tables).items():
        values[name] = rng.normal(size=shape) * _typical_size(name, network.particles)
        quantisers[name] = _covering(values[name], bits, True, Rounding.ROUND)
    quantised = {name: quantisers[name](value) for name, value in values.items()}
    _evaluate(network, tables, random_ports(network, 200, seed), quantised, calibrated)
    return NetworkDescription(network, quantisers, values)


def numpy_tensors(description: NetworkDescription, port_arrays: Mapping[str, NDArray[np.float64]]) -> Arrays:
    """Every activation, by its name in the QONNX graph, computed from the dataflow and `Quantiser` alone."""
    quantised = {name: description.quantisers[name](value) for name, value in description.parameters.items()}
    exact: Arrays = {}

    def quantise(name: str, value: NDArray[np.float64]) -> NDArray[np.float64]:
        if name not in description.quantisers:
            return value
        exact[f"{name}_exact"] = value
        return description.quantisers[name](value)

    tensors = _evaluate(description.network, description.tables, port_arrays, quantised, quantise)
    ports_exact = {f"{name}_exact" for name in ports(description.network)}
    return tensors | {name: value for name, value in exact.items() if name not in ports_exact}


def _typical_size(parameter: str, particles: int) -> float:
    """A scale that makes all terms of a sum similar in size: r sums M products (GeV^2), S sums M squared."""
    if "_bias" in parameter:
        return 20.0
    return {"w_r": 1 / particles, "w_s": 1 / particles**2}.get(parameter[-3:], 1.0)


def _covering(values: NDArray[np.float64], bits: int, signed: bool, rounding: Rounding) -> Quantiser:
    """A quantiser in which the largest 1% of the values saturate."""
    size = float(np.quantile(np.abs(values), 0.99)) or 1.0
    return Quantiser(bits, signed, int(np.ceil(np.log2(size))) - (bits - signed), rounding)


def _evaluate(
    network: NetworkConfig,
    tables: bool,
    port_arrays: Mapping[str, NDArray[np.float64]],
    parameter_values: Mapping[str, NDArray[np.float64]],
    quantise: Callable[[str, NDArray[np.float64]], NDArray[np.float64]],
) -> Arrays:
    """Tensors of the dataflow after ``quantise``, which is called once for each, in execution order."""
    tensors: Arrays = {name: quantise(name, port_arrays[name]) for name in ports(network)}
    exact: Arrays = {}
    for step in dataflow(network, tables=tables):
        known = parameter_values | tensors | step.constants | {f"{name}!": value for name, value in exact.items()}
        inputs = [known[name] if name else None for name in step.inputs]
        value = step.operator.compute(*inputs)
        exact[step.output], tensors[step.output] = value, quantise(step.output, value)
    return tensors
