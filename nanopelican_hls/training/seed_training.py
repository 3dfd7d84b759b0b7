"""Training of one seed: float and its finish, fold, calibration, quantisation-aware fine-tuning (docs/training.md)."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nanopelican_hls.config import Config, Optimiser, to_mapping
from nanopelican_hls.evaluation.figures import AnyFigures, float_figures, quantised_figures
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.network.canonical import canonical_folded
from nanopelican_hls.network.checkpoint import Checkpoint, require_equal
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.fold import fold
from nanopelican_hls.network.inference import Tensors, in_chunks
from nanopelican_hls.network.quantised_network import QuantisedNetwork
from nanopelican_hls.network.square_products import square_products
from nanopelican_hls.progress import SILENT, Progress
from nanopelican_hls.topology.export import build_program
from nanopelican_hls.training.learning_rate import Factor, cosine, float_schedule
from nanopelican_hls.training.memory import keep_freed_memory
from nanopelican_hls.training.phase import Phase
from nanopelican_hls.training.run_folder import RunFolder
from nanopelican_hls.training.scales import calibrated, pinned, place_scales, refine_scales
from nanopelican_hls.training.second_order import SecondOrder

logger = logging.getLogger(__name__)

#: number of jets used to calibrate scales
CALIBRATION_JETS = 2048


class SeedTraining:
    """Trains one seed of a configuration; killed at any moment, it resumes from the last epoch, bit for bit.

    Parameters
    ----------
    config : Config
        The model and the recipe.
    seed : int
        Seed of the initial weights, the order of the jets and dropout.
    train, valid : Sample
        Port values and labels; ``training.max_jets`` limits the first.
    folder : RunFolder, optional
        Where the run is stored, and resumed from.
    progress : Progress
        In epochs, of which there are ``config.training.epochs``, or the quantised ones with a base.
    device : torch.device, optional
        By default a GPU if there is one.
    base : Checkpoint, optional
        A trained model to fine-tune: its quantised network enters the quantised phase as it is, without float training.
    """

    def __init__(
        self,
        config: Config,
        seed: int,
        train: Sample,
        valid: Sample,
        *,
        folder: RunFolder | None = None,
        progress: Progress = SILENT,
        device: torch.device | None = None,
        base: Checkpoint | None = None,
    ) -> None:
        self.config, self.seed, self._folder, self._base = config, seed, folder, base
        self._train, self._valid = train.head(config.training.max_jets), valid
        self._device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._header = {"seed": seed, "train": self._train.fingerprint, "valid": valid.fingerprint}
        self._header |= {"config": to_mapping(config)}
        if base is not None:
            self._header["base"] = base.fingerprint
        self._history: list[dict[str, Any]] = []
        self._progress = progress

    def run(self) -> Checkpoint:
        """Train to the end.

        Raises
        ------
        TrainingError
            If the loss diverges. The state after the last good epoch is kept.
        NetworkError
            If the stored state belongs to another configuration or other data (the message names the field).
        """
        keep_freed_memory()
        state = self._load()
        float_net = self._train_float(state)
        metrics = {"float": float_figures(copy.deepcopy(float_net).double(), self._valid).as_dict()}
        description = None
        if self.config.training.quantised_epochs:
            quantised_net, metrics["quantised"] = self._train_quantised(float_net, state)
            description = quantised_net.describe()
        weights = {name: value.cpu() for name, value in float_net.state_dict().items()}
        checkpoint = Checkpoint(self.config, self.seed, weights, description, {"valid": metrics})
        if self._folder is not None:
            self._folder.finish(checkpoint, self._history)
        return checkpoint

    def _train_float(self, state: dict[str, Any]) -> FloatNetwork:
        recipe = self.config.training
        net = FloatNetwork(
            self.config.network,
            nbar=recipe.nbar,
            seed=self.seed,
            initial_values=recipe.initial_values,
            dropout=recipe.dropout,
        ).to(self._device)
        if self._base is not None:
            net.load_state_dict(dict(self._base.float_state))
            return net.eval()

        def logits(ports: Tensors) -> Tensor:
            result: Tensor = net(square_products(self.config.network, ports))
            return result

        if "float_state" not in state:
            groups = [(p, recipe.learning_rate) for p in net.parameters()]
            if state.get("phase") != SecondOrder.name:
                inputs = _single(self._train.values)
                phase = self._phase("float", net, logits, groups, inputs, float_schedule(recipe))
                state = self._run(phase, state, 0, lambda: float_figures(net, self._valid), {})
            else:
                self._progress.skip(recipe.float_epochs)
            if recipe.second_order_steps:
                state = self._finish_float(net, state)
            state["float_state"] = state["best"]["model"]
        else:
            self._progress.skip(recipe.float_epochs + recipe.second_order_steps)
        net.float().load_state_dict(state["float_state"])
        return net.eval()

    def _finish_float(self, net: FloatNetwork, state: dict[str, Any]) -> dict[str, Any]:
        """L-BFGS from the best epoch, which stays the best if no step surpasses it."""
        steps, patience = self.config.training.second_order_steps, self.config.training.second_order_patience
        where = f"{self.config.name} seed {self.seed}"
        net.load_state_dict(state["best"]["model"])
        phase = SecondOrder(net, self._train, steps=steps, where=where)

        def figures() -> AnyFigures:
            return float_figures(net, self._valid)

        if state["phase"] != phase.name:
            state = {"best": _candidate(figures(), net, 0)}
        state = self._run(phase, state, 0, figures, {}, patience=patience)
        best = state["best"]
        logger.info("%s: second-order training ends after step %d, the best is %d", where, phase.epoch, best["epoch"])
        self._progress.skip(steps - phase.epoch)
        return state

    def _train_quantised(
        self, float_net: FloatNetwork, state: dict[str, Any]
    ) -> tuple[QuantisedNetwork, dict[str, Any]]:
        recipe, sample = self.config.training, self._train.head(CALIBRATION_JETS)
        # a scale that saturates a power of two would turn it into another number
        fixed = pinned(self.config) | (set() if recipe.pair_multipliers else {"w_d"})
        start = None if self._base is None else self._base.description
        folded = fold(float_net) if recipe.pair_multipliers else canonical_folded(fold(float_net))
        net = QuantisedNetwork(start or calibrated(self.config, folded, sample.values)).to(self._device)
        net.weights["w_d"].requires_grad_(recipe.pair_multipliers)
        resumed = state.get("phase") == "quantised"
        if resumed:
            net.load_state_dict(state["model"])
        else:
            if start is None:
                place_scales(net, sample, fixed)
            build_program(net.describe())  # rejects what needs more than 53 bits now, not after training
        inputs = in_chunks(lambda values: _kept(net.products(values)), self._train.values, self._device)
        net.float()
        trained = [w for w in net.weights.values() if w.requires_grad]
        # relative to the mean, not the maximum: channels differ in size
        groups = [(w, recipe.quantised_learning_rate * w.abs().mean().item()) for w in trained]
        epochs = recipe.quantised_epochs
        phase = self._phase("quantised", net, net.logits, groups, inputs, cosine(epochs))
        frozen_from = min(round((1 - recipe.freeze_scales_fraction) * epochs), epochs - 1)

        def refine(epoch: int) -> None:
            if epoch == frozen_from:
                refine_scales(net.double(), sample, fixed)
                net.float()

        if not resumed:  # fine-tuning never ends worse than it starts
            state = {"best": _candidate(quantised_figures(net, self._valid), net, 0)}
        state = self._run(
            phase,
            state,
            frozen_from,
            lambda: quantised_figures(net, self._valid),
            {"float_state": float_net.state_dict()},
            refine,
        )
        net.load_state_dict(state["best"]["model"])
        return net, state["best"]["figures"]

    def _run(
        self,
        phase: Phase | SecondOrder,
        state: dict[str, Any],
        kept_from: int,
        figures: Callable[[], AnyFigures],
        beside: dict[str, Any],
        before_epoch: Callable[[int], None] = lambda _: None,
        patience: float = math.inf,
    ) -> dict[str, Any]:
        """Run all epochs of a phase; its state includes the best epoch after ``kept_from``, by validation loss.

        The phase ends early once ``patience`` epochs have passed since the best. ``state`` is the state to resume from,
        or only a ``best`` to improve on, or empty.
        """
        best: dict[str, Any] = state.get("best", {})
        if "epoch" in state:
            phase.restore(state)
            self._progress.skip(phase.epoch)
        while phase.epoch < phase.epochs and phase.epoch - best.get("epoch", 0) < patience:
            before_epoch(phase.epoch)
            rate = phase.rate_factor
            row = {"phase": phase.name, "epoch": phase.epoch + 1, "learning_rate_factor": rate}
            row["train_loss"] = phase.run_epoch()
            found = figures()
            self._history.append(row | found.as_dict())
            if phase.epoch > kept_from and not (best and best["figures"]["loss"] <= found.loss):
                best = _candidate(found, phase.model, phase.epoch)
            self._progress.note(f"{self.config.name} seed {self.seed}: validation AUC {found.auc:.4f}")
            self._progress.update()
            state = phase.state() | beside | {"best": best, "history": self._history}
            if self._folder is not None:
                self._folder.save({"header": self._header, **state})
        return state

    def _phase(
        self,
        name: str,
        net: nn.Module,
        logits: Callable[[Tensors], Tensor],
        groups: Sequence[tuple[nn.Parameter, float]],
        inputs: Tensors,
        factor: Factor,
    ) -> Phase:
        recipe, is_float = self.config.training, name == "float"
        return Phase(
            name,
            net,
            logits,
            groups,
            {key: tensor.to(self._device) for key, tensor in inputs.items()},
            torch.as_tensor(self._train.labels, dtype=torch.float32, device=self._device),
            epochs=recipe.float_epochs if is_float else recipe.quantised_epochs,
            batch_size=recipe.batch_size,
            seed=self.seed,
            optimiser=recipe.optimiser if is_float else Optimiser.ADAM,
            weight_decay=recipe.weight_decay if is_float else 0.0,
            factor=factor,
        )

    def _load(self) -> dict[str, Any]:
        state = {} if self._folder is None else self._folder.begin(self.config, self._header)
        if state:
            require_equal(self._header, state.get("header", {}), str(self._folder.last if self._folder else ""))
            self._history = state["history"]
            where = (self.config.name, self.seed, state["phase"], state["epoch"])
            logger.info("%s seed %d resumes after %s epoch %d", *where)
        return state


def _candidate(found: AnyFigures, model: nn.Module, epoch: int) -> dict[str, Any]:
    return {"figures": found.as_dict(), "model": copy.deepcopy(model.state_dict()), "epoch": epoch}


def _kept(products: Tensors) -> Tensors:
    """Starting point of training; values before quantisation are no longer needed."""
    return _single({name: tensor for name, tensor in products.items() if not name.endswith("_exact")})


def _single(values: Mapping[str, Any]) -> Tensors:
    """In float32, which is sufficient for training."""
    return {name: torch.as_tensor(value, dtype=torch.float32) for name, value in values.items()}
