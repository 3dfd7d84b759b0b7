"""`nanopelican rerun` of the commands that write firmware: a second run writes the same.

Those of `kinematics` and `train` are in test_manifest.py and tests/training, that of `report` in tests/report.
"""

from __future__ import annotations

import pytest
from cli.test_csim import workspace
from rtl_extra import MISSING

from nanopelican_hls.cli import main

__all__ = ["workspace"]

COMMANDS = {
    "synth": ("--flow", "open", "--events", "20"),
    "core": ("--events", "20"),
    "emulator": ("--version", "v1"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_repetition_is_equal(command, workspace, tmp_path, monkeypatch, capsys):
    if command != "emulator" and MISSING:
        pytest.skip(f"needs the extra rtl: {', '.join(MISSING)}")
    if command == "synth":  # Verilog and mapping; compiling the simulation takes long
        from nanopelican_hls.flows import open as flow
        from nanopelican_hls.proof.comparison import Comparison

        monkeypatch.setattr(flow, "_simulated", lambda *_: (3, Comparison(20, (), 0, None)))
    options = ("--models", str(workspace / "models"), "--build", str(tmp_path))
    assert main([command, str(workspace / "tiny.yaml"), *options, *COMMANDS[command]]) == 0
    assert main(["rerun", str(tmp_path / "tiny")]) == 0
    assert f"{command}: equal" in capsys.readouterr().out
