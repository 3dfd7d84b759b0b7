"""Particles and pairs that share hardware in time: the same integers, whatever comes when."""

import dataclasses
import functools
import re

import numpy as np
import pytest
from random_networks import NETWORKS, network_id, random_description, random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.errors import RtlError
from nanopelican_hls.flows.verilator import Stimulus, compile_simulation, expected, observe, shown, simulate
from nanopelican_hls.proof.comparison import compare
from nanopelican_hls.rtl.project import SOURCES, generate_rtl
from nanopelican_hls.rtl.settings import open_settings
from nanopelican_hls.topology.config import NetworkConfig, Spurions
from nanopelican_hls.topology.export import build_program

#: constituents and interval of each form, in turn: even and odd, with and without surplus rounds
SIZES = [(6, 2), (5, 2), (6, 5), (7, 3)]
#: an odd number meets in as many rounds
ODD = dataclasses.replace(NETWORKS[4], n_constituents=5)
#: every third one, since compiling takes seconds; `make fuzz` draws more
FORMS = [
    (dataclasses.replace(network, n_constituents=SIZES[k % len(SIZES)][0]), SIZES[k % len(SIZES)][1])
    for k, network in enumerate(NETWORKS)
][::3]
#: forms whose constituents come in turn: Level-1 words, cartesian momenta, beams, tables
STREAMED = [
    (dataclasses.replace(NETWORKS[k], n_constituents=size), interval)
    for k, (size, interval) in zip((5, 14, 9, 18, 22), [*SIZES, (6, 3)], strict=True)
]


@functools.cache
def example(network, events=400):
    program = build_program(random_description(network, bits=5, seed=3))
    return program, execute(program, random_ports(network, events, seed=5))


def generated(network, interval, path, products="dsp", probes=True, streamed=False):
    settings = open_settings(2.7777, products, interval=interval, streamed=streamed)
    return generate_rtl(example(network)[0], path, top="ring", settings=settings, probes=probes)


@pytest.mark.parametrize(
    ("network", "interval"),
    [
        pytest.param(n, i, marks=pytest.mark.long if k % 2 else [], id=f"{network_id(n)}-{n.n_constituents}-every-{i}")
        for k, (n, i) in enumerate(FORMS)
    ]
    + [pytest.param(ODD, 5, id="odd-5-every-5")],
)
def test_every_tensor_of_every_form(network, interval, tmp_path):
    program, tensors = example(network)
    project = generated(network, interval, tmp_path / "rtl", "fabric" if interval == 3 else "dsp")
    assert 1 < project.interval <= interval
    compile_simulation(project)
    result = simulate(program, project, tensors)
    assert result.mismatches == 0, str(result.comparison)
    assert (result.latency_cycles, result.initiation_interval) == (project.latency_cycles, project.interval)


