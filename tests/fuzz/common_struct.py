"""The common struct of CMSSW's models: counts, pointers and numbers, in a build with the sanitizers of g++."""

from __future__ import annotations

import functools
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hypothesis import strategies as st

from nanopelican_hls.cmssw.project import CmsswModel, write_models
from nanopelican_hls.contract.program import read_program
from nanopelican_hls.zoo import file_of

from .sandbox import WAIT_S, Outcome

FILE = "cases"
MODEL = CmsswModel("Tagger", "v1")
#: both libraries read the struct by the same text; around the HLS C++, sanitizers take many minutes to compile
PLAIN = "-O0 -std=c++17"
SANITIZED = f"{PLAIN} -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-sanitize=shift"
_CASE = struct.Struct("<BBBBiiI")

COUNTS = st.one_of(st.just(24), st.integers(-5, 40), st.sampled_from([48, 96, 384, 4095, 2**31 - 1, -(2**31), -24]))


@st.composite
def cases(draw):
    """Fifty calls, one after the other, of the same objects."""
    calls = draw(
        st.lists(
            st.tuples(
                st.one_of(st.just(0), st.just(0), st.integers(0, 255)),
                st.integers(0, 24),
                st.sampled_from([0, 0, 0, 1, 2, 3]),
                st.sampled_from([0, 0, 0, 0, 1, 2]),
                COUNTS,
                st.one_of(st.just(5), st.integers(-3, 9), st.sampled_from([2**31 - 1, -(2**31)])),
                st.integers(0, 2**32 - 1),
            ),
            min_size=1,
            max_size=50,
        )
    )
    return {FILE: b"".join(_CASE.pack(*call) for call in calls)}


@functools.cache
def program() -> tuple[Path, tempfile.TemporaryDirectory]:
    """Both libraries of a model, and what calls them."""
    temporary = tempfile.TemporaryDirectory(prefix="fuzz-")
    folder = Path(temporary.name) / "model"
    write_models(read_program(file_of("trigger-n8-l1", ".onnx")), folder, MODEL)
    here = Path(__file__).parent
    shutil.copy(here.parent / "cmssw" / "producer.h", folder)
    for library, flags in ((MODEL.integers, SANITIZED), (MODEL.hls, PLAIN)):
        command = ["make", "-j2", f"{library}.so", f"CXXFLAGS={flags}"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    includes = ["-I.", "-Iinclude/hls4ml", "-Iinclude/ap_types"]
    command = ["g++", *SANITIZED.split(), *includes, here / "common_struct.cpp", "-o", "common_struct", "-ldl"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "common_struct", temporary


def read(folder: Path) -> None:
    """Not used: the program is a process of its own."""
    raise NotImplementedError(folder)


class Sandbox:
    """Runs the program on the calls of a case."""

    def __init__(self, read: object) -> None:  # noqa: ARG002
        self._program, _ = program()

    def run(self, files: Mapping[str, bytes]) -> Outcome:
        command = [self._program, self._program.parent, MODEL.integers, MODEL.hls]
        try:
            done = subprocess.run(command, input=files[FILE], capture_output=True, timeout=WAIT_S, check=False)
        except subprocess.TimeoutExpired:
            return Outcome(f"hangs: no answer in {WAIT_S} s")
        said = done.stdout.decode(errors="replace").splitlines()
        if done.returncode or done.stderr:
            trouble = done.stderr.decode(errors="replace")
            first = next((line for line in trouble.splitlines() if "ERROR" in line or "error:" in line), trouble[:200])
            return Outcome(f"the process ends: status {done.returncode}: {first}", trouble[-6000:])
        integers, hls = said[::2], [line.replace(MODEL.hls, MODEL.integers) for line in said[1::2]]
        calls = len(files[FILE]) // _CASE.size
        if not len(integers) == len(hls) == calls:
            return Outcome("answers are missing", "\n".join(said))
        for one, other in zip(integers, hls, strict=True):
            if one != other:
                return Outcome("the two libraries differ", f"{one}\n{other}")
            if not one.startswith("works") and not (f" {MODEL.integers}: " in one and "; " in one):
                return Outcome("an error without a remedy", one)
        return Outcome("works" if any(line.startswith("works") for line in integers) else "refused")

    def close(self) -> None:
        """Nothing is kept open."""
