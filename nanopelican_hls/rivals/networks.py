"""The rivals as Keras models with the quantised layers of HGQ2, whose bit widths are trained.

Every constituent passes the same layers with the same widths, so a rival is permutation invariant as an integer
function. Sums over constituents are scaled by a power of two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
from hgq.config import QuantizerConfig
from hgq.layers import QAdd, QDense, QDenseT, QSum

#: nodes of the layers for each constituent, and of those for the jet
CONSTITUENT_NODES, JET_NODES = (32, 16), (32, 16)
JEDI_NODES = 16
TABLE_NODES = 16
#: sums over constituents are divided by it
SUM_SCALE = 4.0
#: bits that training starts from: of weights and biases without the sign, and of inputs after the binary point
FIRST_BITS, FIRST_FRACTION = 6, 5
#: the same of tables, and of their inputs
TABLE_FRACTION = 7


def deep_sets(n_constituents: int, features: int, jet_features: int) -> Any:
    """F(sum over constituents of Phi(features), jet): Deep Sets, arXiv:1810.05165."""
    x, jet = _inputs(n_constituents, features, jet_features)
    latent = x
    for k, nodes in enumerate(CONSTITUENT_NODES):
        latent = _dense(nodes, f"phi{k}", shared=True)(latent)
    return _head(x, jet, latent)


def jedi_linear(n_constituents: int, features: int, jet_features: int) -> Any:
    """An interaction network of linear cost: JEDI-linear, arXiv:2508.15468.

    A linear map of each constituent's features is added to one of the sum over constituents, and of the jet's
    features: what all pairs would add up to if messages were linear. ReLU, a layer, sum, dense layers.
    """
    x, jet = _inputs(n_constituents, features, jet_features)
    latent = _dense(JEDI_NODES, "embedding", shared=True)(x)
    around = keras.layers.Concatenate(name="around")([_sum("pool")(latent), jet])
    own = _dense(JEDI_NODES, "own", shared=True, activation=None)(latent)
    of_all = _dense(JEDI_NODES, "all", shared=False, activation=None)(around)
    terms = [own, keras.layers.RepeatVector(n_constituents, name="repeated")(of_all)]
    both = [_datalane(shared=True), _datalane(shared=True)]
    latent = keras.layers.ReLU(name="message")(QAdd(iq_confs=both, name="interaction")(terms))
    return _head(x, jet, _dense(JEDI_NODES, "update", shared=True)(latent))


def table_deep_sets(n_constituents: int, features: int, jet_features: int) -> Any:
    """Deep Sets of tables: HGQ-LUT, the densest logic that we know of.

    Each weight of a layer is a table over one input, trained as a small network; a layer adds up its tables.
    """
    x, jet = _inputs(n_constituents, features, jet_features)
    latent = _tables(TABLE_NODES, "phi", shared=True)(x)
    hidden = keras.layers.Concatenate(name="pooled")([_sum("sum")(latent), jet])
    hidden = _tables(TABLE_NODES, "f", shared=False)(hidden)
    return keras.Model([x, jet], _tables(1, "logit", shared=False)(hidden))


NETWORKS: Mapping[str, Callable[[int, int, int], Any]] = {
    "deep-sets": deep_sets,
    "deep-sets-tables": table_deep_sets,
    "jedi-linear": jedi_linear,
}


def _inputs(n_constituents: int, features: int, jet_features: int) -> tuple[Any, Any]:
    return keras.Input((n_constituents, features), name="constituents"), keras.Input((jet_features,), name="jet")


def _head(x: Any, jet: Any, latent: Any) -> Any:
    """Sum over constituents, dense layers with the jet's features, one logit."""
    hidden = keras.layers.Concatenate(name="pooled")([_sum("sum")(latent), jet])
    for k, nodes in enumerate(JET_NODES):
        hidden = _dense(nodes, f"f{k}", shared=False)(hidden)
    return keras.Model([x, jet], _dense(1, "logit", shared=False, activation=None)(hidden))


def _datalane(*, shared: bool, fraction: int = FIRST_FRACTION) -> Any:
    """Widths of a layer's inputs: one per feature, the same for all constituents."""
    return QuantizerConfig("kif", "datalane", f0=fraction, homogeneous_axis=(0, 1) if shared else (0,))


def _dense(nodes: int, name: str, *, shared: bool, activation: str | None = "relu") -> Any:
    weights = {f"{kind[0]}q_conf": QuantizerConfig("kbi", kind, b0=FIRST_BITS) for kind in ("weight", "bias")}
    weights["kq_conf"] = weights.pop("wq_conf")
    return QDense(nodes, activation=activation, iq_conf=_datalane(shared=shared), name=name, **weights)


def _tables(nodes: int, name: str, *, shared: bool) -> Any:
    """A layer of tables; the widths of an input and of a table are those of its weight, for all constituents."""
    axes = (0, 1) if shared else (0,)
    of_table = QuantizerConfig("kif", "table", f0=TABLE_FRACTION, homogeneous_axis=axes)
    of_input = _datalane(shared=shared, fraction=TABLE_FRACTION)
    return QDenseT(nodes, iq_conf=of_input, toq_conf=of_table, subnn_activation="relu", batch_norm=True, name=name)


def _sum(name: str) -> Any:
    return QSum(axes=1, scale=1 / SUM_SCALE, iq_conf=_datalane(shared=True), name=name)
