"""The fast estimate, fitted to what Yosys found; and networks to fit it to before any is trained."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from nanopelican_hls.benchmarks.synthesis import CLOCK_PERIOD_NS
from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.estimate.estimate import (
    CALIBRATION,
    FITTED,
    FIXED,
    REMEDY,
    Calibration,
    Counts,
    parse_counts,
)
from nanopelican_hls.files import write_atomically

if TYPE_CHECKING:
    from nanopelican_hls.contract.program import Program

if TYPE_CHECKING:
    pass

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Mapped:
    """A network that was mapped: what it consists of, and what Yosys made of it."""

    name: str
    counts: Counts
    lut: int
    ff: int
    dsp: int


def read_mapped(paths: Sequence[Path]) -> list[Mapped]:
    """Rows of files that `map_untrained` or the benchmark wrote.

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
            raise SynthesisError("is no list of rows", where=str(path), remedy=REMEDY)
        for place, row in enumerate(rows):
            where = f"{path}, row {place}"
            missing = {"name", "lut", "ff", "dsp"} - {key for key, value in row.items() if value is not None}
            if missing:
                raise SynthesisError(f"has no {sorted(missing)[0]}", where=where, remedy="measure it again")
            counts = parse_counts(row.get("counts"), where)
            found.append(Mapped(row["name"], counts, row["lut"], row["ff"], row["dsp"]))
    return found


def calibrate(mapped: Sequence[Mapped]) -> Calibration:
    """Non-negative least squares of relative errors; the errors stated are of networks left out of the fit.

    Raises
    ------
    SynthesisError
        If there are too few networks, or a count of DSPs is not that of Yosys: then no figure is to be trusted.
    """
    needed = 1 + max(map(len, FITTED.values()))
    if len(mapped) <= needed:
        raise SynthesisError(f"{len(mapped)} networks are too few", where="calibration", remedy=f"give {needed + 1}")
    for row in mapped:
        if row.dsp != row.counts.dsp:
            raise SynthesisError(f"Yosys has {row.dsp} DSPs, counts have {row.counts.dsp}", where=row.name)
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
    """Of each network what the fit to all others says."""
    rows = np.arange(len(y))
    return np.array([exact[k] + x[k] @ _fit(x[rows != k], y[rows != k], exact[rows != k]) for k in rows])


def write_calibration(calibration: Calibration, path: Path = CALIBRATION) -> None:
    write_atomically(path, json.dumps(asdict(calibration), indent=2) + "\n", SynthesisError)


@dataclass(frozen=True)
class Untrained:
    """A network of random weights to calibrate on.

    Attributes
    ----------
    form : letter (`studies.forms.FORMS`).
    size : constituents.
    products : what multiplies momenta.
    multipliers : at pair level, with 8 bits inside; else the weights of d are powers of two, with 6 bits inside.
    """

    form: str
    size: int
    products: str
    multipliers: bool = False

    @property
    def name(self) -> str:
        return f"untrained-{self.form}-n{self.size}-{self.products}{'-multipliers' * self.multipliers}"


UNTRAINED = (
    *(Untrained(form, n, products) for n in (4, 6, 8) for form in "abc" for products in ("dsp", "fabric")),
    *(Untrained(form, n, "dsp", multipliers=True) for n in (4, 6, 8) for form in "abc"),
    *(Untrained(form, 12, "dsp") for form in "abc"),
    Untrained("a", 12, "fabric"),
)
#: jets of the shipped sample from which their quantisers are calibrated
JETS = 2048


def map_untrained(path: Path, build: Path, progress: Callable[[Sequence[Any]], Any]) -> None:
    """Map networks of all forms with random weights, and write what they took; goes on after a kill.

    Parameters
    ----------
    path : Path
        A JSON file of rows, written anew after each network.
    build : Path
        Receives the RTL.
    progress : callable
        Wraps the list of what is to be done, as tqdm does.
    """
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    done = {row["name"] for row in rows}
    for network in progress(UNTRAINED):
        if network.name not in done:
            rows.append({"name": network.name} | _map(network, build / network.name))
            write_atomically(path, json.dumps(rows, indent=1) + "\n", SynthesisError)


def _map(network: Untrained, build: Path) -> dict[str, Any]:
    from nanopelican_hls.flows.yosys import map_rtl
    from nanopelican_hls.rtl import generate_rtl, open_settings

    program = untrained_program(network)
    settings = open_settings(CLOCK_PERIOD_NS, network.products)
    counts = Counts.of(program, settings)
    cells = map_rtl(generate_rtl(program, build, settings=settings))
    return {"counts": asdict(counts), "lut": cells.lut, "ff": cells.ff, "dsp": cells.dsp}


def untrained_program(network: Untrained) -> Program:
    """Random weights, and quantisers calibrated on the shipped jets."""
    from nanopelican_hls.config import InitialValues
    from nanopelican_hls.jets import port_values, read_jets, sample_path
    from nanopelican_hls.network.canonical import canonical_folded
    from nanopelican_hls.network.float_network import FloatNetwork
    from nanopelican_hls.network.fold import fold
    from nanopelican_hls.studies.forms import FormsStudy
    from nanopelican_hls.topology.config import QuantiserConfig
    from nanopelican_hls.topology.export import build_program
    from nanopelican_hls.training.scales import calibrated

    config = next(config for config in FormsStudy().configs() if config.name == f"form-{network.form}-n8")
    config = replace(config, network=replace(config.network, n_constituents=network.size))
    if network.multipliers:
        eight = QuantiserConfig(8)
        wide = replace(config.quantisers, d=eight, mix=eight, relu=eight, weights=eight, tensors=None)
        config = replace(config, quantisers=wide)
    values = port_values(read_jets(sample_path(), JETS), config.network)
    nbar = config.training.nbar
    net = FloatNetwork(config.network, nbar=nbar, seed=network.size, initial_values=InitialValues.RANDOM)
    folded = fold(net) if network.multipliers else canonical_folded(fold(net))
    return build_program(calibrated(config, folded, values))
