"""Random networks that cover what a configuration accepts: any form, any widths, grids that do not fit the values."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
import onnx
from numpy.typing import NDArray
from random_networks import Arrays, random_ports

from nanopelican_hls.config import Config, parse_mapping
from nanopelican_hls.contract.execution import execute
from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import NanopelicanError
from nanopelican_hls.proof import hostile
from nanopelican_hls.topology.config import Multiplicity, NetworkConfig
from nanopelican_hls.topology.dataflow import SPURION_QUANTISERS, activations, parameters, ports, words
from nanopelican_hls.topology.description import NetworkDescription
from nanopelican_hls.topology.export import build_program
from nanopelican_hls.topology.result import PLAIN, Output, Result, with_result
from nanopelican_hls.training.scales import calibrated, pinned, port_exponent

#: seeds of the networks to compare; `make fuzz` uses more
SEEDS = range(int(os.environ.get("NETWORKS") or 12))
#: rounds of the search for saturation, which is tested elsewhere
SEARCH_ROUNDS = 2

#: widths [low, high) of the quantisers of one network
WIDTHS = {"any": (2, 21), "narrow": (2, 6), "typical": (4, 11), "two": (2, 3), "wide": (12, 25)}
ROLES = ("momenta", "logit", "weights", "biases", "d", "r", "s", "mix", "relu", "diagonal", "sums")
#: classes to draw from; some look like names of other tensors, or of ports
CLASSES = ("g", "q", "W", "Z", "top", "t_had", "q_t", "in", "out", "0", "exact", "reg")
NEEDED = ("momenta", "jet_momenta", "rest_momenta", "logit", "weights", "biases")


@dataclass(frozen=True)
class Example:
    """A drawn network with a drawn result, events of all kinds for its ports, and the tensors of QONNX execution."""

    description: NetworkDescription
    result: Result
    model: onnx.ModelProto
    program: Program
    events: Arrays
    reference: Arrays


def example(seed: int, **largest: int) -> Example | None:
    """A network from `drawn`; None if it is refused, which must be with an error that says where."""
    try:
        description, jets = drawn(seed, **largest)
        plain = build_program(description)
        result = drawn_result(seed, plain)
        model = with_result(plain, result)
    except NanopelicanError as refusal:
        if not refusal.where:
            raise
        return None
    program = model
    with mock.patch.object(hostile, "SEARCH_ROUNDS", SEARCH_ROUNDS):
        events = hostile.hostile_events(program, lambda ports: execute(model, ports), 150, seed=seed).ports
    events = {name: np.concatenate([values, jets[name], 1e6 * jets[name]]) for name, values in events.items()}
    return Example(description, result, model, program, events, execute(model, events))


def drawn_result(seed: int, program: Program) -> Result:
    """Anything that a network may put out; a draw of its own, which leaves the network as it was."""
    rng = np.random.default_rng([seed, 1])
    if len(program.outputs) > 1:
        return PLAIN
    logit = program.ranges[program.outputs[0].tensor]
    code = rng.integers(logit.low, logit.high, endpoint=True)
    threshold = np.ldexp(code - rng.choice([0, 0.5]), logit.exponent) if code > logit.low else None
    return Result(Output(rng.choice(["logit", "score"])), None if rng.random() < 0.4 else threshold)


def drawn(seed: int, *, constituents: int = 8, channels: int = 4) -> tuple[NetworkDescription, Arrays]:
    """A network with at most the given numbers of constituents and channels, and jets for its ports.

    Raises
    ------
    NanopelicanError
        If the drawn network cannot be built, as for some seeds.
    """
    rng = np.random.default_rng(seed)
    form = _form(rng, constituents, channels)
    config = parse_mapping({"name": "drawn", "network": form, "quantisers": _quantisers(rng, form)}, f"seed {seed}")
    jets = random_ports(config.network, 200, seed)
    if config.network.level1 is None:
        unit = 2.0 ** rng.choice([-20, -8, 0, 0, 0, 8, 20])
        jets = {name: values * unit for name, values in jets.items()}
    description = calibrated(config, _parameters(rng, config.network), jets)
    return _moved(rng, config, description), jets


def _form(rng: np.random.Generator, constituents: int, channels: int) -> dict[str, Any]:
    spurions = str(rng.choice(["none", "beams", "jet", "rest"]))
    words_in = spurions != "beams" and rng.random() < 0.25
    cartesian = spurions == "beams" or (not words_in and rng.random() < 0.5)
    batch_norm = bool(rng.random() < 0.4)
    multiplicity = str(rng.choice(["none", "valid"] if batch_norm else ["none", "valid", "jet", "jet"]))
    options: dict[str, Any] = {"multiplicity": multiplicity}
    if spurions in ("jet", "rest"):
        options["spurion_readout"] = bool(rng.random() < 0.4)
    if spurions == "rest":
        options["rest_from"] = "jet" if words_in else str(rng.choice(["jet", "port"]))
    if multiplicity == "jet":
        bins = {
            "low": int(rng.integers(0, 40)),
            "width": int(rng.choice([1, 2, 4])),
            "bins": int(rng.choice([2, 4, 8, 16, 32])),
        }
        options |= {"multiplicity_bins": bins, "multiplicity_tables": str(rng.choice(["readout", "all"]))}
    if rng.random() < 0.4:
        options["classes"] = [str(name) for name in rng.permutation(CLASSES)[: rng.integers(2, 6)]]
    return options | {
        "n_constituents": int(rng.integers(2, constituents + 1)),
        "channels": int(rng.integers(1, channels + 1)),
        "symmetric": bool(rng.random() < 0.5),
        "spurions": spurions,
        "coordinates": "cartesian" if cartesian else "light_cone",
        "batch_norm": batch_norm,
        "multiplicity_scaling": bool(rng.random() < 0.3),
        "input": "l1" if words_in else "components",
    }


def _quantisers(rng: np.random.Generator, form: dict[str, Any]) -> dict[str, Any]:
    widths = WIDTHS[str(rng.choice(list(WIDTHS)))]
    roles = [*ROLES, *SPURION_QUANTISERS.get(form["spurions"], ())]
    needed = {*NEEDED}
    if form.get("rest_from") == "jet":
        roles.append("jet_momenta")
        needed.remove("rest_momenta")
    return {
        role: None if role not in needed and rng.random() < 0.2 else _quantiser(rng, widths, clip=role not in NEEDED)
        for role in roles
    }


def _quantiser(rng: np.random.Generator, widths: tuple[int, int], *, clip: bool) -> dict[str, Any]:
    settings: dict[str, Any] = {"bits": int(rng.integers(*widths)), "rounding": str(rng.choice(["ROUND", "FLOOR"]))}
    if rng.random() < 0.3:
        settings["signed"] = True
    if clip and rng.random() < 0.15:
        settings["clip"] = float(10.0 ** rng.uniform(-4, 7))
    return settings


def _parameters(rng: np.random.Generator, network: NetworkConfig) -> dict[str, NDArray[np.float64]]:
    """Random parameters: some partly or all 0, some of one sign, some far too large or small."""
    spread = int(rng.choice([0, 0, 2, 12]))
    values = {}
    tables = network.batch_norm or network.multiplicity is Multiplicity.VALID
    for name, (_, shape) in parameters(network, tables=tables).items():
        value = rng.normal(size=shape) * 2.0 ** rng.integers(-spread, spread + 1)
        kind = rng.choice(["plain", "plain", "none", "some", "positive", "negative"])
        values[name] = {
            "plain": value,
            "none": 0 * value,
            "some": value * (rng.random(shape) < 0.5),
            "positive": np.abs(value),
            "negative": -np.abs(value),
        }[kind]
    return values


def _moved(rng: np.random.Generator, config: Config, description: NetworkDescription) -> NetworkDescription:
    """The description with the grids of activations and parameters moved away from their calibration."""
    network, reach = config.network, int(rng.choice([0, 0, 1, 3, 8]))
    movable = (*parameters(network, tables=False), *activations(network), *ports(network))
    quantisers = dict(description.quantisers)
    for name, quantiser in quantisers.items():
        exponent = quantiser.exponent + int(rng.integers(-reach, reach + 1))
        if name not in movable or name in words(network) or name in pinned(config):
            continue
        if name in ports(network):
            exponent = port_exponent(network, exponent)
        quantisers[name] = dataclasses.replace(quantiser, exponent=exponent)
    return dataclasses.replace(description, quantisers=quantisers)
