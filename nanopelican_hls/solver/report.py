"""Proofs of many models, as a file that grows with each, and as a page."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import SolverError
from nanopelican_hls.files import write_atomically
from nanopelican_hls.hls.project import convert
from nanopelican_hls.markdown import table
from nanopelican_hls.solver.clang import clang_version
from nanopelican_hls.solver.decide import Verdict
from nanopelican_hls.solver.kernel import emulator_kernel, hls_kernel
from nanopelican_hls.solver.proving import TensorProof, prove_layers
from nanopelican_hls.solver.rows import digest, is_kept, result_cells, result_of
from nanopelican_hls.solver.verilog_report import INTERVALS, verilog_digest, verilog_page, verilog_row

Row = dict[str, Any]
#: of a row: what it is of, and how the rest is made
Wanted = tuple[Row, Callable[[], Row]]

#: what is proved equal to the operators
TARGETS = ("hls", "emulator")
#: of the package, that make or prove it
ROOMS = ("operators", "hls", "emulator", "solver", "firmware_templates", "contract")
TOOLS = ("hls4ml", "bitwuzla", "numpy")
#: what each row of a part of the report has
ROW_KEYS = {
    "solver": ("model", "target", "digest", "limit_s", "verdict", "seconds", "reason", "tensors"),
    "verilog": ("model", "interval", "digest", "limit_s", "verdict", "seconds", "reason", "tensors"),
    "events": ("model", "events", "mismatches", "jets", "coverage"),
}
CLAIM = "proved equal as a function; no claim on timing"


def prove_model(program: Program, target: str, folder: Path, limit_s: float, progress: Callable[[str], object]) -> Row:
    """What a row tells of a program's firmware against its operators, layer by layer.

    Parameters
    ----------
    program : Program
    target : str
        One of `TARGETS`.
    folder : Path
        For the C++.
    limit_s : float
        Time for one statement, in seconds.
    progress : callable
        Called before each tensor with its name.
    """

    def prove() -> list[TensorProof]:
        kernel = hls_kernel(convert(program, folder)) if target == "hls" else emulator_kernel(program, folder)
        return prove_layers(program, kernel, limit_s, progress)

    return result_of(prove)


def prove_models(
    programs: Mapping[str, Program],
    output: Path,
    build: Path,
    limit_s: float,
    most: int,
    progress: Callable[[str, str], object],
    targets: Sequence[str] = TARGETS,
) -> list[Row]:
    """Prove the C++ of all models; proof.json and proof.md are written after each.

    Rows of the same model and package are kept.

    Parameters
    ----------
    programs : mapping of str to Program
        By name.
    output : Path
        Folder of the report.
    build : Path
        Folder for the C++.
    limit_s : float
        Time for one statement, in seconds.
    most : int
        Models of more constituents are not tried, but listed as unproved.
    progress : callable
        Called with the model and what is proved of it.
    targets : sequence of str
        Of `TARGETS`.
    """
    if not targets:
        return []
    compiler = clang_version() if any(constituents(program) <= most for program in programs.values()) else ""

    def wanted() -> Iterator[Wanted]:
        for name, program in programs.items():
            key = digest(program, ROOMS, (".py", ".h", ".cpp"), TOOLS, compiler)
            for target in targets:
                head = {"model": name, "digest": key, "constituents": constituents(program), "target": target}
                head["limit_s"] = limit_s
                if constituents(program) > most:
                    yield head, partial(_not_tried, most)
                    continue
                folder, report = build / name / f"proof-{target}", partial(progress, f"{name}, {target}")
                yield head, partial(prove_model, program, target, folder, limit_s, report)

    return _rows("solver", "target", wanted(), output)


def prove_verilog_models(
    programs: Mapping[str, Program],
    output: Path,
    build: Path,
    limit_s: float,
    progress: Callable[[str, str], object],
) -> list[Row]:
    """Prove the Verilog of all models, cut to a few constituents; otherwise as `prove_models`."""

    def wanted() -> Iterator[Wanted]:
        for name, program in programs.items():
            key = verilog_digest(program)
            for interval in INTERVALS:
                head = {"model": name, "digest": key, "target": "verilog", "interval": interval, "limit_s": limit_s}
                folder = build / name / f"proof-verilog-{interval}"
                report = partial(progress, f"{name}, II = {interval}")
                yield head, partial(verilog_row, program, interval, folder, limit_s, report)

    return _rows("verilog", "interval", wanted(), output)


def _rows(part: str, key: str, wanted: Iterable[Wanted], output: Path) -> list[Row]:
    """Rows of a part of the report, which has one for each model and `key`, and is written after each."""
    old = {(row["model"], row[key]): row for row in read_report(output)[part]}
    rows: dict[tuple[str, Any], Row] = {}
    for head, make in wanted:
        place = (head["model"], head[key])
        known = old.get(place)
        rows[place] = known if known and is_kept(known, head) else head | make()
        write_report(output, {"claim": CLAIM, part: [row for _, row in sorted((old | rows).items())]})
    return list(rows.values())


def read_report(output: Path) -> dict[str, Any]:
    """The content of proof.json in a folder, or an empty one.

    Raises
    ------
    SolverError
        If it is damaged.
    """
    path = output / "proof.json"
    content: dict[str, Any] = {"solver": [], "verilog": [], "events": []}
    if not path.is_file():
        return content
    with _readable(path):
        content |= json.loads(path.read_text(encoding="utf-8"))
        for part, keys in ROW_KEYS.items():
            for row in content[part]:
                for key in keys:
                    row[key]
    return content


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """A `SolverError` that names a file, where its content is not what it must be."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SolverError(
            f"is damaged ({error})", where=str(path), remedy="delete it, and run again what has written it"
        ) from error


