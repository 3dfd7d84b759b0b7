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
    padded = padded_term(builder.graph, node)
    masked = padded is not None

    def compute(row: Symbolic) -> Symbolic:
        d_jj = row[:, 1 : row.shape[1] - len(shared) - masked]
        jet = (d_jj, own["w_jj"]) if d_jj.shape[1] else (None, None)
        mixed: Symbolic = operator.compute(row[:, :1], None, own["w_r"], None, None, None, *jet).reshape(1, -1)
        if shared:
            end = row.shape[1] - masked
            mixed = mixed + row[:, end - 2 * channels : end - channels] + row[:, end - channels : end]
        return mixed

    lanes, index = [], []
    for k in range(count):
        mask = [_mask_of(k, builder)] if masked else []
        d_jj = list(inputs["d_jj"]) if k == 0 and "d_jj" in inputs else []
        lanes.append([inputs["r"][k], *d_jj, *shared, *mask])
        index.append(range(k * channels, (k + 1) * channels))
    heads = 1 if "d_jj" in inputs else 0
    if heads:
        builder.add_piece(node, f"{node.output}_jet", lanes[:1], index[:1], compute, padded, half_added=half > 0)
    builder.add_piece(node, node.output, lanes[heads:], index[heads:], compute, padded, half_added=half > 0)


def _shared_terms(
    operator: ParticleMix, node: Node, builder: PieceBuilder, constants: Mapping[str, Symbolic], half: float
) -> list[Value]:
    """The shared terms of all channels, as two numbers each, to which a particle's own term is added at once."""
    inputs = builder.inputs_of(node)
    mask = list(inputs.get("mask", ()))

    def compute(row: Symbolic) -> Symbolic:
        zero = Symbolic(np.zeros((1, 1)))
        valid = row[:, 1:] if mask else None
        w_r, w_s, bias = (constants[name] for name in ("w_r", "w_s", "bias"))
        terms: Symbolic = operator.compute(zero, row[:, :1], w_r, w_s, bias + half, valid, None, None)
        return terms.reshape(1, -1).halves()

    (terms,) = builder.netlist.lanes(f"{node.output}_shared", [[*inputs["s"], *mask]], compute)
    return terms


def _mask_of(particle: int, builder: PieceBuilder) -> Value:
    (mask,) = (node.output for node in builder.program.nodes if isinstance(node.operator, ParticleMask))
    value: Value = builder.tensors[mask][particle]
    return value
