"""The network as a list of operator calls: torch trains through it, and the QONNX graph is built from it.

A quantised tensor ``t`` exists twice: ``t_exact``, the output of its operator, and ``t``, the output of its quantiser.
For a port these are ``t_in`` and ``t``. A tensor without a quantiser is just ``t``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.operators._minkowski import UNSIGNED_COMPONENTS
from nanopelican_hls.operators.angle_difference import AngleDifference
from nanopelican_hls.operators.call import Call
from nanopelican_hls.operators.jet_from_l1 import JetFromL1
from nanopelican_hls.operators.light_cone_from_l1 import LightConeFromL1
from nanopelican_hls.operators.pair_mix import PairMix
from nanopelican_hls.operators.pair_sum import PairSum
from nanopelican_hls.operators.pairwise_dot import PairwiseDot
from nanopelican_hls.operators.particle_mask import ParticleMask
from nanopelican_hls.operators.particle_mix import ParticleMix
from nanopelican_hls.operators.particle_sum import ParticleSum
from nanopelican_hls.operators.readout import Readout
from nanopelican_hls.operators.relu import Relu
from nanopelican_hls.operators.row_sums import RowSums
from nanopelican_hls.operators.spurion_dot import SpurionDot
from nanopelican_hls.operators.total_sum import TotalSum
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.level1_tables import ANGLE_LIMIT, JET_BIN_GEV, angle_tables, inverse_table


@dataclass(frozen=True)
class Role:
    """The entry of `QuantisersConfig` for a tensor's quantiser, and whether it is signed."""

    key: str
    signed: bool


@dataclass(frozen=True)
class Step(Call):
    """One operator call of the network.

    An input ``t`` is the tensor after its quantiser, if it has one; ``t!`` is the exact one. ``constants`` are tables
    that are not trained, by input tensor.
    """

    constants: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)


def ports(network: NetworkConfig) -> dict[str, Role]:
    """The inputs of the graph, in order: those of the constituents [B, N], then those of the jet [B, 1]."""
    if network.level1 is None:
        return momenta(network)
    return {word: Role("words", quantiser.signed) for word, quantiser in words(network).items()}


def words(network: NetworkConfig) -> dict[str, Quantiser]:
    """The ports that are Level-1 words, with the fixed grids of these; empty if the ports are components."""
    level1 = network.level1
    if level1 is None:
        return {}
    grids = {"pt": level1.pt, "eta": level1.eta, "phi": level1.phi, "jet_eta": level1.eta, "jet_phi": level1.phi}
    return grids | ({"jet_pt": level1.pt, "jet_mass": level1.pt} if network.has_jet else {})


def momenta(network: NetworkConfig) -> dict[str, Role]:
    """The components of four-momenta: of the constituents [B, N], then of the jet [B, 1].

    They are ports, or computed from Level-1 words. In the latter case the jet is on the axis and has only q+ and q-.
    """
    unsigned = UNSIGNED_COMPONENTS[network.coordinates.value]
    roles = {c: Role("momenta", c not in unsigned) for c in network.components}
    if network.has_jet:
        jet = network.components if network.level1 is None else unsigned
        roles |= {f"jet_{c}": Role("jet_momenta", c not in unsigned) for c in jet}
    return roles


def activations(network: NetworkConfig) -> dict[str, Role]:
    """Tensors after the ports that may have a quantiser, in dataflow order; the last is the output."""
    roles = {} if network.level1 is None else momenta(network)
    roles["d"] = Role("d", False)
    if network.has_jet:
        roles |= {"d_jet": Role("d_jet", False), "d_jj": Role("d_jj", False)}
    roles |= {"r": Role("r", False), "s": Role("s", False), "row": Role("mix", True)}
    if not network.symmetric:
        roles["column"] = Role("mix", True)
    return roles | {
        "pair": Role("relu", False),
        "diagonal": Role("diagonal", False),
        "pair_sum": Role("sums", False),
        "diagonal_sum": Role("sums", False),
        "logit": Role("logit", True),
    }


def outputs(network: NetworkConfig) -> tuple[str, ...]:  # noqa: ARG001
    """The outputs of the graph."""
    return ("logit",)


