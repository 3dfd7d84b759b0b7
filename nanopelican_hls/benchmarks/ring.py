"""The ring benchmark: latency and resources against the initiation interval, each row proved by simulation."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanopelican_hls.benchmarks.synthesis import CLOCK_PERIOD_NS, PART, WHO
from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.files import write_atomically
from nanopelican_hls.processes import worker_pool

if TYPE_CHECKING:
    from nanopelican_hls.contract.program import Program
    from nanopelican_hls.topology.config import NetworkConfig

Row = dict[str, Any]

#: number of constituents and intervals of the rows
INTERVALS = {8: (1, 3, 7), 16: (1, 3, 9), 32: (3, 9), 64: (3, 9), 80: (3, 9), 128: (9,)}
PRODUCTS = ("dsp", "fabric")
#: how events come in: all constituents at once, or over the cycles of an interval
ARRIVALS = (False, True)
#: form of the networks of `nanopelican study forms`: four channels, the jet, light-cone coordinates, 6 bits inside
FORM = "c"
#: networks of the zoo: two channels, the rest particle, the jet's multiplicity
ZOO = {size: f"trigger-n{size}" for size in (8, 16, 32)}
#: from this size on there is no trained network, and a row takes minutes: fewer events
LARGE, LARGE_EVENTS = 64, 500


@dataclass(frozen=True)
class Task:
    """A row to measure.

    Attributes
    ----------
    network : ``c``, the form of `FORM`; or the name of a model of the zoo.
    size : number of constituents.
    products : multipliers of momenta, ``dsp`` or ``fabric``.
    interval : initiation interval that is asked for.
    streamed : whether the constituents come in over the cycles of an interval.
    """

    network: str
    size: int
    products: str
    interval: int
    streamed: bool = False

    @property
    def name(self) -> str:
        network = f"form-{self.network}-n{self.size}" if self.network == FORM else self.network
        return f"{network}-{self.products}-every-{self.interval}{'-streamed' * self.streamed}"

    @property
    def cost(self) -> int:
        """Relative duration: the pairs of a clock cycle, those of simulation and execution, and a constant."""
        return self.size**2 // self.interval + self.size**2 // 4 + 100


def tasks(zoo: Path) -> list[Task]:
    """All rows; those of zoo models that are there."""
    networks = [(FORM, n) for n in INTERVALS]
    networks += [(name, n) for n, name in ZOO.items() if (zoo / f"{name}.onnx").is_file()]
    return [
        Task(network, n, products, interval, streamed)
        for network, n in networks
        for interval in INTERVALS[n]
        for products in PRODUCTS
        for streamed in ARRIVALS
        if (n, products) != (128, "fabric") and (interval > 1 or not streamed)
    ]


def run_tasks(
    wanted: list[Task], path: Path, build: Path, checkpoints: Path, zoo: Path, done: Callable[[Task, bool], None]
) -> list[Row]:
    """Measure rows, each in a process of its own, and write them after each; finished ones are kept."""
    rows: dict[str, Row] = {row["name"]: row for row in json.loads(path.read_text("utf-8"))} if path.is_file() else {}
    for task in wanted:
        is_new = task.name not in rows
        if is_new:
            with worker_pool(1) as pool:
                rows[task.name] = pool.submit(measure, task, build / task.name, checkpoints, zoo).result()
            write_atomically(path, json.dumps(list(rows.values()), indent=1) + "\n", SynthesisError)
        done(task, is_new)
    return [rows[task.name] for task in wanted]


def measure(task: Task, build: Path, checkpoints: Path, zoo: Path) -> Row:
    """A row: the report of the open flow, the pieces, and figures of merit where the network is trained."""
    from nanopelican_hls.estimate.estimate import Counts
    from nanopelican_hls.flows.build_folder import locked
    from nanopelican_hls.flows.device import Device
    from nanopelican_hls.flows.open import synthesise
    from nanopelican_hls.flows.parts import find_part
    from nanopelican_hls.jets import port_values, read_jets, sample_path
    from nanopelican_hls.rtl import open_settings

    start = time.monotonic()
    program, network, figures = _network(task, checkpoints, zoo)
    jets = read_jets(sample_path(), LARGE_EVENTS if task.size >= LARGE else None)
    device = Device(find_part(PART), CLOCK_PERIOD_NS, task.interval)
    options: dict[str, Any] = {"products": task.products, "streamed": task.streamed}
    with locked(build):
        report = synthesise(program, build, device, port_values(jets, network), lambda _: None, **options).as_json()
        pieces = json.loads((build / "rtl" / "map" / "pieces.json").read_text(encoding="utf-8"))["pieces"]
    settings = open_settings(CLOCK_PERIOD_NS, interval=task.interval, **options)
    return {
        "name": task.name,
        "network": task.network,
        "n_constituents": task.size,
        "channels": network.channels,
        "products": task.products,
        "interval_asked": task.interval,
        "streamed": task.streamed,
        **report,
        "figures": figures,
        "seconds": round(time.monotonic() - start, 1),
        "peak_memory_mb": max(resource.getrusage(who).ru_maxrss for who in WHO) // 1024,
        "pieces": pieces,
        "counts": asdict(Counts.of(program, settings)),
    }


def _network(task: Task, checkpoints: Path, zoo: Path) -> tuple[Program, NetworkConfig, dict[str, Any]]:
    """Program, network, and AUC and rejection of the quantised network on test jets; empty if it is not trained."""
    from nanopelican_hls.benchmarks.untrained import Untrained, untrained_program
    from nanopelican_hls.network.model import export_qonnx, load_model
    from nanopelican_hls.topology.forms import REFERENCE_FORMS

    path = zoo / f"{task.network}.pt" if task.network != FORM else checkpoints / f"form-{FORM}-n{task.size}.pt"
    if not path.is_file():
        program = untrained_program(Untrained(FORM, task.size, task.products))
        return program, REFERENCE_FORMS[FORM].network(task.size), {}
    trained = load_model(path)
    found = trained.checkpoint.metrics.get("test", {}).get("quantised", {})
    figures = {name: found.get(name) for name in ("auc", "rejection_30")}
    return export_qonnx(trained), trained.config.network, figures
