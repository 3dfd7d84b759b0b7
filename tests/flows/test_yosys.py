"""Which cells count as what."""

from __future__ import annotations

from nanopelican_hls.flows.yosys import Cells


def test_every_kind_of_cell_counts_as_what_it_is():
    of_size = {f"LUT{size}": size for size in range(1, 7)}
    cells = Cells(
        of_size
        | {"LUT6_2": 1_000, "SRL16E": 2_000, "SRLC32E": 4_000, "INV": 9}
        | {"FDRE": 1, "FDSE": 2, "FDRE_1": 4, "FDCE": 8}
        | {"DSP48E2": 5, "CARRY4": 6, "RAMB36E2": 3, "RAMB18E2": 5}
    )
    assert cells.lut_by_size == {size: size for size in range(1, 7)}
    assert (cells.lut_of_two, cells.srl) == (1_000, 6_000)
    assert cells.lut == 21 + 1_000 + 6_000
    assert (cells.ff, cells.dsp, cells.carry4, cells.bram36) == (15, 5, 6, 5.5)
    assert cells.summary() == {"lut": 1_021, "srl": 6_000, "ff": 15, "dsp": 5, "carry4": 6}