def write_report(output: Path, changed: Mapping[str, Any]) -> None:
    """Write proof.json and proof.md, with these parts in place of those that are there."""
    content = read_report(output) | dict(changed) | _trials(output)
    write_atomically(output / "proof.json", json.dumps(content, indent=1) + "\n", SolverError)
    write_atomically(output / "proof.md", page(content), SolverError)


def _trials(output: Path) -> dict[str, Any]:
    """What `make mutants` and `make fuzz` have left beside the report."""
    found: dict[str, Any] = {}
    for part, told in (("mutants", _mutants), ("fuzz", _fuzz)):
        path = output / f"{part}.json"
        if path.is_file():
            with _readable(path):
                found[part] = told(json.loads(path.read_text(encoding="utf-8")))
    return found


def _mutants(content: Any) -> dict[str, Any]:
    tried = content["mutants"]
    survivors = [
        {key: one[key] for key in ("file", "before", "after", "reason")}
        for one in tried
        if one["outcome"] == "survived"
    ]
    return {"tried": len(tried), **Counter(one["outcome"] for one in tried), "survivors": survivors}


def _fuzz(content: Any) -> dict[str, Any]:
    return {
        target: {"seconds": one["seconds"], "executions": one["executions"], "open_findings": len(one["findings"])}
        for target, one in content.items()
    }


def add_events(output: Path, row: Mapping[str, Any]) -> None:
    """Put the events of a model into the report, in place of those that are there."""
    kept = [old for old in read_report(output)["events"] if old["model"] != row["model"]]
    write_report(output, {"events": sorted([*kept, row], key=lambda one: str(one["model"]))})


def _not_tried(most: int) -> Row:
    reason = f"not tried: more than {most} constituents (--most)"
    return {"verdict": Verdict.UNPROVED, "seconds": 0.0, "reason": reason, "tensors": []}


def constituents(program: Program) -> int:
    return max(port.shape[0] for port in program.inputs)


#: what a row of the events tells of a quantiser
GOALS = ("tie+", "tie-", "clip+", "clip-")


def coverage_table(row: Mapping[str, Any]) -> str:
    """The coverage of a model's quantisers, in Markdown: what was not seen by its reason."""
    head = ["quantiser", "bits", "codes", "of", *(f"{goal[:-1]} {goal[-1]}" for goal in GOALS)]
    lines = [
        [
            one["tensor"],
            one["bits"],
            one["codes"],
            one["possible_codes"],
            *(_times(one[goal]) if goal in one else "-" for goal in GOALS),
        ]
        for one in row["coverage"]
    ]
    return table(head, lines)


def _times(one: Mapping[str, Any]) -> str:
    return f"{one['times']}" if one["reach"] == "seen" else str(one["reach"])


def _events_page(row: Mapping[str, Any]) -> str:
    counts = ", ".join(
        f"{count:,} in {name}" + (f" ({row['mismatches'][name]} differ)" if name in row["mismatches"] else "")
        for name, count in row["events"].items()
    )
    return f"### {row['model']}\n\nEvents: {counts}; {row['jets']:,} of them jets.\n\n{coverage_table(row)}\n"


def page(content: Mapping[str, Any]) -> str:
    """The report in Markdown."""
    text = "# Proof for all inputs\n\nWritten by `nanopelican prove` (`make prove`).\n"
    if content["solver"]:
        text += _layers_page(content["solver"])
    if content["verilog"]:
        text += verilog_page(content["verilog"])
    if content["events"]:
        text += "\n## Events\n\nHow often each code, tie and clip of each quantiser was met "
        text += "([how to read it](../docs/proof.md#coverage-of-the-quantisers)).\n\n"
        text += "\n".join(map(_events_page, content["events"]))
    return text + _trials_page(content)


def _layers_page(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        [
            row["model"],
            row["constituents"],
            {"hls": "HLS C++", "emulator": "emulator"}[row["target"]],
            len(row["tensors"]),
            sum(t["elements"] for t in row["tensors"]),
            sum(t["solved"] for t in row["tensors"]),
            f"{row['limit_s']:g}",
            *result_cells(row),
        ]
        for row in rows
    ]
    head = ["model", "N", "firmware", "proofs", "integers", "by the solver", "limit in s", "s", "result", "reason"]
    text = (
        "\n## C++\n\nEach layer of the generated C++ against the operator's definition, for all values of its inputs; "
        f"{CLAIM}. [How to read it](../docs/proof.md#proof-for-all-inputs).\n\n"
    )
    return text + table(head, lines) + "\n"


def _trials_page(content: Mapping[str, Any]) -> str:
    lines = []
    if "mutants" in content:
        tried, killed, survivors = (content["mutants"].get(key, 0) for key in ("tried", "killed", "survivors"))
        lines.append(
            f"* Deliberate faults: {tried} tried, {killed} killed, {len(survivors)} survived, "
            f"{sum(not one['reason'] for one in survivors)} of them without a reason ([mutants.md](mutants.md))."
        )
    if "fuzz" in content:
        executions = sum(one["executions"] for one in content["fuzz"].values())
        still_open = sum(one["open_findings"] for one in content["fuzz"].values())
        lines.append(
            f"* Fuzzing: {executions:,} executions of {len(content['fuzz'])} targets, {still_open} findings open "
            "([fuzz.json](fuzz.json))."
        )
    return "\n## Faults and damaged files\n\n" + "\n".join(lines) + "\n" if lines else ""
