"""``nanopelican completion``: a script that lets a shell complete commands, options, models and files."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nanopelican_hls import zoo
from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.output import emit

SHELLS = ("bash", "zsh", "tcsh")
#: arguments that take a file or the name of a model of the zoo; those of type `Path` take a file only
MODEL_ARGUMENTS = ("config", "configs", "model", "models", "words", "files", "source", "compare")


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "completion",
        help="print a script that makes a shell complete commands, options and models",
        description='Print a completion script. In ~/.bashrc: eval "$(nanopelican completion bash)" (docs/cli.md).',
    )
    parser.add_argument("shell", choices=SHELLS)


def run(args: argparse.Namespace) -> int:
    """Exit status 0."""
    import shtab

    from nanopelican_hls.cli import build_parser, subcommands

    parser = build_parser()
    for _, each in subcommands(parser):
        for action in each._actions:
            completed = _completed(action)
            if completed:
                action.complete = completed  # type: ignore[attr-defined]
    script = shtab.complete(parser, args.shell, preamble=_preamble().get(args.shell, ""))
    print(script, end="")
    emit(args, {"shell": args.shell, "script": script})
    return ExitStatus.OK


def _completed(action: argparse.Action) -> Mapping[str, Any] | None:
    """How shtab completes the values of an argument."""
    import shtab

    if action.type is Path:
        found: Mapping[str, Any] = shtab.DIRECTORY if action.metavar == "FOLDER" else shtab.FILE
        return found
    if action.dest in MODEL_ARGUMENTS and action.type is None and action.nargs != 0:
        return {"bash": "_nanopelican_model", "zsh": "_nanopelican_model", "tcsh": "f"}
    return None


def _preamble() -> dict[str, str]:
    """Shell functions that complete a model: a name of the zoo, or a file."""
    names = " ".join(zoo.names())
    return {
        "bash": f'_nanopelican_model() {{\n  compgen -W "{names}" -- "$1"\n  compgen -f -- "$1"\n}}',
        "zsh": f"_nanopelican_model() {{\n  _alternative 'models:model of the zoo:({names})' 'files:file:_files'\n}}",
    }
