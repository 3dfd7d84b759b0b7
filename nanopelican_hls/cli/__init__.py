"""The ``nanopelican`` command: thin, one module per subcommand."""

from __future__ import annotations

import argparse
import errno
import logging
import os
import select
import shlex
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from nanopelican_hls.cli.commands import COMMANDS, module_of
from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.parser import Parser
from nanopelican_hls.errors import CommandLineError, NanopelicanError
from nanopelican_hls.processes import Terminated, interruptible
from nanopelican_hls.versions import __version__

#: pages that help and messages name by their place in the repository, for those who have only the package
REPOSITORY = "github.com/nanopelican-hls/nanopelican-hls"

#: errors of the operating system that the user can fix: no space, no permission, or not a folder
USER_ERRORS = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG),
)


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = Parser(
        prog="nanopelican",
        description="FPGA firmware for nanoPELICAN jet taggers. A model is a file, or a name that `nanopelican zoo` "
        "lists.",
        epilog="Exit status: 0, or 1 if something that was checked is wrong, 2 if an input cannot be used, 130 after "
        f"Ctrl-C, 143 after SIGTERM (docs/cli.md). Pages such as docs/jets.md are in {REPOSITORY}.",
    )
    parser.add_argument("--version", action="version", version=f"nanopelican-hls {__version__}")
    _add_output_options(parser, default=False)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        module_of(command).add_parser(subparsers)
    for _, each in subcommands(parser):
        _add_output_options(each, default=argparse.SUPPRESS)  # what stands in front of the subcommand stays
    return parser


def subcommands(parser: argparse.ArgumentParser, words: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The parsers of all subcommands, and of theirs, with their words."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, each in action.choices.items():
                yield f"{words} {name}".strip(), each
                yield from subcommands(each, f"{words} {name}".strip())


def _add_output_options(parser: argparse.ArgumentParser, default: Any) -> None:
    group = parser.add_argument_group("output (docs/cli.md)")
    group.add_argument("-v", "--verbose", action="store_true", default=default, help="show log messages")
    group.add_argument("-q", "--quiet", action="store_true", default=default, help="show errors only")
    group.add_argument(
        "--json", action="store_true", default=default, help="put out the figures as one JSON document, without text"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (`ExitStatus`)."""
    try:
        with interruptible():
            return run_words(list(sys.argv[1:] if arguments is None else arguments))
    except BrokenPipeError:
        if not _output_is_cut_off():
            raise
        return ExitStatus.CUT_OFF
    except NanopelicanError as error:
        print(f"error: {error}", file=sys.stderr)
        return ExitStatus.BAD_INPUT
    except OSError as error:
        if error.errno not in USER_ERRORS:
            raise
        if error.filename is None and not _takes_output():
            name, remedy = "standard output", "free some space where it goes, or send it elsewhere"
        else:
            name = error.filename or "a file"
            remedy = "free some space, or choose another folder (--build FOLDER; make ... BUILD=FOLDER)"
        print(f"error: {name}: {error.strerror}", file=sys.stderr)
        print(f"  remedy: {remedy}", file=sys.stderr)
        return ExitStatus.BAD_INPUT
    except Terminated:
        print("terminated", file=sys.stderr)
        return ExitStatus.TERMINATED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return ExitStatus.INTERRUPTED


def run_words(words: list[str]) -> int:
    """Run a command line, without its ``nanopelican``; errors and interruptions are raised."""
    args = build_parser().parse_args(words)
    if args.quiet and args.verbose:
        raise CommandLineError(
            "--quiet and --verbose are given together",
            where=f"nanopelican {args.command}",
            remedy="give one of them",
        )
    # names that no option has: tests/cli/test_options.py
    args.typed, args.command_line, args.document = words, shlex.join(["nanopelican", *words]), {}
    _set_up_logging(verbose=args.verbose, quiet=args.quiet)
    from nanopelican_hls.cli.manifest import run_recorded
    from nanopelican_hls.cli.output import spoken

    with spoken(args):
        status = run_recorded(args)
    sys.stdout.flush()
    return status


def _output_is_cut_off() -> bool:
    """Whether what reads our output has ended, as in ``nanopelican ... | head``; it then goes nowhere."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    if not poll.poll(0):
        return False
    _discard_output()
    return True


def _takes_output() -> bool:
    """Whether standard output takes another line; if it does not, what is left goes nowhere."""
    try:
        print(flush=True)
    except OSError:
        _discard_output()
        return False
    return True


def _discard_output() -> None:
    """Python flushes once more at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _set_up_logging(*, verbose: bool, quiet: bool) -> None:
    """Show all warnings, what is done to the user's jets and, with --verbose, all our messages."""
    logging.basicConfig(format="%(levelname)s: %(message)s")
    # brevitas looks for a CUDA compiler, and its absence does not matter to our users
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    usual, of_jets = (logging.ERROR, logging.ERROR) if quiet else (logging.WARNING, logging.INFO)
    logging.getLogger("nanopelican_hls").setLevel(logging.INFO if verbose else usual)
    logging.getLogger("nanopelican_hls.jets").setLevel(logging.INFO if verbose else of_jets)
