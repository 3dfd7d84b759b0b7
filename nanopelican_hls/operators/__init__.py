"""The operators of the contract, one module each (docs/operators)."""

from __future__ import annotations

from nanopelican_hls.operators._minkowski import COMPONENTS, UNSIGNED_COMPONENTS
from nanopelican_hls.operators.angle_difference import AngleDifference
from nanopelican_hls.operators.base import DOMAIN, VERSION, Operator
from nanopelican_hls.operators.jet_from_l1 import JetFromL1
from nanopelican_hls.operators.light_cone_from_l1 import LightConeFromL1
from nanopelican_hls.operators.pair_mix import PairMix
from nanopelican_hls.operators.pair_sum import PairSum
from nanopelican_hls.operators.pairwise_dot import BEAMS, PairwiseDot
from nanopelican_hls.operators.particle_mask import ParticleMask
from nanopelican_hls.operators.particle_mix import ParticleMix
from nanopelican_hls.operators.particle_sum import ParticleSum
from nanopelican_hls.operators.readout import Readout
from nanopelican_hls.operators.row_sums import RowSums
from nanopelican_hls.operators.spurion_dot import SpurionDot
from nanopelican_hls.operators.total_sum import TotalSum

#: every operator by its ONNX op_type
OPERATORS: dict[str, type[Operator]] = {
    op.name: op
    for op in (
        PairwiseDot,
        SpurionDot,
        ParticleMask,
        RowSums,
        TotalSum,
        ParticleMix,
        PairMix,
        PairSum,
        ParticleSum,
        Readout,
        AngleDifference,
        LightConeFromL1,
        JetFromL1,
    )
}

__all__ = [
    "BEAMS",
    "COMPONENTS",
    "DOMAIN",
    "OPERATORS",
    "UNSIGNED_COMPONENTS",
    "VERSION",
    "AngleDifference",
    "JetFromL1",
    "LightConeFromL1",
    "Operator",
    "PairMix",
    "PairSum",
    "PairwiseDot",
    "ParticleMask",
    "ParticleMix",
    "ParticleSum",
    "Readout",
    "RowSums",
    "SpurionDot",
    "TotalSum",
]
