"""Tensors of more bits than float32 holds come out of the C-simulation whole."""

from __future__ import annotations

import numpy as np
from random_networks import random_description

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.flows.csimulation import compile, trace
from nanopelican_hls.hls.project import convert
from nanopelican_hls.proof.comparison import compare
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.export import build_program


def test_no_bit_is_lost_on_the_way_to_python(tmp_path):
    program = build_program(random_description(NetworkConfig(2, 1), bits=16))
    rng = np.random.default_rng(1)
    ports = {
        p.tensor: rng.integers(p.quantiser.low, p.quantiser.high, (50, *p.shape)) * p.quantiser.scale
        for p in program.inputs
    }
    reference = execute(program, ports)
    assert (np.float32(reference["d_exact"]) != reference["d_exact"]).any()
    comparison = compare(program, reference, trace(compile(convert(program, tmp_path), optimisation="-O0"), ports))
    assert comparison.mismatches == 0, str(comparison)
    assert set(comparison.tensors) == set(program.ranges)
