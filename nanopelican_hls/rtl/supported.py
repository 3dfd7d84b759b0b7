"""Programs inside the contract of which no Verilog can be written; refused by name before anything is generated."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import RtlError
from nanopelican_hls.operators.particle_mask import ParticleMask
from nanopelican_hls.rtl.tournament import Tournament

#: of Verilog-2001 and of VHDL-93, in lower case; and what the top module has besides tensors
_WORDS = """
    always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign default defparam
    design disable edge else end endcase endconfig endfunction endgenerate endmodule endprimitive endspecify endtable
    endtask event for force forever fork function generate genvar highz0 highz1 if ifnone incdir include initial inout
    input instance integer join large liblist library localparam macromodule medium module nand negedge nmos nor
    noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1 pulldown pullup
    pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release repeat rnmos rpmos rtran rtranif0 rtranif1
    scalared showcancelled signed small specify specparam strong0 strong1 supply0 supply1 table task time tran tranif0
    tranif1 tri tri0 tri1 triand trior trireg unsigned use vectored wait wand weak0 weak1 while wire wor xnor xor
    abs access after alias all architecture array assert attribute block body buffer bus component configuration
    constant disconnect downto elsif entity exit file generic group guarded impure in inertial is label linkage
    literal loop map mod new next null of on open others out package port postponed procedure process pure range
    record register reject rem report return rol ror select severity shared signal sla sll sra srl subtype then to
    transport type unaffected units until variable when with
    clk rst start valid early start_in accepted busy
"""
RESERVED = frozenset(_WORDS.split())
#: most constituents that were tried with a larger interval than 1
MOST_CONSTITUENTS = 128


def check_supported(program: Program) -> None:
    """Refuse names that are not Verilog's, outputs that are ports, and several masks.

    Raises
    ------
    RtlError
        With the tensor or node.
    """
    for tensor in _names(program):
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", tensor) or tensor.lower() in RESERVED:
            raise RtlError(
                "is no name of Verilog",
                where=f"tensor {tensor!r}",
                remedy="give it letters, digits and '_' and no keyword (qonnx: GiveReadableTensorNames)",
            )
    ports = {port.tensor for port in program.inputs}
    for port in program.outputs:
        if port.tensor in ports:
            raise RtlError(
                "is the tensor of a port",
                where=f"graph output {port.name!r}",
                remedy="output only tensors that an operator computes",
            )
    masks = [node.output for node in program.nodes if isinstance(node.operator, ParticleMask)]
    if len(masks) > 1:
        raise RtlError(
            f"is a second mask, besides {masks[0]!r}",
            where=f"tensor {masks[1]!r}",
            remedy="let all operators read one mask",
        )


def constituents_sharing(program: Program, interval: int) -> int:
    """Number of constituents: elements of the largest port.

    Raises
    ------
    RtlError
        If the interval is no number of clock cycles, or they cannot share hardware in it.
    """
    count = max(port.elements for port in program.inputs)
    where, most = f"interval = {interval!r}", Tournament(count, interval=1).circle
    if isinstance(interval, bool) or not isinstance(interval, int) or interval < 1:
        raise RtlError("is no number of clock cycles", where=where, remedy="use 1 or more")
    if interval > most:
        raise RtlError(
            f"is more than the {most} rounds in which {count} constituents meet",
            where=where,
            remedy=f"use at most {most}",
        )
    if interval > 1 and count > MOST_CONSTITUENTS:
        raise RtlError(
            f"is for at most {MOST_CONSTITUENTS} constituents, not {count}", where=where, remedy="use an interval of 1"
        )
    return count


def _names(program: Program) -> Iterator[str]:
    """Every name that the Verilog uses."""
    yield from (port.tensor for port in (*program.inputs, *program.outputs))
    yield from (node.output for node in program.nodes)
