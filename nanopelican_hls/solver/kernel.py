"""Generated firmware as integer expressions: each tensor from the ports, or from the tensors that its node reads."""

from __future__ import annotations

import math
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from nanopelican_hls.contract.program import Program
from nanopelican_hls.emulator.block import tensor_names
from nanopelican_hls.emulator.source import sources
from nanopelican_hls.hls.layers import layer_name
from nanopelican_hls.hls.project import Firmware, read_manifest
from nanopelican_hls.hls.sources import proof_kernel
from nanopelican_hls.solver.clang import loop_free
from nanopelican_hls.solver.integer import Integer, Space
from nanopelican_hls.solver.llvm import Execution, Module

KERNEL = "kernel"
#: functions that set globals, as weights, before
CONSTRUCTORS = "_GLOBAL__sub_I"
HLS_FLAGS = ("-std=c++11", "-Ifirmware/ap_types")
EMULATOR = "emulator"


@dataclass(frozen=True)
class Kernel:
    """A function on integers, as LLVM IR without loops and calls.

    Attributes
    ----------
    program : the program that it computes.
    module : the IR.
    places : the first place of each tensor in the array of tensors, by tensor, in the order of execution.
    results : that of each output in an array of what the ports have at the end; none where these are the tensors.
    """

    program: Program
    module: Module
    places: Mapping[str, int]
    results: Mapping[str, int] = field(default_factory=dict)

    def execute(self, space: Space, tensors: Mapping[str, Sequence[Integer]]) -> Executed:
        """What it computes from the ports and from other tensors."""
        ports = [x for port in self.program.inputs for x in tensors[port.tensor]]
        cut = [x for tensor in self.places for x in tensors.get(tensor, [])]
        execution = Execution(self.module, space, {"ports": ports, "cut": cut})
        for function in self.module.functions:
            if function.startswith(CONSTRUCTORS):
                execution.run(function)
        execution.run(KERNEL)
        return Executed(
            execution, self._stored(execution, "tensors", self.places), self._stored(execution, "results", self.results)
        )

    def _stored(self, execution: Execution, array: str, places: Mapping[str, int]) -> dict[str, list[Integer]]:
        found = execution.stored(array)
        sizes = {tensor: math.prod(self.program.shapes[tensor]) for tensor in places}
        return {tensor: [found[first + k] for k in range(sizes[tensor])] for tensor, first in places.items()}


@dataclass(frozen=True)
class Executed:
    """An execution of a kernel, its tensors as integers, and its outputs at the end."""

    execution: Execution
    tensors: Mapping[str, list[Integer]]
    results: Mapping[str, list[Integer]]


def hls_kernel(firmware: Firmware) -> Kernel:
    """The top function of an HLS project; each layer reads its inputs from an array of inputs.

    Parameters
    ----------
    firmware : Firmware
        From `hls.convert`; it need not be compiled.
    """
    manifest = read_manifest(firmware.path)
    source = firmware.path / f"{KERNEL}.cpp"
    source.write_text(proof_kernel(firmware.model, manifest), encoding="utf-8")
    text = loop_free(source, [*_in_folder(firmware.path, HLS_FLAGS), f"-I{firmware.path}"])
    top = (firmware.path / "firmware" / f"{manifest['project']}.cpp").read_text(encoding="utf-8")
    names = {layer_name(tensor): tensor for tensor in manifest["tensors"]}
    saved = re.findall(r'save_layer_output<\w+>\(\w+, "([^"]+)"', top)
    program, tensors = firmware.program, [names[name] for name in saved]
    results = _places(program, [output["tensor"] for output in manifest["outputs"].values()])
    return Kernel(program, Module.parse(text), _places(program, tensors), results)


def emulator_kernel(program: Program, folder: Path) -> Kernel:
    """The plain-integer emulator, of blocks of one jet; each tensor is computed from those in an array of inputs.

    Parameters
    ----------
    program : Program
    folder : Path
        Where the C++ is written.
    """
    texts = sources(program, EMULATOR, lanes=1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{EMULATOR}.h").write_text(texts.header, encoding="utf-8")
    (folder / f"{EMULATOR}.cpp").write_text(texts.source, encoding="utf-8")
    return cut_emulator(program, folder)


def cut_emulator(program: Program, folder: Path) -> Kernel:
    """The kernel of an emulator's sources in a folder; they must be of blocks of one jet."""
    names = tensor_names(program)
    source = (folder / f"{EMULATOR}.cpp").read_text(encoding="utf-8")
    ports = {port.tensor: port.elements for port in program.inputs}
    places = _places(program, [tensor for tensor in program.ranges if tensor not in ports])
    passing = {t for t in places if re.search(rf"passing->{names[t]}\b", source)}
    template = (resources.files("nanopelican_hls") / "solver" / "emulator_kernel.cpp").read_text(encoding="utf-8")
    reads, writes, first = [], [], 0
    for tensor, elements in ports.items():
        reads.append(f"    read(ports + {first}, block.{names[tensor]});")
        first += elements
    for tensor, place in places.items():
        given, results = (f"{EMULATOR}::given", "passing") if tensor in passing else ("block", f"{EMULATOR}::results")
        reads.append(f"    read(cut + {place}, {given}.{names[tensor]});")
        writes.append(f"    write({results}.{names[tensor]}, tensors + {place});")
    total = sum(math.prod(program.shapes[tensor]) for tensor in places)
    lines = {"reads": "\n".join(reads), "writes": "\n".join(writes)}
    kernel = folder / f"{KERNEL}.cpp"
    text = string.Template(template).substitute(name=EMULATOR, ports=str(first), tensors=str(total), **lines)
    kernel.write_text(_cut(source, [names[t] for t in places if t not in passing]) + text, encoding="utf-8")
    module = Module.parse(loop_free(kernel, ["-std=c++17", f"-I{folder}"]))
    return Kernel(program, module, places)


def _cut(source: str, arrays: Sequence[str]) -> str:
    """The emulator with tensors stored elsewhere than where they are read.

    A place that this missed would read what is not a result of its own, and not be proved.
    """
    compute = "template <bool traced> INLINE void Block::compute([[maybe_unused]] Passing *passing) {"
    before, _, after = source.partition(compute)
    body, end, rest = after.partition("\n}\n")
    body = re.sub(
        r"const (\w+) (\w+) = ([^;]*);\s*if \(traced\) passing->([^=;]*?) = \2;",
        r"passing->\4 = \3; const \1 \2 = given.\4;",
        body,
    )
    for name in arrays:
        body = re.sub(rf"^(\s*){name}((?:\[[^\]]*\])+) = ", rf"\1results.{name}\2 = ", body, flags=re.MULTILINE)
    objects = "static Block results;\nstatic Passing given;\n\n"
    return before + objects + compute + body + end + rest


def _in_folder(path: Path, flags: Sequence[str]) -> list[str]:
    return [f"-I{path / flag[2:]}" if flag.startswith("-I") else flag for flag in flags]


def _places(program: Program, tensors: Sequence[str]) -> dict[str, int]:
    places, first = {}, 0
    for tensor in tensors:
        places[tensor] = first
        first += math.prod(program.shapes[tensor])
    return places
