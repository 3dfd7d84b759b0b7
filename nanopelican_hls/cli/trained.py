"""How commands find a configuration and its trained model, among the user's files or in the zoo."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
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


def add_result(parser: argparse.ArgumentParser) -> None:
    """Add the options that `with_result_of` takes."""
    group = parser.add_argument_group("result (docs/result.md)")
    group.add_argument(
        "--score",
        action=argparse.BooleanOptionalAction,
        help="put out a score of 8 bits in place of the logit (default: from the configuration)",
    )
    group.add_argument(
        "--threshold",
        metavar="T",
        help="put out the decision bit too: a logit, or a working point of the model's card, such as 30%%",
    )


def with_result_of(args: argparse.Namespace, source: str, config: Config) -> Config:
    """The configuration with the options of `add_result`.

    Raises
    ------
    ConfigError
        If the threshold is neither a number nor a working point, or the card has no such.
    """
    from nanopelican_hls.config.firmware import parsed_threshold
    from nanopelican_hls.topology.result import Output

    firmware = config.firmware
    if args.score is not None:
        firmware = replace(firmware, output=Output.SCORE if args.score else Output.LOGIT)
    if args.threshold is not None:
        firmware = replace(firmware, threshold=parsed_threshold(args.threshold, "--threshold"))
    return _with_logit(replace(config, firmware=firmware), source, args.models)


def _with_logit(config: Config, source: str, models: Path | None) -> Config:
    """With the logit of the model's card, if the threshold is a working point."""
    if not isinstance(config.firmware.threshold, str):
        return config
    return replace(config, firmware=config.firmware.with_logit(trained_file(source, config, models, ".json")))


def trained_file(source: str, config: Config, models: Path | None, suffix: str) -> Path:
    """The checkpoint (``.pt``), QONNX file (``.onnx``) or card (``.json``) of a configuration.

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
    """The QONNX file of a configuration, with its result; parameters and errors as of `trained_file`."""
    from nanopelican_hls.contract.program import read_program
    from nanopelican_hls.topology.result import with_result

    result = _with_logit(config, source, models).firmware.result
    return with_result(read_program(trained_file(source, config, models, ".onnx")), result)
