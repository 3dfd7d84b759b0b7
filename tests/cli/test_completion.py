"""`nanopelican completion`: scripts that shells accept, with models of the zoo."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from nanopelican_hls import zoo
from nanopelican_hls.cli import main


@pytest.fixture(params=["bash", "zsh", "tcsh"])
def script(request, capsys):
    assert main(["completion", request.param]) == 0
    return request.param, capsys.readouterr().out


def test_it_knows_commands_and_models(script):
    shell, text = script
    assert "csim" in text and "bench-synth" in text
    if shell != "tcsh":
        assert "--clock-uncertainty" in text
        assert " ".join(zoo.names()) in text


def test_the_shell_reads_it(script, tmp_path):
    shell, text = script
    if not shutil.which(shell):
        pytest.skip(f"needs {shell}")
    (tmp_path / "script").write_text(text)
    if shell == "bash":
        asked = 'source ./script; _nanopelican_model "trigger-n16-"'
        found = subprocess.run([shell, "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=False).stdout
        assert found.split() == [name for name in zoo.names() if name.startswith("trigger-n16-")]
    else:
        subprocess.run([shell, "-n", str(tmp_path / "script")], check=True)
