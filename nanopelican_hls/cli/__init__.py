"""The ``nanopelican`` command: thin, one module per subcommand."""

from __future__ import annotations

import argparse
import errno
import importlib
import logging
import os
import select
import shlex
import signal
import sys
from collections.abc import Sequence
from types import ModuleType

from nanopelican_hls.errors import NanopelicanError
from nanopelican_hls.versions import __version__

#: subcommand modules; each has ``add_parser(subparsers)`` and ``run(args) -> int``
COMMANDS = (
    "check",
    "csim",
    "prove",
    "synth",
    "core",
    "emulator",
    "estimate",
    "bench",
    "bench-synth",
    "bench-ring",
    "bench-training",
    "train",
    "paper",
    "study",
    "precision",
    "rivals",
    "formula",
    "equivariance",
    "kinematics",
    "report",
    "zoo",
    "jets",
)

#: pages that help and messages name by their place in the repository, for those who have only the package
REPOSITORY = "github.com/nanopelican-hls/nanopelican-hls"

#: errors of the operating system that the user can fix: no space, no permission, or not a folder
USER_ERRORS = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG),
)


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="nanopelican",
        description="FPGA firmware for nanoPELICAN jet taggers. A model is a file, or a name that `nanopelican zoo` "
        "lists.",
        epilog=f"Pages such as docs/jets.md are in {REPOSITORY}.",
    )
    parser.add_argument("--version", action="version", version=f"nanopelican-hls {__version__}")
    parser.add_argument("--verbose", action="store_true", help="show log messages")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        _module(name).add_parser(subparsers)
    return parser


def _module(command: str) -> ModuleType:
    """The module of a subcommand."""
    return importlib.import_module(f"{__name__}.{command.replace('-', '_')}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0 success, 1 a mismatch was found, 2 a user error.

    130 if interrupted, 141 if what reads the output has ended, as in a shell.
    """
    args = build_parser().parse_args(arguments)
    args.command_line = shlex.join(["nanopelican", *(sys.argv[1:] if arguments is None else arguments)])
    _set_up_logging(verbose=args.verbose)
    try:
        status: int = _module(args.command).run(args)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        if not _output_is_cut_off():
            raise
        return 128 + signal.SIGPIPE
    except NanopelicanError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if error.errno not in USER_ERRORS:
            raise
        print(f"error: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        remedy = "free some space, or choose another folder (--build FOLDER; make ... BUILD=FOLDER)"
        print(f"  remedy: {remedy}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _output_is_cut_off() -> bool:
    """Whether what reads our output has ended, as in ``nanopelican ... | head``; it then goes nowhere."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    if not poll.poll(0):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at the end
    return True


def _set_up_logging(*, verbose: bool) -> None:
    """Show all warnings, what is done to the user's jets and, with --verbose, all our messages."""
    logging.basicConfig(format="%(levelname)s: %(message)s")
    # brevitas looks for a CUDA compiler, and its absence does not matter to our users
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    logging.getLogger("nanopelican_hls").setLevel(logging.INFO if verbose else logging.WARNING)
    logging.getLogger("nanopelican_hls.jets").setLevel(logging.INFO)
