"""Proofs of the Verilog of models, cut to a few constituents, as rows of the report and as a part of its page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nanopelican_hls.contract.fewer import with_constituents
from nanopelican_hls.contract.program import Program
from nanopelican_hls.markdown import table
from nanopelican_hls.rtl.project import generate_rtl
from nanopelican_hls.rtl.settings import open_settings
from nanopelican_hls.solver.proving import TensorProof
from nanopelican_hls.solver.rows import digest, result_cells, result_of
from nanopelican_hls.solver.verilog import prove_verilog, verilog_netlist

#: of the pipelining
CLOCK_PERIOD_NS = 2.7777
#: constituents that the models are cut to
CONSTITUENTS = 3
#: initiation intervals: a jet in every clock cycle, and the ring
INTERVALS = (1, 2)
#: of the package, that make or prove it, and packages that do
ROOMS = ("operators", "rtl", "solver", "firmware_templates", "contract")
TOOLS = ("alkaid", "pyosys", "bitwuzla", "numpy")


def verilog_digest(program: Program) -> str:
    """Of a model, and of everything in the package that makes or proves its Verilog."""
    return digest(program, ROOMS, (".py", ".v"), TOOLS)


def verilog_row(
    program: Program, interval: int, folder: Path, limit_s: float, progress: Callable[[str], object]
) -> dict[str, Any]:
    """What a row tells of the Verilog of a program, cut to `CONSTITUENTS`, against its operators, layer by layer.

    Parameters
    ----------
    program : Program
    interval : int
        Initiation interval, in clock cycles.
    folder : Path
        For the Verilog.
    limit_s : float
        Time for one statement, in seconds.
    progress : callable
        Called before each tensor with its name.
    """

    def prove() -> list[TensorProof]:
        small = with_constituents(program, CONSTITUENTS)
        settings = open_settings(CLOCK_PERIOD_NS, interval=interval)
        project = generate_rtl(small, folder, settings=settings, probes=True)
        return prove_verilog(small, project, verilog_netlist(project), limit_s, progress)

    return {"constituents": CONSTITUENTS} | result_of(prove)


def verilog_page(rows: Sequence[Mapping[str, Any]]) -> str:
    """The part of the page on Verilog: a line for each model and interval, and one for each layer."""
    models = [
        [
            row["model"],
            row["interval"],
            len(row["tensors"]),
            sum(t["elements"] for t in row["tensors"]),
            sum(t["proved"] for t in row["tensors"]),
            f"{row['limit_s']:g}",
            *result_cells(row),
        ]
        for row in rows
    ]
    layers = [
        [
            row["model"],
            row["interval"],
            one["tensor"],
            one["operator"],
            one["elements"],
            one["proved"],
            *result_cells(one, 1),
        ]
        for row in rows
        for one in row["tensors"]
    ]
    text = (
        f"\n## Verilog\n\nEach layer of the Verilog of these models, cut to N = {CONSTITUENTS}, against the operator's "
        "definition, for all values of its inputs; interval 2 is the ring. "
        "[How to read it](../docs/proof.md#verilog).\n\n"
    )
    text += (
        table(["model", "interval", "layers", "integers", "proved", "limit in s", "s", "result", "reason"], models)
        + "\n\n"
    )
    head = ["model", "interval", "tensor", "operator", "integers", "proved", "s", "result", "reason"]
    return text + table(head, layers) + "\n"
