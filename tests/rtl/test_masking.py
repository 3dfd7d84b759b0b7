"""Where sums may leave the mask out, because padded particles already add 0."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import onnx
import pytest
from onnx import helper
from random_networks import random_description

from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.operators import DOMAIN, OPERATORS, CustomOperator
from nanopelican_hls.rtl.masking import Graph, needs_mask
from nanopelican_hls.topology.config import NetworkConfig, Spurions
from nanopelican_hls.topology.export import build_program

NETWORK = NetworkConfig(3, 2, spurions=Spurions.JET)


@pytest.fixture
def doubling():
    """An operator without a rule of its own, of one value per particle and channel."""

    @dataclass(frozen=True)
    class Doubling(CustomOperator):
        inputs = ("x",)
        axes = ("BLC",)

        def compute(self, *inputs):
            return 2 * inputs[0]

        def shape(self, *shapes):
            return shapes[0]

        def hls_config(self, *shapes):  # noqa: ARG002
            return {}

        def range(self, *ranges, shapes, values):  # noqa: ARG002
            return ranges[0].times(2)

    yield Doubling.__name__
    del OPERATORS["Doubling"]


def inserted(program: Program, operator: str, tensor: str, reader: str) -> Program:
    """The program with ``operator`` between a tensor and the operator that reads it."""
    model = onnx.ModelProto()
    model.CopyFrom(program.model)
    nodes = list(model.graph.node)
    for node in nodes:
        if node.op_type == reader:
            node.input[:] = ["doubled" if name == tensor else name for name in node.input]
    position = next(k for k, node in enumerate(nodes) if tensor in node.output)
    nodes.insert(position + 1, helper.make_node(operator, [tensor], ["doubled"], name="doubled", domain=DOMAIN))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    value = copy.deepcopy(next(v for v in model.graph.value_info if v.name == tensor))
    value.name = "doubled"
    model.graph.value_info.append(value)
    return Program.parse(model)


def also_read(program: Program, operator: str, tensor: str) -> Program:
    """The program with one more output: what ``operator`` makes of a tensor."""
    model = onnx.ModelProto()
    model.CopyFrom(program.model)
    model.graph.node.append(helper.make_node(operator, [tensor], ["doubled"], name="doubled", domain=DOMAIN))
    value = copy.deepcopy(next(v for v in model.graph.value_info if v.name == tensor))
    value.name = "doubled"
    model.graph.output.append(value)
    return Program.parse(model)


def sums(program: Program) -> dict[str, Node]:
    return {node.output: node for node in program.nodes if node.operator.name in ("PairSum", "ParticleSum")}


def masked(program: Program) -> set[str]:
    return {name.removesuffix("_exact") for name, node in sums(program).items() if needs_mask(Graph(program), node)}


def test_sums_of_the_network_need_none():
    assert masked(build_program(random_description(NETWORK, tables=True, bits=5))) == set()


@pytest.mark.parametrize(
    ("tensor", "reader", "expected"), [("row", "PairMix", {"pair_sum"}), ("diagonal", "ParticleSum", {"diagonal_sum"})]
)
def test_an_operator_in_between_brings_the_mask_back(doubling, tensor, reader, expected):
    """It would not hand on what `ParticleMix` returns for padded particles."""
    program = build_program(random_description(NETWORK, tables=True, bits=5))
    assert masked(inserted(program, doubling, tensor, reader)) == expected


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        *[(tensor, {"pair_sum"}) for tensor in ("row_exact", "row", "z", "pair_exact", "pair")],
        *[(tensor, {"diagonal_sum"}) for tensor in ("g", "diagonal_exact", "diagonal")],
    ],
)
def test_another_reader_on_the_way_brings_the_mask_back(doubling, tensor, expected):
    program = build_program(random_description(NETWORK, tables=True, bits=5))
    assert masked(also_read(program, doubling, tensor)) == expected
