"""Counts of what the hardware of a program consists of, piece by piece, without any tool: the basis of estimates."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from nanopelican_hls.contract.program import Program
from nanopelican_hls.rtl import fabric, products
from nanopelican_hls.rtl.hardware import build, dsps
from nanopelican_hls.rtl.netlist import Netlist
from nanopelican_hls.rtl.piece import Costs, Piece
from nanopelican_hls.rtl.schedule import Time
from nanopelican_hls.rtl.settings import Settings

PREFIX = "p"


@dataclass(frozen=True)
class PieceCounts:
    """All instances of one piece, under the same name as in `MappedCells.pieces`.

    Attributes
    ----------
    name : output tensor of the piece, or hand-written module.
    instances : number of instances in the design.
    cycle : clock cycle in which its first result is ready; None for hand-written modules.
    costs : total of all instances.
    dsp : number of DSPs of all instances.
    """

    name: str
    instances: int
    cycle: int | None
    costs: Costs
    dsp: int = 0


def piece_counts(program: Program, settings: Settings) -> list[PieceCounts]:
    """Count the pieces of a program's hardware; takes seconds.

    Shift registers between pieces are listed as the piece ``delay``, with bits times cycles as `register_bits`.
    """
    netlist = build(program, PREFIX, settings).netlist
    instances, in_dsps = netlist.count(), dsps(netlist, settings)
    variants: dict[str, list[str]] = defaultdict(list)
    for module in netlist.pieces:
        if instances[module]:
            variants[netlist.parts[module].name].append(module)
    counts = [
        _traced(name, [(instances[m], netlist.pieces[m]) for m in modules], sum(in_dsps[m] for m in modules))
        for name, modules in variants.items()
    ]
    return counts + _written_by_hand(netlist, in_dsps)


def _traced(name: str, variants: list[tuple[int, Piece]], dsp: int) -> PieceCounts:
    ready: list[Time] = [time for _, piece in variants for time in piece.ready]
    total = Costs(
        adder_bits=sum(count * piece.costs.adder_bits for count, piece in variants),
        products=tuple(pair for count, piece in variants for pair in piece.costs.products * count),
        table_bits=sum(count * piece.costs.table_bits for count, piece in variants),
        register_bits=sum(count * piece.costs.register_bits for count, piece in variants),
    )
    return PieceCounts(name, sum(count for count, _ in variants), min(ready).cycle, total, dsp)


def _written_by_hand(netlist: Netlist, in_dsps: Counter[str]) -> list[PieceCounts]:
    counts = []
    for module in (products.MODULE, fabric.MODULE):
        widths = tuple(
            (i.parameters["A_WIDTH"], i.parameters["B_WIDTH"]) for i in netlist.instances if i.module == module
        )
        if widths:
            costs = Costs(products=widths)
            counts.append(PieceCounts(netlist.parts[module].name, len(widths), None, costs, in_dsps[module]))
    delays = netlist.delays()
    bits = sum(width * cycles for _, _, width, cycles in delays)
    return [*counts, PieceCounts("delay", len(delays), None, Costs(register_bits=bits))]
