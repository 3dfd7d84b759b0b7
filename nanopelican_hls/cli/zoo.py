"""``nanopelican zoo``: the table of trained models, from the JSON files next to them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "zoo", help="list trained models", description="Print the table of trained models as Markdown."
    )
    parser.add_argument("folder", type=Path, nargs="?", default=Path("models"), help="folder (default: models)")


def run(args: argparse.Namespace) -> int:
    from nanopelican_hls.errors import NetworkError
    from nanopelican_hls.training.card import zoo_table

    cards = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(args.folder.glob("*.json"))]
    if not cards:
        raise NetworkError("has no trained models", where=str(args.folder), remedy="train one with `nanopelican train`")
    print(zoo_table(cards))
    return 0
