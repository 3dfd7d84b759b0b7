"""ParticleMix: ``w_s S + b(n)`` once, the rest per particle."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nanopelican_hls.contract.program import Node
from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.particle_mask import ParticleMask
from nanopelican_hls.operators.particle_mix import ParticleMix
from nanopelican_hls.rtl.alkaid_adapter import ENTRY_BITS
from nanopelican_hls.rtl.masking import padded_term
from nanopelican_hls.rtl.netlist import Value
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.rule import add_hardware
from nanopelican_hls.rtl.rules._weight_tables import looked_up, multiplied, select
from nanopelican_hls.rtl.symbolic import Symbolic


@add_hardware.register
def _(operator: ParticleMix, node: Node, builder: PieceBuilder) -> None:
    inputs, parameters = builder.inputs_of(node), builder.parameters_of(node)
    count, channels = builder.program.shapes[node.output]
    constants = {name: Symbolic(value) for name, value in parameters.items()}
    half = builder.half_unit(node) if "s" in inputs else 0.0
    if half and (FixedRange.of_values(parameters["bias"]) + FixedRange.of_values(half)).bits > ENTRY_BITS:
        half = 0.0  # bias and half together would be wider than an entry of the tracer's tables
    shared = _shared_terms(operator, node, builder, constants, half) if "s" in inputs else []
    own = {name: constants.get(name) for name in ("w_r", "w_jj")}
    terms = _own_terms(node, builder)
    end_of_own = len(terms[0])
    padded = padded_term(builder.graph, node)
    masked = padded is not None

    def compute(row: Symbolic) -> Symbolic:
        d_jj = row[:, end_of_own : row.shape[1] - len(shared) - masked]
        jet = (d_jj, own["w_jj"]) if d_jj.shape[1] else (None, None)
        w_r = row[:, 1:end_of_own].reshape(channels) if end_of_own > 1 else own["w_r"]
        mixed: Symbolic = operator.compute(row[:, :1], None, w_r, None, None, None, *jet, None).reshape(1, -1)
        if shared:
            end = row.shape[1] - masked
            mixed = mixed + row[:, end - 2 * channels : end - channels] + row[:, end - channels : end]
        return mixed

    lanes, index = [], []
    masks = _in_turn([_mask_of(k, builder) for k in range(count)], builder) if masked else []
    for k in range(count):
        mask = [masks[k]] if masked else []
        d_jj = list(inputs["d_jj"]) if k == 0 and "d_jj" in inputs else []
        lanes.append([*terms[k], *d_jj, *shared, *mask])
        index.append(range(k * channels, (k + 1) * channels))
    heads = 1 if "d_jj" in inputs else 0
    if heads:
        builder.add_piece(node, f"{node.output}_jet", lanes[:1], index[:1], compute, padded, half_added=half > 0)
    builder.add_piece(node, node.output, lanes[heads:], index[heads:], compute, padded, half_added=half > 0)


def _own_terms(node: Node, builder: PieceBuilder) -> list[list[Value]]:
    """The row sum of each particle, and its weights if these are from a table (`multiplied`)."""
    rows, weights = _in_turn(list(builder.inputs_of(node)["r"]), builder), looked_up(node, builder, "w_r")
    factors = [row for row in rows for _ in weights], weights * len(rows)
    numbers, own = multiplied(builder, node.output, *factors)
    if not weights:
        return [[row] for row in rows]
    step = len(weights)
    return [[numbers[k], *own[k : k + step]] for k in range(0, len(own), step)]


def _in_turn(values: list[Value], builder: PieceBuilder) -> list[Value]:
    """Values of particles; those of constituents in the lanes where they are mixed."""
    spurions = len(values) - builder.sharing.tournament.particles
    return values[:spurions] + [value for (value,) in builder.sharing.in_turn([[value] for value in values[spurions:]])]


def _shared_terms(
    operator: ParticleMix, node: Node, builder: PieceBuilder, constants: Mapping[str, Symbolic], half: float
) -> list[Value]:
    """The shared terms of all channels, as two numbers each, to which a particle's own term is added at once."""
    inputs = builder.inputs_of(node)
    weights = looked_up(node, builder, "w_s")
    numbers, weights = multiplied(builder, f"{node.output}_shared", list(inputs["s"]) * len(weights), weights)
    s, end = numbers[:1] or list(inputs["s"]), 1 + len(weights)

    def compute(row: Symbolic) -> Symbolic:
        zero = Symbolic(np.zeros((1, 1)))
        valid = row[:, end:] if "mask" in inputs else None
        of_jet = row[:, end:] if "multiplicity_bin" in inputs else None
        w_s, bias = constants["w_s"], constants["bias"]
        w_r = Symbolic(np.zeros(w_s.shape[-1]))
        w_s = row[:, 1:end].reshape(w_s.shape[-1]) if weights else w_s
        terms: Symbolic = operator.compute(zero, row[:, :1], w_r, w_s, bias + half, valid, None, None, of_jet)
        return terms.reshape(1, -1).in_parts(2)

    flags = select(node, builder)
    (terms,) = builder.netlist.lanes(f"{node.output}_shared", [[*s, *weights, *flags]], compute)
    return terms


def _mask_of(particle: int, builder: PieceBuilder) -> Value:
    (mask,) = (node.output for node in builder.program.nodes if isinstance(node.operator, ParticleMask))
    value: Value = builder.tensors[mask][particle]
    return value
