"""The pre-flight check: every violation of the contract is refused with the node, the cause and a remedy."""

from __future__ import annotations

import contextlib
import copy
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from random_networks import NETWORKS, network_id, random_description

from nanopelican_hls.contract.program import Program, read_model, read_program, save_program
from nanopelican_hls.contract.quant import QUANT_DOMAIN, read_quantiser
from nanopelican_hls.errors import ContractError
from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators import DOMAIN
from nanopelican_hls.topology.config import Coordinates, NetworkConfig, Spurions
from nanopelican_hls.topology.dataflow import activations, outputs, ports
from nanopelican_hls.topology.export import build_program

UNTIED_JET = NetworkConfig(4, 2, symmetric=False, spurions=Spurions.JET, coordinates=Coordinates.LIGHT_CONE)


@pytest.fixture
def model():
    return build_program(random_description(UNTIED_JET, tables=True)).model


def node(model, name):
    return next(n for n in model.graph.node if n.name == name)


def tensor_value(model, name):
    return next(v for v in (*model.graph.input, *model.graph.value_info, *model.graph.output) if v.name == name)


def set_initialiser(model, name, value):
    tensor = next(t for t in model.graph.initializer if t.name == name)
    tensor.CopyFrom(numpy_helper.from_array(np.asarray(value), name))


def set_attribute(model, node_name, name, value):
    attributes = node(model, node_name).attribute
    kept = [a for a in attributes if a.name != name]
    del attributes[:]
    attributes.extend([*kept, helper.make_attribute(name, value)])


def assert_same(one, other):
    assert (one.inputs, one.outputs, one.nodes) == (other.inputs, other.outputs, other.nodes)
    assert (one.shapes, one.ranges) == (other.shapes, other.ranges)
    assert one.parameter_quantisers == other.parameter_quantisers
    assert one.constants.keys() == other.constants.keys()
    for tensor, values in one.constants.items():
        np.testing.assert_array_equal(values, other.constants[tensor], err_msg=tensor)


def documented_messages():
    """The messages in docs/contract.md, as patterns."""
    text = (Path(__file__).parents[2] / "docs" / "contract.md").read_text(encoding="utf-8")
    return [re.escape(row).replace(r"\.\.\.", ".*") for row in re.findall(r"^\| `(.*?)` \|", text, re.MULTILINE)]


DOCUMENTED = documented_messages()


def assert_documented(error):
    assert any(re.fullmatch(pattern, error.what) for pattern in DOCUMENTED), error.what


def refused(model, what, *, where, remedy=None):
    """Parsing fails, the parts of the message match these patterns, and docs/contract.md lists the message."""
    with pytest.raises(ContractError) as caught:
        Program.parse(model)
    error = caught.value
    assert_documented(error)
    assert re.search(what, error.what), error.what
    assert re.search(where, error.where or ""), error.where
    assert error.remedy
    assert re.search(remedy or "", error.remedy), error.remedy


@pytest.mark.parametrize("tables", [False, True])
@pytest.mark.parametrize("network", NETWORKS, ids=network_id)
def test_a_file_of_the_contract_passes(network, tables):
    description = random_description(network, tables)
    program = build_program(description)
    assert [(port.name, port.tensor) for port in program.inputs] == [(f"{port}_in", port) for port in ports(network)]
    assert [port.quantiser for port in program.inputs] == [description.quantisers[port] for port in ports(network)]
    assert tuple(port.name for port in program.outputs) == outputs(network)
    assert set(program.shapes) == {port.name for port in program.inputs} | set(program.ranges)
    for name, quantiser in program.quantisers.items():
        assert quantiser == description.quantisers[name]
        assert program.ranges[name] == quantiser.range
        assert program.exponent(name) == quantiser.exponent
    assert set(program.quantisers) == {*ports(network), *activations(network)}
    for name, value in description.parameters.items():
        assert program.parameter_quantisers[name] == description.quantisers[name]
        assert (program.constants[name] == description.quantisers[name](value)).all()
    assert program.ranges["mask"] == FixedRange(0, 1, 0)
    assert program.shapes["z"] == (len(np.triu_indices(network.particles, 1)[0]) * (2 - network.symmetric), 2)


