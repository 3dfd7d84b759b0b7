"""A configuration may make any momentum signed; a constituent is valid unless its leading component is 0."""

from __future__ import annotations

import dataclasses

from random_networks import random_description, random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.flows.csimulation import compile, trace
from nanopelican_hls.hls.project import convert
from nanopelican_hls.proof.comparison import compare
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.export import build_program


def test_a_negative_leading_component_is_that_of_a_particle(tmp_path):
    network = NetworkConfig(2, 1, symmetric=False)
    description = random_description(network, bits=4)
    signed = Quantiser(6, True, description.quantisers["q_plus"].exponent)
    program = build_program(dataclasses.replace(description, quantisers=description.quantisers | {"q_plus": signed}))
    ports = random_ports(network, 100)
    ports["q_plus"][::2] *= -1
    reference = execute(program, ports)
    assert ((reference["q_plus"] < 0) & (reference["mask"] == 1)).any()
    firmware = compile(convert(program, tmp_path / "hls"), optimisation="-O0")
    comparison = compare(program, reference, trace(firmware, ports))
    assert comparison.mismatches == 0, str(comparison)
    assert "mask" in comparison.tensors
