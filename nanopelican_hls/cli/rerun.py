"""``nanopelican rerun``: a run repeated from its manifest, and what differs."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import shlex
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nanopelican_hls.cli.commands import COMMANDS
from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.manifest import (
    MANIFEST,
    Record,
    began,
    checksum,
    read_manifest,
    record_of,
    run_recorded,
    steady,
)
from nanopelican_hls.cli.output import Table, announce, emit
from nanopelican_hls.errors import CommandLineError, ReportError
from nanopelican_hls.files import make_folder

#: differences inside a JSON file that are printed
MOST_LINES = 5


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "rerun",
        help="repeat the run of a manifest, and say what differs",
        description="Repeat the runs that a manifest.json records, with the same inputs, into another folder, and "
        "compare what they write. Run it in the folder in which the command was run. Exit status 1 if an input, an "
        "output or the exit status differs; versions that differ are listed.",
    )
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help="manifest.json, or the folder that has one")
    parser.add_argument("--command", dest="only", metavar="NAME", help="repeat only this command (default: all)")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="keep what is written in this folder (default: a temporary one)"
    )


@dataclass(frozen=True)
class Difference:
    """What differs between a run and its repetition; an empty text means that it is absent."""

    kind: str
    name: str
    recorded: str
    now: str


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if all is equal, 1 if something differs."""
    path = args.manifest / MANIFEST if args.manifest.is_dir() else args.manifest
    runs = read_manifest(path)
    if not runs:
        raise ReportError("has no run", where=str(path), remedy="run a command that leaves one (docs/cli.md)")
    chosen = [args.only] if args.only else sorted(runs, key=lambda name: str(runs[name]["started"]))
    if args.only and args.only not in runs:
        raise ReportError(
            f"has no run of {args.only!r}", where=str(path), remedy=f"choose one of {', '.join(runs) or 'none'}"
        )
    found: dict[str, list[Difference]] = {}
    with _folder(args.output) as folder:
        prepared = {name: _prepared(name, runs[name], path, folder, args) for name in chosen}
        for name, (record, repeated) in prepared.items():
            entry = runs[name]
            announce(args, shlex.join(entry["command"]))
            before = _before(entry, began(record, repeated, entry["model"]))
            found[name] = [*before, *_after(entry, record, repeated, path.parent)]
    wrong = _show(args, found, runs)
    return ExitStatus.of_check(wrong)


@contextlib.contextmanager
def _folder(output: Path | None) -> Iterator[Path]:
    if output is not None:
        make_folder(output, ReportError)
        yield output
        return
    with tempfile.TemporaryDirectory(prefix="nanopelican-rerun-") as folder:
        yield Path(folder)


def _prepared(
    name: str, entry: dict[str, Any], path: Path, folder: Path, args: argparse.Namespace
) -> tuple[Record, argparse.Namespace]:
    """The arguments of a recorded command, with all that it writes sent to another folder.

    A manifest is data, so its words are parsed as those of a user are, and only commands that leave manifests run.
    """
    from nanopelican_hls.cli import build_parser

    where = f"{path}: runs.{name}"
    record = record_of(name) if name in COMMANDS else None
    words = entry["command"][1:]
    parsed, reason = None, "it is not of a command that can be repeated"
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):  # of --help and --version
        try:
            parsed = build_parser().parse_args(words)
        except CommandLineError as error:
            reason = f"{error.where} {error.what}"
    if record is None or parsed is None or parsed.command != name:
        raise ReportError(
            f"cannot be repeated: {reason}", where=where, remedy="use the version that wrote it, or run it by hand"
        )
    for argument in record.redirected:
        setattr(parsed, argument, folder / argument)
    for argument in record.dropped:
        setattr(parsed, argument, False)
    parsed.typed, parsed.command_line, parsed.document = words, shlex.join(entry["command"]), {}
    parsed.verbose, parsed.quiet, parsed.json = args.verbose, args.quiet, args.json
    _require_inputs(entry, record, parsed, where)
    return record, parsed


