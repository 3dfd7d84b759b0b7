"""The top module of a design: ports, port registers, control, instances and nets."""

from __future__ import annotations

from collections.abc import Sequence

from nanopelican_hls.contract.port import Port
from nanopelican_hls.rtl.hardware import Hardware
from nanopelican_hls.rtl.netlist import ACCEPTED, START, Value, Word
from nanopelican_hls.rtl.triplication import three_of

#: flags that go out
FLAGS = tuple(Port(name, name, (1,), 1, False, 0) for name in ("valid", "early"))


class TopModule:
    """The top module; ports are registered and named after their tensors, outputs of an event appear together.

    ``start`` is 1 in the cycle with an event's inputs, ``valid`` in that with its outputs. A start that comes too soon
    after an event is dropped, and ``early`` is 1 in the cycle after it. ``rst`` drops the events under way. Inputs that
    come in several cycles (`Arrival`) follow ``start`` without a gap.

    Parameters
    ----------
    name : str
    hardware : Hardware
    inputs, outputs : sequence of Port
    """

    def __init__(self, name: str, hardware: Hardware, inputs: Sequence[Port], outputs: Sequence[Port]) -> None:
        self.name, self.hardware, self.outputs = name, hardware, outputs
        self.inputs = [hardware.arrival.on_top(port) for port in inputs]
        self.interval = hardware.interval
        self._last = max(word.time.cycle for word in hardware.words(port.tensor for port in outputs))

    @property
    def latency_cycles(self) -> int:
        """Clock edges from the one that samples an event to the one that outputs its results."""
        return self._last + 1

    def modules(self, probes: Sequence[Port] = (), in_copies: bool = False) -> dict[str, str]:
        """The Verilog modules, by name: one, or the top module with three copies of it and voters.

        Parameters
        ----------
        probes : sequence of Port
            Debug outputs of internal tensors, each element in its own cycle.
        in_copies : bool
        """
        if not in_copies:
            return {self.name: self._module(self.name, probes, self._body(probes))}
        one = f"{self.name}_copy"
        inputs = ["clk", "rst", "start", *(port.tensor for port in self.inputs)]
        body = three_of(one, inputs, [*self.outputs, *probes, *FLAGS])
        return {one: self._module(one, probes, self._body(probes)), self.name: self._module(self.name, probes, body)}

    def _body(self, probes: Sequence[Port]) -> list[str]:
        netlist = self.hardware.netlist
        results = {port: self._packed(port, self._last) for port in self.outputs}  # may add shift registers
        valid = netlist.at(START, self._last)
        busy = " | ".join(netlist.at(START, cycle) for cycle in range(self.interval - 1)) or "1'b0"
        shown = [f"assign {port.name} = {self._packed(port)};" for port in probes]
        lines = [*netlist.declarations(), *netlist.body(), *shown]
        lines += [
            f"nanopelican_delay #(.WIDTH({netlist.wires[net]})) u_{net}_in "
            f"(.clk(clk), .x({netlist.unregistered[net]}), .y({net}));"
            for net in netlist.registered([*shown, *results.values()])
        ]
        lines += [
            f"wire busy = {busy};",
            f"assign {ACCEPTED} = start & ~busy;",
            f"nanopelican_control u_start_in (.clk(clk), .rst(rst), .x({ACCEPTED}), .y({START.net}));",
            "nanopelican_control u_early (.clk(clk), .rst(rst), .x(start & busy), .y(early));",
            f"nanopelican_control u_valid (.clk(clk), .rst(rst), .x({valid}), .y(valid));",
        ]
        lines += [
            f"nanopelican_delay #(.WIDTH({port.width})) u_{port.name}_out (.clk(clk), .x({result}), .y({port.name}));"
            for port, result in results.items()
        ]
        return lines

    def _module(self, name: str, probes: Sequence[Port], body: Sequence[str]) -> str:
        """A module with the ports of the top module."""
        comments = [
            f"// {port.tensor}: {port.elements} x {port.bits} bits, {'signed' if port.signed else 'unsigned'}, "
            f"in units of 2^{port.exponent}"
            for port in (*self.inputs, *self.outputs)
        ]
        ports = [
            "input wire clk",
            "input wire rst",
            "input wire start",
            *(f"input wire [{port.width - 1}:0] {port.tensor}" for port in self.inputs),
            *(f"output wire [{port.width - 1}:0] {port.name}" for port in (*self.outputs, *probes)),
            *(f"output wire {flag.name}" for flag in FLAGS),
        ]
        rate = "clock cycle" if self.interval == 1 else f"{self.interval} clock cycles"
        head = [
            *comments,
            f"// latency {self.latency_cycles} cycles from start to valid; at most an event every {rate}",
            f"module {name} (",
            ",\n".join(f"    {port}" for port in ports),
            ");",
        ]
        return "\n".join([*head, *(f"    {line}" for line in body), "endmodule", ""])

    def _packed(self, port: Port, cycle: int | None = None) -> str:
        """All elements concatenated, the first in the lowest bits; in one clock cycle, or each in its own."""
        values = self.hardware.tensors[port.tensor].ravel()
        return f"{{{', '.join(self._element(port, value, cycle) for value in reversed(values))}}}"

    def _element(self, port: Port, value: Value, cycle: int | None) -> str:
        """An element, extended to the width of its port."""
        if not isinstance(value, Word):
            return f"{port.bits}'d{int(value / 2.0**port.exponent) % (1 << port.bits)}"
        net = value.net if cycle is None else self.hardware.netlist.at(value, cycle)
        return value.number.on(net).extended(port.exponent, port.bits)


def strict(module: str) -> str:
    """Make undeclared nets an error; the default is restored, since alkaid's primitives need it."""
    return f"`default_nettype none\n{module}`default_nettype wire\n"