def parameters(network: NetworkConfig, *, tables: bool) -> dict[str, tuple[Role, tuple[int, ...]]]:
    """Roles and shapes of the parameters; with ``tables``, biases depend on the number of valid particles.

    The column term of the untied form has neither S weight nor bias, since those of the row term cover both.
    """
    c = network.channels
    rows = network.particles + 1 if tables else 1
    weight, bias = Role("weights", True), Role("biases", True)
    shapes: dict[str, tuple[Role, tuple[int, ...]]] = {"w_d": (weight, (c,))}
    mixes = ["row", "diagonal"] if network.symmetric else ["row", "column", "diagonal"]
    for mix in mixes:
        shapes |= {f"{mix}_w_r": (weight, (c,))}
        if mix != "column":
            shapes |= {f"{mix}_w_s": (weight, (c,)), f"{mix}_bias": (bias, (rows, c))}
    if network.has_jet:
        shapes["diagonal_w_jj"] = (weight, (c,))
    return shapes | {"k_pair": (weight, (c,)), "k_diagonal": (weight, (c,)), "logit_bias": (bias, (rows, 1))}


def dataflow(network: NetworkConfig, *, tables: bool) -> tuple[Step, ...]:
    """The operator calls of a network, in execution order."""
    coordinates = network.coordinates.value
    constituents: tuple[str | None, ...] = network.components
    mask = "mask" if tables else None
    d_jet, d_jj = ("d_jet", "d_jj") if network.has_jet else (None, None)
    leading = network.components[0] if network.level1 is None else "pt"
    steps = [
        *_components_from_words(network),
        Step("mask", ParticleMask(network.n_spurions), (leading,)),
        Step("d", PairwiseDot(coordinates, network.beams), constituents),
    ]
    if network.has_jet:
        jet = tuple(f"jet_{c}" if f"jet_{c}" in momenta(network) else None for c in network.components)
        # where the jet has no component, the constituents' component is not needed either
        constituents = tuple(c if j else None for c, j in zip(constituents, jet, strict=True))
        steps += [
            Step("d_jet", SpurionDot(coordinates), (*constituents, *jet)),
            Step("d_jj", SpurionDot(coordinates), (*jet, *jet)),
        ]
    steps += [
        Step("r", RowSums(network.particles), ("d", d_jet, d_jj)),
        Step("s", TotalSum(), ("r!",)),
        Step("row", ParticleMix(), ("r", "s", "row_w_r", "row_w_s", "row_bias", mask, None, None)),
    ]
    if not network.symmetric:
        steps.append(Step("column", ParticleMix(), ("r", None, "column_w_r", None, None, None, None, None)))
    diagonal_jet = (d_jj, "diagonal_w_jj") if network.has_jet else (None, None)
    steps += [
        Step("g", ParticleMix(), ("r", "s", "diagonal_w_r", "diagonal_w_s", "diagonal_bias", mask, *diagonal_jet)),
        Step("z", PairMix(), ("d", "row", "w_d", None if network.symmetric else "column", d_jet)),
        Step("pair", Relu(), ("z",)),
        Step("diagonal", Relu(), ("g",)),
        Step("pair_sum", PairSum(), ("pair", "mask")),
        Step("diagonal_sum", ParticleSum(), ("diagonal", "mask")),
        Step("logit", Readout(), ("pair_sum", "diagonal_sum", "k_pair", "k_diagonal", "logit_bias", mask)),
    ]
    return tuple(steps)


def _components_from_words(network: NetworkConfig) -> list[Step]:
    """Steps from Level-1 words to the components of `momenta`; none if the ports are components."""
    level1 = network.level1
    if level1 is None:
        return []
    steps = [
        Step("d_eta", AngleDifference(ANGLE_LIMIT), ("eta", "jet_eta")),
        Step("d_phi", AngleDifference(ANGLE_LIMIT, level1.turn), ("phi", "jet_phi")),
    ]
    for component in network.components:
        found = angle_tables(component, level1)
        names = {angle: f"{component}_{angle}_table" for angle in found}
        inputs = [name for a in ("eta", "phi") for name in ((f"d_{a}", names[a]) if a in found else (None, None))]
        constants = {names[angle]: table for angle, table in found.items()}
        # q+ and q- are even in both angles; y and z are odd in one
        odd = int(len(found) == 1)
        steps.append(Step(component, LightConeFromL1(odd), ("pt", *inputs), constants))
    if network.has_jet:
        from_words = JetFromL1(JET_BIN_GEV)
        inverse = {"jet_inverse_table": inverse_table(level1)}
        steps += [
            Step("jet_q_plus", from_words, ("jet_pt", None, None)),
            Step("jet_q_minus", from_words, ("jet_pt", "jet_mass", "jet_inverse_table"), inverse),
        ]
    return steps
