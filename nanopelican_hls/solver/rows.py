"""Rows of the report, told alike for every kind of firmware: what was proved of a model, and of which sources."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import RtlError, SolverError
from nanopelican_hls.solver.decide import Verdict
from nanopelican_hls.solver.proving import TensorProof


def result_of(prove: Callable[[], Sequence[TensorProof]]) -> dict[str, Any]:
    """The proofs of all tensors, and the worst of their verdicts; firmware that none can be made of is unproved."""
    start = time.monotonic()
    try:
        proofs = prove()
        reason = "; ".join(f"{proof.tensor}: {proof.reason}" for proof in proofs if proof.reason)
        verdicts = {proof.verdict for proof in proofs}
    except (RtlError, SolverError) as error:
        proofs, verdicts, reason = [], {Verdict.UNPROVED}, str(error).splitlines()[0]
    worst = next(v for v in (Verdict.REFUTED, Verdict.UNPROVED, Verdict.PROVED) if v in verdicts)
    tensors = [dataclasses.asdict(proof) for proof in proofs]
    return {"verdict": worst, "seconds": time.monotonic() - start, "reason": reason, "tensors": tensors}


def result_cells(row: Mapping[str, Any], digits: int = 0) -> list[str]:
    """Seconds, verdict and reason of a row or of one of its tensors, for a table."""
    reason = row["reason"][:200].replace("|", "/")
    return [f"{row['seconds']:.{digits}f}", Verdict(row["verdict"]).value, reason]


def digest(program: Program, rooms: Sequence[str], suffixes: Collection[str]) -> str:
    """Of a model, and of everything in these rooms of the package that makes or proves its firmware."""
    found = hashlib.sha256(program.model.SerializeToString(deterministic=True))
    package = Path(__file__).parents[1]
    for room in rooms:
        for file in sorted((package / room).rglob("*")):
            if file.suffix in suffixes and not file.name.endswith("report.py"):  # it only shows what was found
                found.update(file.read_bytes())
    return found.hexdigest()[:16]