def test_a_symbolic_batch_axis_is_allowed(model):
    for value in (*model.graph.input, *model.graph.value_info, *model.graph.output):
        if value.name in ("q_plus_in", "d", "logit"):
            value.type.tensor_type.shape.dim[0].dim_param = "batch"
    assert Program.parse(model).outputs[0].name == "logit"


class TestQuant:
    def test_per_channel_scale(self, model):
        set_initialiser(model, "pair_scale", np.full(2, 0.5, np.float32))
        refused(model, r"2 scales and 1 bit widths \(per channel\)", where=r"'pair_quant' \(Quant\)", remedy="scalar")

    def test_several_bit_widths(self, model):
        set_initialiser(model, "pair_bit_width", np.float32([8, 8]))
        refused(model, r"1 scales and 2 bit widths \(per channel\)", where=r"'pair_quant' \(Quant\)", remedy="scalar")

    @pytest.mark.parametrize("scale", [0.3, 3.0, 0.0, -0.5])
    def test_scale_that_is_no_power_of_two(self, model, scale):
        set_initialiser(model, "d_scale", np.float32(scale))
        refused(model, f"scale {scale:g} is not a power of two", where="'d_quant'", remedy="POWER_OF_TWO")

    def test_zero_point(self, model):
        set_initialiser(model, "logit_zero_point", np.float32(3))
        refused(model, "zero point is 3, not 0", where="'logit_quant'", remedy="symmetrically")

    def test_zero_points_of_channels(self, model):
        set_initialiser(model, "logit_zero_point", np.float32([0, -1]))
        refused(model, "zero point is -1, not 0", where="'logit_quant'", remedy="symmetrically")

    @pytest.mark.parametrize("name", ["signed", "narrow"])
    @pytest.mark.parametrize("value", [1.0, 0.0, "no", [0], -1, 2])
    def test_flags_that_are_neither_0_nor_1(self, model, name, value):
        """qonnx would take 1.0 and "no" for unsigned."""
        node = next(n for n in model.graph.node if n.name == "logit_quant")
        kept = [a for a in node.attribute if a.name != name]
        del node.attribute[:]
        node.attribute.extend([*kept, helper.make_attribute(name, value)])
        refused(model, f"its attribute '{name}' is .*, expected 0 or 1", where="'logit_quant'", remedy="as an integer")

    @pytest.mark.parametrize("bits", [0, 1, 25, 64, -3])
    def test_bit_width_out_of_range(self, model, bits):
        set_initialiser(model, "row_bit_width", np.float32(bits))
        refused(model, f"unsupported quantiser width of {bits} bits", where="'row_quant'", remedy="2 to 24 bits")

    def test_values_that_float32_does_not_hold(self, model):
        """Execution with qonnx would return infinity."""
        set_initialiser(model, "logit_scale", np.float32(2.0**126))
        refused(
            model,
            r"its values reach 2\^133, which float32 cannot represent",
            where="'logit_quant'",
            remedy="smaller scale",
        )

    @pytest.mark.parametrize("signed", [0, 1])
    def test_the_largest_values_that_float32_holds(self, signed):
        def read(exponent):
            attributes = {"signed": signed, "narrow": 0, "rounding_mode": "ROUND"}
            return read_quantiser(np.float64(2.0**exponent), np.zeros(1), np.float64(8), attributes, "here")

        found = read(120)
        assert np.isfinite(np.float32([found.low, found.high]) * np.float32(found.scale)).all()
        with pytest.raises(ContractError, match=rf"reach 2\^{129 - signed}, which float32 cannot represent"):
            read(121)

    @pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint64, np.float16, np.float64])
    @pytest.mark.parametrize("constant", ["zero_point", "bit_width"])
    def test_constants_of_other_types_are_brought_to_float32(self, model, kind, constant):
        """2**(b - 1) of a bit width of 8 overflows in int8: QONNX execution would be wrong without a word."""
        expected = Program.parse(model)
        name = node(model, "row_quant").input[["zero_point", "bit_width"].index(constant) + 2]
        (value,) = [numpy_helper.to_array(i) for i in model.graph.initializer if i.name == name]
        set_initialiser(model, name, value.astype(kind))
        assert Program.parse(model).model == expected.model

    @pytest.mark.parametrize("scale", [np.float64(2.0**-160), np.float64(1 + 2.0**-40)])
    def test_scale_that_float32_does_not_hold(self, model, scale):
        set_initialiser(model, "row_scale", scale)
        refused(model, "its scale 'row_scale' is no float32 number", where="'row_quant'", remedy="as float32")

    def test_scale_that_is_nearly_a_power_of_two_is_shown_in_full(self, model):
        set_initialiser(model, "row_scale", np.nextafter(np.float32(1), np.float32(2)))
        refused(model, "its scale 1.00000012 is not a power of two", where="'row_quant'")

    def test_unknown_attribute(self, model):
        set_attribute(model, "row_quant", "channelwise", 1)
        refused(model, "unknown attribute 'channelwise'", where="'row_quant'", remedy="signed, narrow, rounding_mode")

    def test_one_unsigned_bit(self, model):
        set_initialiser(model, "q_plus_bit_width", np.float32(1))
        assert Program.parse(model).quantisers["q_plus"].bits == 1
        set_initialiser(model, "q_plus_bit_width", np.float32(0))
        refused(model, "0 bits", where="'q_plus_quant'", remedy="1 to 24 bits")

    def test_bit_width_that_is_not_whole(self, model):
        set_initialiser(model, "row_bit_width", np.float32(7.5))
        refused(model, "bit width 7.5 is not an integer", where="'row_quant'")

    @pytest.mark.parametrize("mode", ["CEIL", "HALF_UP", "ROUND_TO_ZERO", "round", 3])
    def test_rounding_mode(self, model, mode):
        set_attribute(model, "r_quant", "rounding_mode", mode)
        refused(model, f"rounding mode {mode!r} is not supported", where="'r_quant'", remedy="ROUND .* or FLOOR")

    def test_narrow_range(self, model):
        set_attribute(model, "row_w_r_quant", "narrow", 1)
        refused(model, "narrow", where="'row_w_r_quant'", remedy="full two's complement")

    def test_missing_input(self, model):
        node(model, "s_quant").input.pop()
        refused(model, "3 inputs, expected 4", where="'s_quant'", remedy="Brevitas")

    def test_scale_that_is_computed(self, model):
        node(model, "s_quant").input[1] = "mask"
        refused(model, "its scale 'mask' is not a constant", where="'s_quant'", remedy="initialiser")

    @pytest.mark.parametrize("scale", [np.nan, np.inf])
    def test_scale_that_is_not_finite(self, model, scale):
        set_initialiser(model, "s_scale", np.float32(scale))
        refused(model, "its scale 's_scale' is NaN or infinite", where="'s_quant'")

    def test_defaults_of_the_attributes_are_those_of_qonnx(self, model):
        proto = node(model, "logit_quant")
        del proto.attribute[:]
        quantiser = Program.parse(model).quantisers["logit"]
        assert quantiser.signed
        assert quantiser.rounding == "ROUND"


