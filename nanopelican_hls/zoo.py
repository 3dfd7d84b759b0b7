"""The zoo: trained models that the package ships, and how they are found by name.

One rule: a string that is the name of a model means that model, whatever files the current folder has; ``./NAME`` is
the file. Everything else, and every `Path`, is a file.
"""

from __future__ import annotations

import difflib
import os
from importlib import resources
from pathlib import Path

from nanopelican_hls.errors import NanopelicanError

#: folders of the shipped files, in an installed wheel or (through links) in the source tree; only ever read
CONFIGS, MODELS = (Path(str(resources.files("nanopelican_hls"))) / folder for folder in ("configs", "models"))

#: of the files of a model
SUFFIXES = (".yaml", ".pt", ".onnx", ".json", ".md")


def names() -> list[str]:
    """Names of all models."""
    return sorted(path.stem for path in CONFIGS.glob("*.yaml"))


def is_name(source: str | Path) -> bool:
    """Whether this means a model of the zoo, and not a file."""
    return isinstance(source, str) and source in names()


def file_of(name: str, suffix: str) -> Path:
    """Configuration (``.yaml``), checkpoint (``.pt``), QONNX file (``.onnx``) or card (``.md``, ``.json``)."""
    return (CONFIGS if suffix == ".yaml" else MODELS) / f"{name}{suffix}"


def find(source: str | Path, suffix: str, error: type[NanopelicanError]) -> Path:
    """The file that a user has named.

    Parameters
    ----------
    source : str or Path
        Name of a model of the zoo, or path of a file.
    suffix : str
        What is needed of a model of the zoo, as for `file_of`.
    error : type of NanopelicanError
        Raised for a file that does not exist and has no suffix, or is named like a model: it lists all names.
    """
    if is_name(source):
        return file_of(str(source), suffix)
    path, known = Path(source), names()
    meant = path.stem in known or path.name == path.stem == source
    if isinstance(source, str) and meant and not os.path.lexists(source):
        near = difflib.get_close_matches(path.stem, known, n=1)
        raise error(
            "is neither a file nor the name of a model",
            where=source,
            remedy=f"{f'did you mean {near[0]}? ' if near else ''}models of the zoo: {', '.join(known)}",
        )
    return path
