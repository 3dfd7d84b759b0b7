"""ROOT files of jets: branches of other types and shapes, in both forms of trees, and bytes damaged."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from jet_files import jetclass_branches

from nanopelican_hls.jets import iterate_jets, read_jets, sample_path

from .mutations import damaged

FILE = "jets.root"
#: what a branch may be instead
OTHERS = (
    "numbers",
    "integers",
    "flags",
    "lists of lists",
    "short lists",
    "nan",
    "negative",
    "texts",
    "lost",
    "renamed",
    "empty",
)
NAMES = ("part_energy", "part_px", "part_pz", "label_QCD", "label_Tbl", "jet_pt")


@functools.cache
def base(form: str, name: str, other: str) -> bytes:
    """A file with one branch changed, without compression, so that damage reaches what is in it."""
    import awkward
    import uproot

    jets = read_jets(sample_path(), 11).leading(6)
    branches = jetclass_branches(jets)
    n = len(jets)
    changed = {
        "numbers": np.linspace(0, 1, n),
        "integers": np.arange(n),
        "flags": np.arange(n) % 2 == 0,
        "lists of lists": awkward.Array([[[1.0, 2.0], [3.0]]] * n),
        "short lists": awkward.Array([[1.0]] * n),
        "nan": awkward.Array([[float("nan")] * (k % 4) for k in range(n)]),
        "negative": awkward.Array([[-1.0] * (k % 4) for k in range(n)]),
        "texts": awkward.Array(["a"] * n),
        "empty": awkward.Array([[]] * (n - 1) + [[1.0]]),
    }
    if other == "lost":
        del branches[name]
    elif other == "renamed":
        branches = {"x'+str(1)+'" if key == name else key: value for key, value in branches.items()}
    elif other in changed:
        branches[name] = changed[other]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        with uproot.recreate(path, compression=None) as file:
            try:
                if form == "TTree":
                    file.mktree("tree", {k: getattr(v, "type", None) or v.dtype for k, v in branches.items()})
                    file["tree"].extend(branches)
                else:
                    file.mkrntuple("tree", branches)
            except (TypeError, ValueError, NotImplementedError):  # uproot does not write it
                return base(form, name, "as it is")
        return path.read_bytes()


@st.composite
def cases(draw):
    other = draw(st.sampled_from(["as it is"] * 4 + list(OTHERS)))
    name = draw(st.sampled_from(NAMES)) if other != "as it is" else NAMES[0]
    content = base(draw(st.sampled_from(["TTree", "TTree", "RNTuple"])), name, other)
    if other == "as it is" or draw(st.booleans()):
        content = draw(damaged(content))
    return {FILE: b"root" + content[4:] if draw(st.integers(0, 9)) else content}


def read(folder: Path) -> None:
    whole = read_jets(folder / FILE)
    if len(whole) > 1000:
        return
    chunks = list(iterate_jets(folder / FILE, 4))
    assert sum(map(len, chunks)) == len(whole), "chunks have other jets"
