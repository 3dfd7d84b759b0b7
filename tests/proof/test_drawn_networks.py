"""Every accepted network yields the same integers in all executors; ``make fuzz`` draws more of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from drawn_networks import SEEDS, example
from emulators import build

from nanopelican_hls.flows.csimulation import compile, trace
from nanopelican_hls.hls.project import convert
from nanopelican_hls.network.quantised_network import QuantisedNetwork
from nanopelican_hls.proof.comparison import compare

#: only every 12th network is compiled as HLS C++, since each takes seconds, and every third as plain integers
COMPILED_EVERY, EMULATED_EVERY = 12, 3


@pytest.mark.parametrize("seed", SEEDS)
def test_all_executors_agree(seed, tmp_path):
    found = example(seed)
    if found is None:
        return
    for tensor, bounds in found.program.ranges.items():
        integers = np.ldexp(found.reference[tensor], -bounds.exponent)
        assert (integers == np.rint(integers)).all(), tensor
        assert bounds.low <= integers.min() <= integers.max() <= bounds.high, tensor
    with torch.no_grad():
        tensors = QuantisedNetwork.from_description(found.description).tensors(found.events, found.result)
    others = {"torch": {name: values.numpy() for name, values in tensors.items()}}
    if seed % COMPILED_EVERY == 0:
        others["C-simulation"] = trace(compile(convert(found.model, tmp_path / "hls")), found.events)
    if seed % EMULATED_EVERY == 0:
        others["emulator"] = build(found.program, tmp_path / "emulator").trace(found.events)
    for name, other in others.items():
        comparison = compare(found.program, found.reference, other)
        assert comparison.mismatches == 0, f"{name}: {comparison}"
        assert set(comparison.tensors) == set(found.program.ranges)


def test_most_of_what_is_drawn_is_accepted():
    assert sum(example(seed) is not None for seed in range(20)) > 10