class TestOperators:
    def test_unknown_operator_names_the_nearest(self, model):
        node(model, "z_PairMix").op_type = "PairwiseMix"
        refused(
            model, "unknown operator", where=r"'z_PairMix' \(PairwiseMix\)", remedy="did you mean PairMix .*nanopelican"
        )

    def test_unknown_operator_without_a_near_one(self, model):
        node(model, "z_PairMix").op_type = "Softmax"
        refused(
            model,
            "unknown operator",
            where=r"\(Softmax\)",
            remedy="^the contract knows Quant, Relu, AngleDifference, Decision, JetFromL1",
        )

    def test_domain_of_another_package(self, model):
        node(model, "z_PairMix").domain = "finn"
        refused(model, "unknown operator, domain 'finn'", where="'z_PairMix'", remedy="PairMix .domain 'nanopelican'")
        node(model, "z_PairMix").domain = DOMAIN
        node(model, "pair_relu").domain = "finn"
        refused(model, "unknown operator, domain 'finn'", where="'pair_relu'", remedy="did you mean Relu .domain ''")

    def test_node_without_a_name_is_known_by_its_output(self, model):
        node(model, "z_PairMix").domain = "finn"
        node(model, "z_PairMix").name = ""
        refused(model, "unknown operator", where="node 'z'")

    def test_missing_input(self, model):
        node(model, "z_PairMix").input[1] = ""
        refused(model, "its input 'row' is missing", where="'z_PairMix'", remedy="docs/operators/PairMix.md")

    def test_no_input_at_all(self, model):
        del node(model, "mask_ParticleMask").input[:]
        refused(model, "its input 'c0' is missing", where="'mask_ParticleMask'")

    def test_too_many_inputs(self, model):
        node(model, "s_TotalSum").input.append("d")
        refused(model, "has 2 inputs, expected at most 1", where="'s_TotalSum'")

    @pytest.mark.parametrize(
        ("name", "position", "message"),
        [
            ("g_ParticleMix", 4, "s, w_s without bias"),
            ("g_ParticleMix", 6, "w_jj without d_jj"),
            ("r_RowSums", 1, "d_jj without d_jet"),
        ],
    )
    def test_optional_inputs_that_come_together(self, model, name, position, message):
        node(model, name).input[position] = ""
        refused(model, f"are inconsistent .{message}", where=f"'{name}'", remedy="docs/operators")

    def test_table_without_a_mask(self, model):
        node(model, "row_ParticleMix").input[5] = ""
        refused(model, "table of 6 rows, but there is no mask", where="'row_ParticleMix'")

    def test_table_with_too_few_rows(self, model):
        set_initialiser(model, "row_bias_value", np.zeros((5, 2), np.float32))
        refused(model, "bias has 5 rows, expected 1 or 6", where="'row_ParticleMix'")

    def test_weights_of_another_number_of_channels(self, model):
        set_initialiser(model, "w_d_value", np.zeros(3, np.float32))
        refused(model, r"w_d has shape \(3,\), expected \(2\)", where="'z_PairMix'")

    def test_pairs_of_other_particles(self, model):
        node(model, "z_PairMix").input[4] = ""
        refused(model, "6 products do not match the pairs of 5 particles", where="'z_PairMix'")

    def test_row_sums_of_other_particles(self, model):
        set_attribute(model, "r_RowSums", "particles", 7)
        refused(model, "6 pairs of 4 particles do not match the row sums of 7", where="'r_RowSums'")

    def test_something_else_in_place_of_the_mask(self, model):
        node(model, "diagonal_sum_ParticleSum").input[1] = "r"
        refused(model, "'mask', 'r', is not a mask", where="'diagonal_sum_ParticleSum'", remedy="ParticleMask")

    def test_weights_that_are_computed(self, model):
        node(model, "z_PairMix").input[2] = "mask"
        refused(model, "its input 'w_d' 'mask' is not a constant", where="'z_PairMix'", remedy="initialiser")

    def test_activation_that_is_a_constant(self, model):
        node(model, "z_PairMix").input[0] = "w_d"
        refused(model, "its input 'd' is a constant", where="'z_PairMix'")
        node(model, "z_PairMix").input[0] = "d"
        node(model, "pair_relu").input[0] = "w_d"
        refused(model, r"its input is \['w_d'\], expected one activation", where="'pair_relu'")

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_weights_that_are_not_finite(self, model, value):
        set_initialiser(model, "w_d_value", np.array([1, value], np.float32))
        refused(model, "its input 'w_d_value' is NaN or infinite", where="'w_d_quant'", remedy="train")

    def test_weights_that_are_no_numbers(self, model):
        strings = helper.make_tensor("w_d_value", TensorProto.STRING, [2], [b"one", b"two"])
        next(t for t in model.graph.initializer if t.name == "w_d_value").CopyFrom(strings)
        refused(model, "'w_d_value' is not numeric", where="'w_d_quant'")

    def test_several_outputs(self, model):
        node(model, "z_PairMix").output.append("z_too")
        refused(model, "has 2 outputs, expected 1", where="'z_PairMix'", remedy="split")

    def test_unknown_attribute(self, model):
        set_attribute(model, "d_PairwiseDot", "spurions", 1)
        refused(model, "unknown attribute 'spurions'", where="'d_PairwiseDot'", remedy="coordinates, beams")
        set_attribute(model, "s_TotalSum", "axis", 1)
        node(model, "d_PairwiseDot").attribute.pop()
        refused(model, "unknown attribute 'axis'", where="'s_TotalSum'", remedy="none")

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("coordinates", 3, "'coordinates' is 3, expected a name"),
            ("coordinates", "polar", "coordinates must be one of .*'polar'"),
            ("beams", "two", "'beams' is 'two', expected a non-negative integer"),
            ("beams", -2, "'beams' is -2, expected a non-negative integer"),
            ("beams", 2.0, "'beams' is 2.0, expected a non-negative integer"),
            ("beams", 2, "beams = 2 in light_cone coordinates"),
            ("beams", 1, "beams = 1"),
        ],
    )
    def test_attributes_of_the_wrong_kind_or_value(self, model, name, value, message):
        set_attribute(model, "d_PairwiseDot", name, value)
        refused(model, message, where="'d_PairwiseDot'", remedy="docs/operators/PairwiseDot.md")

    def test_operators_of_a_future_version(self, model):
        next(v for v in model.opset_import if v.domain == DOMAIN).version = 2
        refused(
            model, "operator version 2, but this package supports version 1", where="'nanopelican'", remedy="export"
        )

    def test_operators_of_no_version(self, model):
        del model.opset_import[:]
        refused(model, "operator version unknown", where="'nanopelican'", remedy="export")


