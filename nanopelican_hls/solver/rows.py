"""Rows of the report, told alike for every kind of firmware: what was proved of a model, and of which sources."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import RtlError, SolverError
from nanopelican_hls.solver.decide import Verdict
from nanopelican_hls.solver.proving import TensorProof
from nanopelican_hls.versions import installed

#: of the package, beside its rooms: what every firmware is made with
FILES = ("fixed_point.py", "processes.py")
#: characters of a reason in a table
SHOWN = 200


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
    reason = row["reason"].replace("|", "/")
    shown = reason if len(reason) <= SHOWN else f"{reason[:SHOWN].rsplit(' ', 1)[0]} ..."
    return [f"{row['seconds']:.{digits}f}", Verdict(row["verdict"]).value, shown]


def is_kept(known: Mapping[str, Any] | None, head: Mapping[str, Any]) -> bool:
    """Whether a row is what would be found again: of the same sources, and not for want of time without an answer."""
    return (
        known is not None
        and known["digest"] == head["digest"]
        and bool(known["tensors"])
        and (known["verdict"] != Verdict.UNPROVED.value or known["limit_s"] >= head["limit_s"])
    )


def digest(program: Program, rooms: Sequence[str], suffixes: Collection[str], tools: Sequence[str], *more: str) -> str:
    """Of a model, and of everything that makes or proves its firmware.

    Parameters
    ----------
    program : Program
    rooms : sequence of str
        Of the package; `FILES` are always included.
    suffixes : collection of str
        Of the files there.
    tools : sequence of str
        Packages whose version matters.
    *more : str
        What else matters, such as the version of a compiler.
    """
    found = hashlib.sha256(program.model.SerializeToString(deterministic=True))
    package = Path(__file__).parents[1]
    files = [file for room in rooms for file in sorted((package / room).rglob("*")) if file.suffix in suffixes]
    for file in [*files, *(package / name for name in FILES)]:
        if not file.name.endswith("report.py"):  # it only shows what was found
            found.update(file.read_bytes())
    found.update(json.dumps([sorted(installed(tools).items()), more]).encode())
    return found.hexdigest()[:16]
