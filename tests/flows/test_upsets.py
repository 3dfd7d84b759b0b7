"""Upsets and triplicated forms: what a flipped bit does, how long, and that voters undo it."""

import dataclasses
import re

import numpy as np
import pytest
from random_networks import random_description, random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.errors import RtlError
from nanopelican_hls.flows.upsets import (
    LOWER,
    TOP,
    UPPER,
    Flip,
    Share,
    constant_upsets,
    find_places,
    flipped,
    of_any_bit,
    rerun,
    state_upsets,
)
from nanopelican_hls.flows.upsets_report import UpsetsReport, write_report
from nanopelican_hls.flows.verilator import (
    UPSET,
    Stimulus,
    compile_simulation,
    observe,
    record,
    registers,
    shown,
    simulate,
)
from nanopelican_hls.flows.yosys import map_rtl
from nanopelican_hls.proof.comparison import compare
from nanopelican_hls.rtl.project import SOURCES, generate_rtl, read_rtl
from nanopelican_hls.rtl.settings import open_settings
from nanopelican_hls.topology.config import NetworkConfig, Spurions
from nanopelican_hls.topology.export import build_program
from nanopelican_hls.topology.result import Result, with_result

#: small, with a ring that turns, held registers, accumulators, DSP chains
NETWORK = NetworkConfig(4, 1, spurions=Spurions.REST)
INTERVAL = 3


@pytest.fixture(scope="module")
def example():
    """A program with a decision that half of the jets pass, and its tensors for 300 jets."""
    plain = build_program(random_description(NETWORK, bits=5, seed=3))
    ports = random_ports(NETWORK, 300, seed=5)
    logit = plain.outputs[0].tensor
    median = float(np.median(execute(plain, ports)[logit]))
    program = with_result(plain, Result(threshold=median))
    tensors = execute(program, ports)
    assert 0.2 < tensors["accept"].mean() < 0.95
    return program, tensors


def generated(example, path, tmr, faults=()):
    """A compiled project; faults are (file, text in it, text instead)."""
    settings = open_settings(2.7777, interval=INTERVAL, tmr=tmr)
    project = generate_rtl(example[0], path, top="ring", settings=settings)
    for file, old, new in faults:
        source = project.path / SOURCES / file
        text = source.read_text()
        assert old in text
        source.write_text(text.replace(old, new))
    compile_simulation(project, upsets=True)
    return project


@pytest.fixture(scope="module")
def plain(example, tmp_path_factory):
    return generated(example, tmp_path_factory.mktemp("plain") / "rtl", "none")


@pytest.fixture(scope="module")
def state(example, tmp_path_factory):
    return generated(example, tmp_path_factory.mktemp("state") / "rtl", "state")


@pytest.fixture(params=["plain", "state"])
def either(request):
    return request.getfixturevalue(request.param)


def right(example, project):
    program, tensors = example
    return simulate(program, project, tensors).mismatches == 0


class TestRegisters:
    def test_every_register_is_found(self, plain):
        """As many bits as the mapping would have if it removed nothing."""
        places = {place.name: place for place in find_places(plain)}
        assert {"control", "output", "delay", "ring", "accumulator", "product"} <= places.keys()
        result = sum(port.width for port in plain.outputs)
        assert len(places["output"].bits) == result
        assert sum(len(place.bits) for place in places.values()) == sum(each.bits for each in registers(plain))

    def test_words_of_shift_registers(self, plain):
        flips = next(place.bits for place in find_places(plain) if place.name == "delay")
        by_register = {flip.register: flip.word for flip in flips}
        assert any(flip.bit >= flip.word for flip in flips)
        assert all(flip.position == flip.bit % by_register[flip.register] for flip in flips)

    def test_groups(self):
        assert [Flip(0, k, k, 5).group for k in range(5)] == [LOWER, LOWER, LOWER, UPPER, TOP]
        assert Flip(0, 0, 0, 1).group == TOP

    def test_triplicated(self, plain, state):
        """Three times the bits, in every place."""
        bits = [{place.name: len(place.bits) for place in find_places(project)} for project in (plain, state)]
        assert {name: 3 * count for name, count in bits[0].items()} == bits[1]

    def test_a_flip_is_that_of_the_bit(self, example, plain):
        """Of the output register, in the cycle of the upset only."""
        stimulus = Stimulus.regular(40, plain.interval)
        control = stimulus.control(int(stimulus.starts[-1]) + 1)
        flips = next(place.bits for place in find_places(plain) if place.name == "output")
        port = plain.outputs[0]
        flip = next(f for f in flips if f.word == port.width and f.position == 1)
        before = record(plain, example[1], control)
        after = record(plain, example[1], control, np.array([(50, flip.register, flip.bit)], dtype=UPSET))
        differs = before[port.name] != after[port.name]
        assert np.flatnonzero(differs[:, 0]).tolist() == [50]
        assert abs(after[port.name][50, 0] - before[port.name][50, 0]) == 2 * 2.0**port.exponent
        assert all((before[name] == after[name]).all() for name in before if name != port.name)


