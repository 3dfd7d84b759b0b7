"""The examples of the page, in C++ and Python; warnings and sanitisers of compilers."""

from __future__ import annotations

import re
import resource
import subprocess
from pathlib import Path

import numpy as np
import pytest
from compilers import compiler_or_skip

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.contract.program import read_program
from nanopelican_hls.emulator.project import EmulatorTarget
from nanopelican_hls.flows.emulation import BRIDGE, compile_emulator
from nanopelican_hls.proof.comparison import compare

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8")
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror")
SANITISERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")
#: reads all ports as doubles, and writes all tensors, each from arrays of exactly its size
HARNESS = """
#include <cstdio>
#include <cstdlib>
#include <vector>
extern "C" void run_reals(std::size_t, const void *const *, const void *const *, const void *const *);
int main(int, char **argv) {
    const std::size_t jets = std::atol(argv[1]);
    const std::size_t port_sizes[] = {PORT_SIZES}, output_sizes[] = {OUTPUT_SIZES}, tensor_sizes[] = {TENSOR_SIZES};
    std::vector<std::vector<double>> ports;
    std::vector<std::vector<char>> outputs, tensors;
    std::vector<void *> in, out, all;
    for (std::size_t n : port_sizes) {
        ports.emplace_back(n * jets);
        if (jets && std::fread(ports.back().data(), sizeof(double), n * jets, stdin) != n * jets) return 1;
    }
    for (std::size_t n : output_sizes) outputs.emplace_back(n * jets);
    for (std::size_t n : tensor_sizes) tensors.emplace_back(n * jets);
    for (auto &port : ports) in.push_back(port.data());
    for (auto &output : outputs) out.push_back(output.data());
    for (auto &tensor : tensors) all.push_back(tensor.data());
    run_reals(jets, in.data(), out.data(), all.data());
    for (auto &tensor : tensors) {
        if (jets) std::fwrite(tensor.data(), 1, tensor.size(), stdout);
    }
}
"""


def test_the_example_of_the_page(tmp_path):
    program = read_program(ROOT / "models" / "trigger-n8.onnx")
    project = EmulatorTarget("trigger_n8").write(program, tmp_path / "emulator")
    (example,) = re.findall(r"```cpp\n(.*?)```", PAGE, re.DOTALL)
    (project.path / "main.cpp").write_text(example)
    (command,) = re.findall(r"^(g\+\+ .*)$", PAGE, re.MULTILINE)
    subprocess.run(command.split(), cwd=project.path, check=True)
    printed = subprocess.run(["./main"], cwd=project.path, check=True, capture_output=True, text=True).stdout
    ports = {port.name: np.zeros((3, *port.shape)) for port in program.inputs}
    ports["q_plus_in"][0, :2] = ports["q_plus_in"][1, 0] = 120.0
    ports["q_minus_in"][0, :2] = 0.5
    ports["n_jet_in"][:] = 40
    logits = np.ldexp(execute(program, ports)["logit"].ravel(), -program.exponent("logit"))
    assert [int(line) for line in printed.split()] == logits.tolist()
    assert len({*printed.split()}) == 3


def test_the_examples_in_python(tmp_path, monkeypatch):
    (tmp_path / "models").symlink_to(ROOT / "models")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    names = {}
    first, second = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(first, names)
    program = read_program("models/trigger-n8.onnx")
    expected = execute(program, names["ports"])
    assert compare(program, expected, names["tensors"]).first is None
    np.testing.assert_array_equal(names["logits"], expected["logit"])
    exec(second, names)
    np.testing.assert_array_equal(names["logits"], expected["logit"])


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_no_warnings(compiler, program, tmp_path):
    project = EmulatorTarget().write(program, tmp_path / "emulator")
    command = [compiler_or_skip(compiler), "-std=c++17", "-O1", *WARNINGS, "-c", "emulator.cpp", "-o", "/dev/null"]
    subprocess.run(command, cwd=project.path, check=True)


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY,
    reason="the address space is limited, of which the sanitizer reserves terabytes",
)
def test_sanitisers(program, events, reference, tmp_path):
    """No undefined behaviour, and nothing is read or written beyond an array, whatever the number of jets."""
    project = EmulatorTarget().write(program, tmp_path / "emulator")
    compile_emulator(project, optimisation="-O0")  # writes the bridge
    sizes = {tensor: reference[tensor][0].size for tensor in program.ranges}
    types = {tensor: emulator_type(project, tensor) for tensor in program.ranges}
    harness = HARNESS.replace("PORT_SIZES", ", ".join(str(port.elements) for port in program.inputs))
    outputs = [port.tensor for port in program.outputs]
    for word, tensors in (("OUTPUT_SIZES", outputs), ("TENSOR_SIZES", list(sizes))):
        harness = harness.replace(word, ", ".join(str(sizes[t] * types[t].itemsize) for t in tensors))
    (project.path / "main.cpp").write_text(harness)
    sources = ["main.cpp", "emulator.cpp", BRIDGE]
    subprocess.run(["g++", "-std=c++17", "-O1", *SANITISERS, *sources, "-o", "main"], cwd=project.path, check=True)
    for jets in (0, 1, 33, len(reference["logit"])):
        ports = [np.ascontiguousarray(events[port.name.removesuffix("_in")][:jets]) for port in program.inputs]
        given = b"".join(port.tobytes() for port in ports)
        run = subprocess.run(["./main", str(jets)], cwd=project.path, input=given, check=True, capture_output=True)
        wanted = [
            np.ldexp(reference[t][:jets], -program.exponent(t)).astype(types[t]).tobytes() for t in program.ranges
        ]
        assert run.stdout == b"".join(wanted)


def emulator_type(project, tensor):
    """The type of a tensor in the header."""
    header = (project.path / f"{project.name}.h").read_text()
    (bits,) = re.findall(
        rf"^    std::int(\d+)_t \*{tensor} = nullptr;", header.partition("struct Tensors")[2], re.MULTILINE
    )
    return np.dtype(f"i{int(bits) // 8}")
