"""Rules of `rtl.rule`, one module per operator; all modules in this folder are imported and so registered."""

from __future__ import annotations

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
