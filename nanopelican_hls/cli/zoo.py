"""``nanopelican zoo``: the trained models, in a table, by their cards, or copied."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from nanopelican_hls import zoo
from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.output import emit, show_markdown


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "zoo",
        help="list trained models, show one, copy their files",
        description="Print the table of trained models, or the card of one, as Markdown; or copy files of the zoo, to "
        "start from.",
    )
    parser.add_argument(
        "source",
        nargs="?",
        metavar="NAME",
        help="name of a model of the zoo, or a folder of trained models (default: all of the zoo)",
    )
    parser.add_argument(
        "--copy",
        type=Path,
        metavar="FOLDER",
        help="instead: copy the model, or all, into FOLDER/configs and FOLDER/models; files that exist are kept",
    )


def run(args: argparse.Namespace) -> int:
    from nanopelican_hls.errors import NetworkError
    from nanopelican_hls.training.card_page import zoo_table

    if args.copy:
        emit(args, {"files": _copy(args.source, args.copy)})
    elif args.source and zoo.is_name(args.source):
        show_markdown(zoo.file_of(args.source, ".md").read_text(encoding="utf-8"))
        emit(args, _card(zoo.file_of(args.source, ".json")))
    else:
        cards = _cards(zoo.find(args.source, ".md", NetworkError) if args.source else zoo.MODELS)
        show_markdown(zoo_table(cards))
        emit(args, {"models": cards})
    return ExitStatus.OK


def _copy(name: str | None, folder: Path) -> list[Path]:
    """The files of models, in a folder; those that exist are kept."""
    from nanopelican_hls.errors import NetworkError

    if name and not zoo.is_name(name):
        raise NetworkError("is not a model of the zoo", where=name, remedy=f"use one of {', '.join(zoo.names())}")
    files = []
    for known in [name] if name else zoo.names():
        for suffix in zoo.SUFFIXES:
            source = zoo.file_of(known, suffix)
            target = folder / source.parent.name / source.name
            files.append(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                print(f"kept: {target}")
                continue
            shutil.copyfile(source, target)  # without its mode: the installation may be read-only
            print(f"written: {target}")
    return files


def _cards(folder: Path) -> list[Any]:
    from nanopelican_hls.errors import NetworkError

    cards = [_card(path) for path in sorted(folder.glob("*.json"))]
    if not cards:
        raise NetworkError("has no trained models", where=str(folder), remedy="train one with `nanopelican train`")
    return cards


def _card(path: Path) -> Any:
    from nanopelican_hls.errors import NetworkError

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise NetworkError(f"is not JSON ({error})", where=str(path), remedy="train the model again") from error
    if not isinstance(content, dict) or not {"name", "seed", "config", "figures"} <= set(content):
        raise NetworkError("is not the card of a model", where=str(path), remedy="move it to another folder")
    return content
