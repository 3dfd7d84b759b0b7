"""The specification pages: every example is executed, and their common event is checked by plain loops."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.fixed_point import Quantiser, Rounding
from nanopelican_hls.operators import OPERATORS
from nanopelican_hls.topology.config import Coordinates, NetworkConfig, Spurions
from nanopelican_hls.topology.description import NetworkDescription
from nanopelican_hls.topology.export import build_program

PAGES = Path(__file__).parents[2] / "docs" / "operators"

# the event and the network's parameters, as on the pages
PARTICLES = [(5, 3, 4, 0), (5, 4, 3, 0), (3, 1, 2, 2), (0, 0, 0, 0)]
JET = (16, 10, 11, 3)
W_D = [2, 5]
ROW = {"w_r": [2, -1], "w_s": [-0.25, 0.25], "bias": [[0, 0], [0, 0], [1, -3], [1, -8], [1, -12], [2, -16]]}
COLUMN = {"w_r": [-1, 1]}
DIAGONAL = {"w_r": [-1, 1], "w_s": [0.5, -0.25], "bias": [[0, 0], [-4, 2], [-10, 4], [-20, 7], [-30, 10], [-45, 14]]}
W_JJ = [1, -2]
K_PAIR, K_DIAGONAL, LOGIT_BIAS = [1, -2], [-3, 5], [[0], [0], [-100], [-300], [-570], [-900]]

# worked out by hand
EXPECTED = {
    "mask": [1, 1, 1, 1, 0],
    "d": [1, 4, 0, 5, 0, 0],
    "d_jet": [6, 7, 10, 0],
    "d_jj": [26],
    "r": [49, 11, 13, 19, 0],
    "s": [92],
    "row": [[76, -38], [0, 0], [4, -2], [16, -8], [-22, 11]],
    "g": [[-7, -16], [5, -2], [3, 0], [-3, 6], [16, -13]],
    "z": [[88, -8], [94, -5], [112, 4], [54, -27], [6, 3], [24, 12], [-22, 11], [30, 15], [-18, 9], [-6, 3]],
    "diagonal": [[0, 0], [5, 0], [3, 0], [0, 6], [16, 0]],
    "pair_sum": [708, 68],
    "diagonal_sum": [8, 6],
    "logit": [8],
}


def blocks(page: str) -> list[dict]:
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]


EXAMPLES = [pytest.param(page, block, id=f"{page}-{i}") for page in OPERATORS for i, block in enumerate(blocks(page))]


@pytest.mark.parametrize(("page", "block"), EXAMPLES)
def test_an_example_is_what_the_operator_computes(page, block):
    operator = OPERATORS[page]
    assert set(block["inputs"]) <= set(operator.inputs)
    assert set(block["attributes"]) == set(operator.attributes())
    arrays = {name: np.array(value, dtype=float) for name, value in block["inputs"].items()}
    batched = {n: a if n in operator.parameters else a[None] for n, a in arrays.items()}
    inputs = [batched.get(name) for name in operator.inputs]
    shapes = [None if array is None else array.shape for array in inputs]
    output = np.array(block["output"], dtype=float)
    assert operator(**block["attributes"]).shape(*shapes) == (1, *output.shape)
    np.testing.assert_array_equal(operator(**block["attributes"]).compute(*inputs)[0], output)


@pytest.mark.parametrize("page", OPERATORS)
def test_a_page_describes_its_operator(page):
    operator, text = OPERATORS[page], (PAGES / f"{page}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {page}\n")
    assert blocks(page)
    for name in (*operator.inputs, *operator.attributes()):
        assert f"`{name}`" in text, name
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    for name in operator.inputs:
        (row,) = [row for row in rows if f"`{name}`" in row.split("|")[2]]
        assert ("parameter" in row.split("|")[1]) == (name in operator.parameters), name
        assert ("optional" in row.split("|")[1]) == (name in operator.optional), name
    assert f"[{page}]({page}.md)" in (PAGES / "README.md").read_text(encoding="utf-8")
    for heading in ("## Semantics", "## Range", "## Example", "## Hardware"):
        assert heading in text


def test_every_page_is_an_operator():
    assert {path.stem for path in PAGES.glob("*.md")} == {*OPERATORS, "README"}


def test_links_lead_somewhere():
    for path in (*PAGES.glob("*.md"), PAGES.parent / "contract.md"):
        for link in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).is_file(), f"{path.name}: {link}"


def test_the_truth_table_of_quant():
    table = (PAGES / "README.md").read_text(encoding="utf-8").split("## Quant")[1].split("## ")[0]
    rows = [[float(cell) for cell in line.strip("|").split("|")] for line in re.findall(r"^\| -?\d.*$", table, re.M)]
    assert len(rows) > 20
    columns = [(signed, rounding) for signed in (True, False) for rounding in (Rounding.ROUND, Rounding.FLOOR)]
    for x, *cells in rows:
        assert cells == [Quantiser(4, signed, 0, rounding).integers(x) for signed, rounding in columns], x


class TestEvent:
    """The three particles and the jet, on full M x M arrays in plain Python."""

    def products(self):
        particles = [JET, *PARTICLES]
        return [[a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3] for b in particles] for a in particles]

    def term(self, weights, n, jet_weights=(0, 0)):
        """Row, column or diagonal term of each particle: [M][C]."""
        d = self.products()
        total = sum(map(sum, d))
        result = []
        for i, row in enumerate(d):
            entry = [weights["w_r"][c] * sum(row) for c in range(2)]
            if "w_s" in weights:
                entry = [entry[c] + weights["w_s"][c] * total + weights["bias"][n][c] for c in range(2)]
            result.append([entry[c] + (jet_weights[c] * row[i] if i == 0 else 0) for c in range(2)])
        return result

    def naive(self, symmetric):
        d, pairs = self.products(), [(i, j) for i in range(5) for j in range(i + 1, 5)]
        mask = [1] + [int(p[0] != 0) for p in PARTICLES]
        n = sum(mask)
        row, g = self.term(ROW, n), self.term(DIAGONAL, n, W_JJ)
        column = row if symmetric else self.term(COLUMN, n)
        z = [[[W_D[c] * d[i][j] + row[i][c] + column[j][c] for c in range(2)] for j in range(5)] for i in range(5)]
        pair_sum, diagonal_sum = [0, 0], [0, 0]
        for c in range(2):
            for i in range(5):
                for j in range(5):
                    if mask[i] and mask[j]:
                        if i == j:
                            diagonal_sum[c] += max(0, g[i][c])
                        else:
                            pair_sum[c] += max(0, z[i][j][c])
        logit = LOGIT_BIAS[n][0] + sum(K_PAIR[c] * pair_sum[c] + K_DIAGONAL[c] * diagonal_sum[c] for c in range(2))
        return {
            "mask": mask,
            "d": [d[i][j] for i, j in pairs if i > 0],
            "d_jet": d[0][1:],
            "d_jj": [d[0][0]],
            "r": [sum(r) for r in d],
            "s": [sum(map(sum, d))],
            "row": row,
            "column": column,
            "g": g,
            "z": [z[i][j] for i, j in pairs] + ([] if symmetric else [z[j][i] for i, j in pairs]),
            "diagonal": [[max(0, x) for x in entry] for entry in g],
            "pair_sum": pair_sum,
            "diagonal_sum": diagonal_sum,
            "logit": [logit],
        }

    def test_by_hand(self):
        naive = self.naive(symmetric=True)
        assert {name: naive[name] for name in EXPECTED} == EXPECTED

    @pytest.mark.parametrize("symmetric", [True, False])
    def test_on_the_pages(self, symmetric):
        """The first example of a page is the symmetric form; where the untied form differs, it is the second."""
        naive, which = self.naive(symmetric), 0 if symmetric else 1
        outputs = {page: [block["output"] for block in blocks(page)] for page in OPERATORS}
        assert outputs["ParticleMask"][0] == naive["mask"]
        assert outputs["PairwiseDot"][0] == outputs["PairwiseDot"][1] == naive["d"]
        assert outputs["SpurionDot"][:3] == [naive["d_jet"], naive["d_jj"], naive["d_jet"]]
        assert outputs["RowSums"][0] == naive["r"]
        assert outputs["TotalSum"][0] == naive["s"]
        assert outputs["ParticleMix"][:3] == [naive["row"], naive["row"], naive["g"]]
        assert symmetric or outputs["ParticleMix"][3] == naive["column"]
        assert outputs["PairMix"][which] == naive["z"]
        assert outputs["PairSum"][which] == naive["pair_sum"]
        assert outputs["ParticleSum"][0] == naive["diagonal_sum"]
        assert not symmetric or outputs["Readout"] == [naive["logit"]] * 2

    @pytest.mark.parametrize("symmetric", [True, False])
    @pytest.mark.parametrize("coordinates", Coordinates)
    def test_in_qonnx_execution(self, symmetric, coordinates):
        network = NetworkConfig(4, 2, symmetric=symmetric, spurions=Spurions.JET, coordinates=coordinates)
        values = {"w_d": W_D, "diagonal_w_jj": W_JJ, "k_pair": K_PAIR, "k_diagonal": K_DIAGONAL}
        values |= {"logit_bias": LOGIT_BIAS} | {f"row_{k}": v for k, v in ROW.items()}
        values |= {} if symmetric else {f"column_{k}": v for k, v in COLUMN.items()}
        values |= {f"diagonal_{k}": v for k, v in DIAGONAL.items()}
        momenta = np.array([JET, *PARTICLES], dtype=float).T
        if coordinates is Coordinates.LIGHT_CONE:
            e, px, py, pz = momenta
            momenta = np.array([e + px, e - px, py, pz])
        ports = dict(zip(network.components, momenta[:, None, 1:], strict=True))
        ports |= {f"jet_{name}": jet for name, jet in zip(network.components, momenta[:, None, :1], strict=True)}
        exact = dict.fromkeys(ports, Quantiser(8, True, 0)) | dict.fromkeys(values, Quantiser(14, True, -2))
        description = NetworkDescription(
            network, exact | {"logit": Quantiser(16, True, 0)}, {k: np.array(v, float) for k, v in values.items()}
        )
        tensors = execute(build_program(description), ports)
        naive = self.naive(symmetric)
        for name in EXPECTED:
            assert tensors[name][0].tolist() == naive[name], name
