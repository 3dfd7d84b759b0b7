"""Calibration of the fast estimate: a fit to networks that were mapped with Yosys."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.estimate.estimate import (
    FITTED,
    FIXED,
    REMEDY,
    Calibration,
    Counts,
    parse_counts,
)
from nanopelican_hls.files import write_atomically

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Mapped:
    """A mapped network: its counts, and the cells that Yosys counted."""

    name: str
    counts: Counts
    lut: int
    ff: int
    dsp: int


def read_mapped(paths: Sequence[Path]) -> list[Mapped]:
    """Read rows that ``nanopelican estimate --map`` or ``bench-synth`` wrote.

    Raises
    ------
    SynthesisError
        If a file cannot be read, or a row lacks a figure.
    """
    found = []
    for path in paths:
        try:
            rows = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SynthesisError(f"cannot be read ({error})", where=str(path), remedy=REMEDY) from error
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise SynthesisError("is not a list of rows", where=str(path), remedy=REMEDY)
        for place, row in enumerate(rows):
            where = f"{path}, row {place}"
            missing = {"name", "lut", "ff", "dsp"} - {key for key, value in row.items() if value is not None}
            if missing:
                raise SynthesisError(f"has no {sorted(missing)[0]}", where=where, remedy="measure it again")
            counts = parse_counts(row.get("counts"), where)
            found.append(Mapped(row["name"], counts, row["lut"], row["ff"], row["dsp"]))
    return found


def calibrate(mapped: Sequence[Mapped]) -> Calibration:
    """Fit by non-negative least squares of relative errors; the stated errors are leave-one-out.

    Raises
    ------
    SynthesisError
        If there are too few networks, or Yosys found another number of DSPs than was counted.
    """
    needed = 1 + max(map(len, FITTED.values()))
    if len(mapped) <= needed:
        raise SynthesisError(
            f"{len(mapped)} networks are too few", where="calibration", remedy=f"use at least {needed + 1}"
        )
    for row in mapped:
        if row.dsp != row.counts.dsp:
            raise SynthesisError(
                f"Yosys has {row.dsp} DSPs, but {row.counts.dsp} were counted",
                where=row.name,
                remedy="measure it again; if that does not help, report the network",
            )
    coefficients, mean, largest = {}, {}, {}
    for resource, names in FITTED.items():
        counts = [asdict(row.counts) for row in mapped]
        x = np.array([[of[name] for name in names] for of in counts], dtype=np.float64)
        exact = np.array([sum(of[name] for name in FIXED[resource]) for of in counts], dtype=np.float64)
        y = np.array([getattr(row, resource) for row in mapped], dtype=np.float64)
        coefficients[resource] = {name: round(float(c), 4) for name, c in zip(names, _fit(x, y, exact), strict=True)}
        errors = 100 * np.abs(_left_out(x, y, exact) / y - 1)
        mean[resource], largest[resource] = round(float(errors.mean()), 1), round(float(errors.max()), 1)
    return Calibration(len(mapped), coefficients, mean, largest, "Yosys, UltraScale+, before placement")


def _fit(x: Vector, y: Vector, exact: Vector) -> Vector:
    solution: Vector = nnls(x / y[:, None], (y - exact) / y)[0]
    return solution


def _left_out(x: Vector, y: Vector, exact: Vector) -> Vector:
    """The prediction for each network by a fit to all others."""
    rows = np.arange(len(y))
    return np.array([exact[k] + x[k] @ _fit(x[rows != k], y[rows != k], exact[rows != k]) for k in rows])


def write_calibration(calibration: Calibration, path: Path) -> None:
    """Write what `Calibration.read` reads.

    Raises
    ------
    SynthesisError
        If it cannot be written.
    """
    write_atomically(path, json.dumps(asdict(calibration), indent=2) + "\n", SynthesisError)
