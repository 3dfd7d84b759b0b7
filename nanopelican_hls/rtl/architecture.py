"""A program of the contract as hardware: which pieces there are, how often, and what is wired to what (docs/rtl.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from nanopelican_hls.contract.program import Program
from nanopelican_hls.rtl import products, rules
from nanopelican_hls.rtl.netlist import Netlist
from nanopelican_hls.rtl.piece import Number
from nanopelican_hls.rtl.piece_builder import PieceBuilder, Values
from nanopelican_hls.rtl.rule import add_hardware
from nanopelican_hls.rtl.schedule import Time
from nanopelican_hls.rtl.settings import Settings

assert rules  # registers what it holds


def build(program: Program, prefix: str, settings: Settings) -> tuple[Netlist, Mapping[str, Values]]:
    """The hardware of a program, and its tensors; ports are nets ``<tensor>_<element>``, registered, in cycle 0."""
    netlist, tensors = _built(program, prefix, settings)
    excess = 0 if settings.most_dsps is None else dsps(netlist, settings).total() - settings.most_dsps
    return (netlist, tensors) if excess <= 0 else _built(program, prefix, settings, excess)


def _built(
    program: Program, prefix: str, settings: Settings, spared_dsps: int = 0
) -> tuple[Netlist, Mapping[str, Values]]:
    netlist = Netlist(prefix, settings.levels_per_stage)
    builder = PieceBuilder(program, netlist, settings, spared_dsps)
    for port in program.inputs:
        number = Number(port.quantiser.range, port.bits, port.signed)
        words = [netlist.wire(f"{port.tensor}_{k}", number, Time(0, 0.0)) for k in range(port.elements)]
        builder.store(port.tensor, range(len(words)), words)
        builder.done.add(port.tensor)
    for node in program.nodes:
        if node.output not in builder.done:
            add_hardware(node.operator, node, builder)
    return netlist, builder.tensors


def dsps(netlist: Netlist, settings: Settings) -> Counter[str]:
    """By module, of all its instances: of products of momenta, and of traced pieces, which convert trigger words."""
    if settings.products != "dsp":
        return Counter()
    of_one = {products.MODULE: 1} | {module: piece.costs.dsps for module, piece in netlist.pieces.items()}
    return Counter({module: count * of_one.get(module, 0) for module, count in netlist.count().items()})
