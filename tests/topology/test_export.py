"""The exported file: names, types, determinism, and descriptions that the export refuses."""

from __future__ import annotations

import dataclasses

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper
from random_networks import NETWORKS, inner_tensors, network_id, random_description

from nanopelican_hls.contract.program import save_program
from nanopelican_hls.contract.quant import QUANT_DOMAIN
from nanopelican_hls.errors import ContractError
from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.operators import DOMAIN, VERSION
from nanopelican_hls.topology.config import Coordinates, Multiplicity, MultiplicityBins, NetworkConfig, Spurions
from nanopelican_hls.topology.dataflow import activations, once_a_jet, outputs, parameters, ports, scaled_rows
from nanopelican_hls.topology.description import NetworkDescription
from nanopelican_hls.topology.export import build_program

JET = NetworkConfig(4, 2, spurions=Spurions.JET, coordinates=Coordinates.CARTESIAN)


def declared(model):
    """Element type and shape, by tensor."""
    values = (*model.graph.input, *model.graph.value_info, *model.graph.output)
    types = {v.name: v.type.tensor_type for v in values}
    return {name: (t.elem_type, tuple(d.dim_value for d in t.shape.dim)) for name, t in types.items()}


@pytest.mark.parametrize("tables", [False, True])
@pytest.mark.parametrize("network", NETWORKS, ids=network_id)
class TestEveryForm:
    def test_checker_passes(self, network, tables):
        onnx.checker.check_model(build_program(random_description(network, tables)).model, full_check=True)

    def test_names_and_types(self, network, tables):
        description = random_description(network, tables)
        model = build_program(description).model
        types = declared(model)
        expected_ports = {
            f"{port}_in": (TensorProto.DOUBLE, (1, 1 if port in once_a_jet(network) else 4)) for port in ports(network)
        }
        assert {i.name: types[i.name] for i in model.graph.input} == expected_ports
        assert tuple(o.name for o in model.graph.output) == outputs(network)
        for node in model.graph.node:
            kind = TensorProto.FLOAT if node.op_type == "Quant" else TensorProto.DOUBLE
            assert types[node.output[0]][0] == kind
        quantised = {node.output[0] for node in model.graph.node if node.op_type == "Quant"}
        assert quantised == set(description.quantisers)
        assert {n.input[0] for n in model.graph.node if n.op_type == "Quant"} == {
            *(f"{name}_in" for name in ports(network)),
            *(f"{name}_value" for name in parameters(network, tables=tables)),
            *(f"{t}_exact" for t in activations(network)),
        }

    def test_parameters_are_stored_on_their_grids(self, network, tables):
        description = random_description(network, tables)
        stored = {t.name: numpy_helper.to_array(t) for t in build_program(description).model.graph.initializer}
        for name, value in description.parameters.items():
            quantiser = description.quantisers[name]
            assert (stored[f"{name}_value"] == quantiser(value)).all()
            assert stored[f"{name}_scale"] == quantiser.scale
            assert stored[f"{name}_bit_width"] == quantiser.bits

    def test_bytes_are_deterministic(self, network, tables):
        first, second = (
            build_program(random_description(network, tables)).model.SerializeToString(deterministic=True)
            for _ in range(2)
        )
        assert first == second


def test_versions():
    model = build_program(random_description(JET)).model
    versions = {v.domain: v.version for v in model.opset_import}
    assert versions == {"": 17, QUANT_DOMAIN: 1, DOMAIN: VERSION}
    assert model.producer_name == "nanopelican-hls"


def test_without_inner_quantisers_a_tensor_exists_once():
    model = build_program(random_description(JET, bits=6, without=inner_tensors(JET))).model
    names = set(declared(model))
    assert {"d", "r", "s", "pair", "pair_sum", "logit", "logit_exact"} <= names
    assert not names & {"d_exact", "r_exact", "pair_exact", "g_exact", "z_exact"}


def test_total_sum_takes_the_exact_row_sums():
    for without, source in (((), "r_exact"), (("r",), "r")):
        model = build_program(random_description(JET, without=without)).model
        assert next(n for n in model.graph.node if n.op_type == "TotalSum").input == [source]


def test_trailing_absent_inputs_are_left_out():
    model = build_program(random_description(NETWORKS[0])).model
    row = next(n for n in model.graph.node if n.name == "row_ParticleMix")
    assert row.input == ["r", "s", "row_w_r", "row_w_s", "row_bias"]
    model = build_program(random_description(JET)).model
    diagonal = next(n for n in model.graph.node if n.name == "g_ParticleMix")
    assert diagonal.input[5:] == ["", "d_jj", "diagonal_w_jj"]


