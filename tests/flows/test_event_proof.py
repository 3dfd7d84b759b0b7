"""Events in pieces through three executors, with the coverage of the quantisers, and their place in the report."""

from __future__ import annotations

import pytest

pytest.importorskip("bitwuzla", reason="bitwuzla is not installed")

from random_networks import random_description, random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.flows import event_proof
from nanopelican_hls.flows.event_proof import prove_events
from nanopelican_hls.proof.hostile import hostile_events, more_hostile_events
from nanopelican_hls.solver.report import add_events, coverage_table, read_report, write_report
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.export import build_program

NETWORK = NetworkConfig(2, 1)
REACHES = {"seen", "unreachable (interval)", "unreachable (solver)", "unknown (time)"}


@pytest.fixture(scope="module")
def program():
    return build_program(random_description(NETWORK, bits=3, seed=3))


@pytest.fixture(scope="module")
def proof(program, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_proof, "CHUNK", 200)
        jets = random_ports(NETWORK, 50)
        build = tmp_path_factory.mktemp("build")
        return prove_events(program, jets, 500, build, hls_s=60, limit_s=20, progress=lambda _: None)


def test_all_events_run_and_agree(proof):
    assert proof.jets == 50
    assert proof.events["qonnx"] == proof.events["emulator"] >= 550
    assert set(proof.mismatches.items()) == {("emulator", 0), ("csim", 0)}
    assert proof.first == {}


def test_nothing_stays_open(proof):
    rows = proof.coverage.as_json()
    assert {row[goal]["reach"] for row in rows for goal in ("clip+", "clip-")} <= REACHES
    assert proof.coverage.open_goals() == []


def test_more_events_are_other_events(program):
    first = hostile_events(program, lambda ports: execute(program, ports), 100).ports
    second, third = (more_hostile_events(program, 100, seed) for seed in (1, 2))
    assert first.keys() == second.keys() == third.keys()
    assert all((second[name] != third[name]).any() for name in second)


def test_the_report_keeps_its_other_parts(proof, tmp_path):
    row = {"model": "b"} | proof.as_json()
    add_events(tmp_path, row)
    add_events(tmp_path, row | {"model": "a"})
    add_events(tmp_path, row | {"jets": 7})
    write_report(tmp_path, {"claim": "c"})
    content = read_report(tmp_path)
    assert [one["model"] for one in content["events"]] == ["a", "b"]
    assert content["events"][1]["jets"] == 7
    assert content["solver"] == []
    page = (tmp_path / "proof.md").read_text()
    assert "### a\n" in page and coverage_table(row) in page
    assert "| q_plus | " in page
