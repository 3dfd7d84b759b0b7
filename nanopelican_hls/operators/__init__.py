"""The operators of the contract, one module each (docs/operators); every module in this folder is registered."""

from __future__ import annotations

import importlib
import pkgutil

from nanopelican_hls.operators.base import DOMAIN, OPERATORS, VERSION, CustomOperator, Operator

__all__ = ["DOMAIN", "OPERATORS", "VERSION", "CustomOperator", "Operator"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
