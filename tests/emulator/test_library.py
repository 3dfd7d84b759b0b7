"""The emulator's library is that of its sources, its header and its command."""

from __future__ import annotations

from pathlib import Path

import pytest
from random_networks import random_description

from nanopelican_hls.emulator.project import EmulatorTarget
from nanopelican_hls.flows import emulation
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.export import build_program


@pytest.fixture
def project(tmp_path):
    return EmulatorTarget().write(build_program(random_description(NetworkConfig(2, 1), bits=4)), tmp_path / "e")


@pytest.fixture
def compiled(project, monkeypatch):
    """Compiles, and counts how often a compiler was called."""
    calls = []

    def compiler(command, folder, _log):
        calls.append(command)
        Path(folder, command[command.index("-o") + 1]).touch()

    monkeypatch.setattr(emulation, "run_compiler", compiler)

    def run(**options):
        emulation.compile_emulator(project, **options)
        return len(calls)

    return run


@pytest.mark.parametrize("suffix", [".h", ".cpp"])
def test_what_changed_is_compiled_again(project, compiled, suffix):
    assert compiled() == 1
    assert compiled() == 1
    source = project.path / f"{project.name}{suffix}"
    source.write_text(source.read_text() + "\n")
    assert compiled() == 2


def test_another_optimisation_is_compiled(compiled):
    assert compiled() == 1
    assert compiled(optimisation="-O0") == 2
