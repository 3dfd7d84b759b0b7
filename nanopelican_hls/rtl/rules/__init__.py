"""Rules of `rtl.rule`, a module for each operator that has one: whatever stands in this folder is known."""

from __future__ import annotations

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
