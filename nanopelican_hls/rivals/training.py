"""Training of the rivals: the price of hardware rises epoch by epoch, so one training gives designs of many sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from hgq.layers import QLayerBase
from hgq.utils.minmax_trace import trace_minmax
from numpy.typing import NDArray

from nanopelican_hls.evaluation.metrics import figures
from nanopelican_hls.rivals.inputs import Inputs

#: price of an effective bit operation (EBOP) in units of the loss: constant for a tenth of the epochs, then rising
#: exponentially
FIRST_PRICE, LAST_PRICE = 1e-7, 2e-5
CHEAP_FRACTION = 0.1
LEARNING_RATE, LAST_LEARNING_RATE = 1e-2, 1e-3
BATCH_SIZE, CALIBRATION_BATCH_SIZE = 512, 8192


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The network after an epoch.

    Attributes
    ----------
    epoch : counting from 1.
    ebops : effective bit operations, HGQ2's measure of the hardware.
    loss, auc : on the validation jets.
    weights : of the Keras model.
    """

    epoch: int
    ebops: int
    loss: float
    auc: float
    weights: Sequence[NDArray[Any]]


def train(
    model: Any, jets: Inputs, valid: Inputs, *, epochs: int, seed: int, report: Callable[[Snapshot], object]
) -> list[Snapshot]:
    """Train with Adam, a cosine learning rate and a rising price; returns a snapshot of each epoch."""
    steps = epochs * -(-len(jets) // BATCH_SIZE)
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps, alpha=LAST_LEARNING_RATE / LEARNING_RATE)
    model.compile(keras.optimizers.Adam(rate), keras.losses.BinaryCrossentropy(from_logits=True))
    found: list[Snapshot] = []
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, QLayerBase) and layer.enable_ebops]

    def set_price(epoch: int, _: Any) -> None:
        for layer in layers:
            layer._beta.assign(price(epoch, epochs))

    def record(epoch: int, _: Any) -> None:
        values = figures(valid.labels, logits(model, valid))
        ebops = sum(int(layer.ebops) for layer in layers)
        found.append(Snapshot(epoch + 1, ebops, values.loss, values.auc, model.get_weights()))
        report(found[-1])

    keras.utils.set_random_seed(seed)
    callback = keras.callbacks.LambdaCallback(on_epoch_begin=set_price, on_epoch_end=record)
    labels = jets.labels.astype(np.float32)[:, None]
    model.fit(arrays(jets), labels, batch_size=BATCH_SIZE, epochs=epochs, verbose=0, callbacks=[callback])
    return found


def price(epoch: int, epochs: int) -> float:
    """Price of an EBOP in an epoch, counting from 0."""
    rising = max(0.0, (epoch / max(1, epochs - 1) - CHEAP_FRACTION) / (1 - CHEAP_FRACTION))
    return float(FIRST_PRICE * (LAST_PRICE / FIRST_PRICE) ** rising)


def calibrate(model: Any, *jets: Inputs) -> int:
    """Set the integer bits of activations so that they hold all values of the given jets; returns the EBOPs."""
    joined = [np.concatenate(parts) for parts in zip(*map(arrays, jets), strict=True)]
    return int(trace_minmax(model, joined, batch_size=CALIBRATION_BATCH_SIZE, verbose=0))


def arrays(jets: Inputs) -> list[NDArray[np.float32]]:
    """The inputs of the Keras model; float32 holds them exactly."""
    return [jets.constituents.astype(np.float32), jets.jet.astype(np.float32)]


def logits(model: Any, jets: Inputs) -> NDArray[np.float64]:
    """Logits [n]."""
    found: NDArray[np.float64] = np.asarray(model.predict(arrays(jets), batch_size=4096, verbose=0), np.float64)[:, 0]
    return found