class TestGraph:
    @pytest.mark.parametrize("dimension", [0, "width"])
    def test_dynamic_shape_of_a_port(self, model, dimension):
        axis = model.graph.input[1].type.tensor_type.shape.dim[1]
        axis.Clear()
        if dimension:
            axis.dim_param = dimension
        shown = repr(dimension or "?")
        refused(model, f"dynamic or unknown shape .1, {shown}", where="'q_minus_in'", remedy="static shapes")

    def test_more_constituents_than_any_firmware_takes(self, model):
        tensor_value(model, "q_plus_in").type.tensor_type.shape.dim[1].dim_value = 10**9
        refused(model, r"has the shape \[1000000000\], with more than 256 entries", where="port 'q_plus_in'")

    def test_port_that_is_no_tensor(self, model):
        model.graph.input[0].type.CopyFrom(helper.make_sequence_type_proto(model.graph.input[0].type))
        refused(model, r"unknown shape \[\]", where="'q_plus_in'")

    def test_declared_shape_that_is_wrong(self, model):
        tensor_value(model, "r").type.tensor_type.shape.dim[1].dim_value = 7
        refused(model, r"'r' is declared as \(7,\), but the operator returns \(5,\)", where="'r_quant'")

    def test_declared_shape_of_an_output_that_is_wrong(self, model):
        tensor_value(model, "logit").type.tensor_type.shape.dim[1].dim_value = 2
        refused(model, r"'logit' is declared as \(2,\), but the operator returns \(1,\)", where="'logit_quant'")

    def test_declared_shape_of_a_parameter_that_is_wrong(self, model):
        """Its value decides; `make fuzz` found that function bodies were made from what is declared."""
        expected = Program.parse(model)
        for value in model.graph.value_info:
            if value.name in expected.parameter_quantisers:
                value.type.tensor_type.shape.dim.add().dim_value = 65535
        assert Program.parse(model).model == expected.model

    def test_port_without_quantiser(self, model):
        node(model, "d_PairwiseDot").input[2] = "q_y_in"
        refused(
            model,
            "'q_y_in' is a port without a quantiser",
            where="'d_PairwiseDot'",
            remedy="quantise every graph input",
        )

    def test_more_than_53_bits(self):
        everywhere = [t for t in activations(UNTIED_JET) if t not in ("logit",)]
        description = random_description(UNTIED_JET, bits=20, without=everywhere)
        with pytest.raises(ContractError, match=r"tensor 'row' needs \d+ bits, more than the 53") as caught:
            build_program(description)
        assert "'row_ParticleMix'" in caught.value.where
        assert caught.value.remedy == "narrow the quantisers upstream"

    def test_as_many_bits_as_float64_holds_and_one_more(self, model, monkeypatch):
        """As if it held as many as the widest tensor, and one less."""
        ranges = Program.parse(model).ranges
        widest = max(values.bits for values in ranges.values())
        monkeypatch.setattr("nanopelican_hls.contract.program.EXACT_BITS", widest)
        assert Program.parse(model).ranges == ranges
        monkeypatch.setattr("nanopelican_hls.contract.program.EXACT_BITS", widest - 1)
        with pytest.raises(ContractError, match=f"needs {widest} bits, more than the {widest - 1} that float64 can"):
            Program.parse(model)

    def test_port_with_two_quantisers_has_no_type(self, model):
        second = copy.deepcopy(node(model, "q_plus_quant"))
        second.name, second.output[0] = "again_quant", "again"
        model.graph.node.insert(1, second)
        model.graph.value_info.append(helper.make_tensor_value_info("again", TensorProto.FLOAT, (1, 4)))
        refused(model, "has a second quantiser, 'again_quant'", where="port 'q_plus_in'", remedy="one Quant read it")

    @pytest.mark.parametrize("kind", ["input", "output"])
    def test_a_tensor_listed_twice(self, model, kind):
        values = getattr(model.graph, kind)
        values.append(values[0])
        refused(model, f"is listed 2 times as an {kind} of the graph", where=values[0].name, remedy="list it once")

    def test_port_that_nothing_reads(self, model):
        model.graph.input.append(helper.make_tensor_value_info("idle_in", TensorProto.DOUBLE, (1, 4)))
        refused(model, "is read by no Quant, so it has no type", where="port 'idle_in'", remedy="remove it")

    def test_unsorted(self, model):
        nodes = list(model.graph.node)
        position = nodes.index(node(model, "r_RowSums"))
        del model.graph.node[:]
        model.graph.node.extend([*nodes[:position], *nodes[position + 1 :], nodes[position]])
        refused(model, "'r_exact' is not computed by an earlier node", where="'r_quant'", remedy="SortGraph")

    def test_tensor_that_is_computed_twice(self, model):
        node(model, "diagonal_relu").output[0] = "z"
        refused(model, "its output 'z' is already defined", where="'diagonal_relu'", remedy="own name")

    def test_output_that_is_not_computed(self, model):
        model.graph.output.append(helper.make_tensor_value_info("score", TensorProto.FLOAT, [1, 1]))
        refused(model, "an output that no node computes", where="'score'", remedy="remove")

    def test_port_that_is_an_output(self, model):
        model.graph.output.append(tensor_value(model, "q_plus_in"))
        refused(model, "an output that no node computes", where="tensor 'q_plus_in'", remedy="remove it")

    def test_tensor_that_is_an_initialiser_and_computed(self, model):
        node(model, "r_quant").output[0] = "d_scale"
        refused(model, "output 'd_scale' is already defined", where="'r_quant'", remedy="its own name")

    def test_no_output(self, model):
        del model.graph.output[:]
        refused(model, "has no output", where="graph 'nanopelican'")

    def test_ordinary_onnx(self):
        port, result = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3]) for name in "xy")
        graph = helper.make_graph([helper.make_node("Softmax", ["x"], ["y"])], "net", [port], [result])
        refused(helper.make_model(graph), "unknown operator, domain ''", where=r"node 'y' \(Softmax\)", remedy="knows")

    def test_quant_as_brevitas_writes_it(self, model):
        expected, changed = Program.parse(model), 0
        for proto in model.graph.node:
            if proto.domain == QUANT_DOMAIN:
                proto.domain = "onnx.brevitas"
                changed += 1
        program = Program.parse(model)
        assert changed == len(expected.quantisers) + len(expected.parameter_quantisers)
        assert_same(program, expected)
        assert program.model == expected.model


