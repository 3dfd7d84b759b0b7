"""Rows of the comparison, in ``rivals.json``: designs of the rivals, and ours from cards and synthesis reports."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.files import write_atomically

OURS = "nPELICAN"
#: a row of `bench-synth` is named by its form and size, one of the zoo by its model
RESOURCES = ("lut", "ff", "dsp")


@dataclass(frozen=True)
class Row:
    """A design: figures of its firmware on the test jets, and its hardware.

    Attributes
    ----------
    name : of the design.
    tagger : ``nPELICAN``, or the name of a rival.
    n_constituents : int
    inputs : what it sees.
    figures : of the integer network on the test jets, with errors where known (`metrics.Figures.as_dict`).
    lut, ff, dsp, latency_cycles : mapped by the open flow; LUT with shift registers.
    clock_period_ns : float
    parameters : number of weights that are not 0; None if unknown.
    mismatches : by pair of executors, events compared and events that differ.
    details : what else is known, such as seed, epoch, command and versions.
    """

    name: str
    tagger: str
    n_constituents: int
    inputs: str
    figures: dict[str, float]
    lut: int
    ff: int
    dsp: int
    latency_cycles: int
    clock_period_ns: float
    parameters: int | None = None
    mismatches: dict[str, tuple[int, int]] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


def read_rows(path: Path) -> list[Row]:
    """The rows of a file; none if it does not exist.

    Raises
    ------
    SynthesisError
        If the file is damaged.
    """
    if not path.exists():
        return []
    try:
        return [Row(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise SynthesisError(f"is damaged ({error})", where=str(path), remedy="delete it, and measure again") from error


def write_rows(rows: Sequence[Row], path: Path) -> None:
    """Write rows, sorted by tagger, size and LUTs."""
    ordered = sorted(rows, key=lambda row: (row.tagger != OURS, row.tagger, row.n_constituents, row.lut))
    write_atomically(path, json.dumps([asdict(row) for row in ordered], indent=1) + "\n", SynthesisError)


def merged(old: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """Old rows, and new ones in place of those of the same name."""
    return list(({row.name: row for row in old} | {row.name: row for row in new}).values())


def rows_of_zoo(models: Path, build: Path) -> list[Row]:
    """Rows of trained models that ``nanopelican synth`` has mapped.

    Parameters
    ----------
    models : Path
        Folder with cards, ``<model>.json``.
    build : Path
        Build folder of ``nanopelican synth``, with ``<model>/synth.json``.
    """
    rows = []
    for report in sorted(build.glob("*/synth.json")):
        card = models / f"{report.parent.name}.json"
        if card.is_file():
            rows.append(_of_zoo(_content(card), _content(report)))
    return rows


def rows_of_forms(path: Path) -> list[Row]:
    """Rows of ``nanopelican bench-synth`` (``synthesis.json``): forms with the jet as spurion."""
    return [
        Row(
            name=found["name"],
            tagger=OURS,
            n_constituents=found["n_constituents"],
            inputs=found["spurions"],
            figures=found["figures"]["quantised"],
            **_hardware(found),
            details={"channels": found["channels"], "source": path.name},
        )
        for found in (_content(path) if path.is_file() else [])
        if found["spurions"] == "jet"
    ]


def _of_zoo(card: dict[str, Any], report: dict[str, Any]) -> Row:
    network = card["config"]["network"]
    proof = report["rtl_vs_qonnx"]
    return Row(
        name=card["name"],
        tagger=OURS,
        n_constituents=network["n_constituents"],
        inputs=", ".join(given for given in (network["spurions"], _n_jet(network)) if given),
        figures=card["figures"]["test"]["quantised"],
        **_hardware(report),
        mismatches={"RTL, QONNX": (proof["events"], proof["mismatches"])} if proof else {},
        details={"channels": network["channels"], "seed": card["seed"], "command": card["command"]},
    )


def _n_jet(network: dict[str, Any]) -> str:
    return "n_jet" if network.get("multiplicity") == "jet" else ""


def _hardware(report: dict[str, Any]) -> dict[str, Any]:
    return {name: report[name] for name in (*RESOURCES, "latency_cycles", "clock_period_ns")}


def _content(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SynthesisError(f"cannot be read ({error})", where=str(path), remedy="write it again") from error
