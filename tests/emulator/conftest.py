"""The emulator of a small network, compiled once per session."""

from __future__ import annotations

import pytest
from emulators import build
from random_networks import random_description

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.proof.hostile import hostile_events
from nanopelican_hls.topology.config import Coordinates, NetworkConfig, Spurions
from nanopelican_hls.topology.export import build_program

#: with a sum over many particles in a loop, both roundings, a spurion and a table
NETWORK = NetworkConfig(6, 2, symmetric=False, spurions=Spurions.JET, coordinates=Coordinates.LIGHT_CONE)


@pytest.fixture(scope="session")
def program():
    return build_program(random_description(NETWORK, tables=True, seed=5))


@pytest.fixture(scope="session")
def emulator(program, tmp_path_factory):
    return build(program, tmp_path_factory.mktemp("emulator") / "emulator")


@pytest.fixture(scope="session")
def events(program):
    return hostile_events(program, lambda ports: execute(program, ports), 300).ports


@pytest.fixture(scope="session")
def reference(program, events):
    return execute(program, events)
