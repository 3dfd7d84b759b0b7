"""What the hardware of a program consists of, piece by piece, without any tool: what an estimate is made from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from nanopelican_hls.contract.program import Program
from nanopelican_hls.rtl import fabric, products
from nanopelican_hls.rtl.architecture import Settings, build
from nanopelican_hls.rtl.netlist import Netlist, piece_name
from nanopelican_hls.rtl.piece import Costs, Piece
from nanopelican_hls.rtl.schedule import Time

PREFIX = "p"


@dataclass(frozen=True)
class PieceCounts:
    """All instances of one piece, with the same name as in `MappedCells.pieces`.

    Attributes
    ----------
    name : of the tensor that it gives, or of the hand-written module.
    instances : how often it stands in the design.
    cycle : the clock cycle in which its first result is there; None for the hand-written ones.
    costs : of all of its instances together.
    dsp : DSPs.
    """

    name: str
    instances: int
    cycle: int | None
    costs: Costs
    dsp: int = 0


def piece_counts(program: Program, settings: Settings) -> list[PieceCounts]:
    """Counts of the pieces of a program's hardware, in seconds.

    Shift registers between pieces are the piece ``delay``, with their bits times cycles as `register_bits`.
    """
    netlist, _ = build(program, PREFIX, settings)
    instances = netlist.count()
    variants: dict[str, list[tuple[int, Piece]]] = defaultdict(list)
    for module, piece in netlist.pieces.items():
        if instances[module]:
            variants[piece_name(module, PREFIX)].append((instances[module], piece))
    takes_dsps = settings.products == "dsp"
    counts = [_traced(name, found, takes_dsps) for name, found in variants.items()]
    return counts + _written_by_hand(netlist)


def _traced(name: str, variants: list[tuple[int, Piece]], takes_dsps: bool) -> PieceCounts:
    ready: list[Time] = [time for _, piece in variants for time in piece.ready]
    total = Costs(
        adder_bits=sum(count * piece.costs.adder_bits for count, piece in variants),
        products=tuple(pair for count, piece in variants for pair in piece.costs.products * count),
        table_bits=sum(count * piece.costs.table_bits for count, piece in variants),
        register_bits=sum(count * piece.costs.register_bits for count, piece in variants),
    )
    instances = sum(count for count, _ in variants)
    return PieceCounts(name, instances, min(ready).cycle, total, total.dsps if takes_dsps else 0)


def _written_by_hand(netlist: Netlist) -> list[PieceCounts]:
    counts = []
    in_dsp = [instance for instance in netlist.instances if instance.module == products.MODULE]
    in_fabric = [instance for instance in netlist.instances if instance.module == fabric.MODULE]
    for module, found, dsp in ((products.MODULE, in_dsp, 1), (fabric.MODULE, in_fabric, 0)):
        if found:
            widths = tuple((i.parameters["A_WIDTH"], i.parameters["B_WIDTH"]) for i in found)
            counts.append(
                PieceCounts(piece_name(module, PREFIX), len(found), None, Costs(products=widths), dsp * len(found))
            )
    delays = netlist.delays()
    bits = sum(width * cycles for _, _, width, cycles in delays)
    return [*counts, PieceCounts("delay", len(delays), None, Costs(register_bits=bits))]
