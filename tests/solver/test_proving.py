"""Every operator's C++ is proved for all inputs; a damaged header is refuted, and the firmware confirms it."""

from __future__ import annotations

import re

import numpy as np
import pytest

pytest.importorskip("bitwuzla", reason="bitwuzla is not installed")

from hls_models import BOTH, MODELS, Model

from nanopelican_hls import zoo
from nanopelican_hls.contract.execution import execute
from nanopelican_hls.contract.program import read_program
from nanopelican_hls.errors import SolverError
from nanopelican_hls.flows import csimulation
from nanopelican_hls.hls.layers import layer_name
from nanopelican_hls.hls.project import convert, read_manifest
from nanopelican_hls.operators import OPERATORS
from nanopelican_hls.proof.comparison import compare
from nanopelican_hls.solver.decide import Verdict
from nanopelican_hls.solver.kernel import EMULATOR, KERNEL, cut_emulator, emulator_kernel, hls_kernel
from nanopelican_hls.solver.proving import prove_layers
from nanopelican_hls.topology.config import NetworkConfig, RestFrom, Spurions
from nanopelican_hls.topology.result import Output, Result, with_result

pytestmark = pytest.mark.usefixtures("clang")

LIMIT_S = 20
#: the rest of the jet, with a readout weight of its own
REST = NetworkConfig(3, 1, spurions=Spurions.REST, spurion_readout=True, rest_from=RestFrom.JET)
#: small models that have all operators between them, together with trigger-n6
SMALL = {name: MODELS[name] for name in ("plain-untied", "words")} | {"rest": Model(REST, False, BOTH, (), "Vitis")}


def verdicts(proofs):
    return {proof.tensor: (proof.verdict, proof.reason) for proof in proofs if proof.verdict is not Verdict.PROVED}


def trigger():
    """A model of the zoo, with score and decision."""
    return with_result(read_program(zoo.file_of("trigger-n6", ".onnx")), Result(Output.SCORE, 2.5))


def test_a_model_of_the_zoo(tmp_path):
    program = trigger()
    proofs = prove_layers(program, hls_kernel(convert(program, tmp_path / "hls")), LIMIT_S, lambda _: None)
    assert verdicts(proofs) == {}
    # multiplications of two variables; the optimiser also writes the difference of two shifts as one, by a constant
    functions = (tmp_path / "hls" / f"{KERNEL}.ll").read_text().split("\ndefine ")
    found = max(len(re.findall(r"= mul (?:nuw |nsw )*i\d+ %[^,]+, %", text)) for text in functions)
    declared = (tmp_path / "hls" / "firmware" / "parameters.h").read_text()
    limit = sum(map(int, re.findall(r"n_multiplications = (\d+);", declared)))
    assert 0.9 * limit < found <= limit
    layers = [node.output for node in program.nodes if node.inputs[0] in program.ranges]
    outputs = [f"{port.tensor} at the port" for port in program.outputs]
    assert [proof.tensor for proof in proofs[:-1]] == [*layers, *outputs]


@pytest.mark.parametrize("name", SMALL)
def test_small_models(name, tmp_path):
    program = SMALL[name].program()
    proofs = prove_layers(program, hls_kernel(convert(program, tmp_path / "hls")), LIMIT_S, lambda _: None)
    assert verdicts(proofs) == {}


def test_an_emulator(tmp_path):
    program = MODELS["jet"].program()
    assert verdicts(prove_layers(program, emulator_kernel(program, tmp_path), LIMIT_S, lambda _: None)) == {}


def damaged(path, old, new):
    text = path.read_text()
    assert re.search(old, text)
    path.write_text(re.sub(old, new, text, count=1))


def output_variable(firmware):
    (output,) = read_manifest(firmware.path)["outputs"].values()
    return output["variable"]


def test_a_damaged_emulator_is_refuted(tmp_path):
    program = MODELS["jet"].program()
    emulator_kernel(program, tmp_path)
    damaged(tmp_path / f"{EMULATOR}.cpp", r"\(T\(1\) << \(shift - 1\)\) - 1", "(T(1) << (shift - 1))")
    proofs = prove_layers(program, cut_emulator(program, tmp_path), LIMIT_S, lambda _: None)
    assert any(verdict is Verdict.REFUTED for verdict, _ in verdicts(proofs).values())


