"""The open flow, from a model to a report."""

import dataclasses

import pytest
from random_networks import random_description, random_ports

from nanopelican_hls.flows import open as flow
from nanopelican_hls.flows.choice import load_open_flow
from nanopelican_hls.flows.device import Device
from nanopelican_hls.flows.parts import find_part
from nanopelican_hls.topology.config import Coordinates, NetworkConfig, Spurions
from nanopelican_hls.topology.export import build_program

TINY = NetworkConfig(2, 1, symmetric=True, spurions=Spurions.NONE, coordinates=Coordinates.LIGHT_CONE)


@pytest.fixture(scope="module")
def model():
    return build_program(random_description(TINY, bits=4, seed=0))


def test_report(model, tmp_path, monkeypatch):
    monkeypatch.setattr(flow, "HOSTILE_EVENTS", 200)
    stages = []
    device = Device(find_part("xcvu13p"), clock_period_ns=2.7777)
    report = load_open_flow()(model, tmp_path, device, random_ports(TINY, 300), announce=stages.append)
    assert (report.flow, report.stage, report.part) == ("open", "mapped", device.part.ordering_code)
    assert report.rtl_vs_qonnx.mismatches == 0
    assert report.rtl_vs_qonnx.events >= 500
    assert report.initiation_interval == 1
    assert report.lut > 0
    assert report.timing is None
    assert [stage.split()[0] for stage in stages] == ["tracing,", "QONNX", "simulation", "mapping"]


def test_an_interval_of_which_a_part_is_enough(tmp_path, monkeypatch):
    """With two rounds a cycle, six constituents meet in three cycles."""
    monkeypatch.setattr(flow, "HOSTILE_EVENTS", 200)
    network = dataclasses.replace(TINY, n_constituents=6)
    program, stages = build_program(random_description(network, bits=4, seed=0)), []
    device = Device(find_part("xcvu13p"), 2.7777, interval=4)
    report = flow.synthesise(program, tmp_path, device, random_ports(network, 100), announce=stages.append)
    assert report.initiation_interval == 3
    assert report.rtl_vs_qonnx.mismatches == 0
    assert "interval: 3 cycles, as 4 would take no less hardware" in stages
