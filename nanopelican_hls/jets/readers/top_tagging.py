"""The top-tagging reference set (Kasieczka, Plehn, Thompson, Russel; doi 10.5281/zenodo.2603256) as published.

A pandas table ``table/table``, one row per jet: columns E_0, PX_0, PY_0, PZ_0, E_1, ... of 200 constituents in GeV, in
descending pT and zero-padded; truthE, truthPX, truthPY, truthPZ and ttv, which are not used; and is_signal_new, 1 =
top. pandas stores all columns of one type as one array ``values_block_k`` [row, column], and their names, pickled, in
the attribute ``values_block_k_kind``. With ``data_columns``, columns are arrays of their own under their own names.
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
from nanopelican_hls.jets.readers.datasets import attribute_bytes, check_readable
from nanopelican_hls.jets.readers.interface import Reader, check_lengths, jets_of_constituents

COMPONENTS = ("E", "PX", "PY", "PZ")
LABEL = "is_signal_new"

#: block -> positions of columns in it, and in the result
Blocks = dict[str, tuple[list[int], list[int]]]


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
        for name in self._table.dtype.names:
            kind = self._table.dtype[name].base.kind
            if f"{name}_kind" in self._table.attrs and kind not in "fiub":
                raise JetsError(
                    f"its block {name!r} must be numbers, not {self._table.dtype[name].base}",
                    where=f"{path}: table/table",
                    remedy="write it in the layout of docs/jets.md",
                )
        self._labelling = wanted.of_signal(path)
        columns = _columns(self._table)
        constituents = sum(name.startswith("E_") for name in columns)
        momenta = [f"{component}_{i}" for i in range(constituents) for component in COMPONENTS]
        _check_columns(f"{path}: table/table", momenta or ["E_0"], columns)
        self._momenta = _by_block([columns[name] for name in momenta])
        self._label = _by_block([columns[LABEL]])
        self._width = len(momenta)
        check_lengths(path, {"table": len(self._table)})

    def __len__(self) -> int:
        return len(self._table)

    def read(self, start: int, stop: int) -> Jets:
        rows = self._table[start:stop]
        momenta = _gathered(rows, self._momenta, self._width).reshape(len(rows), -1, len(COMPONENTS))
        labels = self._labelling(_gathered(rows, self._label, 1)[:, 0])
        return jets_of_constituents(momenta, labels, self._labelling.classes)


def _columns(table: Any) -> dict[str, tuple[str, int]]:
    """Column name -> its block and its position there."""
    blocks = [name for name in table.dtype.names if f"{name}_kind" in table.attrs and name != "index"]
    return {
        column: (block, position)
        for block in blocks
        for position, column in enumerate(_pickled_strings(attribute_bytes(table.attrs, f"{block}_kind")))
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


def _by_block(columns: Sequence[tuple[str, int]]) -> Blocks:
    """Blocks of columns [(block, position), ...], each with its positions there and those in the result."""
    blocks: Blocks = {}
    for place, (block, position) in enumerate(columns):
        positions, places = blocks.setdefault(block, ([], []))
        positions.append(position)
        places.append(place)
    return blocks


def _gathered(rows: Any, blocks: Blocks, width: int) -> NDArray[Any]:
    """Columns [n, width] of the rows of a table, in the order of `_by_block`."""
    if len(blocks) == 1:
        ((block, (positions, _)),) = blocks.items()
        first, last = positions[0], positions[-1] + 1
        # a view where they are contiguous; a list of positions would copy
        at = slice(first, last) if positions == list(range(first, last)) else positions
        values: NDArray[Any] = rows[block].reshape(len(rows), -1)[:, at]
        return values
    result = np.empty((len(rows), width))
    for block, (positions, places) in blocks.items():
        result[:, places] = rows[block].reshape(len(rows), -1)[:, positions]
    return result
