"""What stands in front of a network that takes trigger words: their conversion to light-cone components.

It is in no row of the benchmark, as it is in none of the hand-written design's; so it is measured on its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nanopelican_hls.contract.program import Program
from nanopelican_hls.operators import AngleDifference, JetFromL1, LightConeFromL1
from nanopelican_hls.synth.target import Target

OPERATORS = frozenset(operator.name for operator in (AngleDifference, LightConeFromL1, JetFromL1))
RESOURCES = ("lut", "srl", "ff", "dsp")

Pieces = Mapping[str, Mapping[str, int]]


def conversion_tensors(program: Program) -> list[str]:
    """Results of the operators that convert words, in order; none for a network that takes components."""
    return [node.output for node in program.nodes if node.op_type in OPERATORS]


def split_pieces(tensors: Sequence[str], pieces: Pieces) -> dict[str, dict[str, int]]:
    """Resources of the conversion.

    Parameters
    ----------
    tensors : sequence of str
        From `conversion_tensors`.
    pieces : mapping
        Cells by piece of the design, from ``map/pieces.json``.

    Returns
    -------
    dict
        ``constituent``: of one of them; ``jet``: of the jet.
    """
    cells = {"constituent": dict.fromkeys(RESOURCES, 0), "jet": dict.fromkeys(RESOURCES, 0)}
    constituents = max(pieces[name]["instances"] for name in tensors)
    for name in tensors:
        piece = pieces[name]
        whose, divisor = ("jet", 1) if piece["instances"] == 1 else ("constituent", constituents)
        for resource in RESOURCES:
            cells[whose][resource] += piece[resource] // divisor
    return cells


def measure_conversion(checkpoint: Path, build: Path, target: Target, events: int | None) -> dict[str, Any]:
    """Synthesise a model that takes trigger words (open flow), and take the conversion out.

    Parameters
    ----------
    checkpoint : Path
        A model that takes trigger words.
    build : Path
        Receives the RTL.
    target : Target
        Part and clock.
    events : int, optional
        Jets of the shipped sample to simulate; None for all.

    Returns
    -------
    dict
        ``constituent`` and ``jet`` by resource; ``latency_cycles`` of the whole design; cycle of the last result of the
        conversion, ``converted_in_cycle``; ``rtl_vs_qonnx``.
    """
    from nanopelican_hls.contract.graph import build_model
    from nanopelican_hls.jets import port_values, read_jets, sample_path
    from nanopelican_hls.network.model import load_model
    from nanopelican_hls.rtl import piece_counts, synthesise
    from nanopelican_hls.rtl.architecture import open_settings
    from nanopelican_hls.synth.build_folder import locked

    trained = load_model(checkpoint)
    model = build_model(trained.description)
    program = Program.parse(model)
    tensors = conversion_tensors(program)
    ports = port_values(read_jets(sample_path(), events), trained.config.network)
    with locked(build):
        report = synthesise(model, build, target, ports, lambda _: None)
        pieces = json.loads((build / "rtl" / "map" / "pieces.json").read_text(encoding="utf-8"))["pieces"]
    counts = piece_counts(program, open_settings(target.clock_period_ns, "dsp"))
    cycles = [piece.cycle for piece in counts if piece.name in tensors and piece.cycle is not None]
    return {
        "model": checkpoint.stem,
        **split_pieces(tensors, pieces),
        "converted_in_cycle": max(cycles),
        "latency_cycles": report.latency_cycles,
        "rtl_vs_qonnx": report.as_json()["rtl_vs_qonnx"],
    }
