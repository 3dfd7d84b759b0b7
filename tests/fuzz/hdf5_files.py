"""HDF5 files of jets: other types, shapes, attributes and links, and bytes damaged."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import h5py
import numpy as np
from hypothesis import strategies as st
from jet_files import LAYOUTS

from nanopelican_hls.jets import iterate_jets, read_jets, sample_path

from .mutations import EDGE, HOSTILE_PICKLES, NAMES, NUMBERS, damaged

FILE, OTHER = "jets.h5", "other.h5"
# the threads of blosc2 take seconds on a machine under load
KINDS = [name for name, (suffix, _) in LAYOUTS.items() if suffix == ".h5" and "blosc2" not in name]
MANY = 1000
#: numbers of a dataset that are not read to be changed
LARGE = 10**6
DTYPES = ("f2", "f4", ">f8", "f8", "i1", "i8", "u8", "b1", "c16", "S5", "V3", "O", "enum", "compound", "array", "ref")


@functools.cache
def base(kind: str) -> bytes:
    jets = read_jets(sample_path(), 7).leading(12)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        LAYOUTS[kind][1](path, jets)
        return path.read_bytes()


@functools.cache
def names(kind: str) -> list[str]:
    with tempfile.NamedTemporaryFile(suffix=".h5") as file:
        file.write(base(kind))
        file.flush()
        found: list[str] = []
        with h5py.File(file.name, "r") as opened:
            opened.visit(found.append)
    return found


@st.composite
def cases(draw):
    kind = draw(st.sampled_from(KINDS))
    content = base(kind)
    changes = draw(st.integers(0, 3))
    if changes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / FILE
            path.write_bytes(content)
            with h5py.File(path, "r+") as file:
                for _ in range(changes):
                    _change(draw, file, draw(st.sampled_from(names(kind))))
            content = path.read_bytes()
    if not changes or draw(st.integers(0, 2)) == 0:
        content = draw(damaged(content))
    return {FILE: content, OTHER: base("pelican")}


def _change(draw, file: h5py.File, name: str) -> None:
    try:
        held = file.get(name) if name in file else None
    except (OSError, RuntimeError):
        return  # links in a circle
    if held is None:
        return
    if isinstance(held, h5py.Dataset) and held.size is not None and held.size > LARGE:
        return  # was made so before
    match draw(st.sampled_from(["value", "type", "shape", "huge", "attribute", "link", "lost", "group", "added"])):
        case "value" if isinstance(held, h5py.Dataset) and held.size and held.dtype.kind in "fiu":
            values = held[()]
            for _ in range(draw(st.integers(1, 3))):
                place = draw(st.integers(0, values.size - 1))
                with np.errstate(all="ignore"):
                    values.reshape(-1)[place] = np.float64(draw(NUMBERS)).astype(values.dtype)
            held[...] = values
        case "type":
            _replace(file, name, _of_type(draw, draw(st.sampled_from(DTYPES)), getattr(held, "shape", (3,))))
        case "shape":
            shape = draw(st.lists(st.sampled_from([0, 1, 2, 4, 7, 8]), max_size=5))
            kind = draw(st.sampled_from(["f4", "f8", "i8", "i4"]))
            _replace(file, name, np.zeros(shape, kind))
        case "huge":
            shape = tuple(draw(st.lists(st.sampled_from([4, 7, 10**5, 10**8, 2**40, 2**62]), min_size=1, max_size=3)))
            del file[name]
            try:
                file.create_dataset(
                    name, shape, draw(st.sampled_from(["f8", "i8", "i4"])), chunks=tuple(min(n, 2) for n in shape)
                )
            except (ValueError, OverflowError, RuntimeError):
                return  # HDF5 cannot say it
        case "attribute":
            place = held if draw(st.booleans()) else file
            key = draw(st.sampled_from([*place.attrs, "classes", "pandas_type", "values_block_0_kind"]))
            place.attrs[key] = draw(_attributes())
        case "link":
            del file[name]
            file[name] = draw(_links())
        case "lost":
            del file[name]
        case "group":
            del file[name]
            file.create_group(name)
        case "added":
            added = draw(st.sampled_from(["label", "is_signal", "Pmu", "jet_Pmu", "Nobj", "multiplicity", "table"]))
            if added not in file:
                file[added] = np.zeros(
                    draw(st.lists(st.sampled_from([1, 4, 7]), max_size=3)), draw(st.sampled_from(["f8", "i8"]))
                )


def _replace(file: h5py.File, name: str, values) -> None:
    attributes = dict(file[name].attrs) if file[name].attrs is not None else {}
    del file[name]
    try:
        file[name] = values
        file[name].attrs.update(attributes)
    except (TypeError, ValueError, OSError):
        return  # HDF5 cannot hold it


def _of_type(draw, kind: str, shape):
    match kind:
        case "O":
            result = np.empty(shape[:1] or (1,), object)
            result[:] = [np.arange(k % 3, dtype="f8") for k in range(len(result))]
            return result.astype(h5py.vlen_dtype(np.float64))
        case "enum":
            return np.zeros(shape, h5py.enum_dtype({"a": 0, "b": 1}, basetype="i4"))
        case "compound":
            return np.zeros(
                shape[:1],
                [
                    ("index", "i8"),
                    ("values_block_0", "f8", (4,)),
                    (draw(st.sampled_from(["x", "values_block_1"])), "S2"),
                ],
            )
        case "array":
            return np.zeros(shape[:1], np.dtype(("f8", (2, 2))))
        case "ref":
            return np.zeros(shape[:1], h5py.ref_dtype)
        case _:
            return np.zeros(shape, kind)


def _attributes():
    return st.one_of(
        st.sampled_from([np.bytes_(pickled) for pickled in HOSTILE_PICKLES]).map(np.void),
        NAMES.map(lambda text: text.replace("\x00", "")),
        st.lists(st.sampled_from(["qcd", "top", "W", "w", ""]), max_size=3).map(lambda n: np.array(n, "S4")),
        EDGE.map(lambda n: np.float64(n)),
        st.just(h5py.Empty("f8")),
        st.just(np.zeros((2, 2))),
    )


def _links():
    return st.sampled_from(
        [
            h5py.SoftLink("/"),
            h5py.SoftLink("/Pmu"),
            h5py.SoftLink("/nowhere"),
            h5py.ExternalLink(OTHER, "/Pmu"),
            h5py.ExternalLink(OTHER, "/"),
            h5py.ExternalLink("nowhere.h5", "/Pmu"),
            h5py.ExternalLink("/dev/zero", "/Pmu"),
            h5py.ExternalLink(FILE, "/Pmu"),
            h5py.ExternalLink("/dev/stdin", "/Pmu"),
        ]
    )


def read(folder: Path) -> None:
    """At once and in chunks, with and without named classes."""
    whole = read_jets(folder / FILE)
    if len(whole) > MANY:
        return  # declared, but never written
    chunks = list(iterate_jets(folder / FILE, 3))
    assert sum(map(len, chunks)) == len(whole), "chunks have other jets"