def _require_inputs(entry: dict[str, Any], record: Record, parsed: argparse.Namespace, where: str) -> None:
    try:
        here = set(record.inputs(parsed, entry["model"]))
        missing = [name for name, path in record.inputs(parsed, entry["model"]).items() if not path.is_file()]
    except OSError as error:
        here, missing = set(entry["inputs"]), [str(error.filename)]
    missing += sorted(set(entry["inputs"]) - here)
    if missing:
        raise ReportError(
            f"an input is missing: {', '.join(missing)}",
            where=where,
            remedy="run in the folder in which the command was run, with the files that it has read",
        )


def _before(entry: dict[str, Any], now: dict[str, Any]) -> Iterator[Difference]:
    """What differs before anything runs: versions, configuration, inputs."""
    yield from _of_mapping("version", entry["versions"], now["versions"])
    yield from _of_mapping("git", entry["git"] or {}, now["git"] or {})
    yield from _of_mapping("platform", {"platform": entry["platform"]}, {"platform": now["platform"]})
    yield from _of_mapping("input", entry["inputs"], now["inputs"])
    for line in _json_differences(entry["configuration"], now["configuration"]):
        yield Difference("configuration", *line)


def _after(entry: dict[str, Any], record: Record, args: argparse.Namespace, folder: Path) -> Iterator[Difference]:
    """Run, and give what differs in the outputs."""
    status = run_recorded(args)
    if status != entry["status"]:
        yield Difference("exit status", args.command, str(entry["status"]), str(int(status)))
    written = record.written(args, entry["model"])
    for each in _of_mapping("output", entry["outputs"], {name: checksum(path) for name, path in written.items()}):
        yield each
        old, new = folder / each.name, written.get(each.name)
        # the recorded file, if it is still there, says where they differ
        if new and old.suffix == ".json" and old.is_file() and checksum(old) == each.recorded:
            lines = _json_differences(*(steady(json.loads(path.read_text("utf-8"))) for path in (old, new)))
            for place, recorded, now in list(lines)[:MOST_LINES]:
                yield Difference("figure", f"{each.name}: {place}", recorded, now)


def _of_mapping(kind: str, recorded: dict[str, Any], now: dict[str, Any]) -> Iterator[Difference]:
    for name in sorted({*recorded, *now}):
        old, new = (str(each.get(name, "")) for each in (recorded, now))
        if old != new:
            yield Difference(kind, name, old, new)


def _json_differences(recorded: Any, now: Any, place: str = "") -> Iterator[tuple[str, str, str]]:
    """Places at which two JSON values differ, with both values."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        for key in sorted({*recorded, *now}):
            yield from _json_differences(recorded.get(key), now.get(key), f"{place}.{key}".strip("."))
    elif isinstance(recorded, list) and isinstance(now, list) and len(recorded) == len(now):
        for k, pair in enumerate(zip(recorded, now, strict=True)):
            yield from _json_differences(*pair, f"{place}[{k}]")
    elif recorded != now:
        yield place, json.dumps(recorded), json.dumps(now)


#: what is said, but is no failure: equal outputs of other versions are what one wants to see
TOLERATED = ("version", "git", "platform")


def _show(args: argparse.Namespace, found: dict[str, list[Difference]], runs: dict[str, dict[str, Any]]) -> bool:
    """Print and emit the differences; returns whether any is a failure."""
    wrong = {name: any(each.kind not in TOLERATED for each in each_run) for name, each_run in found.items()}
    for name, differences in found.items():
        verdict = "differs" if wrong[name] else f"equal, {len(runs[name]['outputs'])} files"
        print(f"{name}: {verdict}")
        if differences:
            table = Table("what", "name", "recorded", "now")
            for each in differences:
                table.add(each.kind, each.name, _short(each.recorded), _short(each.now))
            table.show()
    emit(
        args,
        {
            "equal": not any(wrong.values()),
            "runs": {
                name: {
                    "equal": not wrong[name],
                    "files": len(runs[name]["outputs"]),
                    "differences": [asdict(each) for each in differences],
                }
                for name, differences in found.items()
            },
        },
    )
    return any(wrong.values())


def _short(text: str) -> str:
    """A value, or the first digits of a checksum."""
    if not text:
        return "absent"
    return text[:12] if len(text) == 64 and set(text) <= set("0123456789abcdef") else text
