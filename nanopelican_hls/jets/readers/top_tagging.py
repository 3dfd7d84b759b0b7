"""The top-tagging reference set (Kasieczka, Plehn, Thompson, Russel; doi 10.5281/zenodo.2603256) as published.

A pandas table ``table/table``, one row per jet: columns E_0, PX_0, PY_0, PZ_0, E_1, ... of 200 constituents in GeV, in
descending pT and zero-padded; truthE, truthPX, truthPY, truthPZ and ttv, which are not used; and is_signal_new, 1 =
top. pandas stores all columns of one type as one array ``values_block_k`` [row, column], and their names, pickled, in
the attribute ``values_block_k_kind``.
"""

from __future__ import annotations

import pickletools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import Jets
from nanopelican_hls.jets.readers.classes import Wanted
from nanopelican_hls.jets.readers.datasets import check_readable
from nanopelican_hls.jets.readers.interface import Reader, check_lengths, jets_of_constituents

COMPONENTS = ("E", "PX", "PY", "PZ")
LABEL = "is_signal_new"


class TopTaggingReader(Reader):
    """Columns are looked up by name, so their order and the number of constituents may differ."""

    layout = "top-tagging reference"
    identified_by = "pandas table 'table/table'"

    @classmethod
    def recognises(cls, file: Any) -> bool:
        return "table/table" in file

    def __init__(self, path: Path, file: Any, wanted: Wanted) -> None:
        self._table = file["table/table"]
        check_readable(f"{path}: table/table", self._table)
        if self._table.dtype.names is None:
            raise JetsError(
                "is not a table of rows", where=f"{path}: table/table", remedy="write it with pandas, format='table'"
            )
        self._labelling = wanted.of_signal(path)
        columns = _columns(self._table)
        constituents = sum(name.startswith("E_") for name in columns)
        momenta = [f"{component}_{i}" for i in range(constituents) for component in COMPONENTS]
        _check_columns(f"{path}: table/table", momenta or ["E_0"], columns)
        self._momenta, self._positions = _one_block(f"{path}: table/table", momenta, columns)
        self._label_block, self._label_position = columns[LABEL]
        check_lengths(path, {"table": len(self._table)})

    def __len__(self) -> int:
        return len(self._table)

    def read(self, start: int, stop: int) -> Jets:
        rows = self._table[start:stop]
        momenta = rows[self._momenta][:, self._positions].reshape(len(rows), -1, len(COMPONENTS))
        labels = self._labelling(rows[self._label_block][:, self._label_position])
        return jets_of_constituents(momenta, labels, self._labelling.classes)


def _columns(table: Any) -> dict[str, tuple[str, int]]:
    """Column name -> its block and its position there."""
    blocks = [name for name in table.dtype.names if f"{name}_kind" in table.attrs and name.startswith("values_block_")]
    return {
        column: (block, position)
        for block in blocks
        for position, column in enumerate(_pickled_strings(bytes(table.attrs[f"{block}_kind"])))
    }


def _pickled_strings(pickled: bytes) -> list[str]:
    """The strings of a pickled list, read without unpickling: a foreign pickle can run arbitrary code."""
    try:
        return [argument for _, argument, _ in pickletools.genops(pickled) if isinstance(argument, str)]
    except ValueError:
        return []


def _check_columns(where: str, momenta: Sequence[str], columns: dict[str, tuple[str, int]]) -> None:
    missing = [name for name in (*momenta, LABEL) if name not in columns]
    if missing:
        shown = ", ".join(list(columns)[:6]) + (", ..." if len(columns) > 6 else "")
        raise JetsError(
            f"has no column {', '.join(missing[:4])}{' and others' if len(missing) > 4 else ''}; "
            f"it has {len(columns)} columns{f': {shown}' if columns else ''}",
            where=where,
            remedy=f"columns are E_i, PX_i, PY_i, PZ_i of constituents i = 0, 1, ... and {LABEL}",
        )


def _one_block(
    where: str, names: Sequence[str], columns: dict[str, tuple[str, int]]
) -> tuple[str, slice | NDArray[np.intp]]:
    """The block that holds ``names``, and their positions in it: a slice if contiguous."""
    blocks = sorted({columns[name][0] for name in names})
    if len(blocks) > 1:
        raise JetsError(
            f"the momenta are spread over {', '.join(blocks)}",
            where=where,
            remedy="convert all momenta to one type, such as float32, before writing the table",
        )
    positions = np.array([columns[name][1] for name in names])
    if (np.diff(positions) == 1).all():
        return blocks[0], slice(int(positions[0]), int(positions[-1]) + 1)  # a view; an index array would copy
    return blocks[0], positions
