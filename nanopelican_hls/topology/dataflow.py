"""The network as a list of operator calls: torch trains through it, and the QONNX graph is built from it.

A quantised tensor ``t`` exists twice: ``t_exact``, the output of its operator, and ``t``, the output of its quantiser.
For a port these are ``t_in`` and ``t``. A tensor without a quantiser is just ``t``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.operators._minkowski import UNSIGNED_COMPONENTS
from nanopelican_hls.operators.angle_difference import AngleDifference
from nanopelican_hls.operators.call import Call
from nanopelican_hls.operators.jet_from_l1 import JetFromL1
from nanopelican_hls.operators.light_cone_from_l1 import LightConeFromL1
from nanopelican_hls.operators.multiplicity_bin import MULTIPLICITY, MultiplicityBin
from nanopelican_hls.operators.pair_mix import PairMix
from nanopelican_hls.operators.pair_sum import PairSum
from nanopelican_hls.operators.pairwise_dot import PairwiseDot
from nanopelican_hls.operators.particle_mask import ParticleMask
from nanopelican_hls.operators.particle_mix import ParticleMix
from nanopelican_hls.operators.particle_sum import ParticleSum
from nanopelican_hls.operators.readout import Readout
from nanopelican_hls.operators.relu import Relu
from nanopelican_hls.operators.rest_momentum import RestMomentum
from nanopelican_hls.operators.row_sums import RowSums
from nanopelican_hls.operators.spurion_dot import SpurionDot
from nanopelican_hls.operators.spurion_sum import SpurionSum
from nanopelican_hls.operators.total_sum import TotalSum
from nanopelican_hls.topology.config import (
    Multiplicity,
    MultiplicityTables,
    NetworkConfig,
    RestFrom,
    Spurions,
)
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


#: by spurion, entries of `QuantisersConfig` that only it has: its momentum, its products, its mass squared
SPURION_QUANTISERS = {"jet": ("jet_momenta", "d_jet", "d_jj"), "rest": ("rest_momenta", "d_rest", "d_rr")}


def ports(network: NetworkConfig) -> dict[str, Role]:
    """The inputs of the graph in order: those of the constituents [B, N], then those of the jet or rest [B, 1]."""
    given = {name: Role("words", quantiser.signed) for name, quantiser in words(network).items()}
    return given if network.level1 is not None else _given_momenta(network) | given


def words(network: NetworkConfig) -> dict[str, Quantiser]:
    """The ports whose grids are given: those of Level-1 words, and the multiplicity."""
    grids: dict[str, Quantiser] = {}
    level1 = network.level1
    if level1 is not None:
        grids |= {"pt": level1.pt, "eta": level1.eta, "phi": level1.phi, "jet_eta": level1.eta, "jet_phi": level1.phi}
        if network.spurion is not None:
            grids |= {"jet_pt": level1.pt, "jet_mass": level1.pt}
    if network.multiplicity is Multiplicity.JET:
        grids["n_jet"] = MULTIPLICITY
    return grids


def once_a_jet(network: NetworkConfig) -> set[str]:
    """Ports that are not those of constituents."""
    return {name for name in ports(network) if name.startswith(("jet_", "rest_", "n_"))}


def momenta(network: NetworkConfig) -> dict[str, Role]:
    """Components of four-momenta: of the constituents [B, N], then of the jet, then of the rest [B, 1].

    They are ports, or computed: from Level-1 words, and the rest from the jet and the constituents.
    """
    roles = _given_momenta(network)
    if network.spurions is Spurions.REST and network.rest_from is RestFrom.JET:
        roles |= _of_spurion(network, "rest", network.components)
    return roles


def _given_momenta(network: NetworkConfig) -> dict[str, Role]:
    """Those that are not computed from others. The jet of Level-1 words is on the axis: it has only q+ and q-."""
    unsigned = UNSIGNED_COMPONENTS[network.coordinates.value]
    roles = {c: Role("momenta", c not in unsigned) for c in network.components}
    if network.needs_jet:
        roles |= _of_spurion(network, "jet", network.components if network.level1 is None else unsigned)
    elif network.spurion is not None:
        roles |= _of_spurion(network, network.spurion, network.components)
    return roles


def _of_spurion(network: NetworkConfig, spurion: str, components: Iterable[str]) -> dict[str, Role]:
    unsigned = UNSIGNED_COMPONENTS[network.coordinates.value]
    return {f"{spurion}_{c}": Role(f"{spurion}_momenta", c not in unsigned) for c in components}


def activations(network: NetworkConfig) -> dict[str, Role]:
    """Inner tensors that may carry a quantiser, in the order of the dataflow; the last are the outputs."""
    given = ports(network)
    roles = {name: role for name, role in momenta(network).items() if name not in given}
    roles["d"] = Role("d", False)
    if network.spurion is not None:
        roles |= {name: Role(name, False) for name in SPURION_QUANTISERS[network.spurion][1:]}
    roles |= {"r": Role("r", False), "s": Role("s", False), "row": Role("mix", True)}
    if not network.symmetric:
        roles["column"] = Role("mix", True)
    roles |= {"pair": Role("relu", False), "diagonal": Role("diagonal", False), "pair_sum": Role("sums", False)}
    if network.spurion_readout:
        roles["spurion_sum"] = Role("sums", False)
    return roles | {"diagonal_sum": Role("sums", False)} | dict.fromkeys(outputs(network), Role("logit", True))


def readouts(network: NetworkConfig) -> tuple[str, ...]:
    """One per logit: the suffix of its tensors' names, which is empty for signal against background."""
    return tuple(f"_{name}" for name in network.classes) or ("",)


