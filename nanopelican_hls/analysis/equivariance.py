"""Lorentz transformations of whole jets, and their effect on the float network (none) and on a quantised one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from nanopelican_hls.config import Config
from nanopelican_hls.evaluation.class_metrics import auc, tags
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.jets import Jets, port_values
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.fold import fold
from nanopelican_hls.network.inference import in_chunks
from nanopelican_hls.network.quantised_network import QuantisedNetwork
from nanopelican_hls.network.square_products import square_products
from nanopelican_hls.operators.pairwise_dot import BEAMS
from nanopelican_hls.topology.config import Coordinates, Input, NetworkConfig, QuantiserConfig, Spurions
from nanopelican_hls.topology.dataflow import momenta
from nanopelican_hls.topology.description import NetworkDescription
from nanopelican_hls.training.scales import calibrated, pinned, place_scales

Array = NDArray[np.float64]

#: recorded quantiles of |change of the logit|
QUANTILES = (0.5, 0.9, 0.99)


class Kind(str, Enum):
    """Kinds of Lorentz transformations."""

    BEAM = "beam"  #: a boost along the beam and a rotation about it
    TRANSVERSE = "transverse"  #: a boost transverse to the beam and a rotation about it
    ANY = "any"  #: a boost in any direction and any rotation


def transformations(kind: Kind, beta: ArrayLike, n: int, rng: np.random.Generator) -> Array:
    """Random Lorentz transformations [n, 4, 4]: a rotation, then a boost of velocity ``beta`` (scalar or [n])."""
    azimuth = rng.uniform(-np.pi, np.pi, n)
    if kind is Kind.ANY:
        rotations = Rotation.random(n, rng=rng)
        cosine = rng.uniform(-1, 1, n)
    else:
        rotations = Rotation.from_rotvec(rng.uniform(-np.pi, np.pi, (n, 1)) * [0.0, 0.0, 1.0])
        cosine = rng.choice([-1.0, 1.0], n) if kind is Kind.BEAM else np.zeros(n)
    sine = np.sqrt(1 - cosine**2)
    direction = np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine], axis=1)
    rotation = np.zeros((n, 4, 4))
    rotation[:, 0, 0], rotation[:, 1:, 1:] = 1, rotations.as_matrix()
    boosted: Array = boosts(np.broadcast_to(np.asarray(beta, dtype=np.float64), n), direction) @ rotation
    return boosted


def boosts(beta: Array, direction: Array) -> Array:
    """Boosts [n, 4, 4] with velocities [n] along unit vectors [n, 3]."""
    gamma = 1 / np.sqrt((1 - beta) * (1 + beta))
    matrices = np.zeros((len(beta), 4, 4))
    matrices[:, 0, 0] = gamma
    matrices[:, 0, 1:] = matrices[:, 1:, 0] = (gamma * beta)[:, None] * direction
    outer = direction[:, :, None] * direction[:, None, :]
    # gamma - 1 without cancellation
    matrices[:, 1:, 1:] = np.eye(3) + (gamma**2 * beta**2 / (gamma + 1))[:, None, None] * outer
    return matrices


def transformed(jets: Jets, matrices: Array) -> Jets:
    """Transform each jet with its own matrix [4, 4]; constituents are sorted by their new pT.

    What float32 storage left outside the light cone is moved onto it, because a boost would amplify the excess: the
    constituents, and what the jet has beside them (its rest).
    """
    momenta, jet = _inside(jets.four_momenta), jets.jet_four_momentum
    rest = jet - jets.four_momenta.sum(1)
    jet = jet + (momenta - jets.four_momenta).sum(1) + (_inside(rest) - rest)
    momenta = np.einsum("nab,nib->nia", matrices, momenta)
    order = np.argsort(-np.hypot(momenta[..., 1], momenta[..., 2]), axis=1, kind="stable")
    return replace(
        jets,
        four_momenta=np.take_along_axis(momenta, order[..., None], axis=1),
        jet_four_momentum=np.einsum("nab,nb->na", matrices, jet),
    )


def _inside(momenta: Array) -> Array:
    """Four-momenta [..., 4] with E of at least |p|."""
    found = momenta.copy()
    found[..., 0] = np.maximum(found[..., 0], np.sqrt((found[..., 1:] ** 2).sum(-1)))
    return found


def with_free_beams(network: NetworkConfig) -> NetworkConfig:
    """The same network with the beams as two more constituents, so that they can be transformed with the others."""
    if not network.beams:
        return network
    return replace(network, n_constituents=network.particles, spurions=Spurions.NONE)


def free_port_values(network: NetworkConfig, jets: Jets, matrices: Array) -> dict[str, Array]:
    """Port values for `with_free_beams`: of the transformed jets, and of the beams in their frames."""
    values = port_values(transformed(jets, matrices), network)
    if not network.beams:
        return values
    beams = np.einsum("nab,ib->nia", matrices, np.array(BEAMS))
    return {c: np.concatenate([beams[..., k], values[c]], axis=1) for k, c in enumerate(network.components)}


def float_logits(net: FloatNetwork, jets: Jets, matrices: Array) -> Array:
    """Logits [n] or [n, K] of a float network from Cartesian components in float64, whatever its coordinates."""
    network = replace(net.network, coordinates=Coordinates.CARTESIAN, input=Input.COMPONENTS)
    values = free_port_values(network, jets, matrices)
    free = with_free_beams(network)
    logits: Array = in_chunks(lambda x: {"logits": net(square_products(free, x))}, values)["logits"].numpy()
    return logits


def free_quantised(description: NetworkDescription) -> QuantisedNetwork:
    """The quantised network of `with_free_beams`; with beams at rest its integers equal those of the original."""
    return QuantisedNetwork.from_description(replace(description, network=with_free_beams(description.network)))


@dataclass(frozen=True)
class Drift:
    """Effect of transformations of one kind and velocity on a network.

    ``mean``, ``quantiles`` (at `QUANTILES`) and ``largest`` are statistics of |change of the logit| (of every class),
    ``flipped`` is the fraction of jets whose tag changes (`tags`), ``auc_before`` and ``auc`` are those of the original
    and the transformed jets. ``saturated`` is the fraction of transformed jets that exceed the range of a port.
    """

    momentum_bits: int | None
    kind: Kind
    beta: float
    saturated: float
    mean: float
    quantiles: tuple[float, ...]
    largest: float
    flipped: float
    auc_before: float
    auc: float

    @classmethod
    def between(cls, before: Array, after: Array, labels: NDArray[np.int8], **setting: Any) -> Drift:
        """Compute from the logits [n] or [n, K] of the same jets before and after."""
        change = np.abs(after - before)
        return cls(
            **setting,
            mean=float(change.mean()),
            quantiles=tuple(np.quantile(change, QUANTILES).tolist()),
            largest=float(change.max()),
            flipped=float(np.mean(tags(before) != tags(after))),
            auc_before=auc(labels, before),
            auc=auc(labels, after),
        )

    def as_row(self) -> dict[str, Any]:
        """As a row of a table, one number per column."""
        row = asdict(self) | {f"q{100 * q:.0f}": value for q, value in zip(QUANTILES, self.quantiles, strict=True)}
        del row["quantiles"]
        return row | {"kind": self.kind.value}


def float_deviation(net: FloatNetwork, jets: Jets, betas: Sequence[float], seed: int) -> float:
    """Largest |change of the logit| of a float network, relative to max(1, |logit|): 0 up to rounding.

    Everything is in float64. A product is a difference of terms of order E_i E_j, so its precision is 2^-52 of that,
    and a boost by 0.9 increases E_i E_j up to 19 times: for two particles of 1 TeV that is 4e-9 GeV^2. A logit of order
    1 comes from sums of order m_J^2, 1e4 GeV^2 and more. A bound of 1e-9 is therefore reasonable, and one much below it
    is not.
    """
    rng = np.random.default_rng(seed)
    before = float_logits(net, jets, _identity(len(jets)))
    largest = 0.0
    for kind, beta in itertools.product(Kind, betas):
        after = float_logits(net, jets, transformations(kind, beta, len(jets), rng))
        largest = max(largest, float((np.abs(after - before) / np.maximum(1, np.abs(before))).max()))
    return largest


def drifts(
    description: NetworkDescription, jets: Jets, betas: Sequence[float], seed: int, *, bits: int | None = None
) -> Iterator[Drift]:
    """Drift of a quantised network for each kind and velocity.

    Parameters
    ----------
    description : NetworkDescription
        The quantised network.
    jets : Jets
        Jets with labels of both classes.
    betas : sequence of float
        Velocities.
    seed : int
        Seed of the transformations.
    bits : int, optional
        Width of the momenta, recorded in the result.

    Raises
    ------
    JetsError
        If the jets have other classes than the network.
    """
    net, network = free_quantised(description), description.network
    labels = jets.labels_of(network.classes, "equivariance jets")
    assert labels is not None

    def evaluated(matrices: Array) -> tuple[Array, float]:
        values = free_port_values(network, jets, matrices)
        logits: Array = in_chunks(lambda x: {"logits": net(x)}, values)["logits"].numpy()
        saturated = [_exceeds(description.quantisers[name], value) for name, value in values.items()]
        return logits, float(np.any(saturated, axis=0).mean())

    before, _ = evaluated(_identity(len(jets)))
    rng = np.random.default_rng(seed)
    for kind, beta in itertools.product(Kind, betas):
        after, saturated = evaluated(transformations(kind, beta, len(jets), rng))
        setting = {"momentum_bits": bits, "kind": kind, "beta": beta, "saturated": saturated}
        yield Drift.between(before, after, labels, **setting)


def _exceeds(quantiser: Quantiser, values: Array) -> NDArray[np.bool_]:
    """Mask [n] of the jets that have a value among [n, N] more than half a step out of range."""
    low, high = (quantiser.low - 0.5) * quantiser.scale, (quantiser.high + 0.5) * quantiser.scale
    exceeds: NDArray[np.bool_] = np.logical_or(values.min(axis=1) < low, values.max(axis=1) > high)
    return exceeds


def at_momentum_width(config: Config, net: FloatNetwork, bits: int, sample: Sample) -> NetworkDescription:
    """Quantise the float network again, without training, with momenta of ``bits`` bits.

    Momenta of the jet and of the rest, and single components with widths of their own, keep their difference from those
    of the constituents. All other widths are unchanged; all scales are calibrated on the sample, as before training.
    """
    q = config.quantisers
    more = bits - q.momenta.bits

    def changed(settings: QuantiserConfig) -> QuantiserConfig:
        return replace(settings, bits=max(2, settings.bits + more))

    of_momenta = momenta(config.network)
    tensors = {name: own and changed(own) if name in of_momenta else own for name, own in (q.tensors or {}).items()}
    config = replace(
        config,
        quantisers=replace(
            q,
            tensors=tensors,
            momenta=changed(q.momenta),
            jet_momenta=q.jet_momenta and changed(q.jet_momenta),
            rest_momenta=q.rest_momenta and changed(q.rest_momenta),
        ),
    )
    quantised = QuantisedNetwork.from_description(calibrated(config, fold(net), sample.values))
    place_scales(quantised, sample, pinned(config))
    return quantised.describe()


def _identity(n: int) -> Array:
    return np.broadcast_to(np.eye(4), (n, 4, 4))
