"""Argument types of the command line: what is refused is named, with what is expected."""

from __future__ import annotations

import pytest

from nanopelican_hls.cli import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["synth", "a.yaml", "--most-dsps", "-1"], "--most-dsps: must be 0 or a positive number, not '-1'"),
        (["synth", "a.yaml", "--most-dsps", "many"], "--most-dsps: must be 0 or a positive number, not 'many'"),
        (["kinematics", "a.pt", "--background", "0"], "--background: must be above 0 and below 1, not '0'"),
        (["kinematics", "a.pt", "--background", "1"], "--background: must be above 0 and below 1, not '1'"),
        (["equivariance", "a.pt", "--events", "0"], "--events: must be a positive number, not '0'"),
        (["equivariance", "a.pt", "--widths", "6.5"], "--widths: must be a positive number, not '6.5'"),
        (
            ["equivariance", "a.pt", "--betas", "c"],
            "--betas: must be at least 0 and below 1, the speed of light, not 'c'",
        ),
    ],
)
def test_numbers_that_are_refused(arguments, message, capsys):
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 2
    assert message in capsys.readouterr().err