@pytest.fixture(scope="module")
def found(example, plain):
    """What upsets did, by place."""
    return {each.place: each for each in state_upsets(plain, example[1], 200)}


class TestUpsets:
    def test_without_copies_decisions_change(self, found):
        assert {name for name, each in found.items() if each.wrong.count} >= {
            "ring",
            "accumulator",
            "output",
            "product",
        }
        assert found["output"].wrong.count <= 200 / INTERVAL * 1.5  # in other cycles nothing comes out
        assert any(each.changed.count for each in found.values())

    def test_only_control_loses_events(self, found):
        assert found["control"].lost.count > 0
        assert found["control"].spurious.count > 0
        for name, each in found.items():
            assert name == "control" or each.lost.count == each.spurious.count == 0

    def test_all_of_them_heal(self, found, plain):
        """Nothing stays: the state is that of events under way, and of starts in the cycles before."""
        longest = max(each.cycles for each in found.values())
        assert INTERVAL < longest <= plain.latency_cycles + plain.interval

    def test_counts_of_bits_add_up(self, found):
        for each in found.values():
            for by in (each.changed_by_group, each.changed_by_bit):
                assert sum(share.count for share in by.values()) == each.changed.count
                assert sum(share.of for share in by.values()) == each.changed.of == 200

    def test_any_bit(self, found):
        value, error = of_any_bit(list(found.values()), "changed")
        bits = {name: each.bits for name, each in found.items()}
        assert value == pytest.approx(sum(bits[n] * e.changed.value for n, e in found.items()) / sum(bits.values()))
        assert 0 < error < 0.05

    def test_the_report(self, example, plain, found, tmp_path):
        program, _ = example
        report = UpsetsReport(
            "tiny", 300, plain.interval, plain.latency_cycles, "dsp", "none", 0.5, 0, tuple(found.values()), (), "", ""
        )
        page = report.page()
        assert "tiny, interval 3" in page
        assert all(f"| {name} |" in page for name in found)
        assert [path.name for path in write_report(report, tmp_path)] == ["upsets.json", "upsets.md"]
        assert program.outputs[-1].name == "accept"

    def test_voted_registers(self, example, state):
        """No upset of any register has any effect."""
        assert right(example, state)
        for each in state_upsets(state, example[1], 200):
            assert each.wrong.count == each.changed.count == each.lost.count == each.spurious.count == 0, each.place
            assert each.cycles == 0


#: a ring in three copies, each of which keeps its own numbers: a voter at the end only
UNVOTED_RING = """
module nanopelican_ring #(
    parameter WIDTH = 8, parameter PLACES = 2, parameter TURNING = 0, parameter STEP = 0, parameter CYCLIC = 1
) (
    input wire clk, input wire load, input wire [WIDTH*PLACES-1:0] x, output wire [WIDTH*PLACES-1:0] y
);
    wire [3*WIDTH*PLACES-1:0] all;
    genvar k;
    generate
        for (k = 0; k < 3; k = k + 1) begin : copy
            unvoted_ring #(
                .WIDTH(WIDTH), .PLACES(PLACES), .TURNING(TURNING), .STEP(STEP), .CYCLIC(CYCLIC)
            ) ring (.clk(clk), .load(load), .x(x), .y(all[WIDTH*PLACES*k+:WIDTH*PLACES]));
        end
    endgenerate
    nanopelican_voter #(.WIDTH(WIDTH * PLACES)) voter (
        .a(all[WIDTH*PLACES-1:0]), .b(all[2*WIDTH*PLACES-1:WIDTH*PLACES]),
        .c(all[3*WIDTH*PLACES-1:2*WIDTH*PLACES]), .y(y)
    );
endmodule
"""


