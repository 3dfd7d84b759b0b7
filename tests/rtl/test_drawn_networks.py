"""Hardware of randomly drawn networks; ``make fuzz`` draws more of them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from drawn_networks import SEEDS, example

from nanopelican_hls.errors import RtlError
from nanopelican_hls.flows.verilator import compile_simulation, simulate
from nanopelican_hls.proof.comparison import compare
from nanopelican_hls.rtl.hardware import Settings
from nanopelican_hls.rtl.project import generate_rtl
from nanopelican_hls.rtl.tracer import trace

#: the others are not compiled, since that takes seconds
SIMULATED_EVERY = 4
SMALL = {"constituents": 4, "channels": 2}
#: networks that exceed alkaid's arithmetic, whose output is constant, or whose words need the DSPs (docs/rtl.md)
REFUSED = re.compile("is a constant of|an intermediate value needs|gives the same logit|is too few: the conversion")


def settings(seed: int) -> Settings:
    rng = np.random.default_rng(seed)
    most_dsps = None if rng.random() < 0.6 else int(rng.integers(0, 16))
    levels, products = float(rng.choice([1.0, 2.0, 3.97, 8.0])), str(rng.choice(["dsp", "fabric"]))
    place = seed // SIMULATED_EVERY  # among those that are simulated
    interval, streamed = place % 4 + 1, place // 4 % 2 > 0
    return Settings(levels, products, bool(rng.random() < 0.5), most_dsps, interval, streamed)


def unless_refused(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except RtlError as refusal:
        if not REFUSED.match(refusal.what):
            raise
        return None


@pytest.mark.parametrize("seed", SEEDS)
def test_interpreter_agrees_at_every_tensor(seed):
    found = example(seed, **SMALL)
    circuit = found and unless_refused(lambda: trace(found.program).circuit(all_tensors=True))
    if circuit is None:
        return
    ports = {port.tensor: found.reference[port.tensor] for port in found.program.inputs}
    comparison = compare(found.program, found.reference, circuit.evaluate(ports))
    assert comparison.mismatches == 0, str(comparison)
    assert set(comparison.tensors) == set(found.program.ranges)


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if seed % SIMULATED_EVERY == 0])
def test_verilog_agrees_at_the_logit(seed, tmp_path):
    found = example(seed, **SMALL)
    if found is None or all(len(np.unique(found.reference[port.tensor])) == 1 for port in found.program.outputs):
        return
    drawn = settings(seed)
    most = max(1, max(port.elements for port in found.program.inputs) - 1)
    drawn = dataclasses.replace(drawn, interval=min(drawn.interval, most))
    project = unless_refused(lambda: generate_rtl(found.program, tmp_path / "rtl", settings=drawn))
    if project is None:
        return
    compile_simulation(project)
    result = simulate(found.program, project, found.reference)
    assert result.mismatches == 0, str(result.comparison)
    assert result.latency_cycles == project.latency_cycles


#: found faults once: a summand on a finer grid than the sum, or wider; equal pairs in one instance; a place where
#: nothing is added; and a piece of two functions
RING_SEEDS = [18, 63, 163, 223, 233, 281, 385, 860]


@pytest.mark.parametrize(
    "seed",
    [pytest.param(seed, marks=pytest.mark.long if seed in RING_SEEDS[1::2] else []) for seed in RING_SEEDS]
    + [seed for seed in SEEDS[12:] if seed not in RING_SEEDS],
)
def test_the_ring_agrees_at_the_logit(seed, tmp_path):
    """Three to nine constituents, any interval, constituents at once and streamed."""
    rng = np.random.default_rng(seed + 77)
    sizes = {"constituents": int(rng.integers(3, 10)), "channels": int(rng.integers(1, 4))}
    found = example(seed, **sizes)
    constituents = found and max(port.elements for port in found.program.inputs)
    if not found or constituents < 3:
        return
    if all(len(np.unique(found.reference[port.tensor])) == 1 for port in found.program.outputs):
        return
    drawn = Settings(
        levels_per_stage=float(rng.choice([1.0, 2.0, 3.97, 8.0])),
        products=str(rng.choice(["dsp", "dsp", "fabric"])),
        winograd=bool(rng.random() < 0.7),
        most_dsps=None if rng.random() < 0.6 else int(rng.integers(0, 30)),
        interval=int(rng.integers(2, constituents)),
        streamed=bool(rng.random() < 0.6),
    )
    project = unless_refused(lambda: generate_rtl(found.program, tmp_path / "rtl", settings=drawn))
    if project is None:
        return
    compile_simulation(project)
    result = simulate(found.program, project, found.reference)
    assert result.mismatches == 0, str(result.comparison)
    assert result.latency_cycles == project.latency_cycles