@pytest.mark.parametrize(
    ("network", "interval"),
    [
        pytest.param(n, i, marks=pytest.mark.long if k % 2 else [], id=f"{network_id(n)}-{n.n_constituents}-every-{i}")
        for k, (n, i) in enumerate(STREAMED)
    ],
)
def test_constituents_that_come_one_after_another(network, interval, tmp_path):
    program, tensors = example(network)
    project = generated(network, interval, tmp_path / "rtl", "fabric" if interval == 3 else "dsp", streamed=True)
    assert 1 < project.beats <= project.interval
    at_a_time = -(-network.n_constituents // project.interval)
    for port in project.inputs:
        assert project.arrival.lanes(port) == (at_a_time if port.elements == network.n_constituents else port.elements)
    compile_simulation(project)
    result = simulate(program, project, tensors)
    assert result.mismatches == 0, str(result.comparison)
    assert (result.latency_cycles, result.initiation_interval) == (project.latency_cycles, project.interval)


def test_a_new_event_in_every_cycle_comes_at_once(tmp_path):
    project = generated(TAGGER, 1, tmp_path / "rtl", streamed=True)
    assert project.beats == 1


TAGGER = NetworkConfig(6, 2, spurions=Spurions.REST)


@pytest.fixture(scope="module", params=[False, True], ids=["at once", "streamed"])
def tagger(request, tmp_path_factory):
    """Six constituents, an event every three cycles, of which the last has a surplus round."""
    project = generated(TAGGER, 3, tmp_path_factory.mktemp("ring") / "rtl", streamed=request.param)
    compile_simulation(project)
    return project


def mismatches(project, stimulus):
    """Events with a wrong tensor, of those that are not reset on their way."""
    program, tensors = example(TAGGER)
    seen = observe(project, tensors, stimulus)
    found = shown(project, seen, stimulus.starts, project.latency_cycles)
    wanted = expected(program, project, tensors)
    whole = stimulus.completed(project.latency_cycles)
    # probes at the end of an event's way are those of the next one if that is reset
    return compare(
        program, {n: v[whole] for n, v in wanted.items() if n in found}, {n: v[whole] for n, v in found.items()}
    )


def random_starts(interval, events, seed):
    gaps = np.random.default_rng(seed).choice([0, 0, 0, 1, 2, 3, 40], events)
    return 1 + np.cumsum(interval + gaps)


def test_gaps_of_any_length(tagger):
    stimulus = Stimulus(random_starts(tagger.interval, 400, seed=1))
    assert mismatches(tagger, stimulus).mismatches == 0


def test_a_start_that_is_too_early_is_dropped_and_shown(tagger):
    starts = random_starts(tagger.interval, 400, seed=2)
    random = np.random.default_rng(3)
    early = starts[random.random(400) < 0.3]
    ignored = early + random.integers(1, tagger.interval, len(early))
    stimulus = Stimulus(starts, ignored=np.setdiff1d(ignored, starts))
    assert len(stimulus.ignored) > 50
    assert mismatches(tagger, stimulus).mismatches == 0


def test_reset_in_the_middle(tagger):
    starts = random_starts(tagger.interval, 400, seed=4)
    free = np.setdiff1d(np.arange(2, starts[-1]), starts)
    resets = np.sort(np.random.default_rng(5).choice(free, 20, replace=False))
    stimulus = Stimulus(starts, resets=resets)
    lost = ~stimulus.completed(tagger.latency_cycles)
    assert 20 <= lost.sum() < 200
    assert mismatches(tagger, stimulus).mismatches == 0


#: faults of the ring: the file, and how they change it
MUTANTS = {
    "surplus rounds count": ("ring.v", "assign idle_2 = ~(", "assign idle_2 = 1'b1 | ("),
    "a turn by one place too many": ("nanopelican_ring.v", "FROM = p + STEP", "FROM = p + STEP + 1"),
    "a sum that is not cleared": ("nanopelican_accumulator.v", "first ? {WIDTH", "1'b0 ? {WIDTH"),
    "a flag that is lost": ("nanopelican_control.v", "shifted[CYCLES-1:0]", "{CYCLES{1'b0}}"),
    "reset does nothing": ("nanopelican_control.v", "rst ? {CYCLES", "1'b0 ? {CYCLES"),
    "an early start is taken": ("ring.v", "assign accepted = start & ~busy;", "assign accepted = start;"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_faults_are_found(mutant, tmp_path):
    project = generated(TAGGER, 3, tmp_path / "rtl")
    file, old, new = MUTANTS[mutant]
    source = project.path / SOURCES / file
    text = source.read_text()
    assert text.count(old) == 1
    source.write_text(text.replace(old, new))
    compile_simulation(project)
    starts = random_starts(project.interval, 400, seed=6)
    resets = np.array([starts[100] + 1, starts[200] + 1])
    ignored = np.setdiff1d(starts[:50] + 1, starts)
    try:
        found = mismatches(project, Stimulus(starts, ignored, resets)).mismatches
    except RtlError as error:
        found = error.what.startswith(("valid is", "early is"))
    assert found


def test_a_lane_that_is_a_cycle_late(tmp_path):
    project = generated(TAGGER, 3, tmp_path / "rtl")
    source = project.path / SOURCES / "ring.v"
    text = source.read_text()
    late = re.sub(r"(\.CYCLES\()(\d+)(\)\) u_d_exact_0_y0_d)", lambda m: f"{m[1]}{int(m[2]) + 1}{m[3]}", text)
    assert late != text
    source.write_text(late)
    compile_simulation(project)
    assert mismatches(project, Stimulus(random_starts(project.interval, 400, seed=7))).mismatches > 0


@pytest.mark.parametrize(
    ("interval", "message"),
    [
        (0, "interval = 0: is no number of clock cycles"),
        (-3, "interval = -3: is no number of clock cycles"),
        (2.5, "interval = 2.5: is no number of clock cycles"),
        (True, "interval = True: is no number of clock cycles"),
        (6, "interval = 6: is more than the 5 rounds in which 6 constituents meet"),
    ],
)
def test_intervals_that_cannot_be(interval, message, tmp_path):
    with pytest.raises(RtlError, match=message):
        generated(TAGGER, interval, tmp_path / "rtl")


def test_more_constituents_than_were_tried(tmp_path):
    with pytest.raises(RtlError, match="at most 128 constituents, not 129"):
        generated(NetworkConfig(129, 1), 9, tmp_path / "rtl")
