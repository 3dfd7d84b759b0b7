"""Checkpoints: everything about a trained model in one torch file."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nanopelican_hls.config import Config, parse_mapping, to_mapping
from nanopelican_hls.errors import ConfigError, ContractError, NetworkError
from nanopelican_hls.files import write_atomically
from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.topology.description import NetworkDescription

#: version of the file layout
FORMAT = 1
#: of scales, which are powers of two and numbers of float32
MAX_EXPONENT = 126
#: of numbers
DTYPES = (torch.float64, torch.float32, torch.float16, torch.int64)
#: of a file that is inconsistent
REMEDY = "train the model again"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained model.

    Parameters
    ----------
    config : Config
        The resolved configuration, defaults included.
    seed : int
        Seed of the training run.
    float_state : mapping of str to Tensor
        State of the `FloatNetwork`.
    description : NetworkDescription or None
        The quantised network, input of the export; None for a model trained in floating point only.
    metrics : mapping
        Figures by name, for instance ``{"valid": {"float": {...}, "quantised": {...}}}``.
    """

    config: Config
    seed: int
    float_state: Mapping[str, Tensor]
    description: NetworkDescription | None
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> int:
        """Checksum of all numbers of the model, to tell models apart."""
        numbers = [self.float_state[name].cpu().numpy() for name in sorted(self.float_state)]
        if self.description is not None:
            numbers += [self.description.parameters[name] for name in sorted(self.description.parameters)]
            exact = {name: _plain(quantiser) for name, quantiser in sorted(self.description.quantisers.items())}
            numbers.append(np.frombuffer(repr(exact).encode(), np.uint8))
        return zlib.crc32(b"".join(np.ascontiguousarray(array).tobytes() for array in numbers))


