"""The Verilog of small networks is proved for all inputs; a damaged one is refuted, and Verilator confirms it."""

from __future__ import annotations

import numpy as np
import pytest
from rtl_extra import MISSING

pytest.importorskip("bitwuzla", reason="bitwuzla is not installed")
if MISSING:
    pytest.skip(f"not installed: {', '.join(MISSING)}", allow_module_level=True)

from hls_models import LIGHT_CONE
from random_networks import random_description

from nanopelican_hls import zoo
from nanopelican_hls.contract.execution import execute
from nanopelican_hls.contract.fewer import with_constituents
from nanopelican_hls.contract.program import read_program
from nanopelican_hls.errors import ContractError, SolverError
from nanopelican_hls.fixed_point import Rounding
from nanopelican_hls.flows.verilator import compile_simulation, simulate
from nanopelican_hls.rtl import quantise as rtl_quantise
from nanopelican_hls.rtl.project import generate_rtl
from nanopelican_hls.rtl.settings import open_settings
from nanopelican_hls.solver.btor import Netlist
from nanopelican_hls.solver.decide import Verdict
from nanopelican_hls.solver.verilog import prove_verilog, verilog_netlist
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.export import build_program

LIMIT_S = 20
NETWORKS = {
    "plain": NetworkConfig(3, 1, symmetric=True, coordinates=LIGHT_CONE),
}


def small(name, bits=4):
    return build_program(
        random_description(NETWORKS[name], False, seed=7, bits=bits, roundings=tuple(Rounding), without=())
    )


def generated(program, folder, interval=1):
    return generate_rtl(program, folder, settings=open_settings(2.8, interval=interval), probes=True)


def proofs(program, project, limit_s=LIMIT_S):
    return prove_verilog(program, project, verilog_netlist(project), limit_s, lambda _: None)


def verdicts(found):
    return {proof.tensor: (proof.verdict, proof.reason) for proof in found if proof.verdict is not Verdict.PROVED}


@pytest.mark.parametrize("interval", [1, pytest.param(2, marks=pytest.mark.long)])
def test_a_small_network(interval, tmp_path):
    """All is listed, nothing is refuted, and most is proved; some products and pairs take longer."""
    program = small("plain")
    project = generated(program, tmp_path / "rtl", interval)
    assert project.interval == interval
    found = proofs(program, project, limit_s=5)
    unproved = verdicts(found)
    assert Verdict.REFUTED not in [verdict for verdict, _ in unproved.values()]
    assert set(unproved) <= {"d", "pair", "logit"}
    ports = {port.tensor for port in program.inputs}
    shown = [probe.port.tensor for probe in project.probes if probe.port.tensor not in ports]
    assert [proof.tensor for proof in found] == [*shown, "logit at the port", "valid"]


def damaged(project, part, old, new):
    """Change the first such text in the piece that is a part of the design."""
    name = next(name for name, known in project.parts.items() if known == part)
    path = next(path for path in project.sources if path.stem == name)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_dropped_mask_is_refuted_and_differs_in_simulation(tmp_path):
    """The counterexample of a layer that reads ports is an event, which Verilator confirms."""
    program = small("plain")
    project = generated(program, tmp_path / "rtl")
    damaged(project, "mask", "assign y0 = ", "assign y0 = 1'b1 | ")
    refuted = [proof for proof in proofs(program, project, limit_s=0.2) if proof.verdict is Verdict.REFUTED]
    assert refuted[0].tensor == "mask"
    assert refuted[0].proved == 0
    assert refuted[0].counterexample == {"q_plus[0]": 0}
    events, rng = {}, np.random.default_rng(3)
    for port in program.inputs:
        integers = rng.integers(1, 31, (20, port.elements))
        integers[0] = [refuted[0].counterexample.get(f"{port.tensor}[{k}]", 1) for k in range(port.elements)]
        events[port.name] = np.ldexp(integers.astype(float), port.exponent)
    compile_simulation(project)
    comparison = simulate(program, project, execute(program, events)).comparison
    assert comparison.mismatches == 1
    assert (comparison.first.tensor, comparison.first.jet, comparison.first.index) == ("mask", 0, (0,))


def changed_top(project, *changes):
    """Change texts of the top module."""
    path = next(path for path in project.sources if path.stem == project.top)
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)


