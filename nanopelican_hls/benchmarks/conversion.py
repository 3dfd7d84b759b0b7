"""Cost of converting trigger words to light-cone components, upstream of the network proper.

The rows of the benchmark exclude it, since the hand-written design does not have it; so it is measured separately.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nanopelican_hls.benchmarks import synthesis as benchmark
from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.files import write_atomically
from nanopelican_hls.operators.angle_difference import AngleDifference
from nanopelican_hls.operators.jet_from_l1 import JetFromL1
from nanopelican_hls.operators.light_cone_from_l1 import LightConeFromL1

OPERATORS = (AngleDifference, LightConeFromL1, JetFromL1)
RESOURCES = ("lut", "srl", "ff", "dsp")

Pieces = Mapping[str, Mapping[str, int]]


def conversion_tensors(program: Program) -> list[str]:
    """Outputs of the operators that convert words, in order; empty if the ports are components."""
    return [node.output for node in program.nodes if isinstance(node.operator, OPERATORS)]


def split_pieces(tensors: Sequence[str], pieces: Pieces) -> dict[str, dict[str, int]]:
    """Resources of the conversion, from those of the pieces.

    Parameters
    ----------
    tensors : sequence of str
        From `conversion_tensors`.
    pieces : mapping
        Cells by piece of the design, summed over its instances.

    Returns
    -------
    dict
        By resource: ``constituent``, for one constituent, and ``jet``.
    """
    cells = {"constituent": dict.fromkeys(RESOURCES, 0), "jet": dict.fromkeys(RESOURCES, 0)}
    for name in tensors:
        piece = pieces[name]
        whose = "constituent" if piece["instances"] > 1 else "jet"
        for resource in RESOURCES:
            cells[whose][resource] += piece[resource] // piece["instances"]
    return cells


def read_conversion(path: Path) -> dict[str, Any] | None:
    """Result stored by `measured_conversion`; None if there is no file."""
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def measured_conversion(
    checkpoint: Path, build: Path, events: int | None, path: Path, *, again: bool = False
) -> dict[str, Any]:
    """Synthesise a model with trigger words as input (open flow), and store the cost of the conversion in a file.

    Parameters
    ----------
    checkpoint : Path
        A model with 8 constituents.
    build : Path
        Folder for the RTL.
    events : int, optional
        Jets of the shipped sample to simulate; None for all.
    path : Path
        JSON file; results of the same model and version are reused unless ``again`` is set.

    Returns
    -------
    dict
        ``constituent`` and ``jet``, by resource; ``cycles``, the latency of the conversion; ``rtl_vs_qonnx``.
    """
    from nanopelican_hls.network.model import export_qonnx, load_model

    job = benchmark.Job(benchmark.FORMS["c"], 8, checkpoint, events, build)
    key = benchmark.key(job)
    known = read_conversion(path)
    if known and known["key"] == key and not again:
        return known
    tensors = conversion_tensors(export_qonnx(load_model(checkpoint)))
    if not tensors:
        raise SynthesisError("has no trigger words as input", where=str(checkpoint), remedy="use one with input: l1")
    row = benchmark.in_own_process(job)
    found = {
        "model": checkpoint.stem,
        **split_pieces(tensors, row["pieces"]),
        "cycles": 1 + max(row["first_result_cycle"][name] for name in tensors),
        "rtl_vs_qonnx": row["rtl_vs_qonnx"],
        "key": key,
    }
    write_atomically(path, json.dumps(found, indent=1) + "\n", SynthesisError)
    return found
