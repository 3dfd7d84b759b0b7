from __future__ import annotations

import numpy as np
import pytest
from operator_tests import MASK, Case, OperatorTests, selected_row, selected_weights

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.particle_mix import ParticleMix

M, C = 5, 3
COLUMN = {"r": (M,), "w_r": (C,)}
ROW = COLUMN | {"s": (1,), "w_s": (C,), "bias": (1, C)}
TABLE = {"bias": (M + 1, C), "mask": (M,)}
WEIGHTS = {"w_r": (M + 1, C), "w_s": (M + 1, C)}
JET = {"d_jj": (1,), "w_jj": (C,)}
BINS = {"bias": (4, C), "multiplicity_bin": (1,)}
WEIGHT_BINS = {"w_r": (4, C), "w_s": (4, C)}


def shape_of(shapes):
    return ParticleMix().shape(
        *(
            shapes.get(n) if n in ParticleMix.parameters or n not in shapes else (1, *shapes[n])
            for n in ParticleMix.inputs
        )
    )


class TestParticleMix(OperatorTests):
    operator = ParticleMix
    cases = (
        Case("column", COLUMN),
        Case("row", ROW),
        Case("row-with-an-idle-mask", ROW | {"mask": (M,)}),
        Case("row-table", ROW | TABLE),
        Case("diagonal-jet", ROW | JET),
        Case("diagonal-jet-table", ROW | TABLE | JET),
        Case("column-jet", COLUMN | JET),
        Case("row-bins", ROW | BINS),
        Case("diagonal-jet-bins", ROW | BINS | JET),
        Case("column-weights", COLUMN | {"w_r": (M + 1, C), "mask": (M,)}),
        Case("row-weights", ROW | WEIGHTS | {"mask": (M,)}),
        Case("row-table-weights", ROW | TABLE | WEIGHTS),
        Case("diagonal-jet-table-weights", ROW | TABLE | WEIGHTS | JET),
        Case("column-weight-bins", COLUMN | {"w_r": (4, C), "multiplicity_bin": (1,)}),
        Case("row-weight-bins", ROW | WEIGHT_BINS | {"multiplicity_bin": (1,)}),
        Case("diagonal-jet-bins-weight-bins", ROW | BINS | WEIGHT_BINS | JET),
        Case("row-weights-of-one-row", ROW | {"w_r": (1, C), "w_s": (1, C)}),
    )
    limited = {"mask": MASK, "multiplicity_bin": FixedRange(0, 3, 0)}

    @staticmethod
    def terms(index, given):
        jet, particle, channel = index
        terms = [selected_weights(given, "w_r", jet)[channel] * given["r"][jet][particle]]
        if given["s"] is not None:
            table = given["bias"]
            row = 0 if len(table) == 1 else selected_row(given, jet)
            terms += [selected_weights(given, "w_s", jet)[channel] * given["s"][jet][0], table[row][channel]]
        if given["d_jj"] is not None and particle == 0:
            terms.append(given["w_jj"][channel] * given["d_jj"][jet][0])
        return terms

    @pytest.mark.parametrize(
        ("given", "expected"),
        [(COLUMN, M * C), (ROW, (M + 1) * C), (COLUMN | JET, (M + 1) * C), (ROW | JET, (M + 2) * C)],
    )
    def test_multiplications(self, given, expected):
        """A particle and channel each; of S and of d_JJ each a channel one, shared by the particles."""
        assert ParticleMix().hls_config(*self.shapes(Case("", given)))["n_multiplications"] == expected

    def test_every_row_of_the_table_is_used(self):
        mask = np.tril(np.ones((M + 1, M)), -1)  # n = 0 ... M
        table = np.arange((M + 1) * C, dtype=float).reshape(M + 1, C)
        zero, weights = np.zeros((M + 1, M)), np.ones(C)
        mixed = ParticleMix().compute(zero, zero[:, :1], weights, weights, table, mask, None, None, None)
        np.testing.assert_array_equal(mixed, np.broadcast_to(table[:, None], mixed.shape))

    def test_every_row_of_the_weights_is_used(self):
        mask = np.tril(np.ones((M + 1, M)), -1)
        w_r, w_s = np.arange(2.0 * (M + 1) * C).reshape(2, M + 1, C)
        ones, bias = np.ones((M + 1, M)), np.zeros((1, C))
        mixed = ParticleMix().compute(ones, 100 * ones[:, :1], w_r, w_s, bias, mask, None, None, None)
        np.testing.assert_array_equal(mixed, np.broadcast_to((w_r + 100 * w_s)[:, None], mixed.shape))

    def test_follows_permutations(self):
        rng = np.random.default_rng(0)
        order = rng.permutation(M)
        r, s, w_r, w_s, bias, mask, *_ = self.ordinary_inputs(Case("", ROW | TABLE))
        mixed = ParticleMix().compute(r, s, w_r, w_s, bias, mask, None, None, None)
        again = ParticleMix().compute(r[:, order], s, w_r, w_s, bias, mask[:, order], None, None, None)
        np.testing.assert_array_equal(again, mixed[:, order])

    def test_the_range_is_tight(self):
        values = {"w_r": np.array([-2.0, 3.0]), "w_s": np.array([0.5, 0.25]), "bias": np.array([[-1.0, 8.0]])}
        values["w_jj"] = np.array([1.0, 1.0])
        ranges = [FixedRange(0, 10, 0), FixedRange(0, 6, 1), *[None] * 4, FixedRange(0, 3, 0), None, None]
        bound = ParticleMix().range(*ranges, shapes=[None] * 9, values=values)
        # channel 2 reaches the upper end (r = 10, S = 12, d_JJ = 3), channel 1 the lower one (r = 10)
        assert bound.high * 2.0**bound.exponent == 3 * 10 + 0.25 * 12 + 8 + 3
        assert bound.low * 2.0**bound.exponent == -2 * 10 - 1
        assert bound.exponent == -1

    def test_the_range_takes_the_weights_of_a_channel_together(self):
        """The channel with the larger weight has no bias, and that with the bias a smaller weight."""
        values = {"w_r": np.array([3.0, 1.0]), "w_s": np.array([0.0, 0.0]), "bias": np.array([[0.0, 8.0]])}
        ranges = [FixedRange(0, 10, 0), FixedRange(0, 1, 0), *[None] * 7]
        assert ParticleMix().range(*ranges, shapes=[None] * 9, values=values) == FixedRange(0, 30, 0)

    def test_the_range_of_tables_is_that_of_their_extremes(self):
        values = {"w_r": np.array([[-2.0], [3.0]]), "w_s": np.array([[0.5], [0.25]]), "bias": np.array([[8.0]])}
        ranges = [FixedRange(0, 10, 0), FixedRange(0, 6, 1), *[None] * 6, FixedRange(0, 1, 0)]
        bound = ParticleMix().range(*ranges, shapes=[None] * 9, values=values)
        assert bound == FixedRange(-20 * 2, (30 + 6 + 8) * 2, -1)

    @pytest.mark.parametrize("table", ["w_r", "bias"])
    def test_a_bin_without_a_row(self, table):
        values = {"w_r": np.ones((4, C)), "w_s": np.ones((4, C)), "bias": np.ones((4, C))}
        values[table] = np.ones((3, C))
        ranges = [FixedRange(0, 1, 0)] * 2 + [None] * 6 + [FixedRange(0, 3, 0)]
        with pytest.raises(ValueError, match=r"the bin may be 3, and the .* has 3 rows"):
            ParticleMix().range(*ranges, shapes=[None] * 9, values=values)

    @pytest.mark.parametrize(
        ("shapes", "message"),
        [
            (COLUMN | {"s": (1,)}, "s without bias, w_s"),
            (COLUMN | {"s": (1,), "w_s": (C,)}, "s, w_s without bias"),
            (COLUMN | {"d_jj": (1,)}, "d_jj without w_jj"),
            (ROW | {"bias": (M + 1, C)}, "no mask"),
            (ROW | TABLE | {"bias": (M, C)}, f"bias has {M} rows, expected 1 or {M + 1}"),
            (ROW | TABLE | {"bias": (M + 2, C)}, f"bias has {M + 2} rows"),
            (ROW | TABLE | {"mask": (M - 1,)}, r"mask has shape \(1, 4\), expected \(1, 5\)"),
            (ROW | BINS | {"mask": (M,)}, "selected by a mask and by a bin"),
            (ROW | WEIGHTS, "table of weights is a table of 6 rows, but there is no mask"),
            (COLUMN | {"w_r": (M, C), "mask": (M,)}, f"table of weights has {M} rows, expected 1 or {M + 1}"),
            (ROW | TABLE | {"w_r": (M + 1, C)}, "some weights are tables over the multiplicity, and others are not"),
            (ROW | TABLE | WEIGHTS | {"w_s": (M, C)}, r"w_s has shape \(5, 3\), expected \(6, 3\)"),
            (ROW | {"w_s": (1,)}, r"w_s has shape \(1,\), expected \(3\)"),
            (ROW | {"s": (M,)}, r"s has shape \(1, 5\), expected \(1, 1\)"),
        ],
    )
    def test_inputs_that_do_not_fit(self, shapes, message):
        with pytest.raises(ValueError, match=message):
            shape_of(shapes)
