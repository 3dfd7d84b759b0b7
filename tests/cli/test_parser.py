"""What the parser of the command line refuses is named, with what is expected, and what to do."""

from __future__ import annotations

import pytest

from nanopelican_hls.cli import build_parser, main, subcommands
from nanopelican_hls.cli.parser import Parser

HELP = "`nanopelican {} --help` says what to give"


@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        (
            "csim trigger-n8 --evnts 5",
            "csim: has no option --evnts",
            "did you mean --events? `nanopelican",
        ),
        ("csim a --zzz=5", "csim: has no option --zzz", "`nanopelican csim --help` lists all"),
        ("--no-such zoo", ": has no option --no-such", "`nanopelican --help` lists all"),
        ("jets show a.h5 --no-such", "jets show: has no option --no-such", "`nanopelican jets show --help` lists all"),
        ("csmi trigger-n8", ": has no command 'csmi'", "did you mean csim? `nanopelican --help` lists all"),
        ("jets shwo a.h5", "jets: has no command 'shwo'", "did you mean show? `nanopelican jets --help` lists all"),
        ("study form --jets a", "study: name: unknown value 'form'", "did you mean forms? use one of firmware, widths"),
        ("precision a b --cost x", "precision: --cost: unknown value 'x'", "use one of bits, adders"),
        ("train a", "train: needs --train, --valid", HELP.format("train")),
        ("jets", "jets: needs SUBCOMMAND", HELP.format("jets")),
        ("core a --output b", "core: has no option --output", "did you mean --output-link?"),
        ("zoo a b", "zoo: 'b' is one argument too many", "`nanopelican zoo --help` says what it takes"),
        ("csim a --events", "csim: --events: expected one argument", HELP.format("csim")),
        ("bench-synth --page --again", "bench-synth: --again: not allowed with", HELP.format("bench-synth")),
        ("bench-ring --sizes 8.5", "bench-ring: --sizes: must be an integer, not '8.5'", HELP.format("bench-ring")),
        ("core a --clock x", "core: --clock: must be a number, not 'x'", HELP.format("core")),
        ("synth a --most-dsps many", "--most-dsps: must be 0 or a positive number, not 'many'", HELP.format("synth")),
        ("synth a --most-dsps -1", "--most-dsps: must be 0 or a positive number, not '-1'", ""),
        ("kinematics a --background 0", "--background: must be above 0 and below 1, not '0'", ""),
        ("kinematics a --background 1", "--background: must be above 0 and below 1, not '1'", ""),
        ("-v zoo -q", "zoo: --quiet and --verbose are given together", "give one of them"),
        ("equivariance a --events 0", "--events: must be a positive number, not '0'", ""),
        ("equivariance a --widths 6.5", "--widths: must be a positive number, not '6.5'", ""),
        ("equivariance a --betas c", "--betas: must be at least 0 and below 1, the speed of light, not 'c'", ""),
    ],
)
def test_what_is_refused(words, what, remedy, capsys):
    assert main(words.split()) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("error: nanopelican") and what in first
    assert second.startswith("  remedy: ") and remedy in second


def test_every_command_has_this_parser():
    assert {type(parser) for _, parser in subcommands(build_parser())} == {Parser}
