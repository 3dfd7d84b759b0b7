"""The C++ sources in firmware/templates: real files, shipped inside the package as ``firmware_templates``."""

from __future__ import annotations

import re
import string
from importlib import resources
from pathlib import Path

from nanopelican_hls.operators import OPERATORS, CustomOperator


def templates_path() -> Path:
    """Where the templates are, in a source tree (through a link) and in an installed wheel alike."""
    return Path(str(resources.files("nanopelican_hls"))) / "firmware_templates"


def snake_case(name: str) -> str:
    """``PairMix`` -> ``pair_mix``: what an operator is called in C++."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def header_of(operator: type[CustomOperator]) -> Path:
    """The header that holds the C++ function of an operator."""
    return operator.header or templates_path() / f"nnet_{snake_case(operator.__name__)}.h"


def headers() -> list[Path]:
    """The headers that every project gets, in ``firmware/nnet_utils``."""
    shipped = set(templates_path().glob("nnet_*.h"))
    return sorted(shipped | {header_of(operator) for operator in OPERATORS.values()})


def render(template: str, **values: str) -> str:
    """A template with its ``${placeholders}`` filled in; one that is missing, or unknown, is an error."""
    text = string.Template((templates_path() / template).read_text(encoding="utf-8"))
    unknown = set(values) - set(text.get_identifiers())
    if unknown:
        raise KeyError(f"{template} has no placeholder {sorted(unknown)[0]!r}")
    return text.substitute(values)
