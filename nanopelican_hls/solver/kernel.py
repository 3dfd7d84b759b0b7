"""Generated firmware as integer expressions: each tensor from the ports, or from the tensors that its node reads."""

from __future__ import annotations

import math
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from nanopelican_hls.contract.program import Program
from nanopelican_hls.emulator.block import tensor_names
from nanopelican_hls.emulator.number import cpp_type
from nanopelican_hls.emulator.source import sources
from nanopelican_hls.hls.layers import layer_name
from nanopelican_hls.hls.project import Firmware, read_manifest
from nanopelican_hls.hls.sources import proof_kernel
from nanopelican_hls.solver.clang import loop_free
from nanopelican_hls.solver.integer import Integer, Space
from nanopelican_hls.solver.llvm import Execution, Module

KERNEL = "kernel"
HLS_FLAGS = ("-std=c++11", "-Ifirmware/ap_types")
EMULATOR = "emulator"


@dataclass(frozen=True)
class Kernel:
    """A function on integers, as LLVM IR without loops and calls.

    Attributes
    ----------
    program : the program that it computes.
    module : the IR.
    places : the first place of each tensor in the array of results, by tensor, in the order of execution.
    """

    program: Program
    module: Module
    places: Mapping[str, int]

    def execute(self, space: Space, tensors: Mapping[str, Sequence[Integer]]) -> Executed:
        """What it computes from the ports and, if it is cut, from other tensors."""
        ports = [x for port in self.program.inputs for x in tensors[port.tensor]]
        cut = [x for tensor in self.places for x in tensors.get(tensor, [])]
        execution = Execution(self.module, space, {"ports": ports, "cut": cut})
        execution.run(KERNEL)
        stored = execution.stored("tensors")
        return Executed(
            execution,
            {
                tensor: [stored[first + k] for k in range(math.prod(self.program.shapes[tensor]))]
                for tensor, first in self.places.items()
            },
        )


@dataclass(frozen=True)
class Executed:
    """An execution of a kernel, and its tensors as integers."""

    execution: Execution
    tensors: Mapping[str, list[Integer]]


def hls_kernel(firmware: Firmware, *, cut: bool) -> Kernel:
    """The top function of an HLS project.

    Parameters
    ----------
    firmware : Firmware
        From `hls.convert`; it need not be compiled.
    cut : bool
        Each layer reads its inputs from an array of inputs, so that it is a function by itself.
    """
    manifest = read_manifest(firmware.path)
    source = firmware.path / f"{KERNEL}_{'cut' if cut else 'whole'}.cpp"
    source.write_text(proof_kernel(firmware.model, manifest), encoding="utf-8")
    text = loop_free(source, [*_in_folder(firmware.path, HLS_FLAGS), f"-I{firmware.path}", f"-DCUT={int(cut)}"])
    top = (firmware.path / "firmware" / f"{manifest['project']}.cpp").read_text(encoding="utf-8")
    names = {layer_name(tensor): tensor for tensor in manifest["tensors"]}
    saved = re.findall(r'save_layer_output<\w+>\(\w+, "([^"]+)"', top)
    return Kernel(firmware.program, Module.parse(text), _places(firmware.program, [names[name] for name in saved]))


def emulator_kernel(program: Program, folder: Path) -> Kernel:
    """The plain-integer emulator, of blocks of one jet, with all tensors stored."""
    texts = sources(program, EMULATOR, lanes=1)
    template = (resources.files("nanopelican_hls") / "solver" / "emulator_kernel.cpp").read_text(encoding="utf-8")
    names, ports = tensor_names(program), {port.tensor for port in program.inputs}
    results = [tensor for tensor in program.ranges if tensor not in ports]
    places = _places(program, results)
    first, reads, inputs = 0, [], []
    for port in program.inputs:
        name = f"port_{names[port.tensor]}"
        reads.append(f"    {cpp_type(program.ranges[port.tensor])} {name}[{port.elements}];")
        reads.append(f"    read(ports + {first}, {name});")
        inputs.append(name)
        first += port.elements
    saves = []
    for tensor, place in places.items():
        name, size = names[tensor], math.prod(program.shapes[tensor])
        reads.append(f"    {cpp_type(program.ranges[tensor])} row_{name}[{size}];")
        saves.append(f"    write(row_{name}, tensors + {place});")
    rows = [f"row_{names[t]}" if t in places else "nullptr" for t in program.ranges]
    text = string.Template(template).substitute(
        name=EMULATOR,
        ports=str(first),
        tensors=str(sum(math.prod(program.shapes[tensor]) for tensor in results)),
        variables="\n".join(reads),
        inputs=", ".join(inputs),
        rows=", ".join(rows),
        saves="\n".join(saves),
    )
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in ((f"{EMULATOR}.h", texts.header), (f"{EMULATOR}.cpp", texts.source)):
        (folder / file).write_text(content, encoding="utf-8")
    source = folder / f"{KERNEL}.cpp"
    source.write_text(text, encoding="utf-8")
    return Kernel(program, Module.parse(loop_free(source, ["-std=c++17", f"-I{folder}"])), places)


def _in_folder(path: Path, flags: Sequence[str]) -> list[str]:
    return [f"-I{path / flag[2:]}" if flag.startswith("-I") else flag for flag in flags]


def _places(program: Program, tensors: Sequence[str]) -> dict[str, int]:
    places, first = {}, 0
    for tensor in tensors:
        places[tensor] = first
        first += math.prod(program.shapes[tensor])
    return places
