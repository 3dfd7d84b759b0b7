"""Strict conversion of plain YAML or JSON values to dataclasses, and back."""

from __future__ import annotations

import dataclasses
import difflib
import reprlib
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any

from nanopelican_hls.errors import ConfigError

#: integers beyond this have no meaning anywhere, and Python does not write them all
LARGEST = 2**63 - 1


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 200
_SHORT.maxlevel, _SHORT.maxlong = 3, 500


def shown(value: Any) -> str:
    """A value for a message: short, although YAML's references make huge values of small files."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # an integer of too many digits
        return f"a number of {value.bit_length()} bits" if isinstance(value, int) else type(value).__name__


def to_mapping(config: Any) -> Any:
    """A configuration as plain YAML/JSON values; `parse_mapping` reads it back."""
    if dataclasses.is_dataclass(config):
        return {f.name: to_mapping(getattr(config, f.name)) for f in dataclasses.fields(config)}
    if isinstance(config, Enum):
        return config.value
    if isinstance(config, Mapping):
        return {key: to_mapping(value) for key, value in config.items()}
    return list(config) if isinstance(config, tuple) else config


def parse(kind: Any, value: Any, where: str) -> Any:
    """Convert ``value`` (from YAML) to ``kind`` (a type annotation); a ConfigError names the key."""
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        options = typing.get_args(kind)
        if value is None and type(None) in options:
            return None
        first, *others = (option for option in options if option is not type(None))
        try:
            return parse(first, value, where)
        except ConfigError:
            if type(value) in others:
                return value
            raise
    if origin is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"must be a list, not {shown(value)}", where=where, remedy="write it as [a, b]")
        return tuple(parse(typing.get_args(kind)[0], v, f"{where}[{i}]") for i, v in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, dict):
            raise ConfigError(
                f"must be a mapping, not {shown(value)}",
                where=where,
                remedy="write its keys below it, indented (docs/configuration.md)",
            )
        names = {key: key if isinstance(key, str) else shown(key) for key in value}
        return {names[key]: parse(typing.get_args(kind)[1], v, f"{where}: {names[key]}") for key, v in value.items()}
    if dataclasses.is_dataclass(kind):
        return _section(kind, value, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        # not `kind(value)`, whose error writes the whole value
        found = [member for member in kind if member.value == value]
        if not found:
            choices = ", ".join(str(m.value) for m in kind)
            raise ConfigError(
                f"must be one of {choices}, not {shown(value)}",
                where=where,
                remedy="use one of them (docs/configuration.md)",
            )
        return found[0]
    if kind is float and isinstance(value, int | str) and not isinstance(value, bool):
        try:
            return float(value)  # YAML 1.1 reads 1e-3, without a point, as text
        except (ValueError, OverflowError):
            pass
    if kind is int and isinstance(value, int) and not -LARGEST <= value <= LARGEST:
        raise ConfigError(f"is {shown(value)}, too large", where=where, remedy=f"give a number up to {LARGEST}")
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ConfigError(
            f"must be of type {kind.__name__}, not {shown(value)}",
            where=where,
            remedy=f"give a value of type {kind.__name__} (docs/configuration.md)",
        )
    return value


def _section(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ConfigError(
            f"must be a mapping, not {shown(value)}",
            where=where,
            remedy="write its keys below it, indented (docs/configuration.md)",
        )
    hints = typing.get_type_hints(kind)
    for key in value:
        if key not in hints:
            near = difflib.get_close_matches(shown(key), hints, n=1, cutoff=0.0)
            raise ConfigError(f"unknown key {shown(key)}", where=where, remedy=f"did you mean {near[0]!r}?")
    for f in dataclasses.fields(kind):
        if f.name not in value and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise ConfigError(f"missing key {f.name!r}", where=where, remedy="add it (docs/configuration.md)")
    return kind(**{key: parse(hints[key], v, f"{where}: {key}") for key, v in value.items()})
