"""The hardware of a program: its pieces, their instances, and how they are connected (docs/rtl.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nanopelican_hls.contract.port import Port
from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import RtlError
from nanopelican_hls.rtl import products, rules
from nanopelican_hls.rtl.arrival import Arrival
from nanopelican_hls.rtl.masking import Padding
from nanopelican_hls.rtl.netlist import Netlist, Value, Word, in_phase
from nanopelican_hls.rtl.piece import Number
from nanopelican_hls.rtl.piece_builder import PieceBuilder, Values
from nanopelican_hls.rtl.rule import add_hardware
from nanopelican_hls.rtl.schedule import Time
from nanopelican_hls.rtl.settings import Settings

assert rules  # importing it registers the rules


@dataclass(frozen=True)
class Hardware:
    """The hardware of a program.

    Attributes
    ----------
    netlist : Netlist
    tensors : elements of each tensor that exists as nets, by name; tensors inside a piece do not.
    interval : the initiation interval that it keeps, in clock cycles.
    padding : by tensor, what padded particles have instead of the contract's value; no output depends on it.
    arrival : when the inputs come.
    """

    netlist: Netlist
    tensors: Mapping[str, Values]
    padding: Mapping[str, Padding]
    interval: int
    arrival: Arrival

    def words(self, tensors: Iterable[str]) -> list[Word]:
        """The elements of tensors that are not constant."""
        return [value for tensor in tensors for value in self.tensors[tensor].ravel() if isinstance(value, Word)]


def build(program: Program, prefix: str, settings: Settings) -> Hardware:
    """Build the hardware of a program; registered inputs are nets ``<tensor>_<element>`` in cycle 0.

    Raises
    ------
    RtlError
        If all outputs are constant, the hardware of so many constituents cannot have the interval, or it needs more
        DSPs than it may have.
    """
    hardware = _built(program, prefix, settings)
    most = settings.most_dsps
    if most is not None and (excess := dsps(hardware.netlist, settings).total() - most) > 0:
        hardware = _built(program, prefix, settings, excess)
        if (needed := dsps(hardware.netlist, settings).total()) > most:  # those that convert trigger words
            raise RtlError(
                f"is too few: the conversion of trigger words takes {needed}",
                where=f"most DSPs = {most}",
                remedy=f"allow {needed}, or have no DSP at all (--products fabric)",
            )
    if not hardware.words(port.tensor for port in program.outputs):
        names = ", ".join(port.name for port in program.outputs)
        raise RtlError(f"gives the same {names} for every jet", where="network", remedy="train it again")
    return hardware


def _built(program: Program, prefix: str, settings: Settings, spared_dsps: int = 0) -> Hardware:
    netlist = Netlist(prefix, settings.levels_per_stage)
    builder = PieceBuilder(program, netlist, settings, spared_dsps)
    for port in program.inputs:
        builder.store(port.tensor, range(port.elements), _registered(port, netlist, builder.sharing.arrival))
        builder.done.add(port.tensor)
    for node in program.nodes:
        if node.output not in builder.done:
            netlist.node = node.output
            add_hardware(node.operator, node, builder)
    netlist.triplicated = _triplicated(program, netlist, settings.tmr)
    return Hardware(netlist, builder.tensors, builder.padding, builder.sharing.cycles, builder.sharing.arrival)


def _triplicated(program: Program, netlist: Netlist, tmr: str) -> frozenset[str]:
    """Modules of which each instance stands in three copies.

    With ``weights`` these are the pieces of nodes that have parameters, in whose logic these are folded; with ``state``
    the DSPs, inside which no voter can be.
    """
    if tmr == "state":
        return frozenset({products.MODULE})
    if tmr == "weights":
        with_parameters = {node.output for node in program.nodes if node.parameters}
        return frozenset(module for module in netlist.pieces if netlist.parts[module].node in with_parameters)
    return frozenset()


def _registered(port: Port, netlist: Netlist, arrival: Arrival) -> list[Value]:
    """The elements of a port, each in the register of its lane."""
    number, lanes = Number(port.quantiser.range, port.bits, port.signed), arrival.lanes(port)
    words = [netlist.wire(f"{port.tensor}_{k}", number, Time(0, 0.0)) for k in range(lanes)]
    for k, word in enumerate(words):
        netlist.unregistered[word.net] = f"{port.tensor}[{(k + 1) * port.bits - 1}:{k * port.bits}]"
    if lanes == port.elements:
        return list(words)
    return [in_phase([words[k % lanes]], k // lanes)[0] for k in range(port.elements)]


def dsps(netlist: Netlist, settings: Settings) -> Counter[str]:
    """DSPs by module, for all of its instances: momentum products, and pieces that convert trigger words."""
    if settings.products != "dsp":
        return Counter()
    of_one = {products.MODULE: 1} | {module: piece.costs.dsps for module, piece in netlist.pieces.items()}
    return Counter({module: count * of_one.get(module, 0) for module, count in netlist.count().items()})