def outputs(network: NetworkConfig) -> tuple[str, ...]:
    """The outputs of the graph: the logit, or that of each class."""
    return tuple(f"logit{readout}" for readout in readouts(network))


def parameters(network: NetworkConfig, *, tables: bool) -> dict[str, tuple[Role, tuple[int, ...]]]:
    """Roles and shapes of the parameters; with ``tables``, biases depend on the number of valid particles.

    The column term of the untied form has neither S weight nor bias, since those of the row term cover both.
    """
    c, scaled = network.channels, (*scaled_rows(network), network.channels)
    weight, bias = Role("weights", True), Role("biases", True)
    shapes: dict[str, tuple[Role, tuple[int, ...]]] = {"w_d": (weight, (c,))}
    mixes = ["row", "diagonal"] if network.symmetric else ["row", "column", "diagonal"]
    for mix in mixes:
        shapes |= {f"{mix}_w_r": (weight, scaled)}
        if mix != "column":
            rows = bias_rows(network, tables=tables, readout=False)
            shapes |= {f"{mix}_w_s": (weight, scaled), f"{mix}_bias": (bias, (rows, c))}
    if network.spurion is not None:
        shapes[own_weight(network.spurion)] = (weight, (c,))
    for readout in readouts(network):
        shapes |= {f"k_pair{readout}": (weight, scaled), f"k_diagonal{readout}": (weight, scaled)}
        if network.spurion_readout:
            shapes[f"k_spurion{readout}"] = (weight, (c,))
        shapes[f"logit_bias{readout}"] = (bias, (bias_rows(network, tables=tables, readout=True), 1))
    return shapes


def bias_rows(network: NetworkConfig, *, tables: bool, readout: bool) -> int:
    """Rows of a bias, of the readout or of rows and diagonal: 1 if it is no table."""
    if network.multiplicity is Multiplicity.JET:
        is_table = readout or network.multiplicity_tables is MultiplicityTables.ALL
        return network.multiplicity_bins.bins if is_table else 1
    return network.particles + 1 if tables else 1


def scaled_rows(network: NetworkConfig) -> tuple[int, ...]:
    """The axis of rows of the weights that nPELICAN_N scales by a power of the multiplicity; none without it."""
    if not network.multiplicity_scaling:
        return ()
    return (network.multiplicity_bins.bins if network.multiplicity is Multiplicity.JET else network.particles + 1,)


def has_tables(network: NetworkConfig, values: Mapping[str, NDArray[np.float64]]) -> bool:
    """Whether the biases among the parameters are tables over the number of valid particles."""
    return network.multiplicity is not Multiplicity.JET and len(values[f"logit_bias{readouts(network)[0]}"]) > 1


def own_weight(spurion: str) -> str:
    """The weight of the spurion's product with itself on the diagonal: ``diagonal_w_jj`` or ``diagonal_w_rr``."""
    return f"diagonal_w_{SPURION_QUANTISERS[spurion][2].removeprefix('d_')}"


