"""The parser of the command line: its errors are ours, with what, where, and what to do."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterable
from typing import Any, NoReturn

from nanopelican_hls.errors import CommandLineError

#: how argparse begins its message on arguments that are missing, and others, which name the argument
MISSING, ARGUMENT = "the following arguments are required: ", "argument "
#: types of arguments, as a user calls them
KINDS = {int: "an integer", float: "a number"}


class Parser(argparse.ArgumentParser):
    """A parser that raises a `CommandLineError`, of the subcommand if that is known; options are not abbreviated."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("allow_abbrev", False)  # `core --output` would be taken for its --output-link
        super().__init__(*args, **options)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As of argparse, but what is left over is an error here, where the options that may be meant are known."""
        found, left = super().parse_known_args(args, namespace)
        if not left:
            return found, left
        word = next((each for each in left if each.startswith("-")), left[0]).partition("=")[0]
        if word.startswith("-"):
            did_you_mean = _meant(word, self._option_string_actions)
            raise CommandLineError(
                f"has no option {word}", where=self.prog, remedy=f"{did_you_mean}`{self.prog} --help` lists all"
            )
        raise CommandLineError(
            f"{word!r} is one argument too many", where=self.prog, remedy=f"`{self.prog} --help` says what it takes"
        )

    def error(self, message: str) -> NoReturn:
        """Raise the error for a message of argparse."""
        remedy = f"`{self.prog} --help` says what to give"
        if message.startswith(MISSING):
            raise CommandLineError(f"needs {message.removeprefix(MISSING)}", where=self.prog, remedy=remedy)
        raise CommandLineError(message.removeprefix(ARGUMENT), where=self.prog, remedy=remedy)

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        try:
            return super()._get_value(action, arg_string)
        except argparse.ArgumentError:
            if action.type not in KINDS:
                raise
            raise argparse.ArgumentError(action, f"must be {KINDS[action.type]}, not {arg_string!r}") from None

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        did_you_mean = _meant(str(value), map(str, action.choices))
        if isinstance(action, argparse._SubParsersAction):
            raise CommandLineError(
                f"has no command {value!r}",
                where=self.prog,
                remedy=f"{did_you_mean}`{self.prog} --help` lists all; options of a command stand after it",
            )
        raise CommandLineError(
            f"{'/'.join(action.option_strings) or action.dest}: unknown value {value!r}",
            where=self.prog,
            remedy=f"{did_you_mean}use one of {', '.join(map(str, action.choices))}",
        )


def _meant(word: str, known: Iterable[str]) -> str:
    """The word that was probably meant, as the beginning of a remedy."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]}? " if near else ""
