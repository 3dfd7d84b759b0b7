"""Speed and memory of training and evaluation, compared with the straightforward form in the same run."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from nanopelican_hls.config.recipes import paper
from nanopelican_hls.errors import NetworkError
from nanopelican_hls.files import write_atomically
from nanopelican_hls.markdown import table
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.inference import Tensors
from nanopelican_hls.network.square_products import square_products
from nanopelican_hls.network.straightforward import straightforward_logits
from nanopelican_hls.training.memory import keep_freed_memory

#: multiplicities of the jets: mean and standard deviation of top and QCD jets of 600 GeV, limited to 80
MULTIPLICITY = (46, 15)
REPEATS = 15


@dataclass(frozen=True)
class Speed:
    """Figures of the benchmark; times are medians, and ratios compare the two forms in the same run."""

    batch: int
    n_constituents: int
    channels: int
    multiplicity: str
    mean_multiplicity: float
    device: str
    threads: int
    train_ms: float
    eval_ms: float
    straightforward_train_ms: float
    straightforward_eval_ms: float
    ratio_train: float
    ratio_eval: float
    peak_memory_gb: float


def run_speed(output: Path, *, batch: int, channels: int) -> tuple[str, dict[str, Any]]:
    """Measure the paper's recipe, write ``training.{md,json}``, and return the content of both.

    The top level of ``training.json`` is for jets of usual multiplicity and one thread, since actual trainings run one
    per core; ``others`` are for full jets, and for one thread per core.
    """
    cores = len(os.sched_getaffinity(0))
    cases = [("usual", 1), ("full", 1), ("usual", cores)]
    speeds = [_measure(batch, channels, threads, multiplicity=kind) for kind, threads in cases]
    usual = speeds[0]
    head = ["jets", "multiplicity", "threads", "training step, ms", "straightforward", "ratio"]
    head += ["evaluation, ms", "straightforward", "ratio", "peak memory, GB"]
    text = (
        "# Speed of training\n\n"
        "`make bench-training`: nPELICAN with the paper's recipe (BatchNorm, dropout, beams), N = "
        f"{usual.n_constituents}, C = {usual.channels}, batch size {usual.batch}, {usual.device}; median of {REPEATS} "
        "steps, alternating between the two forms. The straightforward form builds six N x N arrays per jet "
        "(`network/straightforward.py`). A step comprises products, forward pass, backward pass and optimiser. Peak "
        "memory is that of a process that does nothing else, libraries included. Actual trainings are single-threaded, "
        f"one per core. Usual multiplicities have mean {MULTIPLICITY[0]} and standard deviation {MULTIPLICITY[1]}; "
        "full jets have no padding to skip.\n\n"
        f"{table(head, [_row(speed) for speed in speeds])}\n"
    )
    output.mkdir(parents=True, exist_ok=True)
    content = asdict(usual) | {"others": [asdict(speed) for speed in speeds[1:]]}
    write_atomically(output / "training.json", json.dumps(content, indent=2) + "\n", NetworkError)
    write_atomically(output / "training.md", text, NetworkError)
    return text, content


def _row(speed: Speed) -> list[str]:
    cells = [speed.multiplicity, f"{speed.mean_multiplicity:.0f}", str(speed.threads)]
    cells += [f"{speed.train_ms:.1f}", f"{speed.straightforward_train_ms:.0f}", f"{speed.ratio_train:.1f}"]
    cells += [f"{speed.eval_ms:.1f}", f"{speed.straightforward_eval_ms:.0f}", f"{speed.ratio_eval:.1f}"]
    return [*cells, f"{speed.peak_memory_gb:.2f}"]


class _Steps:
    """Steps of both forms on the same batch."""

    def __init__(self, batch: int, channels: int, multiplicity: str) -> None:
        keep_freed_memory()
        config = paper()
        network = replace(config.network, channels=channels)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        recipe = config.training
        self.net = FloatNetwork(network, nbar=recipe.nbar, seed=1, dropout=recipe.dropout).to(self.device)
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=recipe.learning_rate)
        self.ports = {name: p.to(self.device) for name, p in _jets(batch, network.n_constituents, multiplicity).items()}
        self.labels = (torch.arange(batch, device=self.device) % 2).float()

    @property
    def mean_multiplicity(self) -> float:
        return float((self.ports["E"] > 0).sum(1).float().mean())

    def fast(self) -> Tensor:
        logits: Tensor = self.net(square_products(self.net.network, self.ports))
        return logits

    def straightforward(self) -> Tensor:
        return straightforward_logits(self.net, self.ports)

    def train(self, logits: Callable[[], Tensor]) -> None:
        self.net.train()
        loss = binary_cross_entropy_with_logits(logits(), self.labels)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self._wait()

    def evaluate(self, logits: Callable[[], Tensor]) -> None:
        self.net.eval()
        with torch.no_grad():
            logits()
        self._wait()

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def _jets(batch: int, n: int, multiplicity: str) -> Tensors:
    """Jets of massless constituents with falling momenta, in random directions, zero-padded."""
    rng = np.random.default_rng(0)
    numbers = np.full(batch, n) if multiplicity == "full" else np.clip(rng.normal(*MULTIPLICITY, batch), 5, n)
    energy = np.sort(rng.exponential(20, (batch, n)))[:, ::-1] * (np.arange(n) < numbers[:, None].round())
    direction = rng.normal(size=(batch, n, 3))
    direction /= np.linalg.norm(direction, axis=2, keepdims=True)
    momenta = np.concatenate([energy[..., None], energy[..., None] * direction], 2)
    names = ("E", "px", "py", "pz")
    return {name: torch.tensor(momenta[..., k], dtype=torch.float32) for k, name in enumerate(names)}


def _measure(batch: int, channels: int, threads: int, *, multiplicity: str) -> Speed:
    torch.set_num_threads(threads)
    steps = _Steps(batch, channels, multiplicity)
    calls: dict[str, Callable[[], None]] = {
        "train_ms": lambda: steps.train(steps.fast),
        "eval_ms": lambda: steps.evaluate(steps.fast),
        "straightforward_train_ms": lambda: steps.train(steps.straightforward),
        "straightforward_eval_ms": lambda: steps.evaluate(steps.straightforward),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(REPEATS + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(1e3 * (time.perf_counter() - start))
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    return Speed(
        batch=batch,
        n_constituents=steps.net.network.n_constituents,
        channels=channels,
        multiplicity=multiplicity,
        mean_multiplicity=steps.mean_multiplicity,
        device=torch.cuda.get_device_name() if steps.device.type == "cuda" else "CPU",
        threads=threads,
        **medians,
        ratio_train=medians["straightforward_train_ms"] / medians["train_ms"],
        ratio_eval=medians["straightforward_eval_ms"] / medians["eval_ms"],
        peak_memory_gb=_peak_memory_gb(batch, channels, multiplicity),
    )


def _peak_memory_gb(batch: int, channels: int, multiplicity: str) -> float:
    """Peak memory of a new process that trains and evaluates the fast form."""
    arguments = json.dumps([batch, channels, multiplicity])
    code = f"from nanopelican_hls.benchmarks.training_speed import print_peak; print_peak(*{arguments})"
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return float(result.stdout)


def print_peak(batch: int, channels: int, multiplicity: str) -> None:
    """The process of `_peak_memory_gb`."""
    steps = _Steps(batch, channels, multiplicity)
    for _ in range(3):
        steps.train(steps.fast)
        steps.evaluate(steps.fast)
    peak: Any = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if steps.device.type == "cuda":
        peak = torch.cuda.max_memory_allocated()
    sys.stdout.write(f"{peak / 1e9}\n")
