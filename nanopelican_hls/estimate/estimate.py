"""Estimates of LUT, FF, DSP and latency in seconds, without EDA tools, from what the pieces of the RTL consist of.

What the generator decides is exact (DSPs, clock cycles, shift registers); what the mapping decides is estimated by a
linear model of counts, fitted to other networks mapped with Yosys (docs/estimate.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.operators.base import Operator
from nanopelican_hls.operators.pair_mix import PairMix
from nanopelican_hls.operators.particle_mix import ParticleMix
from nanopelican_hls.rtl import fabric
from nanopelican_hls.rtl.hardware import build, dsps
from nanopelican_hls.rtl.netlist import Netlist, is_control
from nanopelican_hls.rtl.settings import Settings

#: fitted coefficients and their errors
CALIBRATION = Path(__file__).with_name("calibration.json")
#: prefix of module names
PREFIX = "p"
#: shortest delay in cycles that Yosys implements as SRL
SHORTEST_SHIFT_REGISTER = 3
#: flags of the top module that are registers: start, valid, early
CONTROL_FLAGS = 3
#: bits of a table that one LUT holds
TABLE_BITS = 64
#: counts with fitted coefficients, by resource; those of `FIXED` have coefficient 1
FITTED = {
    "lut": ("sum_bits", "particle_mix_bits", "pair_mix_bits", "pair_output_bits", "booth_bits"),
    "ff": ("register_bits", "booth_register_bits"),
}
FIXED = {
    "lut": ("shift_registers", "table_luts", "ring_luts", "accumulator_bits"),
    "ff": ("waiting_bits", "ring_bits", "accumulator_bits", "control_bits"),
}


@dataclass(frozen=True)
class Counts:
    """What a design consists of, before mapping.

    Attributes
    ----------
    cycles : latency in clock cycles.
    dsp : number of DSP48E2.
    sum_bits : adder bits in traced pieces other than the following.
    particle_mix_bits, pair_mix_bits : adder bits of `ParticleMix` and `PairMix`: products with constants, rounding.
    pair_output_bits : output bits of `PairMix`, for saturation and ReLU after the adders.
    table_luts : LUTs of the tables.
    booth_bits : LUTs in the rows of the hand-written multipliers.
    register_bits : pipeline register bits inside traced pieces.
    booth_register_bits : pipeline register bits inside the hand-written multipliers.
    shift_registers : LUTs used as shift registers (SRL) between pieces.
    waiting_bits : register bits of shorter delays between pieces, and at the ports.
    ring_luts, ring_bits : multiplexers and register bits of rings.
    accumulator_bits : bits of accumulators.
    control_bits : registers of the flags that come with an event.
    interval : initiation interval in clock cycles.
    """

    cycles: int
    dsp: int
    sum_bits: int
    particle_mix_bits: int
    pair_mix_bits: int
    pair_output_bits: int
    table_luts: int
    booth_bits: int
    register_bits: int
    booth_register_bits: int
    shift_registers: int
    waiting_bits: int
    ring_luts: int = 0
    ring_bits: int = 0
    accumulator_bits: int = 0
    control_bits: int = 0
    interval: int = 1

    @classmethod
    def of(cls, program: Program, settings: Settings) -> Counts:
        """Trace the pieces of a program's hardware and count.

        Raises
        ------
        RtlError
            If the network gives the same output for every jet.
        """
        hardware = build(program, PREFIX, settings)
        netlist, words = hardware.netlist, hardware.words(port.tensor for port in program.outputs)
        operators = {node.output: type(node.operator) for node in program.nodes}
        pieces = [
            (count, netlist.pieces[module], operators[str(netlist.parts[module].node)])
            for module, count in netlist.count().items()
            if module in netlist.pieces
        ]

        def adder_bits(*kinds: type[Operator]) -> int:
            return sum(count * piece.costs.adder_bits for count, piece, operator in pieces if operator in kinds)

        outputs = [(count, output) for count, piece, op in pieces if op is PairMix for output in piece.outputs]
        booths = _booths(netlist)
        return cls(
            cycles=max(word.time.cycle for word in words) + 1,
            dsp=dsps(netlist, settings).total(),
            sum_bits=adder_bits(*(set(operators.values()) - {ParticleMix, PairMix})),
            particle_mix_bits=adder_bits(ParticleMix),
            pair_mix_bits=adder_bits(PairMix),
            pair_output_bits=sum(count * output.bits for count, output in outputs if not isinstance(output, float)),
            table_luts=sum(count * -(-piece.costs.table_bits // TABLE_BITS) for count, piece, _ in pieces),
            booth_bits=sum(booth.luts for booth, _ in booths),
            register_bits=sum(count * piece.costs.register_bits for count, piece, _ in pieces),
            booth_register_bits=sum(booth.register_bits(rows_per_stage) for booth, rows_per_stage in booths),
            shift_registers=sum(bits for bits, cycles in _delays(netlist) if cycles >= SHORTEST_SHIFT_REGISTER),
            waiting_bits=_port_bits(program, netlist)
            + sum(bits * cycles for bits, cycles in _delays(netlist) if cycles < SHORTEST_SHIFT_REGISTER),
            ring_luts=sum(of["WIDTH"] * _multiplexers(of) for of in _parameters(netlist, "nanopelican_ring")),
            ring_bits=sum(of["WIDTH"] * of["PLACES"] for of in _parameters(netlist, "nanopelican_ring")),
            accumulator_bits=sum(of["WIDTH"] * of["PLACES"] for of in _parameters(netlist, "nanopelican_accumulator")),
            control_bits=CONTROL_FLAGS + sum(n for net, _, _, n in netlist.delays() if is_control(net)),
            interval=hardware.interval,
        )


def _delays(netlist: Netlist) -> list[tuple[int, int]]:
    return [(bits, cycles) for net, _, bits, cycles in netlist.delays() if not is_control(net)]


def _parameters(netlist: Netlist, module: str) -> list[Mapping[str, int]]:
    return [instance.parameters for instance in netlist.instances if instance.module == module]


def _multiplexers(of: Mapping[str, int]) -> int:
    """Places of a ring whose register takes one of two numbers."""
    return of["TURNING"] if of["CYCLIC"] else max(0, of["TURNING"] - of["STEP"])


def _booths(netlist: Netlist) -> list[tuple[fabric.Booth, int]]:
    """Hand-written multipliers, each with its number of rows per stage."""
    own = _parameters(netlist, fabric.MODULE)
    return [(fabric.Booth(of["A_WIDTH"], of["B_WIDTH"], bool(of["B_SIGNED"])), of["ROWS_PER_STAGE"]) for of in own]


def _port_bits(program: Program, netlist: Netlist) -> int:
    inputs = sum(netlist.wires[net] for net in netlist.registered())
    return inputs + sum(port.width for port in program.outputs)


@dataclass(frozen=True)
class Calibration:
    """The linear model of the estimate.

    Attributes
    ----------
    configurations : number of networks in the fit.
    coefficients : by resource (``lut``, ``ff``), then by count.
    mean_error_percent, largest_error_percent : leave-one-out errors, by resource.
    source : tool and stage of the results that were fitted.
    """

    configurations: int
    coefficients: Mapping[str, Mapping[str, float]]
    mean_error_percent: Mapping[str, float]
    largest_error_percent: Mapping[str, float]
    source: str

    @classmethod
    def read(cls, path: Path = CALIBRATION) -> Calibration:
        """Read what `nanopelican estimate --calibrate` wrote.

        Raises
        ------
        SynthesisError
            If there is none, or it was written by another version.
        """
        try:
            content: Any = json.loads(path.read_text(encoding="utf-8"))
            calibration = cls(**content)
            known = {name: tuple(found) for name, found in calibration.coefficients.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise SynthesisError(f"is not a calibration ({error})", where=str(path), remedy=REMEDY) from error
        if known != FITTED:
            raise SynthesisError("has coefficients for other counts", where=str(path), remedy=REMEDY)
        return calibration

    def predict(self, resource: str, counts: Counts) -> float:
        """The estimate of ``lut`` or ``ff``."""
        of = asdict(counts)
        fitted = sum(coefficient * of[name] for name, coefficient in self.coefficients[resource].items())
        return float(sum(of[name] for name in FIXED[resource]) + fitted)


REMEDY = "calibrate again: nanopelican estimate --calibrate FILE.json..."


@dataclass(frozen=True)
class Estimate:
    """Estimated resources and latency of a network.

    Attributes
    ----------
    counts : exact counts.
    lut, ff : estimated numbers of LUTs and FFs.
    calibration : model of the estimates, with its errors.
    """

    counts: Counts
    lut: int
    ff: int
    calibration: Calibration

    @property
    def dsp(self) -> int:
        return self.counts.dsp

    @property
    def latency_cycles(self) -> int:
        return self.counts.cycles

    @property
    def interval(self) -> int:
        return self.counts.interval


def estimate(program: Program, settings: Settings, calibration: Calibration | None = None) -> Estimate:
    """Estimate LUT, FF, DSP and latency of a program's hardware.

    Parameters
    ----------
    program : Program
    settings : Settings
        Arithmetic and pipelining, as for `rtl.generate_rtl`.
    calibration : Calibration, optional
        By default the one in the package.
    """
    calibration = calibration or Calibration.read()
    counts = Counts.of(program, settings)
    lut, ff = (round(calibration.predict(resource, counts)) for resource in ("lut", "ff"))
    return Estimate(counts, lut, ff, calibration)


def parse_counts(content: Any, where: str) -> Counts:
    """Parse the counts of a measured row.

    Raises
    ------
    SynthesisError
        If they are missing or of another version.
    """
    names = {field.name for field in fields(Counts)}
    needed = {field.name for field in fields(Counts) if field.default is MISSING}
    if not isinstance(content, dict) or not needed <= set(content) <= names:
        raise SynthesisError("has no counts, or counts of another version", where=where, remedy="measure it again")
    return Counts(**content)
