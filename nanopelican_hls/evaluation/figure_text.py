"""Figures of merit as text, with their errors."""

from __future__ import annotations

from collections.abc import Mapping

_FORMATS = {"auc": ".4f", "accuracy": ".4f", "rejection_30": ".0f", "rejection_50": ".0f", "loss": ".4f"}


def with_error(values: Mapping[str, float], name: str) -> str:
    """Format a figure: ``0.9718 ± 0.0012``, ``327 ± 35``, ``> 8000`` for a lower bound.

    The loss has no error, nor have figures on cards that predate errors: they are bare numbers.

    Parameters
    ----------
    values : mapping of str to float
        `metrics.Figures.as_dict`, or figures of a card.
    name : str
        auc, accuracy, rejection_30, rejection_50 or loss.
    """
    value, error = values[name], values.get(f"{name}_error")
    if error is None:
        return format(value, _FORMATS[name])
    if name.startswith("rejection") and error >= value:
        return f"> {value:{_FORMATS[name]}}"
    form = ".1f" if name.startswith("rejection") and error < 2 else _FORMATS[name]
    return f"{value:{form}} ± {error:{form}}"
