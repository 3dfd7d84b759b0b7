"""QONNX execution of the contract, in float64, by the qonnx package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from nanopelican_hls.contract import qonnx_adapter
from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import ContractError

Arrays = Mapping[str, NDArray[np.float64]]

#: jets per call; bounds the memory of the pair-level arrays
CHUNK = 2048


def execute(program: Program | str | Path, ports: Arrays) -> dict[str, NDArray[np.float64]]:
    """Run a program on jets and return every activation tensor by name.

    Parameters
    ----------
    program : Program or path
        A program, or the path of a QONNX file.
    ports : mapping of str to float64 array [n, ...]
        Keyed by graph input; the suffix ``_in`` may be left out.

    Returns
    -------
    dict of str to float64 array [n, ...]

    Raises
    ------
    ContractError
        If the file violates the contract, or a port is missing, has the wrong shape, or holds NaN or infinity.
    """
    program = Program.of(program)
    arrays = port_arrays(program, ports)
    chunks = [_execute_chunk(program, chunk) for chunk in _chunks(arrays)]
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in program.ranges}


def joined(first: Arrays, second: Arrays) -> dict[str, NDArray[np.float64]]:
    """The events of two sets of arrays, one after the other."""
    return {name: np.concatenate([first[name], second[name]]) for name in first}


def port_arrays(program: Program, ports: Arrays) -> dict[str, NDArray[np.float64]]:
    """Check the input arrays and return them in port order, as C-contiguous float64."""
    arrays = {}
    for port in program.inputs:
        name = port.name if port.name in ports else port.name.removesuffix("_in")
        if name not in ports:
            raise ContractError(
                "is missing",
                where=f"port {port.name!r}",
                remedy=f"pass arrays for {', '.join(p.name for p in program.inputs)}",
            )
        array = np.ascontiguousarray(ports[name], dtype=np.float64)
        if array.shape[1:] != port.shape:
            raise ContractError(
                f"has shape {array.shape}, expected (n, {', '.join(map(str, port.shape))})",
                where=f"port {port.name!r}",
                remedy="pass one row per jet, with an entry per constituent",
            )
        bad = np.argwhere(~np.isfinite(array))
        if len(bad):
            raise ContractError(
                f"is {array[tuple(bad[0])]} at index {bad[0][1:].tolist()}",
                where=f"port {port.name!r}, jet {bad[0][0]}",
                remedy="remove the jet: port values must be finite",
            )
        arrays[port.name] = array
    if len({len(a) for a in arrays.values()}) != 1:
        raise ContractError(
            "ports have different numbers of jets",
            where=", ".join(arrays),
            remedy="pass one row per jet in every array",
        )
    return arrays


def _chunks(arrays: Arrays) -> Iterator[dict[str, NDArray[np.float64]]]:
    count = len(next(iter(arrays.values())))
    for start in range(0, max(count, 1), CHUNK):
        yield {name: array[start : start + CHUNK] for name, array in arrays.items()}


def _execute_chunk(program: Program, ports: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    context = qonnx_adapter.run(with_batch_size(program, len(next(iter(ports.values())))), ports)
    return {name: np.asarray(context[name], dtype=np.float64) for name in program.ranges}


def with_batch_size(program: Program, batch: int) -> onnx.ModelProto:
    """A copy of the model for ``batch`` jets (qonnx's own transformation fails on chained custom operators)."""
    resized = onnx.ModelProto()
    resized.CopyFrom(program.model)
    for value in (*resized.graph.input, *resized.graph.value_info, *resized.graph.output):
        if value.name in program.shapes:
            value.type.tensor_type.shape.dim[0].dim_value = batch
    return resized
