"""Colours of the page, one for each role, in light and in dark mode."""

from __future__ import annotations

#: role -> colour on a light and on a dark page; every light one is unique, since it marks the role in a drawing
ROLES: dict[str, tuple[str, str]] = {
    "float": ("#2f6fe0", "#7aa9ff"),
    "quantised": ("#d81e34", "#ff7682"),
    "likelihood": ("#94398a", "#d991d0"),
    "mass": ("#6d717c", "#a6abb6"),
    "signal": ("#bf6900", "#ffb454"),
    "background": ("#6b2fd1", "#b392ff"),
    "loose": ("#1b8a7c", "#5cd0c0"),
    "tight": ("#0d4f8b", "#79b8f3"),
    "all": ("#50555f", "#b9bec8"),
    "beam": ("#0072b2", "#5fb7ea"),
    "transverse": ("#d55e00", "#ff9a52"),
    "any": ("#007f5c", "#3fcf9f"),
    "here": ("#111827", "#f3f4f6"),
    "a": ("#1f6fb5", "#74b6f2"),
    "b": ("#c2410c", "#ff9c6b"),
    "size0": ("#3566c8", "#86aefb"),
    "size1": ("#b35c00", "#f5ad55"),
    "size2": ("#7b3294", "#cc93e0"),
    "size3": ("#00786b", "#4cc9b8"),
    "size4": ("#8a5a44", "#d3a58f"),
    "size5": ("#5f6b00", "#bccb3f"),
    "class0": ("#2b6ad0", "#82adfa"),
    "class1": ("#c1272d", "#fb7c81"),
    "class2": ("#008060", "#45cca4"),
    "class3": ("#a85f00", "#f0ab4f"),
    "class4": ("#7d2f9c", "#ce90e6"),
    "class5": ("#4d5560", "#b4bac4"),
}
#: text and axes; grid
INK, GRID = "#15181d", "#d3d6dc"
