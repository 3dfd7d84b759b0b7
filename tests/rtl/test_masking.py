"""Where sums may leave the mask out, because padded particles already add 0."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from fractions import Fraction

import onnx
import pytest
from onnx import helper
from random_networks import random_description

from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.operators import DOMAIN, OPERATORS, CustomOperator
from nanopelican_hls.rtl.masking import Graph, needs_mask, padded_term
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


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("symmetric", [True, False])
def test_the_constant_outweighs_everything_else_by_less_than_a_factor_of_two(symmetric, seed):
    """It is minus the least power of two, on the grid of the terms, that product and other term never exceed."""
    network = NetworkConfig(3, 2, symmetric=symmetric, spurions=Spurions.JET)
    program = build_program(random_description(network, tables=True, bits=5, seed=seed))
    mix = next(node for node in program.nodes if node.operator.name == "PairMix")
    upper = {t: Fraction(r.high) * Fraction(2) ** r.exponent for t, r in program.ranges.items()}
    lower = {t: Fraction(r.low) * Fraction(2) ** r.exponent for t, r in program.ranges.items()}
    weights = [Fraction(float(w)) for w in program.constants[mix.given["w_d"]]]
    products = [mix.given[name] for name in ("d", "d_jet")]
    terms = [mix.given[name] for name in ("row", "column") if name in mix.given]
    most = max(w * bound[t] for w in weights for t in products for bound in (upper, lower))
    most = max(most, Fraction(0)) + max(upper[t] for t in terms)
    for term in terms:
        found = padded_term(Graph(program), Graph(program).operator_before(term))
        assert -found >= most
        step = max(Fraction(2) ** program.exponent(t) for t in terms)
        assert Fraction(-found) / 2 < most or Fraction(-found) == step


def test_both_terms_of_a_pair_must_carry_it(doubling):
    """Here the column is read elsewhere, and only the row could."""
    network = NetworkConfig(3, 2, symmetric=False, spurions=Spurions.JET)
    program = build_program(random_description(network, tables=True, bits=5))
    assert masked(program) == set()
    assert masked(also_read(program, doubling, "column")) == {"pair_sum"}


def test_without_a_relu_a_negative_number_is_no_zero():
    program = build_program(random_description(NETWORK, tables=True, bits=5))
    model = onnx.ModelProto()
    model.CopyFrom(program.model)
    relu = next(node for node in model.graph.node if node.op_type == "Relu" and node.input[0] == "z")
    for node in model.graph.node:
        node.input[:] = ["z" if name == relu.output[0] else name for name in node.input]
    assert masked(Program.parse(model)) == {"pair_sum"}