def test_a_damaged_header_is_refuted_and_differs_in_c_simulation(tmp_path):
    """The counterexample of a layer that reads ports is an event: it is replayed through both executors."""
    program = MODELS["jet"].program()
    firmware = convert(program, tmp_path / "hls")
    header = firmware.path / "firmware" / "nnet_utils" / "nnet_pairwise_dot.h"
    damaged(header, r"\(xi\[i\] \+ xi\[j\]\)", "(xi[i] + xi[i])")
    proofs = prove_layers(program, hls_kernel(firmware), LIMIT_S, lambda _: None)
    (refuted,) = [proof for proof in proofs if proof.verdict is Verdict.REFUTED]
    assert refuted.operator == "PairwiseDot"
    ports = {port.name: np.zeros((1, *port.shape)) for port in program.inputs}
    for port in program.inputs:
        for k in range(port.elements):
            integer = refuted.counterexample.get(f"{port.tensor}[{k}]", 0)
            ports[port.name].reshape(-1)[k] = np.ldexp(float(integer), port.exponent)
    found = csimulation.trace(csimulation.compile(firmware, optimisation="-O0"), ports)
    comparison = compare(program, execute(program, ports), found)
    assert comparison.mismatches == 1
    assert comparison.first.tensor == refuted.tensor


def test_what_follows_the_last_layer_is_seen(tmp_path):
    program = MODELS["jet"].program()
    firmware = convert(program, tmp_path / "hls")
    top = firmware.path / "firmware" / "nanopelican.cpp"
    (output,) = program.outputs
    damaged(top, r"\n}\s*$", f"\n    {output_variable(firmware)}[0] = 0;\n}}\n")
    proofs = prove_layers(program, hls_kernel(firmware), LIMIT_S, lambda _: None)
    assert [tensor for tensor, (verdict, _) in verdicts(proofs).items() if verdict is Verdict.REFUTED] == [
        f"{output.tensor} at the port"
    ]


@pytest.mark.parametrize("last", [True, False])
def test_of_a_layer_that_is_not_traced_nothing_is_proved(last, tmp_path):
    """Its result would be that of the layers after it, and the last has none."""
    program = MODELS["jet"].program()
    firmware = convert(program, tmp_path / "hls")
    layers = [node.output for node in program.nodes if node.inputs[0] in program.ranges]
    tensor = layers[-1] if last else layers[-4]
    traced = rf'\n[^\n]*save_layer_output<\w+>\(\w+, "{layer_name(tensor)}"[^\n]*'
    damaged(firmware.path / "firmware" / "nanopelican.cpp", traced, "")
    with pytest.raises(SolverError, match=rf"^tensor {tensor}: is not in the generated code, or not traced there"):
        prove_layers(program, hls_kernel(firmware), LIMIT_S, lambda _: None)


def test_what_is_not_initialised_is_no_proof(tmp_path):
    """LLVM would take 0, since it may take any value."""
    program = MODELS["jet"].program()
    firmware = convert(program, tmp_path / "hls")
    damaged(firmware.path / "firmware" / "nnet_utils" / "nnet_total_sum.h", "res_T sum = 0;", "res_T sum;")
    found = prove_layers(program, hls_kernel(firmware), LIMIT_S, lambda _: None)
    assert [proof.operator for proof in found if proof.verdict is Verdict.REFUTED] == ["TotalSum"]


def test_a_loop_is_named(tmp_path):
    program = MODELS["jet"].program()
    firmware = convert(program, tmp_path / "hls")
    header = firmware.path / "firmware" / "nnet_utils" / "nnet_total_sum.h"
    damaged(header, r"(#include \"nnet_common.h\"\n)", r'\1extern "C" void elsewhere();\n')
    damaged(header, r"(    #pragma HLS PIPELINE[^\n]*\n)", r"\1    elsewhere();\n")
    with pytest.raises(SolverError, match="a call of 'elsewhere'"):
        prove_layers(program, hls_kernel(firmware), LIMIT_S, lambda _: None)


def test_the_models_have_all_operators():
    found = {node.operator.name for model in SMALL.values() for node in model.program().nodes}
    found |= {node.operator.name for node in trigger().nodes}
    assert set(OPERATORS) - found == set()
