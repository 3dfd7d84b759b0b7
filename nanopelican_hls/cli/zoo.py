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

    cards = [_card(path) for path in sorted(args.folder.glob("*.json"))]
    if not cards:
        raise NetworkError("has no trained models", where=str(args.folder), remedy="train one with `nanopelican train`")
    print(zoo_table(cards))
    return 0


def _card(path: Path) -> Any:
    from nanopelican_hls.errors import NetworkError

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise NetworkError(f"is not JSON ({error})", where=str(path), remedy="train the model again") from error
    if not isinstance(content, dict) or not {"name", "seed", "config", "figures"} <= set(content):
        raise NetworkError("is not the card of a model", where=str(path), remedy="move it to another folder")
    return content