class TestReading:
    """`read_model`: whatever a file contains, the error is one of ours and names the file."""

    def refused(self, path, what):
        with pytest.raises(ContractError, match=what) as caught:
            read_model(path)
        assert_documented(caught.value)
        assert caught.value.where == str(path)
        assert caught.value.remedy

    def test_a_saved_model_is_read_back(self, model, tmp_path):
        save_program(Program.parse(model), tmp_path / "m.onnx")
        assert read_model(tmp_path / "m.onnx") == model

    def test_missing(self, tmp_path):
        self.refused(tmp_path / "none.onnx", "No such file")

    def test_folder(self, tmp_path):
        self.refused(tmp_path, "cannot be read")

    @pytest.mark.parametrize("name", ["notes.txt", "model.onnx", "graph.json", "graph.textproto"])
    def test_text(self, tmp_path, name):
        path = tmp_path / name
        path.write_text("A trigger engineer wrote this down.\n" * 20)
        self.refused(path, "not an ONNX file")

    def test_empty(self, tmp_path):
        path = tmp_path / "m.onnx"
        path.write_bytes(b"")
        self.refused(path, "contains no graph")

    @pytest.fixture
    def split(self, model, tmp_path):
        onnx.save_model(
            model, tmp_path / "m.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0
        )
        return tmp_path

    def test_weights_in_a_file_that_is_gone(self, split):
        (split / "weights.bin").unlink()
        self.refused(split / "m.onnx", "another file")

    def test_weights_in_a_file_that_is_a_folder(self, split):
        (split / "weights.bin").unlink()
        (split / "weights.bin").mkdir()
        self.refused(split / "m.onnx", "another file")

    @pytest.mark.parametrize("length", [0, 1, 0.5, 0.99])
    def test_weights_in_a_file_that_is_cut_off(self, split, length):
        content = (split / "weights.bin").read_bytes()
        (split / "weights.bin").write_bytes(content[: int(length * len(content)) if length != 1 else 1])
        self.refused(split / "m.onnx", "another file")

    @pytest.mark.parametrize("key", ["offset", "length", "location"])
    @pytest.mark.parametrize("value", ["-1", "x", "99999999", "../weights.bin", ""])
    def test_weights_at_a_place_that_does_not_exist(self, split, key, value):
        content = onnx.load_model(split / "m.onnx", load_external_data=False)
        for entry in content.graph.initializer[0].external_data:
            if entry.key == key:
                entry.value = value
        (split / "m.onnx").write_bytes(content.SerializeToString())
        with contextlib.suppress(ContractError):
            Program.parse(read_model(split / "m.onnx"))

    def test_weights_that_are_not_loaded(self, split):
        content = onnx.load_model(split / "m.onnx", load_external_data=False)
        refused(content, "is stored in another file, which is not loaded", where="initialiser", remedy="read_program")

    def test_truncated_anywhere(self, model, tmp_path):
        """A prefix is refused by the reader or by the check; only the function bodies after the graph may be lost."""
        content = model.SerializeToString(deterministic=True)
        path = tmp_path / "m.onnx"
        for length in np.linspace(1, len(content) - 1, 150).astype(int):
            path.write_bytes(content[:length])
            try:
                program = Program.parse(read_model(path))
            except ContractError:
                continue
            assert program.nodes == Program.parse(model).nodes

    def test_bytes_changed_anywhere(self, model, tmp_path):
        """A damaged file is refused, or is another program, which a file gives back; a raw exception never escapes."""
        content = model.SerializeToString(deterministic=True)
        rng = np.random.default_rng(0)
        path, accepted = tmp_path / "m.onnx", 0
        for trial in range(150):
            damaged = bytearray(content)
            for position in rng.integers(0, len(content), 1 + trial % 3):
                damaged[position] = rng.integers(256)
            path.write_bytes(damaged)
            try:
                program = Program.parse(read_model(path))
            except ContractError:
                continue
            accepted += 1
            save_program(program, path)
            assert_same(read_program(path), program)
        assert 10 < accepted < 140