@pytest.mark.parametrize(("port_bits", "tensor"), [(24, "r"), (20, "row_exact")])
def test_more_than_53_bits_names_the_tensor(port_bits, tensor):
    """A product of ports has at least twice their bits; summed over all pairs, or weighted, it exceeds the limit."""
    description = random_description(JET, without=["d", "d_jet", "r", "s"])
    wide = {name: dataclasses.replace(description.quantisers[name], bits=port_bits) for name in ports(JET)}
    description = dataclasses.replace(description, quantisers={**description.quantisers, **wide})
    with pytest.raises(ContractError, match=f"tensor '{tensor}' needs .* bits, more than the 53"):
        build_program(description)


SCALED = NetworkConfig(4, 2, multiplicity_scaling=True)


@pytest.mark.parametrize(
    ("parameter", "tensor", "without"),
    [("row_w_r", "row_exact", ["d", "r", "s"]), ("k_pair", "logit_exact", ["d", "pair", "pair_sum"])],
)
def test_a_table_of_weights_of_more_than_53_bits_names_the_tensor(parameter, tensor, without):
    """Rows that differ by factors of two up to 2**22 need a quantiser of 24 bits, for every product."""
    description = random_description(SCALED, bits=12, without=without)
    (rows,) = scaled_rows(SCALED)
    table = np.ldexp(np.ones((rows, 2)), np.linspace(0, 22, rows).round().astype(int)[:, None])
    wide = dataclasses.replace(
        description,
        quantisers={**description.quantisers, parameter: Quantiser(24, True, 0)},
        parameters={**description.parameters, parameter: table},
    )
    with pytest.raises(ContractError, match=f"tensor '{tensor}' needs .* bits, more than the 53"):
        build_program(wide)
    build_program(dataclasses.replace(wide, parameters={**wide.parameters, parameter: np.ones((rows, 2))}))


def test_weights_that_the_multiplicity_scales_have_its_rows():
    bins = MultiplicityBins(low=4, width=16, bins=4)
    of_jet = dataclasses.replace(SCALED, symmetric=False, multiplicity=Multiplicity.JET, multiplicity_bins=bins)
    for network, rows, select in ((SCALED, 5, ["mask"]), (of_jet, 4, ["", "", "", "multiplicity_bin"])):
        program = build_program(random_description(network))
        assert program.constants["row_w_r"].shape == program.constants["k_pair"].shape == (rows, 2)
        assert program.constants["w_d"].shape == (2,)
        assert program.constants["row_bias"].shape == (1, 2)
        nodes = {node.name: list(node.input) for node in program.model.graph.node}
        assert nodes["row_ParticleMix"] == ["r", "s", "row_w_r", "row_w_s", "row_bias", *select]
    assert nodes["column_ParticleMix"] == ["r", "", "column_w_r", "", "", *select]


class TestDescription:
    """`NetworkDescription` refuses parameters and quantisers that do not match the network."""

    @pytest.fixture
    def parts(self):
        description = random_description(JET)
        return dict(description.quantisers), dict(description.parameters)

    def refused(self, parts, what, where):
        with pytest.raises(ContractError, match=what) as caught:
            NetworkDescription(JET, *parts)
        assert caught.value.where == where

    def test_shape(self, parts):
        parts[1]["w_d"] = np.zeros(3)
        self.refused(parts, r"shape \(3,\), expected \(2,\)", "w_d")

    def test_absent_parameter(self, parts):
        del parts[1]["k_pair"]
        self.refused(parts, r"shape absent, expected \(2,\)", "k_pair")

    def test_parameter_of_no_such_name(self, parts):
        parts[1]["column_w_r"] = np.zeros(2)
        self.refused(parts, r"shape \(2,\), expected no such parameter", "column_w_r")

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_parameter_that_is_no_number(self, parts, value):
        parts[1]["w_d"][1] = value
        self.refused(parts, "is NaN or infinite", "w_d")

    def test_a_table_for_one_bias_only(self, parts):
        parts[1]["row_bias"] = np.zeros((6, 2))
        self.refused(parts, r"shape \(6, 2\), expected \(1, 2\)", "row_bias")

    @pytest.mark.parametrize("name", ["E", "jet_E", "w_d", "logit"])
    def test_quantiser_that_must_be(self, parts, name):
        del parts[0][name]
        self.refused(parts, "has no quantiser", name)

    def test_quantiser_of_no_such_tensor(self, parts):
        parts[0]["g"] = Quantiser(8, True, 0)
        self.refused(parts, "has a quantiser, but the network has no such tensor", "g")


class TestSaving:
    def test_nothing_else_is_left(self, tmp_path):
        save_program(build_program(random_description(JET)), tmp_path / "m.onnx")
        assert [p.name for p in tmp_path.iterdir()] == ["m.onnx"]

    def test_folder_that_is_not_there(self, tmp_path):
        with pytest.raises(ContractError, match="cannot be written") as caught:
            save_program(build_program(random_description(JET)), tmp_path / "none" / "m.onnx")
        assert caught.value.where == str(tmp_path / "none" / "m.onnx")
