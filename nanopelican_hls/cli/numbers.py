"""Argument types of the command line."""

from __future__ import annotations

import argparse


def positive(text: str) -> int:
    """A positive integer."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a positive number, not {text!r}")
    return int(text)


def not_negative(text: str) -> int:
    """An integer that is 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be 0 or a positive number, not {text!r}")
    return int(text)
