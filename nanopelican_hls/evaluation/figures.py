"""The figures of merit of a network on labelled jets."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanopelican_hls.evaluation.class_metrics import ClassFigures, class_figures
from nanopelican_hls.evaluation.metrics import Figures, figures
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.fold import fold
from nanopelican_hls.network.inference import float_logits, in_chunks
from nanopelican_hls.network.quantised_network import QuantisedNetwork
from nanopelican_hls.topology.description import NetworkDescription

#: of one logit, or of those of several classes
AnyFigures = Figures | ClassFigures


def figures_of(classes: Sequence[str], labels: ArrayLike, logits: NDArray[np.float64]) -> AnyFigures:
    """Figures of logits [n, K] with the names of K classes, or of one logit [n] without."""
    return class_figures(labels, logits, classes) if classes else figures(labels, logits)


def float_figures(net: FloatNetwork, sample: Sample) -> AnyFigures:
    """Figures of a float network, computed in the precision of its parameters."""
    return figures_of(net.network.classes, sample.labels, float_logits(net, sample.values))


def quantised_figures(net: QuantisedNetwork, sample: Sample) -> AnyFigures:
    """Figures of a quantised network, in float64 and therefore exactly those of the firmware."""
    return figures_of(net.network.classes, sample.labels, quantised_logits(net, sample))


def quantised_logits(net: QuantisedNetwork, sample: Sample) -> NDArray[np.float64]:
    """Logits [n] or [n, K] in float64 and therefore exactly those of the firmware."""
    net = copy.deepcopy(net).double().eval()
    logits: NDArray[np.float64] = in_chunks(lambda x: {"logits": net(x)}, sample.values, net.device)["logits"].numpy()
    return logits


def folded_figures(net: FloatNetwork, description: NetworkDescription, sample: Sample) -> AnyFigures:
    """Figures of a float network after the fold, through the hardware dataflow with all quantisers off."""
    folded = QuantisedNetwork.from_description(replace(description, parameters=fold(net)))
    for name in folded.quantisers:
        folded.quantiser(name).enabled = False
    return quantised_figures(folded, sample)
