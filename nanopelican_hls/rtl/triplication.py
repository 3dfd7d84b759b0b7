"""Triple modular redundancy: copies with majority voters, against single-event upsets (docs/upsets.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from nanopelican_hls.contract.port import Port
from nanopelican_hls.contract.program import Program

if TYPE_CHECKING:
    from nanopelican_hls.rtl.netlist import Instance, Netlist

COPIES = range(3)
VOTER = "nanopelican_voter"
PRODUCT = "nanopelican_product"
#: files that take the place of others, by form; with a voter in all of them
REPLACED = {"state": {"nanopelican_register": "triplicated_register"}}
#: a DSP's input that comes straight from the one before: copies have cascades of their own
CASCADE = "pcin"
#: synthesis would merge equal modules
KEPT = '(* DONT_TOUCH = "TRUE" *)'


def templates(modules: Iterable[str], tmr: str) -> dict[str, str]:
    """The name of each hand-written module's file in firmware/templates, by module."""
    files = dict.fromkeys(modules, "") if tmr == "none" else dict.fromkeys([*modules, VOTER], "")
    return {module: REPLACED.get(tmr, {}).get(module, module) for module in files}


def triplicated_modules(program: Program, netlist: Netlist, tmr: str) -> frozenset[str]:
    """Modules of which each instance stands in three copies.

    With ``weights`` these are the pieces of nodes that have parameters, in whose logic these are folded; with ``state``
    the DSPs, inside which no voter can be.
    """
    if tmr == "state":
        return frozenset({PRODUCT})
    if tmr == "weights":
        with_parameters = {node.output for node in program.nodes if node.parameters}
        return frozenset(module for module in netlist.pieces if netlist.parts[module].node in with_parameters)
    return frozenset()


def copies(instance: Instance, widths: Mapping[str, int]) -> list[str]:
    """Three copies of an instance and a voter for each of its outputs, by lines of Verilog."""
    outputs = [net for port, net in instance.nets.items() if _is_output(port)]
    lines = [f"wire [{widths[net] - 1}:0] {net}_copy{k};" for net in outputs for k in COPIES]
    for k in COPIES:
        nets = {
            port: f"{net}_copy{k}" if net in outputs or (port == CASCADE and net in widths) else net
            for port, net in instance.nets.items()
        }
        lines.append(f"{KEPT} {instance.renamed(f'{instance.name}_copy{k}', nets).verilog()}")
    return lines + [voter(net, widths[net], [f"{net}_copy{k}" for k in COPIES]) for net in outputs]


def voter(net: str, width: int, three: Sequence[str]) -> str:
    """A voter that drives a net."""
    a, b, c = three
    return f"{VOTER} #(.WIDTH({width})) u_{net}_voter (.a({a}), .b({b}), .c({c}), .y({net}));"


def three_of(module: str, inputs: Sequence[str], outputs: Sequence[Port]) -> list[str]:
    """The body of a module that is three copies of another one with the same ports."""
    lines = [f"wire [{port.width - 1}:0] {port.name}_copy{k};" for port in outputs for k in COPIES]
    for k in COPIES:
        ports = [f".{name}({name})" for name in inputs] + [f".{port.name}({port.name}_copy{k})" for port in outputs]
        lines.append(f"{KEPT} {module} copy{k} ({', '.join(ports)});")
    return lines + [voter(port.name, port.width, [f"{port.name}_copy{k}" for k in COPIES]) for port in outputs]


def _is_output(port: str) -> bool:
    return port in ("p", "pcout") or (port.startswith("y") and port[1:].isdigit())