def wrong_after_two_upsets(example, project, names):
    """Wrong values after upsets of one bit in two copies, the second a cycle after the first; of registers so named."""
    found = registers(project)
    places = {each.name: k for k, each in enumerate(found)}
    firsts = [
        (k, places[re.sub(r"copy(\[?)0", r"copy\g<1>1", each.name)], each.bits)
        for k, each in enumerate(found)
        if re.search(names, each.name) and re.search(r"copy\[?0", each.name)
    ]
    assert firsts
    period, rng = project.latency_cycles + 3 * project.interval, np.random.default_rng(3)
    upsets = []
    for cycle in period * np.arange(1, 200) + rng.integers(0, project.interval, 199):
        first, second, bits = firsts[rng.integers(len(firsts))]
        bit = rng.integers(bits)
        upsets += [(cycle, first, bit), (cycle + 1, second, bit)]
    stimulus = Stimulus.regular(201 * period // project.interval, project.interval)
    control = stimulus.control(int(stimulus.starts[-1]) + 1)
    jets = np.arange(len(stimulus.starts)) % len(example[1]["accept"])
    tensors = {port.tensor: example[1][port.tensor][jets] for port in project.inputs}
    before, after = (record(project, tensors, control, flips) for flips in (None, np.array(upsets, dtype=UPSET)))
    return sum(int((before[name] != after[name])[before["valid"][:, 0] == 1].sum()) for name in before)


class TestVoters:
    def test_a_voter_that_ignores_a_copy(self, example, tmp_path):
        fault = "(a & b) | (a & c) | (b & c)", "a"
        broken = generated(example, tmp_path / "rtl", "state", [("nanopelican_voter.v", *fault)])
        assert right(example, broken)
        assert sum(each.wrong.count for each in state_upsets(broken, example[1], 100)) > 0

    def test_feedback_is_voted(self, example, state, tmp_path):
        """A wrong copy is right again in the next cycle; one that keeps its own numbers meets the second upset."""
        assert wrong_after_two_upsets(example, state, "") == 0
        broken = generate_rtl(
            example[0], tmp_path / "rtl", top="ring", settings=open_settings(2.7777, interval=INTERVAL, tmr="state")
        )
        source = broken.path / SOURCES / "nanopelican_ring.v"
        text = source.read_text().replace("nanopelican_register", "nanopelican_copy")
        source.write_text(text.replace("module nanopelican_ring", "module unvoted_ring") + UNVOTED_RING)
        compile_simulation(broken, upsets=True)
        assert right(example, broken)
        assert wrong_after_two_upsets(example, broken, "_ring[0-9]") > 0

    def test_synthesis_keeps_the_copies(self, example, tmp_path):
        """Three times the flip-flops, DSPs and shift registers."""
        cells = [
            map_rtl(
                generate_rtl(
                    example[0], tmp_path / tmr, top="ring", settings=open_settings(2.7777, interval=INTERVAL, tmr=tmr)
                )
            )
            for tmr in ("none", "state", "all")
        ]
        one, *three = [(each.ff, each.dsp, each.srl) for each in cells]
        assert three[1] == tuple(3 * count for count in one)
        assert three[0] >= tuple(3 * count for count in one)
        assert three[0][1:] == tuple(3 * count for count in one[1:])


@pytest.mark.parametrize("tmr", ["weights", "all"])
def test_one_copy_may_say_anything(tmr, example, tmp_path):
    """Every output of one copy is inverted, all the time: of each piece with weights, or of the whole network."""
    path = tmp_path / "rtl"
    project = generate_rtl(example[0], path, top="ring", settings=open_settings(2.7777, interval=INTERVAL, tmr=tmr))
    source = project.path / SOURCES / "ring.v"
    text, count = re.subn(r"\.b\((\w+_copy1)\)", r".b(~\1)", source.read_text())
    assert count > (5 if tmr == "weights" else 3)
    source.write_text(text)
    compile_simulation(project)
    assert right(example, project)


def aligned(example, project, stimulus):
    """Whether all events have the right results in their cycles, and the flags are right in all cycles."""
    program, tensors = example
    some = {name: values[: len(stimulus.starts)] for name, values in tensors.items()}
    seen = observe(project, some, stimulus)
    found = shown(project, seen, stimulus.starts, project.latency_cycles)
    whole = stimulus.completed(project.latency_cycles)
    wanted = {name: some[name][whole] for name in found}
    return compare(program, wanted, {name: values[whole] for name, values in found.items()}).mismatches == 0


class TestStarts:
    """What may happen to ``start`` in the field; with one copy of each register, and with three."""

    def test_held(self, example, either):
        """An event in every K cycles; the starts between are dropped."""
        starts = 1 + either.interval * np.arange(300)
        others = np.setdiff1d(np.arange(1, starts[-1]), starts)
        assert aligned(example, either, Stimulus(starts, ignored=others))

    def test_missing_for_long(self, example, either):
        starts = 1 + either.interval * np.arange(300)
        starts[100:] += 5_000
        starts[200:] += 1
        assert aligned(example, either, Stimulus(starts))

    def test_lost(self, example, either):
        """Inputs without their start are no event; the others have their results in their cycles."""
        stimulus = Stimulus.regular(300, either.interval)
        control = stimulus.control(int(stimulus.starts[-1]) + either.latency_cycles + 1)
        lost = np.random.default_rng(7).random(300) < 0.3
        control[stimulus.starts[lost]] &= ~np.uint8(2)
        seen = record(either, example[1], control)
        due = stimulus.starts[~lost] + either.latency_cycles
        assert np.flatnonzero(seen["valid"][:, 0]).tolist() == due.tolist()
        for port in either.outputs:
            assert (seen[port.name][due] == example[1][port.tensor][~lost].reshape(len(due), -1)).all()

    @pytest.mark.parametrize("length", [1, 2, 50])
    def test_reset_in_the_middle(self, example, either, length):
        starts = 1 + either.interval * np.arange(300)
        begins = np.array([40, 41 + either.latency_cycles, 300, 501, 700])
        resets = np.unique(begins[:, None] + np.arange(length))
        stimulus = Stimulus(starts, resets=resets)
        assert 0 < (~stimulus.completed(either.latency_cycles)).sum() < 200
        # after a reset the next start is a new beginning, whatever it cut off
        assert aligned(example, either, stimulus)


class TestParameters:
    def test_the_operators_alone(self, example):
        """With its own constants, a program computes again what QONNX execution did."""
        program, tensors = example
        again = rerun(program, tensors, dict(program.constants))
        assert again.keys() >= {"accept", program.outputs[0].tensor}
        assert all((again[name] == tensors[name]).all() for name in again)

    @pytest.mark.parametrize(
        ("code", "bit", "signed", "result"),
        [(5, 1, True, 7), (5, 3, True, -3), (-1, 3, True, 7), (-8, 0, True, -7), (5, 3, False, 13), (0, 0, False, 1)],
    )
    def test_bits(self, code, bit, signed, result):
        assert flipped(code, bit, 4, signed) == result
        assert flipped(result, bit, 4, signed) == code

    def test_a_flip_is_another_network(self, example):
        """Each share is that of the network with that parameter, executed as a whole."""
        program, tensors = example
        found = {each.tensor: each for each in constant_upsets(program, tensors)}
        assert found.keys() >= set(program.parameter_quantisers)
        assert found["accept_threshold"].changed > 0
        each = found["w_d"]
        quantiser = program.parameter_quantisers["w_d"]
        code = round(float(program.constants["w_d"].item() / quantiser.scale))
        for bit, share in enumerate(each.changed_by_bit):
            value = np.full_like(program.constants["w_d"], flipped(code, bit, each.bits, True) * quantiser.scale)
            other = dataclasses.replace(program, constants={**program.constants, "w_d": value})
            assert share == (rerun(other, tensors, dict(other.constants))["accept"] != tensors["accept"]).mean()
        assert each.most == max(each.changed_by_bit)


def test_shares():
    assert (Share(1, 4).value, Share(0, 100).error) == (0.25, Share(1, 100).error)
    assert Share(100, 100).error == Share(99, 100).error


def test_the_manifest_has_the_form(state):
    assert read_rtl(state.path).tmr == "state"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"settings": open_settings(2.7777, tmr="twice")}, "tmr = 'twice': is unknown"),
        ({"settings": open_settings(2.7777, tmr="all"), "language": "vhdl"}, "has no triplicated form"),
    ],
)
def test_forms_that_cannot_be(options, message, example, tmp_path):
    with pytest.raises(RtlError, match=message):
        generate_rtl(example[0], tmp_path / "rtl", **options)
