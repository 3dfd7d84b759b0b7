"""One traced piece of the hardware: a Verilog module with its pipeline registers, and its cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nanopelican_hls.errors import RtlError
from nanopelican_hls.fixed_point import FixedRange, grid_exponent
from nanopelican_hls.rtl.alkaid_adapter import CombLogic, Opcode, QInterval, as_piece, patched, table_entries
from nanopelican_hls.rtl.circuit import circuit
from nanopelican_hls.rtl.schedule import Operation, Time, stages
from nanopelican_hls.rtl.sums import TABLE_LEVELS
from nanopelican_hls.rtl.symbolic import Symbolic
from nanopelican_hls.rtl.verilog import REPORT, Net, Step, statement, table_module

#: width of the narrowest product for which Yosys uses a DSP (synth_xilinx: DSP_Y_MINWIDTH)
LEAST_DSP_BITS = 9


@dataclass(frozen=True)
class Number:
    """The type of a number on a net: its width and sign, and the range of values that occur."""

    values: FixedRange
    bits: int
    signed: bool

    @classmethod
    def of(cls, bounds: QInterval) -> Number:
        signed, integers, fraction = bounds.kif
        low, high = (int(bound / bounds.step) for bound in (bounds.min, bounds.max))
        exponent = grid_exponent(bounds.step)
        return cls(FixedRange(low, high, exponent), int(signed + integers + fraction), bool(signed))

    @property
    def exponent(self) -> int:
        return self.values.exponent

    @property
    def type(self) -> FixedRange:
        """The full range that the bits can represent."""
        low = -(1 << (self.bits - 1)) if self.signed else 0
        return FixedRange(low, (1 << (self.bits - self.signed)) - 1, self.exponent)

    def on(self, net: str) -> Net:
        """A net of this type."""
        return Net(net, self.bits, self.signed, self.exponent)


@dataclass(frozen=True)
class Costs:
    """What one instance of a piece consists of, before mapping.

    Attributes
    ----------
    adder_bits : bits of all adders; a ternary adder counts once.
    products : operand widths of each product.
    table_bits : entries times width of all tables.
    register_bits : bits of its pipeline registers.
    """

    adder_bits: int = 0
    products: tuple[tuple[int, int], ...] = ()
    table_bits: int = 0
    register_bits: int = 0

    @property
    def dsps(self) -> int:
        """DSP48E2 that Yosys uses for the products: it splits those wider than 27 by 18 bits, signed, and narrow ones
        are in LUTs.
        """
        wide = [widths for widths in self.products if sum(widths) >= LEAST_DSP_BITS]
        return sum(-(-max(widths) // 26) * -(-min(widths) // 17) for widths in wide)


@dataclass(frozen=True)
class Piece:
    """A module, shared by all of its instances.

    Attributes
    ----------
    inputs, outputs : types; floats (constants) and None (an input that no output depends on) have no port.
    needed : clock cycle in which each input is read.
    ready : when each output is ready.
    body : Verilog module without its name.
    tables : Verilog modules of its tables, by name.
    costs : cost of one instance.
    """

    inputs: tuple[Number | float | None, ...]
    outputs: tuple[Number | float, ...]
    needed: tuple[int, ...]
    ready: tuple[Time, ...]
    body: str
    tables: Mapping[str, str]
    costs: Costs

    def verilog(self, module: str) -> str:
        return self.body.replace("module (", f"module {module} (", 1)


@patched()
def trace_piece(
    inputs: Sequence[FixedRange | float],
    compute: Callable[[Symbolic], Symbolic],
    arrivals: Sequence[Time],
    levels: float,
) -> Piece:
    """Trace a function of a row of numbers, and cut it into pipeline stages.

    Parameters
    ----------
    inputs : sequence of FixedRange or float
        Ranges of the numbers; floats are constants.
    compute : callable
        From a row [1, n] to a row [1, m].
    arrivals : sequence of Time
        When each input is ready.
    levels : float
        Maximum levels of logic in a stage.
    """
    row = Symbolic.row(inputs, [time.cycle * levels + time.level for time in arrivals])
    variable = [k for k, value in enumerate(inputs) if isinstance(value, FixedRange) and value.low != value.high]
    ports = Symbolic(row.values[:, variable])
    if not variable:
        return _constant_piece(inputs, compute(row))
    logic = as_piece(circuit({"x": ports}, {"y": compute(row)}).logic)
    return _Writer(logic, [arrivals[k] for k in variable], levels).piece(inputs, variable)


def _constant_piece(inputs: Sequence[FixedRange | float], result: Symbolic) -> Piece:
    outputs = tuple(float(getattr(value, "low", value)) for value in result.values.ravel())
    start = Time(0, 0.0)
    return Piece(tuple(0.0 for _ in inputs), outputs, (0,) * len(inputs), (start,) * len(outputs), "", {}, Costs())


class _Writer:
    """A scheduled circuit as Verilog; net ``v<k>_<c>`` is the result of operation k in cycle c."""

    def __init__(self, logic: CombLogic, arrivals: Sequence[Time], levels: float) -> None:
        self.logic = logic
        ops = logic.ops
        operations = [
            Operation(
                op.addr,
                max(
                    float(op.latency - max((ops[a].latency for a in op.addr), default=0.0)),
                    TABLE_LEVELS if op.opcode == Opcode.TABLE else 0.0,
                ),
                arrivals[op.data[0]] if op.opcode == Opcode.INPUT else None,
            )
            for op in ops
        ]
        self.cycle, self.ready = stages(operations, logic.out_idxs, levels)
        #: sign, integer bits, fractional bits
        self.bits = [op.qint.kif for op in ops]
        self.width = [int(sum(bits)) for bits in self.bits]
        #: operations that an output depends on, without those of zero width
        self.wires = [k for k, cycle in enumerate(self.cycle) if cycle is not None and self.width[k] > 0]
        #: inputs among them, by position
        self.inputs = {ops[k].data[0]: k for k in self.wires if ops[k].opcode == Opcode.INPUT}
        self.registers: dict[tuple[int, int], int] = {}
        self.tables: dict[str, str] = {}

    def _at(self, k: int, cycle: int) -> str:
        """The net of operation k in a cycle, with the registers that delay it until then."""
        own = self.cycle[k]
        assert own is not None
        if self.logic.ops[k].opcode == Opcode.CONSTANT:
            return f"v{k}"
        if not own <= cycle:
            raise RtlError(
                f"operation {k} is needed in cycle {cycle}, but ready in cycle {own}", where="schedule", remedy=REPORT
            )
        for later in range(own + 1, cycle + 1):
            self.registers[k, later] = self.width[k]
        return f"v{k}_{cycle}"

    def _net(self, k: int, cycle: int) -> Net:
        signed, _, fraction = self.bits[k]
        return Net(self._at(k, cycle) if self.width[k] else "", self.width[k], bool(signed), -int(fraction))

    def _statement(self, k: int) -> str:
        op, cycle = self.logic.ops[k], self.cycle[k]
        assert cycle is not None
        operands = tuple(self._net(operand, cycle) for operand in op.addr)
        table = self._table(k) if op.opcode == Opcode.TABLE else ""
        return statement(Step(k, op.opcode, self._net(k, cycle), operands, op.data, table))

    def _table(self, k: int) -> str:
        op = self.logic.ops[k]
        name, module = table_module(self.width[op.addr[0]], self.width[k], table_entries(self.logic, op))
        self.tables[name] = module
        return name

    def piece(self, inputs: Sequence[FixedRange | float], variable: Sequence[int]) -> Piece:
        lines = [self._statement(k) for k in self.wires]
        bounds, ports, assigns = self.logic.out_qint, ["input wire clk"], []
        for place, k in self.inputs.items():
            ports.append(f"input wire [{self.width[k] - 1}:0] x{place}")
        outputs: list[Number | float] = []
        for place, (k, bound, time) in enumerate(zip(self.logic.out_idxs, bounds, self.ready, strict=True)):
            constant = bound.min == bound.max
            outputs.append(float(bound.min) if constant else Number.of(bound))
            if not constant:
                assert not self.logic.out_negs[place]
                width = sum(bound.kif)
                ports.append(f"output wire [{width - 1}:0] y{place}")
                assigns.append(f"assign y{place} = {self._at(k, time.cycle)};")
        lines += [*self._clocked(), *assigns]
        body = "module (\n    " + ",\n    ".join(ports) + "\n);\n    " + "\n    ".join(lines) + "\nendmodule\n"
        types: list[Number | float | None] = [None if isinstance(v, FixedRange) else float(v) for v in inputs]
        needed = [0] * len(inputs)
        for place, k in self.inputs.items():
            types[variable[place]] = Number.of(self.logic.ops[k].qint)
            needed[variable[place]] = self.cycle[k] or 0
        return Piece(tuple(types), tuple(outputs), tuple(needed), tuple(self.ready), body, self.tables, self._costs())

    def _clocked(self) -> list[str]:
        registers = sorted(self.registers.items())
        declared = [f"wire [{width - 1}:0] v{k}_{cycle};" for (k, cycle), width in registers]
        return declared + [
            f"nanopelican_register #(.WIDTH({width})) r{k}_{cycle} (.clk(clk), .x(v{k}_{cycle - 1}), .y(v{k}_{cycle}));"
            for (k, cycle), width in registers
        ]

    def _adds_constant(self, k: int) -> bool:
        """Whether a constant is added that does not lie entirely below the last bit of the number."""
        op = self.logic.ops[k]
        if op.opcode != Opcode.CONSTANT_SUM:
            return False
        constant, fraction = op.data
        step: float = self.logic.ops[op.addr[0]].qint.step
        return constant < 0 or math.ldexp(constant, -fraction) >= step

    def _costs(self) -> Costs:
        ops, width = self.logic.ops, self.width
        adders = (Opcode.SUM, Opcode.DIFFERENCE, Opcode.TERNARY, Opcode.NEGATION)
        live = [k for k in range(len(ops)) if self.cycle[k] is not None]
        factors = [ops[k].addr for k in live if ops[k].opcode == Opcode.PRODUCT]
        return Costs(
            adder_bits=sum(width[k] for k in live if ops[k].opcode in adders or self._adds_constant(k)),
            products=tuple(sorted((width[a], width[b]) for a, b in factors)),
            table_bits=sum(width[k] << width[ops[k].addr[0]] for k in live if ops[k].opcode == Opcode.TABLE),
            register_bits=sum(self.registers.values()),
        )
