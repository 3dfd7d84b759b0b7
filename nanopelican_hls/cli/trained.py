"""How commands find a configuration and its trained model, among the user's files or in the zoo."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from nanopelican_hls import zoo
from nanopelican_hls.errors import NetworkError

if TYPE_CHECKING:
    from nanopelican_hls.config import Config
    from nanopelican_hls.contract.program import Program

#: helps of arguments, which stay strings: a `Path` would be a file, whatever its name
CONFIG = "configuration file, or name of a model of the zoo, such as trigger-n16"
CHECKPOINT = "checkpoint (FILE.pt), or name of a model of the zoo, such as trigger-n16"


def add_models(parser: argparse.ArgumentParser) -> None:
    """Add the option that `trained_file` takes."""
    parser.add_argument(
        "--models",
        type=Path,
        metavar="FOLDER",
        help="folder with the checkpoints and QONNX files (default: that of the zoo for its names, otherwise models)",
    )


def trained_file(source: str, config: Config, models: Path | None, suffix: str) -> Path:
    """The checkpoint (``.pt``) or the QONNX file (``.onnx``) of a configuration.

    Parameters
    ----------
    source : str
        What the user gave as configuration.
    config : Config
        What was read from it.
    models : Path or None
        The option of `add_models`.
    suffix : str

    Raises
    ------
    NetworkError
        If it does not exist.
    """
    folder = models or (zoo.MODELS if zoo.is_name(source) else Path("models"))
    path = folder / f"{config.name}{suffix}"
    if not path.exists():
        of_zoo = f" (that of the zoo is {zoo.MODELS})" if config.name in zoo.names() else ""
        raise NetworkError(
            "there is no trained model for this configuration",
            where=str(path.absolute()),
            remedy=f"name the folder of the models: --models FOLDER{of_zoo}; "
            f"or train it: nanopelican train {shlex.quote(source)} --train FILE --valid FILE",
        )
    return path


def read_trained(source: str, config: Config, models: Path | None) -> Program:
    """The QONNX file of a configuration; parameters and errors as of `trained_file`."""
    from nanopelican_hls.contract.program import read_program

    return read_program(trained_file(source, config, models, ".onnx"))