def save_checkpoint(checkpoint: Checkpoint, path: str | Path) -> None:
    """Write a checkpoint; an existing file is replaced atomically."""
    description = checkpoint.description
    save_atomically(
        {
            "format": FORMAT,
            "config": to_mapping(checkpoint.config),
            "seed": checkpoint.seed,
            "float_state": dict(checkpoint.float_state),
            "quantisers": {name: _plain(q) for name, q in description.quantisers.items()} if description else None,
            "parameters": {n: torch.tensor(value) for n, value in description.parameters.items()}
            if description
            else None,
            "metrics": dict(checkpoint.metrics),
        },
        Path(path),
    )


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    NetworkError
        If the file cannot be read, is not a checkpoint of this version, or is inconsistent; the message names the
        field.
    """
    content = load_mapping(path)
    if not (type(content.get("format")) is int and content["format"] == FORMAT):
        shown = repr(content.get("format"))[:80]
        raise NetworkError(f"format is {shown}, expected {FORMAT}", where=str(path), remedy=REMEDY)
    missing = {"config", "seed", "float_state", "quantisers", "parameters", "metrics"} - set(content)
    if missing:
        raise NetworkError(f"has no {sorted(missing)[0]!r}", where=str(path), remedy=REMEDY)
    try:
        found = parse_mapping(content["config"], f"{path}: config")
        _check_seed(content["seed"])
        state = _tensors(content, "float_state")
        description = _description(found, content)
    # the others are of values of wrong types, or that are missing
    except (ConfigError, ContractError, NetworkError, TypeError, ValueError, AttributeError, KeyError) as error:
        raise NetworkError(f"is inconsistent: {error}", where=str(path), remedy=REMEDY) from error
    return Checkpoint(found, content["seed"], state, description, content["metrics"])


def _check_seed(seed: Any) -> None:
    if type(seed) is not int or not 0 <= seed < 2**63:
        raise NetworkError(f"seed is no whole number from 0 to 2^63 - 1, but {type(seed).__name__}", remedy=REMEDY)


def _tensors(content: Mapping[str, Any], field: str) -> dict[str, Tensor]:
    """Tensors by name: numbers that are there in full, all finite; a file may hold many other kinds of tensors."""
    values = content[field]
    if not isinstance(values, Mapping):
        raise NetworkError(f"{field} is no mapping of tensors", remedy=REMEDY)
    for name, value in values.items():
        if not isinstance(name, str) or not isinstance(value, Tensor) or not _is_plain(value):
            raise NetworkError(f"{field}: {str(name)[:80]!r} is no tensor of plain numbers", remedy=REMEDY)
        if not torch.isfinite(value).all():
            raise NetworkError(f"{name} is NaN or infinite", remedy=REMEDY)
    return {name: value.detach() for name, value in values.items()}


def _is_plain(value: Tensor) -> bool:
    """Stored densely, one entry for each number, of a type that numpy knows."""
    if value.dtype not in DTYPES or value.layout is not torch.strided or value.device.type != "cpu":
        return False
    return value.numel() * value.element_size() <= value.untyped_storage().nbytes()


def _description(config: Config, content: Mapping[str, Any]) -> NetworkDescription | None:
    if content["parameters"] is None:
        return None
    return NetworkDescription(
        network=config.network,
        quantisers={name: _quantiser(name, entries) for name, entries in content["quantisers"].items()},
        parameters={name: value.double().numpy() for name, value in _tensors(content, "parameters").items()},
    )


def _quantiser(name: str, entries: Mapping[str, Any]) -> Quantiser:
    for key, kind in {"bits": int, "signed": bool, "exponent": int}.items():
        if type(entries[key]) is not kind:
            raise NetworkError(f"quantisers: {key} of {str(name)[:80]!r} is no {kind.__name__}", remedy=REMEDY)
    if abs(entries["exponent"]) > MAX_EXPONENT:
        raise NetworkError(f"quantisers: exponent of {str(name)[:80]!r} is beyond {MAX_EXPONENT}", remedy=REMEDY)
    return Quantiser(**entries)


def require_equal(expected: Mapping[str, Any], found: Mapping[str, Any], where: str) -> None:
    """Check that a mapping found in a file equals the expected one; the error names the first field that differs.

    Raises
    ------
    NetworkError
        If they differ, with the dotted name of the field and both values.
    """
    for name, wanted, given in _differences(expected, found, ""):
        raise NetworkError(
            f"{name} is {given!r}, expected {wanted!r}",
            where=where,
            remedy="use the configuration and data it was made with, or move the file away",
        )


def save_atomically(content: Mapping[str, Any], path: Path) -> None:
    """`torch.save` under a temporary name, then rename: a kill leaves either the old or the new file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()  # torch would report a full disk as a RuntimeError without a cause
    torch.save(dict(content), buffer)
    write_atomically(path, buffer.getvalue(), NetworkError)


def load_mapping(path: str | Path) -> dict[str, Any]:
    """Read a torch file that holds a mapping of tensors and plain values.

    Raises
    ------
    NetworkError
        If it cannot be read, or holds anything else.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise NetworkError(
            f"cannot be read ({error.strerror})",
            where=str(path),
            remedy="give the path of a checkpoint that nanopelican train wrote (.pt)",
        ) from error
    except Exception as error:  # torch passes on whatever its unpickler and zip reader raise
        raise NetworkError(
            "is not a torch file of plain values",
            where=str(path),
            remedy="give a checkpoint that nanopelican train wrote (.pt); a QONNX file is read by read_program",
        ) from error
    if not isinstance(content, dict):
        raise NetworkError(
            "does not hold a mapping", where=str(path), remedy="give a checkpoint that nanopelican train wrote (.pt)"
        )
    return content


def _plain(quantiser: Quantiser) -> dict[str, Any]:
    return {
        "bits": quantiser.bits,
        "signed": quantiser.signed,
        "exponent": quantiser.exponent,
        "rounding": quantiser.rounding.value,
    }


def _differences(expected: Any, found: Any, name: str) -> list[tuple[str, Any, Any]]:
    if not (isinstance(expected, Mapping) and isinstance(found, Mapping)):
        return [] if expected == found else [(name, expected, found)]
    return [
        difference
        for key in [*expected, *(k for k in found if k not in expected)]
        for difference in _differences(expected.get(key), found.get(key), f"{name}.{key}".lstrip("."))
    ]