def dataflow(network: NetworkConfig, *, tables: bool) -> tuple[Step, ...]:
    """The operator calls of a network, in execution order."""
    coordinates = network.coordinates.value
    spurion = network.spurion
    d_spurion, d_own = SPURION_QUANTISERS[spurion][1:] if spurion else (None, None)
    own = (d_own, own_weight(spurion)) if spurion else (None, None)
    of_jet = "multiplicity_bin" if network.multiplicity is Multiplicity.JET else None
    scaled = network.multiplicity_scaling
    mask = "mask" if tables or (scaled and not of_jet) else None
    in_mix = of_jet if scaled or network.multiplicity_tables is MultiplicityTables.ALL else None
    leading = network.components[0] if network.level1 is None else "pt"
    steps = [
        *_components_from_words(network),
        *_rest_from_jet(network),
        Step("mask", ParticleMask(network.n_spurions), (leading,)),
        Step("d", PairwiseDot(coordinates, network.beams), network.components),
    ]
    if of_jet:
        bins = network.multiplicity_bins
        steps.insert(0, Step(of_jet, MultiplicityBin(bins.low, bins.width, bins.bins), ("n_jet",)))
    if spurion:
        vector = tuple(f"{spurion}_{c}" if f"{spurion}_{c}" in momenta(network) else None for c in network.components)
        # components that meet none of the spurion's multiply nothing
        constituents = tuple(c if s else None for c, s in zip(network.components, vector, strict=True))
        steps += [
            Step(str(d_spurion), SpurionDot(coordinates), (*constituents, *vector)),
            Step(str(d_own), SpurionDot(coordinates), (*vector, *(None,) * 4)),
        ]
    steps += [
        Step("r", RowSums(network.particles), ("d", d_spurion, d_own)),
        Step("s", TotalSum(), ("r!",)),
        _mix("row", "row", mask, in_mix, (None, None)),
    ]
    if not network.symmetric:
        row = (mask, None, None, in_mix) if scaled else (None,) * 4
        steps.append(Step("column", ParticleMix(), ("r", None, "column_w_r", None, None, *row)))
    steps += [
        _mix("g", "diagonal", mask, in_mix, own),
        Step("z", PairMix(), ("d", "row", "w_d", None if network.symmetric else "column", d_spurion)),
        Step("pair", Relu(), ("z",)),
        Step("diagonal", Relu(), ("g",)),
        Step("pair_sum", PairSum(), ("pair", "mask")),
    ]
    if network.spurion_readout:
        steps.append(Step("spurion_sum", SpurionSum(), ("pair", "mask")))
    steps.append(Step("diagonal_sum", ParticleSum(), ("diagonal", "mask")))
    for readout in readouts(network):
        weights = (f"k_pair{readout}", f"k_diagonal{readout}", f"logit_bias{readout}")
        apart = ("spurion_sum", f"k_spurion{readout}") if network.spurion_readout else (None, None)
        given = ("pair_sum", "diagonal_sum", *weights, mask, of_jet, *apart)
        steps.append(Step(f"logit{readout}", Readout(), given))
    return tuple(steps)


def _mix(
    output: str, name: str, mask: str | None, multiplicity_bin: str | None, own: tuple[str | None, str | None]
) -> Step:
    given = ("r", "s", f"{name}_w_r", f"{name}_w_s", f"{name}_bias", mask, *own, multiplicity_bin)
    return Step(output, ParticleMix(), given)


def _rest_from_jet(network: NetworkConfig) -> list[Step]:
    """The rest's components; none where they are ports. A component that the jet does not have is 0 for it."""
    given = ports(network)
    return [
        Step(f"rest_{c}", RestMomentum(), (c, f"jet_{c}" if f"jet_{c}" in momenta(network) else None))
        for c in network.components
        if f"rest_{c}" in momenta(network) and f"rest_{c}" not in given
    ]


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
    if network.spurion is not None:
        from_words = JetFromL1(JET_BIN_GEV)
        inverse = {"jet_inverse_table": inverse_table(level1)}
        steps += [
            Step("jet_q_plus", from_words, ("jet_pt", None, None)),
            Step("jet_q_minus", from_words, ("jet_pt", "jet_mass", "jet_inverse_table"), inverse),
        ]
    return steps
