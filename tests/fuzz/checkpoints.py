"""Checkpoints: entries changed, bytes damaged, and pickles that would run code."""

from __future__ import annotations

import copy
import functools
import io
import warnings
import zipfile
from pathlib import Path

import torch
from hypothesis import strategies as st

from nanopelican_hls import zoo
from nanopelican_hls.network.model import export_qonnx, load_model

from .mutations import EDGE, HOSTILE_PICKLES, NAMES, NUMBERS, damaged

FILE = "model.pt"
ZOO = ("trigger-n6", "trigger-n8", "trigger-n8-l1")
PICKLE = "data.pkl"


@functools.cache
def content(name: str) -> dict:
    return torch.load(zoo.file_of(name, ".pt"), weights_only=True)


TENSORS = st.sampled_from(
    [
        torch.zeros(0),
        torch.tensor(float("nan")),
        torch.tensor([1, 2]),
        torch.tensor(True),
        torch.tensor(1j),
        torch.zeros(2, 2, dtype=torch.float16),
        torch.zeros(2, dtype=torch.bfloat16),
        torch.zeros(2).to_sparse(),
        torch.zeros(1).expand(10**8),  # small in the file
        torch.zeros(2, device="meta"),
        torch.nn.Parameter(torch.ones(2, dtype=torch.float64)),
    ]
)
ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), EDGE, NUMBERS, NAMES, TENSORS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=4,
)


@st.composite
def cases(draw):
    result = copy.deepcopy(content(draw(st.sampled_from(ZOO))))
    for _ in range(draw(st.integers(0, 3))):
        _change(draw, result)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(result, file, _use_new_zipfile_serialization=draw(st.integers(0, 5)) > 0)
    written = file.getvalue()
    match draw(st.integers(0, 5)):
        case 0:
            written = draw(damaged(written))
        case 1 if written[:2] == b"PK":
            written = _with_pickle(written, lambda pickled: draw(st.one_of(damaged(pickled), _hostile(pickled))))
        case 2 if draw(st.booleans()):
            written = draw(st.sampled_from(HOSTILE_PICKLES))
    return {FILE: written}


def _hostile(pickled: bytes) -> st.SearchStrategy:
    """A pickle that would run code, by itself, or ahead of what is expected."""
    alone = st.sampled_from(HOSTILE_PICKLES)
    return st.one_of(alone, alone.map(lambda call: call[:-1] + b"0" + pickled[2:]))


def _with_pickle(archive: bytes, change) -> bytes:
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(result, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            new.writestr(entry, change(data) if entry.filename.endswith(PICKLE) else data)
    return result.getvalue()


def _change(draw, mapping: dict) -> None:
    """Change one entry of a mapping or of one in it."""
    key = draw(st.sampled_from(list(mapping) or ["x"]))
    value = mapping.get(key)
    if isinstance(value, dict) and value and draw(st.integers(0, 9)):
        _change(draw, value)
        return
    match draw(st.integers(0, 5)):
        case 0:
            mapping.pop(key, None)
        case 1:
            mapping[draw(NAMES)] = draw(ANY)
        case 2 if isinstance(value, torch.Tensor):
            mapping[key] = draw(
                st.sampled_from(
                    [
                        value.flip(0) if value.ndim else value,
                        value[..., None],
                        value.flatten(),
                        value.to(torch.float16),
                        value * -1,
                    ]
                )
            )
        case 3:
            mapping[key] = draw(TENSORS)
        case _:
            mapping[key] = draw(ANY)


def read(folder: Path) -> None:
    """What passes builds its networks and exports its graph."""
    model = load_model(folder / FILE)
    _ = model.checkpoint.fingerprint
    _ = model.float_network
    if model.checkpoint.description is not None:
        _ = model.quantised_network
        export_qonnx(model)
