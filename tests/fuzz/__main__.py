"""``make fuzz [TARGET=...] [SECONDS=600]``: fuzz the readers, and write benchmarks/fuzz.json.

A run that was stopped goes on where it was, until each target had its time; after a change of the sources, from the
start.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from nanopelican_hls.errors import NanopelicanError
from nanopelican_hls.files import write_atomically

from .search import TARGETS, Search

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "fuzz.json"
#: seconds between two writings of the result
SAVE_S = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all if none is named")
    parser.add_argument("--seconds", type=float, default=600, help="for each target")
    parser.add_argument("--build", type=Path, default=Path("build"), help="where the files of findings go")
    parser.add_argument("--again", action="store_true", help="start anew")
    options = parser.parse_args()
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"unknown target {sorted(unknown)[0]}; use {', '.join(TARGETS)}")
    sources = _digest()
    for target in options.targets or TARGETS:
        entry = {} if options.again else _read().get(target, {})
        if entry.get("sources") != sources:
            entry = {"seconds": 0.0, "sources": sources}
        try:
            _fuzz(target, entry, options)
        except KeyboardInterrupt:
            print("interrupted; the same command goes on", file=sys.stderr)
            return 130
    still_open = {target: entry["findings"] for target, entry in _read().items() if entry["findings"]}
    for target, findings in still_open.items():
        for kind in findings:
            print(f"{target}: {kind}")
    print(f"{sum(map(len, still_open.values()))} findings; {RESULT.relative_to(ROOT)}")
    return 1 if still_open else 0


def _fuzz(target: str, entry: dict, options: argparse.Namespace) -> None:
    before = entry["seconds"]
    known = {key: entry[key] for key in ("rounds", "works", "refused", "executions", "findings") if key in entry}
    search = Search(target, options.build / "fuzz", **known)
    start = saved = time.monotonic()
    if before >= options.seconds:
        print(f"{target}: has had its {before:.0f} s; --again starts anew", file=sys.stderr)
        return
    with tqdm(total=options.seconds, initial=before, desc=target, unit="s", bar_format=BAR) as bar:

        def tick(search: Search) -> None:
            nonlocal saved
            now = time.monotonic()
            bar.set_postfix_str(
                f"{search.executions} executions, {search.works} read, {len(search.findings)} findings", refresh=False
            )
            bar.update(min(before + now - start, options.seconds) - bar.n)
            if now - saved > SAVE_S:
                saved = now
                save()

        def save() -> None:
            _write(target, entry | {"seconds": round(before + time.monotonic() - start, 1)} | _figures(search))

        try:
            search.run(options.seconds - before, tick=tick)
        finally:
            save()


BAR = "{desc}: {percentage:3.0f}% of {total:.0f} s, {remaining} left{postfix}"


def _figures(search: Search) -> dict:
    return {key: value for key, value in asdict(search).items() if key not in ("target", "kept")}


def _digest() -> str:
    """Of the sources on which the outcome depends."""
    files = [*(ROOT / "nanopelican_hls").rglob("*.py"), *Path(__file__).parent.iterdir()]
    files += (ROOT / "nanopelican_hls" / "cmssw" / "templates").iterdir()
    digest = hashlib.sha256()
    for path in sorted(path for path in files if path.is_file()):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _read() -> dict:
    return json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else {}


def _write(target: str, entry: dict) -> None:
    result = _read() | {target: entry}
    ordered = {name: result[name] for name in TARGETS if name in result}
    write_atomically(RESULT, json.dumps(ordered, indent=1) + "\n", NanopelicanError)


if __name__ == "__main__":
    os.nice(5)
    sys.exit(main())
