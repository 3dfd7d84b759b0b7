"""Compilers that tests ask for."""

from __future__ import annotations

import shutil

import pytest

from nanopelican_hls.solver.clang import find_clang


def compiler_or_skip(name: str) -> str:
    """Path of g++ or clang++, whose name may have a version; skips the test if there is none."""
    path = find_clang() if name == "clang++" else shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed (Debian, Ubuntu: apt-get install g++ clang-16)")
    return path
