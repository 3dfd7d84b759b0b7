import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from random_networks import NETWORKS, network_id, random_description, random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.contract.program import save_program
from nanopelican_hls.errors import WorkerError
from nanopelican_hls.network.quantised_network import QuantisedNetwork
from nanopelican_hls.proof import executors
from nanopelican_hls.proof.executors import prove
from nanopelican_hls.topology.dataflow import outputs
from nanopelican_hls.topology.export import build_program

JETS = 150


@pytest.mark.parametrize("network", NETWORKS, ids=network_id)
@pytest.mark.parametrize("tables", [False, True])
def test_brevitas_evaluation_equals_qonnx_execution(network, tables):
    description = random_description(network, tables, seed=5)
    program = build_program(description)
    torch_network = QuantisedNetwork.from_description(description)

    def brevitas(ports):
        return {name: tensor.detach().numpy() for name, tensor in torch_network.tensors(ports).items()}

    ports = random_ports(network, JETS, seed=6)
    done = []
    proof = prove(
        program,
        {"qonnx": lambda p: execute(program, p), "brevitas": brevitas},
        ports,
        reference="qonnx",
        progress=done.append,
    )
    comparison = proof.comparisons["brevitas"]
    assert str(comparison) == f"0 of {JETS} jets differ, {len(program.ranges)} tensors compared"
    assert sum(done) == JETS
    assert tuple(proof.outputs["qonnx"]) == outputs(network)
    for name, values in proof.outputs["qonnx"].items():
        assert np.array_equal(values, proof.outputs["brevitas"][name])
    assert set(proof.seconds) == {"qonnx", "brevitas"}


def test_threads_of_torch_before_a_fork_do_not_hang_it(tmp_path):
    save_program(build_program(random_description(NETWORKS[0])), tmp_path / "m.onnx")
    busy = """
import sys
import numpy as np
import torch
from nanopelican_hls.contract.execution import execute
from nanopelican_hls.contract.program import read_program
from nanopelican_hls.proof.executors import prove
torch.set_num_threads(2)
program = read_program(sys.argv[1])
def threaded(ports):
    torch.ones(10**6).exp()
    return execute(program, ports)
threaded(ports := {port.name: np.zeros((10, *port.shape)) for port in program.inputs})
print(prove(program, {"a": threaded, "b": threaded}, ports, reference="a", progress=int).comparisons["b"].first)
"""
    command = [sys.executable, "-c", busy, str(tmp_path / "m.onnx")]
    assert subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout == "None\n"


def test_a_killed_worker_is_an_error_and_not_waited_for():
    """As when memory runs out."""
    network = NETWORKS[0]
    program = build_program(random_description(network))

    def killed(_):
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(WorkerError, match=r"was killed.*\n.*memory"):
        prove(program, {"a": killed}, random_ports(network, 10, seed=9), reference="a", progress=int)


def test_a_mismatch_in_a_later_chunk_keeps_its_jet(monkeypatch):
    network = NETWORKS[0]
    program = build_program(random_description(network, seed=8))
    ports = random_ports(network, JETS, seed=9)
    marker = next(iter(ports))
    # a value that occurs in no other jet, so that a forked worker can recognise jet 101
    ports[marker][101] = 77.125
    monkeypatch.setattr(executors, "VALUES_PER_CHUNK", 20 * sum(np.prod(s) for s in program.shapes.values()))

    def faulty(chunk):
        tensors = execute(program, chunk)
        hit = (chunk[marker] == 77.125).all(axis=1)
        tensors["r"][hit, 0] += 2.0 ** program.exponent("r")
        return tensors

    proof = prove(
        program, {"qonnx": lambda p: execute(program, p), "faulty": faulty}, ports, reference="qonnx", progress=int
    )
    comparison = proof.comparisons["faulty"]
    assert comparison.mismatches == 1
    assert comparison.first is not None
    assert (comparison.first.tensor, comparison.first.jet) == ("r", 101)


def test_workers_run_in_other_processes():
    network = NETWORKS[0]
    model = build_program(random_description(network, seed=8))
    here = os.getpid()

    def where(chunk):
        assert os.getpid() != here
        return execute(model, chunk)

    prove(model, {"qonnx": where}, random_ports(network, 4, seed=1), reference="qonnx", progress=int)