def proofs_of_changed(folder, *changes, interval=1, limit_s=0.2):
    """By tensor, of a small network whose top module has other texts."""
    program = small("plain")
    project = generated(program, folder / "rtl", interval)
    changed_top(project, *changes)
    return {proof.tensor: proof for proof in proofs(program, project, limit_s)}


MASK = (".y0(mask_0_y0));", ".y0(right)); wire right;")
CHOICE = "assign mask_0_y0 = q_plus_0[4] ? right : "


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(f"wire nowhere; {CHOICE}nowhere;", id="no driver"),
        pytest.param(f"{CHOICE}1'bx;", id="x"),
        pytest.param(f"reg held; always @(posedge clk) held <= held; {CHOICE}held;", id="a register that holds"),
    ],
)
def test_what_is_undefined_may_be_anything(wrong, tmp_path):
    """An optimiser may take what suits it; the proof may not."""
    found = proofs_of_changed(tmp_path, (MASK[0], f"{MASK[1]} {wrong}"))
    assert found["mask"].verdict is not Verdict.PROVED
    assert found["mask"].proved == 2


@pytest.mark.parametrize("is_port", [True, False])
def test_a_port_that_is_too_narrow_is_no_port(is_port, tmp_path):
    changes = [("output wire [3:0] logit,", "output wire [2:0] logit,")]
    if is_port:
        changes.append((".y(logit));", ".y(whole)); wire [3:0] whole; assign logit = whole[2:0];"))
    with pytest.raises(SolverError, match="has 3 bits, not 4"):
        proofs_of_changed(tmp_path, *changes)


def test_nets_that_are_too_narrow_hold_nothing(tmp_path, monkeypatch):
    """As from a type that is too narrow, which the probe then has as well."""
    program = small("plain")
    quantised = rtl_quantise._saturated

    def without_its_top_bit(x, *rest):
        y = quantised(x, *rest)
        signed, integers, fraction = y.kif
        return rtl_quantise.select_bits(y, bool(signed), integers - 1, fraction) if signed else y

    monkeypatch.setattr(rtl_quantise, "_saturated", without_its_top_bit)
    found = {proof.tensor: proof for proof in proofs(program, generated(program, tmp_path / "rtl"), limit_s=0.5)}
    assert found["logit"].verdict is not Verdict.PROVED
    assert any("bits in the design are too few" in proof.reason for proof in found.values())


def test_an_event_after_others_is_proved_too(tmp_path):
    """Registers may hold what earlier events left."""
    later = "reg seen; always @(posedge clk) seen <= ~rst & (seen | valid); assign logit = seen ? ~whole : whole;"
    found = proofs_of_changed(tmp_path, (".y(logit));", f".y(whole)); wire [3:0] whole; {later}"))
    assert found["logit at the port"].verdict is not Verdict.PROVED


@pytest.mark.long
def test_an_accumulator_that_is_cleared_once_only(tmp_path):
    once = "wire accepted; reg ever; always @(posedge clk) ever <= ~rst & (ever | start_in_d5);"
    changes = (".first(start_in_d5)", ".first(start_in_d5 & ~ever)"), ("wire accepted;", once)
    found = proofs_of_changed(tmp_path, *changes, interval=2, limit_s=5)
    assert found["r_exact"].proved == 0
    assert "read more than its inputs: net" in found["r_exact"].reason


def test_valid_with_start_is_refuted(tmp_path):
    wrong = "reg reset; always @(posedge clk) reset <= rst; assign valid = right | (reset & start);"
    found = proofs_of_changed(tmp_path, (".y(valid));", f".y(right)); wire right; {wrong}"))
    assert found["valid"].proved == found["valid"].elements - 1


def test_a_changed_constant_is_refuted(tmp_path):
    program = small("plain")
    project = generated(program, tmp_path / "rtl")
    damaged(project, "logit_exact", "2'b11", "2'b10")
    found = {proof.tensor: proof for proof in proofs(program, project, limit_s=1)}
    assert found["logit"].verdict is Verdict.REFUTED
    assert found["logit"].counterexample


