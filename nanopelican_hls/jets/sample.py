"""The jet sample shipped with the package, and how it is cut from a larger file."""

from __future__ import annotations

import json
import logging
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import Jets
from nanopelican_hls.jets.hdf5 import write_jets
from nanopelican_hls.jets.readers import read_jets

logger = logging.getLogger(__name__)

#: size of the shipped sample (jets/data/README.md)
SAMPLE_JETS = 10_000
SAMPLE_CONSTITUENTS = 32


def sample_path() -> Path:
    """Path of the shipped sample: 10,000 jets, half top and half QCD, with their 32 leading constituents."""
    path = Path(str(resources.files("nanopelican_hls.jets") / "data" / "sample.h5"))
    if not path.is_file():
        raise JetsError("the shipped sample is missing", where=str(path), remedy="install the package again")
    return path


def cut_sample(
    source: str | Path,
    destination: str | Path,
    n_jets: int = SAMPLE_JETS,
    n_constituents: int = SAMPLE_CONSTITUENTS,
) -> None:
    """Write the first ``n_jets / 2`` top and QCD jets of a file, in file order, with their leading constituents.

    The content of ``meta.json`` next to the source (how the jets were generated) is copied to the file attributes.

    Raises
    ------
    JetsError
        If the source cannot be read, has no labels or too few jets of a class, or the destination cannot be written.
    """
    source = Path(source)
    jets = read_jets(source)
    selected = jets[_first_of_each_class(jets, n_jets, str(source))].leading(n_constituents)
    selection = f"first {n_jets // 2} top and {n_jets // 2} QCD jets in file order, leading {n_constituents} in pT"
    origin = {"source": source.name, "selection": selection, "licence": "Apache-2.0"}
    write_jets(destination, selected, {**origin, **_provenance(source)})


def _first_of_each_class(jets: Jets, n_jets: int, where: str) -> NDArray[np.intp]:
    """Positions of the first ``n_jets / 2`` top and QCD jets, ascending."""
    if n_jets < 2 or n_jets % 2:
        raise JetsError(f"{n_jets} jets cannot be half top and half QCD", where=where, remedy="ask for an even number")
    if jets.binary_labels(where) is None or jets.classes is not None:
        raise JetsError("has no labels (is_signal)", where=where, remedy="use a file with labels")
    classes = {"top": np.flatnonzero(jets.labels == 1), "QCD": np.flatnonzero(jets.labels == 0)}
    for name, positions in classes.items():
        if len(positions) < n_jets // 2:
            raise JetsError(
                f"has {len(positions)} {name} jets, {n_jets // 2} are needed", where=where, remedy="cut fewer jets"
            )
    return np.sort(np.concatenate([positions[: n_jets // 2] for positions in classes.values()]))


def _provenance(source: Path) -> dict[str, str | int]:
    """``meta.json`` next to the source, one attribute per key: an integer, or JSON."""
    meta = source.with_name("meta.json")
    if not meta.is_file():
        logger.warning("%s has no meta.json next to it: the sample will not record how its jets were made", source)
        return {}
    try:
        content = json.loads(meta.read_text(encoding="utf-8"))
        return {key: value if isinstance(value, int) else json.dumps(value) for key, value in content.items()}
    except (ValueError, AttributeError) as error:
        raise JetsError(
            f"is not a JSON object ({error})", where=str(meta), remedy="install the package again"
        ) from error
