"""From Level-1 words to light-cone components: the tables match their functions, and docs/level1.md the cost."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from random_networks import random_description, random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.jets import port_values, read_jets, sample_path
from nanopelican_hls.jets.level1 import from_level1, to_level1
from nanopelican_hls.network.interpreter import execute as execute_steps
from nanopelican_hls.network.interpreter import split
from nanopelican_hls.operators.jet_from_l1 import JetFromL1
from nanopelican_hls.operators.light_cone_from_l1 import LightConeFromL1
from nanopelican_hls.topology.config import Input, NetworkConfig, Spurions
from nanopelican_hls.topology.dataflow import activations, momenta, ports, words
from nanopelican_hls.topology.export import build_program
from nanopelican_hls.topology.level1_format import CMS_CORRELATOR, LEVEL1_FORMATS
from nanopelican_hls.topology.level1_tables import ANGLE_LIMIT, JET_BIN_GEV, angle_tables, inverse_table

PAGE = Path(__file__).parents[2] / "docs" / "level1.md"
JET = NetworkConfig(8, 4, spurions=Spurions.JET, input=Input.L1)
PLAIN = NetworkConfig(4, 2, input=Input.L1)


@pytest.mark.parametrize("level1", LEVEL1_FORMATS.values(), ids=LEVEL1_FORMATS)
class TestTables:
    def test_hold_their_functions(self, level1):
        angle = np.arange(ANGLE_LIMIT + 1) * level1.angle_lsb
        expected = {
            ("q_plus", "eta"): (np.cosh(angle), 2**-9),
            ("q_plus", "phi"): (np.cos(angle), 2**-9),
            ("q_minus", "eta"): (np.cosh(angle) - 1, 2**-13),
            ("q_minus", "phi"): (1 - np.cos(angle), 2**-13),
            ("q_y", "phi"): (np.sin(angle), 2**-10),
            ("q_z", "eta"): (np.sinh(angle), 2**-10),
        }
        found = {(c, a): t for c in JET.components for a, t in angle_tables(c, level1).items()}
        assert found.keys() == expected.keys()
        for key, (exact, bound) in expected.items():
            assert np.abs(found[key] - exact).max() <= bound, key

    def test_inverse(self, level1):
        table = inverse_table(level1)
        pt = JET_BIN_GEV * (np.arange(len(table)) + 0.5)
        assert pt[-1] + JET_BIN_GEV / 2 == 2.0 ** (level1.pt_bits + level1.pt_exponent)
        usable = pt > 128
        assert np.abs(table - 0.5 / pt)[usable].max() <= 2**-21
        assert (table[~usable] == 4095 / 2**20).all()


def exact_products(network: NetworkConfig, values) -> dict[str, np.ndarray]:
    """The tensors of the dataflow upstream of the first weight, unquantised."""
    steps, _ = split(network, tables=False)
    tensors = {name: torch.as_tensor(value) for name, value in values.items()}
    execute_steps(steps, tensors, {})
    return {name: tensor.numpy() for name, tensor in tensors.items()}


@pytest.fixture(scope="module")
def jets():
    return read_jets(sample_path(), 400)


@pytest.fixture(scope="module")
def tensors(jets):
    return exact_products(JET, port_values(jets, JET))


class TestComponents:
    """The sample as words, compared with the formulas of docs/jets.md for the same values."""

    def test_constituents(self, jets, tensors):
        said = to_level1(jets).leading(8)
        pt = said.pt * 0.25
        d_eta, d_phi = ((a - b[:, None]) * np.pi / 720 for a, b in ((said.eta, said.jet_eta), (said.phi, said.jet_phi)))
        expected = {
            "q_plus": np.cosh(d_eta) + np.cos(d_phi),
            "q_minus": np.cosh(d_eta) - np.cos(d_phi),
            "q_y": np.sin(d_phi),
            "q_z": np.sinh(d_eta),
        }
        bits = {"q_plus": 8, "q_minus": 12, "q_y": 10, "q_z": 10}
        for name, factor in expected.items():
            assert (np.abs(tensors[name] - pt * factor) <= pt * 2.0 ** -bits[name]).all(), name

    def test_jet(self, jets, tensors):
        said = from_level1(to_level1(jets))
        energy, px, py, pz = said.jet_four_momentum.T
        pt, mass_square = np.hypot(px, py), energy**2 - px**2 - py**2 - pz**2
        np.testing.assert_allclose(tensors["jet_q_plus"][:, 0], 2 * pt, rtol=1e-12)
        # half a bin of 8 GeV at 550 GeV
        np.testing.assert_allclose(tensors["d_jj"][:, 0], mass_square, rtol=0.01, atol=0.01)

    def test_products_are_near_those_of_the_components(self, jets, tensors):
        components = NetworkConfig(8, 4, spurions=Spurions.JET)
        exact = exact_products(components, port_values(jets, components))
        for name in ("d", "d_jet", "s"):
            assert np.corrcoef(tensors[name].ravel(), exact[name].ravel())[0, 1] > 0.99, name


class TestGraph:
    def test_ports_are_words(self):
        assert list(ports(JET)) == ["pt", "eta", "phi", "jet_eta", "jet_phi", "jet_pt", "jet_mass"]
        assert list(ports(PLAIN)) == ["pt", "eta", "phi", "jet_eta", "jet_phi"]
        program = build_program(random_description(JET))
        assert {port.tensor: port.quantiser for port in program.inputs} == words(JET)
        for port in program.inputs:
            assert port.shape == ((1,) if port.tensor.startswith("jet_") else (8,))

    def test_components_carry_the_quantisers_of_the_ports_they_replace(self):
        assert list(momenta(JET)) == ["q_plus", "q_minus", "q_y", "q_z", "jet_q_plus", "jet_q_minus"]
        assert momenta(JET).items() <= activations(JET).items()
        assert momenta(JET).items() <= ports(NetworkConfig(8, 4, spurions=Spurions.JET)).items()
        assert words(NetworkConfig(8, 4)) == {}

    def test_the_tables_are_initialisers(self):
        program = build_program(random_description(PLAIN))
        names = {i.name for i in program.model.graph.initializer if i.name.endswith("_table")}
        assert names == {
            f"{t}_table" for t in ("q_plus_eta", "q_plus_phi", "q_minus_eta", "q_minus_phi", "q_y_phi", "q_z_eta")
        }
        for name in names:
            component, angle, _ = name.rsplit("_", 2)
            np.testing.assert_array_equal(program.constants[name], angle_tables(component, CMS_CORRELATOR)[angle])

    def test_a_turn_of_the_whole_jet_changes_nothing(self):
        model, arrays = build_program(random_description(JET)), random_ports(JET, 100)
        turned = arrays | {name: (arrays[name] + 700 + 720) % 1440 - 720 for name in ("phi", "jet_phi")}
        np.testing.assert_array_equal(execute(model, arrays)["logit"], execute(model, turned)["logit"])

    def test_a_constituent_is_there_iff_its_pt_is(self):
        model, arrays = build_program(random_description(JET)), random_ports(JET, 50)
        np.testing.assert_array_equal(execute(model, arrays)["mask"][:, 1:], arrays["pt"] > 0)


def test_the_page_states_the_cost():
    """Multiplications and table bits, counted in the graph of a network with the jet."""
    program = build_program(random_description(JET))
    for node in program.nodes:
        if not isinstance(node.operator, LightConeFromL1 | JetFromL1):
            continue
        multiplications = node.operator.hls_config(*program.shapes_of(node)).get("n_multiplications", 0)
        tables = [program.constants[t] for t in node.parameters.values()]
        bits = sum(math.prod(t.shape) * FixedRange.of_values(t).bits for t in tables)
        cells = re.search(rf"^\| `{node.output.removesuffix('_exact')}` \|(.*)$", PAGE.read_text(), re.MULTILINE)
        assert cells, node.output
        numbers = cells[1].strip(" |").split("|")[-2:]
        assert [int(n.replace(",", "")) for n in numbers] == [multiplications, bits], node.output
