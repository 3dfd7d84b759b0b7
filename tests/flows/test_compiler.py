"""Other compilers than g++: those that work, and those whose error names the cause."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from compilers import compiler_or_skip
from random_networks import random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.flows.compiler import known_flags, require_compiler
from nanopelican_hls.flows.csimulation import compile, trace
from nanopelican_hls.flows.testbench import run_testbench
from nanopelican_hls.hls import convert
from nanopelican_hls.proof.comparison import compare
from nanopelican_hls.topology.config import NetworkConfig, Spurions
from nanopelican_hls.topology.export import build_program

NETWORK = NetworkConfig(3, 1, spurions=Spurions.JET)


@pytest.fixture
def program():
    from random_networks import random_description

    return build_program(random_description(NETWORK))


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_clang(program, tmp_path, monkeypatch):
    """Several copies of the library, as in g++, each with a state of its own."""
    monkeypatch.setenv("CXX", compiler_or_skip("clang++"))
    firmware = compile(convert(program, tmp_path / "hls"), optimisation="-O0")
    ports = random_ports(NETWORK, 1000)
    expected = execute(program, ports)
    assert compare(program, expected, trace(firmware, ports, threads=4)).first is None
    assert run_testbench(firmware, ports, {"logit": expected["logit"]}).mismatches == 0
    assert np.ptp(expected["logit"]) > 0


def test_a_compiler_that_is_missing(program, tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "g++-99")
    with pytest.raises(FirmwareError, match="CXX=g\\+\\+-99: not found on the PATH") as caught:
        compile(convert(program, tmp_path / "hls"))
    assert "variable CXX" in caught.value.remedy


@pytest.mark.parametrize(
    "message",
    [
        "g++: error: unrecognized command-line option '-fno-gnu-unique'",
        "clang: error: unknown argument: '-fno-gnu-unique'",
        "c++: error: unsupported option '-fno-gnu-unique'",
    ],
)
def test_a_compiler_that_rejects_a_flag(program, tmp_path, monkeypatch, message):
    monkeypatch.setenv("CXX", script(tmp_path / "cxx", f'echo "{message}" >&2; exit 1'))
    with pytest.raises(FirmwareError, match=r"cxx: does not know a flag: .*'-fno-gnu-unique'") as caught:
        compile(convert(program, tmp_path / "hls"))
    assert "g++ 9 or later" in caught.value.remedy


def test_a_file_that_is_no_program(tmp_path, monkeypatch):
    (tmp_path / "cxx").write_text("text")
    (tmp_path / "cxx").chmod(0o755)
    monkeypatch.setenv("CXX", str(tmp_path / "cxx"))
    with pytest.raises(FirmwareError, match="cannot be run") as caught:
        known_flags(require_compiler(), [])
    assert caught.value.remedy


def test_only_clang_gets_fewer_flags(tmp_path):
    flags = ["-shared", "-fno-gnu-unique"]
    for name, expected in (("g++ (Debian 12.2)", flags), ("Debian clang version 14", flags[:1])):
        assert known_flags(script(tmp_path / "cxx", f'echo "{name}"'), flags) == expected