@pytest.mark.parametrize(
    ("part", "old", "new", "tensor"),
    [
        pytest.param("mask", "|v0_0", "|v0_0[4:0]", "mask", id="a mask without its top bit"),
        pytest.param("row_exact", "#(4, 0, 0, 2, ", "#(4, 0, 0, 1, ", "row", id="a weight"),
    ],
)
def test_what_is_beside_its_inputs_in_a_word_does_not_hide_a_fault(part, old, new, tensor, tmp_path):
    """Nets are parts of words that hold other numbers, too: a counterexample must hold whatever these are."""
    program = small("plain")
    project = generated(program, tmp_path / "rtl")
    damaged(project, part, old, new)
    found = {proof.tensor: proof for proof in proofs(program, project, limit_s=1)}
    assert found[tensor].verdict is Verdict.REFUTED
    assert found[tensor].counterexample


def test_a_net_that_reads_more_than_its_inputs_is_unproved(tmp_path):
    program = small("plain")
    project = generated(program, tmp_path / "rtl")
    damaged(project, "mask", "assign y0 = ", "reg old; always @(posedge clk) old <= old ^ x0[0]; assign y0 = old ^ ")
    found = {proof.tensor: proof for proof in proofs(program, project, limit_s=0.2)}
    assert found["mask"].verdict is Verdict.UNPROVED
    assert "read more than its inputs: net" in found["mask"].reason


def test_what_has_no_answer_in_time_is_unproved(tmp_path):
    program = small("plain")
    found = {proof.tensor: proof for proof in proofs(program, generated(program, tmp_path / "rtl"), limit_s=0.004)}
    assert any("no answer within" in proof.reason for proof in found.values())
    assert all(proof.verdict is not Verdict.REFUTED for proof in found.values())


def test_polynomials_that_grow_without_end_are_given_up(tmp_path):
    """Before the solver is asked, whose time is limited, too."""
    program = small("plain")
    found = proofs(program, generated(program, tmp_path / "rtl"), limit_s=0)
    assert any("its polynomials take more than 0 s" in proof.reason for proof in found)
    assert all(proof.verdict is not Verdict.REFUTED for proof in found)


def test_unknown_operators_are_named():
    with pytest.raises(SolverError, match="has the operator 'srem'"):
        Netlist.parse("1 sort bitvec 4\n2 input 1 a\n3 srem 1 2 2\n")
    with pytest.raises(SolverError, match="has the operator 'redxor'"):
        Netlist.parse("1 sort bitvec 4\n2 sort bitvec 1\n3 input 1 a\n4 redxor 2 3\n")
    with pytest.raises(SolverError, match="has a value of sort 'array'"):
        Netlist.parse("1 sort bitvec 4\n2 sort array 1 1\n")


def test_wiring_is_seen_through():
    """A word put together by "or" is that of a concatenation."""
    lines = ["1 sort bitvec 4", "2 sort bitvec 8", "3 input 1 a", "4 input 1 b", "5 zero 1"]
    lines += ["6 concat 2 3 5", "7 uext 2 4 4", "8 or 2 6 7", "9 output 8 y"]
    netlist = Netlist.parse("\n".join(lines))
    parts = [(part.number, part.low, part.width) for part in netlist.parts(netlist.outputs["y"], 0, 8)]
    assert parts == [(4, 0, 4), (3, 0, 4)]


@pytest.mark.parametrize("name", ["trigger-n8", "paper-n16-c2", "trigger-n16-5c"])
def test_fewer_constituents_give_the_same_integers(name):
    """A jet of two constituents, in the program for all and in the one for three."""
    program = read_program(zoo.file_of(name, ".onnx"))
    fewer = with_constituents(program, 3)
    rng = np.random.default_rng(5)
    short = {port.name: rng.uniform(0, 40, (20, port.elements)) for port in fewer.inputs}
    long = {}
    for port, one in zip(program.inputs, fewer.inputs, strict=True):
        if port.elements > 1:
            short[port.name][:, 2:] = 0
        long[port.name] = np.pad(short[port.name], ((0, 0), (0, port.elements - one.elements)))
    outputs = [port.tensor for port in program.outputs]
    whole, cut = execute(program, long), execute(fewer, short)
    assert all((whole[tensor] == cut[tensor]).all() for tensor in outputs)


def test_more_constituents_are_refused():
    program = read_program(zoo.file_of("trigger-n6", ".onnx"))
    with pytest.raises(ContractError, match="has 6 constituents"):
        with_constituents(program, 7)
