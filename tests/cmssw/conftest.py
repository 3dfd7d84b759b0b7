"""Models of CMSSW, built once: two versions of a tagger that takes words, the first with score and decision, and one
of components and three classes."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from random_networks import random_description

from nanopelican_hls.cmssw.project import CmsswModel, write_models
from nanopelican_hls.config import load_config
from nanopelican_hls.contract.program import Program, read_program
from nanopelican_hls.topology.config import Input, NetworkConfig, Spurions
from nanopelican_hls.topology.export import build_program
from nanopelican_hls.topology.result import Output, Result, with_result
from nanopelican_hls.zoo import file_of

#: an empty environment: a compiler and nothing else
EMPTY = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
OTHER = NetworkConfig(6, 2, spurions=Spurions.JET, input=Input.L1)
CLASSES = NetworkConfig(4, 1, spurions=Spurions.JET, classes=("qcd", "w", "top"))


@dataclass(frozen=True)
class Written:
    """A model in the repository."""

    model: CmsswModel
    program: Program
    network: NetworkConfig

    @property
    def libraries(self) -> list[str]:
        return [self.model.integers, self.model.hls]

    @property
    def words(self) -> bool:
        return self.network.level1 is not None


@pytest.fixture(scope="session")
def models():
    def drawn(network):
        return build_program(random_description(network, bits=6, seed=11)), network

    trained = with_result(read_program(file_of("trigger-n8-l1", ".onnx")), Result(Output.SCORE, 2.5))
    return [
        Written(CmsswModel("Tagger", "v1"), trained, load_config("trigger-n8-l1").network),
        Written(CmsswModel("Tagger", "v2"), *drawn(OTHER)),
        Written(CmsswModel("Components", "v1"), *drawn(CLASSES)),
    ]


def run(command, folder: Path):
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=EMPTY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


@pytest.fixture(scope="session")
def repository(models, tmp_path_factory):
    """A folder with all models side by side, and the programs that load them, built by make and g++ alone."""
    base = tmp_path_factory.mktemp("cmssw")
    folder = base / "repository"
    for k, written in enumerate(models):
        write_models(written.program, base / str(k), written.model)
        shutil.copytree(base / str(k), folder, dirs_exist_ok=True)
    run(["make", "-j2", "CXXFLAGS=-O1 -std=c++17"], folder)
    libraries = [library for written in models for library in written.libraries]
    includes = "".join(f'#include "{library}/{library}.h"\n' for library in libraries)
    uses = "".join(f" X({library})" for library in libraries)
    (folder / "models.h").write_text(f"{includes}#define MODELS(X){uses}\n")
    for name in ("loader", "trouble"):
        source = Path(__file__).with_name(f"{name}.cpp")
        flags = ["-std=c++17", "-I.", "-Iinclude/hls4ml", "-Iinclude/ap_types", f"-DWORDS=hls4ml_{libraries[0]}"]
        run(["g++", *flags, source, "-o", name, "-ldl", "-pthread"], folder)
    return folder
