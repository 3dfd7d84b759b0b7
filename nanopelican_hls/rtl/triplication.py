"""Triple modular redundancy: copies with majority voters, against single-event upsets (docs/upsets.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nanopelican_hls.contract.port import Port

COPIES = range(3)
VOTER = "nanopelican_voter"
#: files that take the place of others, by form; with a voter in all of them
REPLACED = {"state": {"nanopelican_register": "triplicated_register"}}
#: synthesis would merge equal modules
KEPT = '(* DONT_TOUCH = "TRUE" *)'


def templates(modules: Iterable[str], tmr: str) -> dict[str, str]:
    """The name of each hand-written module's file in firmware/templates, by module."""
    used = modules if tmr == "none" else [*modules, VOTER]
    return {module: REPLACED.get(tmr, {}).get(module, module) for module in used}


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
