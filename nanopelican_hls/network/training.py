"""Training of one seed: float, fold, calibration, quantisation-aware fine-tuning (docs/training.md)."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from nanopelican_hls.config import Config, to_mapping
from nanopelican_hls.contract.graph import build_model
from nanopelican_hls.network.calibration import calibrated, place_scales, refine_scales
from nanopelican_hls.network.checkpoint import Checkpoint, load_mapping, require_equal, save_atomically
from nanopelican_hls.network.evaluation import (
    Sample,
    Tensors,
    exact_products,
    float_figures,
    in_chunks,
    quantised_figures,
)
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.fold import fold
from nanopelican_hls.network.phase import Phase
from nanopelican_hls.network.quantised_network import QuantisedNetwork

logger = logging.getLogger(__name__)

#: jets on which scales are calibrated
CALIBRATION_JETS = 2048


class SeedTraining:
    """Trains one seed of a configuration; killed at any moment, it goes on from the last epoch, bit for bit.

    Parameters
    ----------
    config : Config
        The model and the recipe.
    seed : int
        Of the initial weights and of the order of the jets.
    train, valid : Sample
        Port values and labels; ``training.max_jets`` cuts the first.
    state_path : Path, optional
        Where the state after each epoch goes, and comes from if it is there.
    progress : int, optional
        Line of the progress bar on the terminal; None for no bar.
    """

    def __init__(
        self,
        config: Config,
        seed: int,
        train: Sample,
        valid: Sample,
        *,
        state_path: Path | None = None,
        progress: int | None = None,
    ) -> None:
        self.config, self.seed, self._state_path = config, seed, state_path
        self._train, self._valid = train.head(config.training.max_jets), valid
        self._header = {"seed": seed, "train": self._train.fingerprint, "valid": valid.fingerprint}
        self._header |= {"config": to_mapping(config)}
        recipe = config.training
        self._bar = tqdm(
            desc=f"{config.name} seed {seed}",
            total=recipe.float_epochs + recipe.quantised_epochs,
            position=progress,
            disable=progress is None,
            unit="epoch",
        )

    def run(self) -> Checkpoint:
        """Train to the end.

        Raises
        ------
        TrainingError
            If the loss diverges. The state after the last good epoch stays.
        NetworkError
            If the state found belongs to another configuration or other data; names the field.
        """
        state = self._load()
        with self._bar:
            float_net = self._train_float(state)
            quantised_net, valid = self._train_quantised(float_net, state)
        float_valid = float_figures(
            float_net, exact_products(self.config.network, self._valid.values), self._valid.labels
        )
        metrics = {"valid": {"float": float_valid.as_dict(), "quantised": valid}}
        return Checkpoint(self.config, self.seed, float_net.state_dict(), quantised_net.describe(), metrics)

    def _train_float(self, state: dict[str, Any]) -> FloatNetwork:
        recipe = self.config.training
        net = FloatNetwork(self.config.network, nbar=recipe.nbar, seed=self.seed)
        if "float_state" in state:
            net.load_state_dict(state["float_state"])
            self._bar.update(recipe.float_epochs)
            return net.eval()
        inputs = _single(exact_products(self.config.network, self._train.values))
        valid = exact_products(self.config.network, self._valid.values)
        groups = [(p, recipe.learning_rate) for p in net.parameters()]
        phase = self._phase("float", net, net, groups, inputs, recipe.float_epochs)
        self._restore(phase, state)
        while phase.epoch < phase.epochs:
            phase.run_epoch()
            self._report(float_figures(net, valid, self._valid.labels).auc)
            self._save(phase.state())
        return net.eval()

    def _train_quantised(
        self, float_net: FloatNetwork, state: dict[str, Any]
    ) -> tuple[QuantisedNetwork, dict[str, float]]:
        recipe, sample = self.config.training, self._train.head(CALIBRATION_JETS)
        net = QuantisedNetwork(calibrated(self.config, fold(float_net), sample.values))
        resumed = state.get("phase") == "quantised"
        if resumed:
            net.load_state_dict(state["model"])
        else:
            place_scales(net, sample)
            build_model(net.describe())  # refuses what needs more than 53 bits now, not when training is over
        inputs = _single(in_chunks(net.products, self._train.values))
        net.float()
        groups = [(w, recipe.quantised_learning_rate * w.abs().max().item()) for w in net.weights.values()]
        phase = self._phase("quantised", net, net.logits, groups, inputs, recipe.quantised_epochs)
        best: dict[str, Any] = {}
        if resumed:
            self._restore(phase, state)
            best = state["best"]
        frozen_from = min(round((1 - recipe.freeze_scales_fraction) * phase.epochs), phase.epochs - 1)
        while phase.epoch < phase.epochs:
            if phase.epoch == frozen_from:
                refine_scales(net.double(), sample)
                net.float()
            phase.run_epoch()
            figures = quantised_figures(net, self._valid)
            if phase.epoch > frozen_from and not (best and best["figures"]["loss"] <= figures.loss):
                best = {"figures": figures.as_dict(), "model": copy.deepcopy(net.state_dict())}
            self._report(figures.auc)
            self._save(phase.state() | {"float_state": float_net.state_dict(), "best": best})
        net.load_state_dict(best["model"])
        return net, best["figures"]

    def _phase(
        self,
        name: str,
        net: nn.Module,
        logits: Callable[[Tensors], Tensor],
        groups: Sequence[tuple[nn.Parameter, float]],
        inputs: Tensors,
        epochs: int,
    ) -> Phase:
        labels = torch.as_tensor(self._train.labels, dtype=torch.float32)
        size = self.config.training.batch_size
        return Phase(name, net, logits, groups, inputs, labels, epochs=epochs, batch_size=size, seed=self.seed)

    def _report(self, auc: float) -> None:
        self._bar.set_postfix_str(f"validation AUC {auc:.4f}", refresh=False)
        self._bar.update()

    def _load(self) -> dict[str, Any]:
        if self._state_path is None or not self._state_path.exists():
            return {}
        state = load_mapping(self._state_path)
        require_equal(self._header, state.get("header", {}), str(self._state_path))
        logger.info("%s seed %d goes on after %s epoch %d", self.config.name, self.seed, state["phase"], state["epoch"])
        return state

    def _save(self, state: dict[str, Any]) -> None:
        if self._state_path is not None:
            save_atomically({"header": self._header, **state}, self._state_path)

    def _restore(self, phase: Phase, state: dict[str, Any]) -> None:
        if state:
            phase.restore(state)
            self._bar.update(phase.epoch)


def _single(tensors: Tensors) -> Tensors:
    """In float32, which is enough to train in."""
    return {name: tensor.float() for name, tensor in tensors.items()}
