"""Combinational logic between symbolic arrays: to evaluate, to count, or to write as one pipeline."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.rtl.alkaid_adapter import CombLogic, RTLModel, optimised, patched
from nanopelican_hls.rtl.symbolic import Shape, Symbolic


@dataclass(frozen=True)
class Circuit:
    """Optimised combinational logic from inputs to outputs.

    Attributes
    ----------
    logic : as alkaid represents it.
    inputs : shapes of the inputs by name, without the batch axis, in order.
    outputs : the same for the outputs.
    """

    logic: CombLogic
    inputs: Mapping[str, Shape]
    outputs: Mapping[str, Shape]

    @property
    def delay(self) -> float:
        """Longest path in levels of logic, in alkaid's delay model."""
        return float(max(self.logic.out_latency))

    @property
    def is_constant(self) -> bool:
        """Whether no output depends on any input."""
        return all(bounds.min == bounds.max for bounds in self.logic.out_qint)

    def evaluate(self, arrays: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        """Run alkaid's interpreter.

        Parameters
        ----------
        arrays : mapping of str to float64 array [n, ...]
            Input values, on their grids and within their ranges.

        Returns
        -------
        dict of str to float64 array [n, ...]
        """
        flat = np.concatenate([arrays[name].reshape(len(arrays[name]), -1) for name in self.inputs], axis=1)
        result = self.logic.predict(np.ascontiguousarray(flat, dtype=np.float64), n_threads=1)
        widths = [int(np.prod(shape)) for shape in self.outputs.values()]
        parts = np.split(result, np.cumsum(widths)[:-1], axis=1)
        return {name: part.reshape(-1, *shape) for (name, shape), part in zip(self.outputs.items(), parts, strict=True)}

    @patched()
    def vhdl(self, entity: str, levels_per_stage: float) -> tuple[dict[str, str], int]:
        """The circuit as one pipeline with registered inputs and outputs.

        Parameters
        ----------
        entity : str
            Name of the entity.
        levels_per_stage : float
            Maximum levels of logic in a pipeline stage.

        Returns
        -------
        files : contents by name, including alkaid's primitives (LGPL).
        latency_cycles : clock edges from the one that samples an event to the one that outputs its result.
        """
        with tempfile.TemporaryDirectory() as folder:
            model = RTLModel(self.logic, folder, entity, "vhdl", latency_cutoff=levels_per_stage, print_latency=False)
            model.write()
            sources = (path for path in Path(folder, "src").rglob("*.vhd") if path.stem != f"{entity}_wrapper")
            return {path.name: path.read_text(encoding="utf-8") for path in sorted(sources)}, int(model.latency)


@patched()
def circuit(inputs: Mapping[str, Symbolic], outputs: Mapping[str, Symbolic]) -> Circuit:
    """The logic between symbolic arrays [1, ...], without dead code; all inputs are kept."""
    return Circuit(
        logic=optimised(_flat(inputs.values()), _flat(outputs.values())),
        inputs={name: array.shape[1:] for name, array in inputs.items()},
        outputs={name: array.shape[1:] for name, array in outputs.items()},
    )


def _flat(arrays: Iterable[Symbolic]) -> Any:
    return np.concatenate([np.ravel(array.values) for array in arrays])
