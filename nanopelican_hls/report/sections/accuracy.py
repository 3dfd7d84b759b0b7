"""Bit accuracy: whether all executors compute the integers of the QONNX file, tensor by tensor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nanopelican_hls.report.content import Block, Cell, Column, Missing, Paragraph, Section, Table
from nanopelican_hls.report.subject import Subject

#: what `nanopelican csim` compares with QONNX execution
EXECUTORS = {
    "brevitas": "Brevitas, in training's framework",
    "csim": "HLS C++ (hls4ml), compiled by g++",
    "emulator": "plain-integer emulator",
    "rtl": "Verilog, simulated by Verilator",
}
#: their names above columns
SHORT = {"brevitas": "Brevitas", "csim": "HLS C++", "emulator": "emulator", "rtl": "Verilog"}


def section(subject: Subject) -> Section:
    return Section(
        "accuracy",
        "Bit accuracy",
        "Does the firmware compute exactly what the QONNX file says, at every tensor?",
        tuple(_blocks(subject)),
    )


def mismatches(subject: Subject) -> int | None:
    """Events that differ, in the files of the build folder; None if there are none or they are stale."""
    counts = []
    if subject.csim and not subject.is_stale(subject.csim):
        counts += [*subject.csim["mismatches"].values(), *subject.csim["hostile"]["mismatches"].values()]
        counts.append(subject.csim["testbench"]["mismatches"])
    if subject.synth and subject.synth.get("rtl_vs_qonnx") and not subject.is_stale(subject.synth):
        counts.append(subject.synth["rtl_vs_qonnx"]["mismatches"])
    return sum(counts) if counts else None


def compared(subject: Subject) -> list[str]:
    """What `mismatches` counts: the executors that were compared with QONNX execution."""
    found = []
    if subject.csim and not subject.is_stale(subject.csim):
        found = [short for name, short in SHORT.items() if f"{name}_vs_qonnx" in subject.csim["mismatches"]]
    if subject.synth and subject.synth.get("rtl_vs_qonnx") and not subject.is_stale(subject.synth):
        found.append(SHORT["rtl"])
    return list(dict.fromkeys(found))


def _blocks(subject: Subject) -> list[Block]:
    found, synth = subject.csim, subject.synth
    if found and subject.is_stale(found):
        return [Missing("csim.json in the build folder is of another QONNX graph", subject.csim_command)]
    blocks: list[Block] = []
    if not found:
        blocks.append(Missing("The executors have not been compared", subject.csim_command))
    rows = _rows(subject, found, synth)
    if rows:
        blocks.append(
            Table(
                "executors",
                "Events in which any tensor differs, as integers, from QONNX execution. Hostile events are made to "
                "round to ties, saturate and overflow wherever the program can.",
                (
                    Column("executor"),
                    Column("tensors compared"),
                    Column("jets"),
                    Column("differ"),
                    Column("hostile events"),
                    Column("of them differ"),
                    Column("compared by"),
                ),
                tuple(rows),
                subject.csim_source,
            )
        )
    if found:
        blocks += _of_tensors(subject, found)
        blocks += [Paragraph(f"First difference: {line}") for line in found.get("first_mismatch", [])]
        blocks.append(_ends(subject, found["hostile"]))
    if found and "rtl_vs_qonnx" not in found["mismatches"] and not (synth and synth.get("rtl_vs_qonnx")):
        blocks.append(Missing("The Verilog has not been simulated", f"{subject.csim_command} --rtl"))
    return blocks


def _ends(subject: Subject, hostile: Mapping[str, Any]) -> Table:
    """Which ends of quantisers the hostile events go beyond; an end is written as the tensor and its sign."""

    def tensors(ends: list[str], sign: str) -> str:
        return ", ".join(end.removesuffix(sign) for end in ends if end.endswith(sign)) or "none"

    kinds = {
        "saturate": hostile["saturated"],
        "could saturate, but did not": hostile["unsaturated"],
        "never saturate, whatever the input": hostile["unreachable"],
    }
    return Table(
        "ends",
        f"Ends of the types of quantisers that saturate in the hostile events ({len(hostile['saturated'])}): tensors "
        "with values above the highest, and below the lowest, that the type holds",
        (Column("ends that"), Column("upper end of"), Column("lower end of")),
        tuple((kind, tensors(ends, "+"), tensors(ends, "-")) for kind, ends in kinds.items()),
        subject.csim_source,
    )


def _rows(subject: Subject, found: Mapping[str, Any] | None, synth: Mapping[str, Any] | None) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    if found:
        hostile, by_tensor = found["hostile"], found.get("mismatches_by_tensor", {})
        for name, title in EXECUTORS.items():
            key = f"{name}_vs_qonnx"
            if key in found["mismatches"]:
                # files of older versions do not say which
                tensors = len(by_tensor[key]) if key in by_tensor else None
                events = (found["events"], found["mismatches"][key], hostile["events"], hostile["mismatches"][key])
                rows.append((title, tensors, *events, "nanopelican csim"))
        bench = found["testbench"]
        rows.append(
            ("HLS test bench, C++ alone", 1, bench["events"], bench["mismatches"], None, None, "nanopelican csim")
        )
    if synth and synth.get("rtl_vs_qonnx") and not subject.is_stale(synth):
        of = synth["rtl_vs_qonnx"]
        title = "Verilog, jets and hostile events together" if synth["flow"] == "open" else "Verilog of Vitis HLS"
        rows.append(
            (title, len(subject.program.outputs), of["events"], of["mismatches"], None, None, "nanopelican synth")
        )
    return rows


def _of_tensors(subject: Subject, found: Mapping[str, Any]) -> list[Block]:
    """Every tensor in every executor: jets and hostile events that differ."""
    on_jets = found.get("mismatches_by_tensor")
    if not on_jets:
        return []
    on_hostile = found["hostile"]["mismatches_by_tensor"]
    keys = [f"{name}_vs_qonnx" for name in EXECUTORS if f"{name}_vs_qonnx" in on_jets]
    rows = []
    for tensor in subject.program.ranges:
        cells = [on_jets[key][tensor] + on_hostile[key][tensor] if tensor in on_jets[key] else None for key in keys]
        rows.append((tensor, *cells))
    return [
        Table(
            "by_tensor",
            "Events, jets and hostile ones together, in which a tensor differs; - : the executor does not show this "
            "tensor.",
            (Column("tensor"), *(Column(SHORT[key.removesuffix("_vs_qonnx")]) for key in keys)),
            tuple(rows),
            subject.csim_source,
            folded=True,
        )
    ]
