"""How commands find the trained model of a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nanopelican_hls.errors import NetworkError

if TYPE_CHECKING:
    from nanopelican_hls.config import Config
    from nanopelican_hls.contract.program import Program


def trained_file(models: Path, config: Config, suffix: str) -> Path:
    """The checkpoint (``.pt``) or the QONNX file (``.onnx``) of a configuration.

    Raises
    ------
    NetworkError
        If it does not exist.
    """
    path = models / f"{config.name}{suffix}"
    if not path.exists():
        raise NetworkError(
            "there is no trained model for this configuration",
            where=str(path.absolute()),
            remedy="name the folder of the models: --models FOLDER (the repository has models/); "
            f"or train it: nanopelican train {config.name}.yaml --train FILE --valid FILE",
        )
    return path


def read_trained(models: Path, config: Config) -> Program:
    """The QONNX file of a configuration; errors as `trained_file`."""
    from nanopelican_hls.contract.program import read_program

    return read_program(trained_file(models, config, ".onnx"))
