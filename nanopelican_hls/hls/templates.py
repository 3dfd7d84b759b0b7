"""The C++ sources in firmware/templates, which the package ships as ``firmware_templates``."""

from __future__ import annotations

import re
import string
from importlib import resources
from pathlib import Path

from nanopelican_hls.operators import OPERATORS, CustomOperator


def templates_path() -> Path:
    """Folder of the templates, in an installed wheel or (through a link) in the source tree."""
    return Path(str(resources.files("nanopelican_hls"))) / "firmware_templates"


def snake_case(name: str) -> str:
    """The C++ name of an operator: ``PairMix`` -> ``pair_mix``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def header_of(operator: type[CustomOperator]) -> Path:
    """The header with the C++ function of an operator."""
    return operator.header or templates_path() / f"nnet_{snake_case(operator.__name__)}.h"


def headers() -> list[Path]:
    """The headers that are copied to ``firmware/nnet_utils`` of every project."""
    shipped = set(templates_path().glob("nnet_*.h"))
    return sorted(shipped | {header_of(operator) for operator in OPERATORS.values()})


def render(template: str, **values: str) -> str:
    """Fill in the ``${placeholders}`` of a template; KeyError if one is missing or unknown."""
    text = string.Template((templates_path() / template).read_text(encoding="utf-8"))
    unknown = set(values) - set(text.get_identifiers())
    if unknown:
        raise KeyError(f"{template} has no placeholder {sorted(unknown)[0]!r}")
    return text.substitute(values)
