"""Latency and resources of all forms and sizes of the network, compared with a hand-written design."""

from __future__ import annotations

import json
import math
import resource
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.files import write_atomically
from nanopelican_hls.processes import worker_pool
from nanopelican_hls.versions import __version__

PART, CLOCK_PERIOD_NS = "xcvu13p", 2.7777
#: figures of merit of a network, by their keys in checkpoints
FIGURES = ("auc", "rejection_30")
STEPS = ("float", "quantised")
#: figures of the hand-written design, from a public table
PEER = Path(__file__).with_name("peer.json")

Row = dict[str, Any]


@dataclass(frozen=True)
class Form:
    """A form of the network in hardware.

    Attributes
    ----------
    letter : name of the form.
    network : letter of the form that was trained (`topology.forms.REFERENCE_FORMS`).
    products : multipliers of momenta, ``dsp`` or ``fabric``.
    aims : targets, as largest ratios to the hand-written design, by resource.
    """

    letter: str
    network: str
    products: str
    aims: dict[str, float]


FORMS = {
    form.letter: form
    for form in (
        Form("a", "a", "dsp", {"dsp": 0.8, "lut": 0.7}),
        Form("b", "b", "dsp", {"lut": 0.5}),
        Form("c", "c", "dsp", {"dsp": 0.8, "lut": 0.7}),
        Form("d", "c", "fabric", {"dsp": 0.0, "lut": 1.5}),
    )
}
#: upper limit of the latency target, by the tracer's delay model
LATENCY_AIM_NS = 50.0


@dataclass(frozen=True)
class Job:
    """A row to measure.

    Attributes
    ----------
    form, size : form of the network, and number of constituents.
    checkpoint : the trained network.
    events : jets of the shipped sample to simulate; None for all.
    build : folder for the RTL.
    """

    form: Form
    size: int
    checkpoint: Path
    events: int | None
    build: Path

    @property
    def most_dsps(self) -> int | None:
        """Limit of the DSPs by the target of the form; None without one."""
        aim = self.form.aims.get("dsp")
        return None if aim is None else math.floor(aim * peer()["rows"][str(self.size)]["dsp"])

    @property
    def cost(self) -> int:
        """Relative duration: a term for the pairs, and a constant for the rest."""
        return (self.size**2 + 100) * (2 if self.form.products == "fabric" else 1)


def peer() -> dict[str, Any]:
    """The hand-written design: a description (``what``), and ``rows`` by number of constituents."""
    content: dict[str, Any] = json.loads(PEER.read_text(encoding="utf-8"))
    return content


def checkpoint_name(form: Form, size: int) -> str:
    return f"form-{form.network}-n{size}.pt"


def gather(runs: Path, checkpoints: Path) -> list[Path]:
    """Copy the seed with the best validation loss of each trained form, with the study's figures in its metrics.

    Parameters
    ----------
    runs : Path
        Output folder of `nanopelican study forms`, with ``runs/form-<letter>-n<N>/seed<k>``, or its ``runs``.
    checkpoints : Path
        Folder for ``form-<letter>-n<N>.pt``.

    Returns
    -------
    list of Path
        The copies.

    Raises
    ------
    SynthesisError
        If there is no finished run.
    """
    from nanopelican_hls.network.checkpoint import load_checkpoint, save_checkpoint
    from nanopelican_hls.training.seeds import validation_loss

    folder = runs / "runs" if (runs / "runs").is_dir() else runs
    copies = []
    for form in sorted(folder.glob("form-*-n*")):
        finished = [path.parent for path in form.glob("seed*/result.json")]
        found = []
        for seed in finished:
            figures = json.loads((seed / "result.json").read_text(encoding="utf-8"))["figures"]
            found.append(replace(load_checkpoint(seed / "best.pt"), metrics=figures))
        if found:
            copies.append(checkpoints / f"{form.name}.pt")
            save_checkpoint(min(found, key=validation_loss), copies[-1])
    if not copies:
        raise SynthesisError(
            "has no finished run of a form",
            where=str(folder),
            remedy="train them: nanopelican study forms --jets FOLDER",
        )
    return copies


def jobs(
    forms: Iterable[str], sizes: Iterable[int], checkpoints: Path, build: Path, events: int | None
) -> tuple[list[Job], list[str]]:
    """Jobs to measure, the small ones first, and the names of missing checkpoints."""
    wanted = [(FORMS[letter], size) for size in sorted(sizes) for letter in forms]
    names = [checkpoint_name(form, size) for form, size in wanted]
    found = [
        Job(form, size, checkpoints / name, events, build / f"form-{form.letter}-n{size}")
        for (form, size), name in zip(wanted, names, strict=True)
        if (checkpoints / name).is_file()
    ]
    return found, sorted({name for name in names if not (checkpoints / name).is_file()})


