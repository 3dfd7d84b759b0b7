"""Small models for tests of the firmware: few, since each is compiled, but they cover all pairs of options."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import onnx
from random_networks import random_description

from nanopelican_hls.contract.program import Program
from nanopelican_hls.fixed_point import Rounding
from nanopelican_hls.topology.config import Coordinates, Input, NetworkConfig, Spurions
from nanopelican_hls.topology.export import build_program

CARTESIAN, LIGHT_CONE = Coordinates.CARTESIAN, Coordinates.LIGHT_CONE
BOTH, ROUND, FLOOR = tuple(Rounding), (Rounding.ROUND,), (Rounding.FLOOR,)
ALL_INNER = ("d", "r", "s", "row", "column", "pair", "diagonal", "pair_sum", "diagonal_sum")


@dataclass(frozen=True)
class Model:
    """A network, its quantisers and its HLS backend."""

    network: NetworkConfig
    tables: bool
    roundings: Collection[Rounding]
    without: Collection[str]
    backend: str

    def onnx(self) -> onnx.ModelProto:
        return self.program().model

    def program(self) -> Program:
        description = random_description(
            self.network, self.tables, seed=7, bits=6, roundings=self.roundings, without=self.without
        )
        return build_program(description)


def _model(n, channels, symmetric, spurions, coordinates, tables, roundings, without, backend):
    network = NetworkConfig(n, channels, symmetric=symmetric, spurions=spurions, coordinates=coordinates)
    return Model(network, tables, roundings, without, backend)


MODELS = {
    "jet": _model(4, 2, True, Spurions.JET, LIGHT_CONE, False, BOTH, (), "Vitis"),
    "jet-untied": _model(3, 1, False, Spurions.JET, LIGHT_CONE, True, FLOOR, ("d", "row", "d_jj"), "Vivado"),
    "jet-laboratory": _model(3, 3, True, Spurions.JET, CARTESIAN, True, ROUND, ("d_jet", "r", "s"), "Vivado"),
    "plain": _model(5, 2, True, Spurions.NONE, LIGHT_CONE, True, ROUND, ("pair", "diagonal"), "Vivado"),
    "plain-untied": _model(4, 2, False, Spurions.NONE, LIGHT_CONE, False, BOTH, ("row", "column"), "Vitis"),
    "plain-laboratory": _model(2, 1, False, Spurions.NONE, CARTESIAN, True, FLOOR, ALL_INNER, "Vitis"),
    "beams": _model(3, 2, True, Spurions.BEAMS, CARTESIAN, False, FLOOR, (), "Vivado"),
    "words": Model(NetworkConfig(3, 2, spurions=Spurions.JET, input=Input.L1), False, ROUND, (), "Vitis"),
    "words-plain": Model(NetworkConfig(4, 1, symmetric=False, input=Input.L1), True, BOTH, ("q_plus", "q_y"), "Vivado"),
    "beams-untied": _model(2, 2, False, Spurions.BEAMS, CARTESIAN, True, BOTH, ("r", "pair_sum"), "Vitis"),
}
