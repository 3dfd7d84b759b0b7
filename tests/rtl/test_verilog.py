"""Verilog of operations and tables, word for word; simulations show that it is right: test_hardware, test_project."""

import pytest

from nanopelican_hls.errors import RtlError
from nanopelican_hls.rtl.alkaid_adapter import Opcode
from nanopelican_hls.rtl.verilog import STATEMENTS, Net, Step, statement, table_module

A, B = Net("a", 4, True, -1), Net("b", 3, False, 0)


@pytest.mark.parametrize(
    ("opcode", "result", "data", "expected"),
    [
        # grids 2^-1 and 2^2: b is shifted left by 3
        (
            Opcode.SUM,
            Net("y", 7, True, -1),
            (2,),
            "shift_adder #(4, 3, 1, 0, 7, 0, 3, 0) op_5 (a[3:0], b[2:0], y[6:0]);",
        ),
        # a on 2^-1, b on 2^-2, the result on 2^0: two bits are dropped
        (
            Opcode.DIFFERENCE,
            Net("y", 4, True, 0),
            (-2,),
            "shift_adder #(4, 3, 1, 0, 4, 2, -1, 1) op_5 (a[3:0], b[2:0], y[3:0]);",
        ),
        (Opcode.PRODUCT, Net("y", 7, True, -1), (), "multiplier #(4, 3, 1, 0, 7) op_5 (a[3:0], b[2:0], y[6:0]);"),
        (Opcode.BINARY, Net("y", 4, True, -1), (0, 1), "binop #(4, 3, 1, 0, 4, 1, 1) op_5 (a, b, y[3:0]);"),
    ],
)
def test_two_operands(opcode, result, data, expected):
    assert statement(Step(5, opcode, result, (A, B), data)) == f"{result.declaration} {expected}"


@pytest.mark.parametrize(
    ("ends", "expected"),
    [((2, 1), "a[2:1]"), ((5, 2), "{{2{a[3]}}, a[3:2]}"), ((6, 4), "{3{a[3]}}"), ((7, 6), "{2{a[3]}}")],
)
def test_bits_above_a_number_are_its_sign(ends, expected):
    assert A.slice(*ends) == expected


@pytest.mark.parametrize(("net", "ends"), [(B, (3, 0)), (A, (2, -1))])
def test_bits_that_there_are_not(net, ends):
    with pytest.raises(RtlError, match=f"^{net.name}: has no bits"):
        net.slice(*ends)


@pytest.mark.parametrize(
    ("net", "exponent", "bits", "expected"),
    [
        (A, -1, 4, "a"),
        (A, -1, 6, "{{2{a[3]}}, a}"),
        (A, -3, 6, "{a, 2'b0}"),
        (B, -1, 6, "{{2{1'b0}}, b, 1'b0}"),
    ],
)
def test_a_number_on_a_finer_grid(net, exponent, bits, expected):
    assert net.extended(exponent, bits) == expected


def test_a_number_of_no_bits_is_a_zero():
    nothing = Net("", 0, False, 0)
    step = Step(0, Opcode.CHOICE, Net("y", 3, False, 0), (nothing, B, A), (0,))
    assert statement(step) == "wire [2:0] y; mux #(1, 3, 0, 0, 3, 0) op_0 (a[3], 1'b0, b[2:0], y[2:0]);"


def test_every_operation_has_a_statement():
    assert set(STATEMENTS) == set(Opcode)


def test_an_operation_that_is_not_known():
    with pytest.raises(RtlError, match=r"operation 99 of alkaid.*y: has no Verilog.*SUM.*\n.*remedy: report"):
        statement(Step(5, 99, Net("y", 1, False, 0), ()))


def test_tables_of_the_same_contents_are_one_module():
    name, module = table_module(1, 5, [-1, None])
    lines = module.splitlines()
    assert lines[0] == f"module {name}(input [0:0] in, output reg [4:0] out);"
    assert lines[2:5] == ["1'h0: out = 5'h1F;", "1'h1: out = 5'hXX;", "default: out = {5{1'bx}};"]
    assert table_module(1, 5, [31, None])[0] == name
    assert len({name, table_module(1, 5, [-1, 0])[0], table_module(1, 6, [-1, None])[0]}) == 3