def run_jobs(
    wanted: Sequence[Job], path: Path, report: Callable[[Job, bool], object], *, again: bool = False
) -> list[Row]:
    """Measure the rows that the file does not have; it is rewritten after each row, so a killed run resumes.

    Parameters
    ----------
    wanted : sequence of Job
    path : Path
        JSON file with the list of rows.
    report : callable
        Called after each job, with whether it was measured or reused.
    again : bool
        Measure existing rows again, as needed after a change of the generator.

    Returns
    -------
    list of Row
        All rows in the file.
    """
    rows: dict[tuple[str, int], Row] = {(row["form"], row["n_constituents"]): row for row in read_rows(path)}
    path.parent.mkdir(parents=True, exist_ok=True)
    for job in wanted:
        known = rows.get((job.form.letter, job.size))
        is_new = again or known is None or known["key"] != key(job)
        if is_new:
            rows[job.form.letter, job.size] = in_own_process(job)
            ordered = [rows[place] for place in sorted(rows)]
            write_atomically(path, json.dumps(ordered, indent=1) + "\n", SynthesisError)
        report(job, is_new)
    return [rows[place] for place in sorted(rows)]


def read_rows(path: Path) -> list[Row]:
    """Read the measured rows; none if there is no file.

    Raises
    ------
    SynthesisError
        If the file is not a list of rows.
    """
    if not path.is_file():
        return []
    try:
        rows: list[Row] = json.loads(path.read_text(encoding="utf-8"))
        for row in rows:
            row["form"], row["n_constituents"], row["key"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SynthesisError(
            f"is not a benchmark result ({error!r})", where=str(path), remedy="move it away, and measure again"
        ) from error
    return rows


def key(job: Job) -> dict[str, Any]:
    """Everything that the figures of a row depend on."""
    from nanopelican_hls.network.checkpoint import load_checkpoint

    return {
        "checkpoint": load_checkpoint(job.checkpoint).fingerprint,
        "products": job.form.products,
        "most_dsps": job.most_dsps,
        "clock_period_ns": CLOCK_PERIOD_NS,
        "events": job.events,
        "version": __version__,
    }


def in_own_process(job: Job) -> Row:
    """Measure a row in a new process, so that its peak memory is that of this row alone."""
    with worker_pool(1) as pool:
        return pool.submit(measure, job).result()


def measure(job: Job) -> Row:
    """A row: the report of the open flow, further figures, and the ratios to the hand-written design."""
    from nanopelican_hls.estimate.estimate import Counts
    from nanopelican_hls.flows.build_folder import locked
    from nanopelican_hls.flows.device import Device
    from nanopelican_hls.flows.open import synthesise
    from nanopelican_hls.flows.parts import find_part
    from nanopelican_hls.jets import port_values, read_jets, sample_path
    from nanopelican_hls.network.model import export_qonnx, load_model
    from nanopelican_hls.rtl import open_settings, piece_counts

    start = time.monotonic()
    trained = load_model(job.checkpoint)
    network, program = trained.config.network, export_qonnx(trained)
    device = Device(find_part(PART), CLOCK_PERIOD_NS)
    ports = port_values(read_jets(sample_path(), job.events), network)
    arithmetic: dict[str, Any] = {"products": job.form.products, "most_dsps": job.most_dsps}
    with locked(job.build):
        report = synthesise(program, job.build, device, ports, lambda _: None, **arithmetic)
        pieces = json.loads((job.build / "rtl" / "map" / "pieces.json").read_text(encoding="utf-8"))["pieces"]
    settings = open_settings(CLOCK_PERIOD_NS, **arithmetic)
    return {
        "name": f"form-{job.form.letter}-n{job.size}",
        "form": job.form.letter,
        "n_constituents": network.n_constituents,
        "channels": network.channels,
        "symmetric": network.symmetric,
        "spurions": network.spurions.value,
        "coordinates": network.coordinates.value,
        **arithmetic,
        **report.as_json(),
        "figures": _figures(trained.checkpoint.metrics),
        "ratio_to_peer": _ratios(job.size, report.as_json()),
        "seconds": {"clock": round(time.monotonic() - start, 1), "processor": round(_processor_seconds(), 1)},
        "peak_memory_mb": max(resource.getrusage(who).ru_maxrss for who in WHO) // 1024,
        "pieces": pieces,
        "first_result_cycle": {p.name: p.cycle for p in piece_counts(program, settings) if p.cycle is not None},
        "counts": asdict(Counts.of(program, settings)),
        "key": key(job),
    }


WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def _processor_seconds() -> float:
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, WHO))


def _figures(metrics: Any) -> dict[str, dict[str, float | None]]:
    """Figures of merit on the test jets of the study; null where the checkpoint has none."""
    test = metrics.get("test", {})
    return {step: {name: test.get(step, {}).get(name) for name in FIGURES} for step in STEPS}


def _ratios(size: int, report: dict[str, Any]) -> dict[str, float] | None:
    row = peer()["rows"].get(str(size))
    return row and {name: round(report[name] / row[name], 3) for name in ("lut", "ff", "dsp")}
