"""Common behaviour of targets: a complete project folder, with a description of the ports."""

from __future__ import annotations

import json

import pytest
from random_networks import random_description
from rtl_extra import MISSING

from nanopelican_hls.errors import FirmwareError, NanopelicanError
from nanopelican_hls.targets import TARGETS, load_target
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.export import build_program

MANIFESTS = {"emulator": "emulator.json", "hls": "nanopelican.json", "rtl": "rtl.json"}


@pytest.fixture(scope="module")
def program():
    return build_program(random_description(NetworkConfig(2, 1), bits=4))


def test_a_target_that_does_not_exist():
    with pytest.raises(FirmwareError, match=r"no target 'chisel'\n.*use one of emulator, hls, rtl"):
        load_target("chisel")


@pytest.fixture(params=TARGETS)
def target(request):
    if request.param == "rtl" and MISSING:
        pytest.skip(f"needs the extra rtl: {', '.join(MISSING)}")
    return request.param


def test_the_folder_holds_a_project_with_the_ports_of_the_program(target, program, tmp_path):
    project = load_target(target)().write(program, tmp_path / "project")
    assert project.path == tmp_path / "project"
    manifest = json.loads((project.path / MANIFESTS[target]).read_text())
    text = json.dumps(manifest)
    for port in (*program.inputs, *program.outputs):
        assert f'"exponent": {port.exponent}' in text
        assert f'"{port.tensor}"' in text


def test_an_older_project_is_replaced(target, program, tmp_path):
    load_target(target)().write(program, tmp_path / "project")
    (tmp_path / "project" / "stale").touch()
    load_target(target)().write(program, tmp_path / "project")
    assert not (tmp_path / "project" / "stale").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


def test_anything_else_is_refused_and_left_alone(target, program, tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(NanopelicanError, match="exists") as caught:
        load_target(target)().write(program, tmp_path)
    assert caught.value.where == str(tmp_path)
    assert caught.value.remedy == "choose another folder"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
