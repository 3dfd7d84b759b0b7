"""Draws a directed graph as SVG, in layers from top to bottom."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from html import escape

import numpy as np
from scipy.optimize import isotonic_regression

from nanopelican_hls.report.content import Box, Diagram

#: of a character of the monospaced font, in pixels
CHARACTER, LINE = 6.7, 15
PADDING, GAP, LAYER_GAP, MARGIN, LABEL = 9, 22, 62, 8, 20
#: sweeps of the order within layers, and of the positions
SWEEPS = 24


@dataclass
class _Place:
    """A box, or a point through which a long arrow passes."""

    name: str
    layer: int
    box: Box | None = None
    width: float = 10.0
    height: float = 0.0
    room: float = 10.0  # of the wider of box and text below
    x: float = 0.0
    above: list[_Place] = field(default_factory=list)
    below: list[_Place] = field(default_factory=list)


def draw(diagram: Diagram) -> str:
    """The SVG element; colours come from the classes of the page (``port``, ``operator``, ``output``)."""
    places, chains, texts = _places(diagram)
    layers = _ordered(places)
    _spread(layers)
    left = min(p.x - p.room / 2 for p in places) - MARGIN
    width = max(p.x + p.room / 2 for p in places) + MARGIN - left
    tops, y = [], float(MARGIN)
    for layer in layers:
        tops.append(y)
        y += max(p.height for p in layer) + LAYER_GAP
    height = y - LAYER_GAP + MARGIN
    parts = [
        f'<path class="arrow" '
        f'd="{_curve([(p.x - left, tops[p.layer], _lower(p, texts)) for p in chain], layers, tops)}"/>'
        for chain in chains
    ]
    for place in places:
        if place.box:
            parts += _box(place, place.x - left, tops[place.layer], texts.get(place.name, ""))
    key = diagram.key
    return (
        f'<svg class="diagram" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'role="img" '
        f'aria-labelledby="{key}-title {key}-description"><title id="{key}-title">{escape(diagram.caption)}</title>'
        f'<desc id="{key}-description">{escape(diagram.alt)}</desc><defs><marker id="{key}-head" viewBox="0 0 8 8" '
        'refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0 L8 4 L0 8 z"/>'
        f"</marker></defs>{''.join(parts)}</svg>"
    ).replace('class="arrow"', f'class="arrow" marker-end="url(#{key}-head)"')


def _places(diagram: Diagram) -> tuple[list[_Place], list[list[_Place]], dict[str, str]]:
    """Boxes in layers, points where arrows pass a layer, the chain of each arrow, and the text below each box."""
    into: dict[str, list[str]] = defaultdict(list)
    for arrow in diagram.arrows:
        into[arrow.end].append(arrow.start)
    depth: dict[str, int] = {}

    def layer(name: str) -> int:
        if name not in depth:
            depth[name] = 1 + max(map(layer, into[name])) if into[name] else 0
        return depth[name]

    boxes = {box.name: _Place(box.name, layer(box.name), box, *_size(box)) for box in diagram.boxes}
    for place in sorted(boxes.values(), key=lambda p: -p.layer):  # just above the first reader
        readers = [boxes[arrow.end].layer for arrow in diagram.arrows if arrow.start == place.name]
        place.layer = min(readers, default=place.layer + 1) - 1
    places, chains, texts = list(boxes.values()), [], {}
    for arrow in diagram.arrows:
        start, end = boxes[arrow.start], boxes[arrow.end]
        points = [_Place("", k) for k in range(start.layer + 1, end.layer)]
        chain = [start, *points, end]
        for upper, lower in itertools.pairwise(chain):
            upper.below.append(lower)
            lower.above.append(upper)
        places += points
        chains.append(chain)
        if arrow.text:
            texts[arrow.start] = arrow.text
    for place in boxes.values():
        place.room = max(place.width, CHARACTER * len(texts.get(place.name, "")))
    return places, chains, texts


def _size(box: Box) -> tuple[float, float]:
    longest = max(len(box.title), *map(len, box.lines), 1) if box.lines else len(box.title)
    return CHARACTER * longest + 2 * PADDING, LINE * (1 + len(box.lines)) + 2 * PADDING - 4


def _ordered(places: list[_Place]) -> list[list[_Place]]:
    """Layers with an order in which few arrows cross: that of the means of the neighbours."""
    layers: list[list[_Place]] = [[] for _ in range(1 + max(p.layer for p in places))]
    for place in places:
        layers[place.layer].append(place)
    for layer in layers:
        for k, place in enumerate(layer):
            place.x = float(k)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else layers[::-1]:
            means = {id(p): _mean(p.above if down else p.below, p.x) for p in layer}
            layer.sort(key=lambda p: means[id(p)])
            for k, place in enumerate(layer):
                place.x = k - (len(layer) - 1) / 2
    return layers


def _mean(others: list[_Place], otherwise: float) -> float:
    return sum(p.x for p in others) / len(others) if others else otherwise


def _pulled(place: _Place) -> float:
    """Mean position of the neighbours, in which points of a long arrow pull each other most, so that it is straight."""
    others = place.above + place.below
    weights = [(1 if place.box else 3) * (1 if other.box else 3) for other in others]
    return sum(w * p.x for w, p in zip(weights, others, strict=True)) / sum(weights) if others else place.x


def _spread(layers: list[list[_Place]]) -> None:
    """Positions near those of the neighbours, without overlap."""
    for layer in layers:
        x = 0.0
        for place in layer:
            place.x = x + place.room / 2
            x += place.room + GAP
        for place in layer:
            place.x -= x / 2
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else layers[::-1]:
            apart = [(a.room + b.room) / 2 + GAP for a, b in itertools.pairwise(layer)]
            offsets = np.cumsum([0.0, *apart])
            # the nearest positions that keep order and distances
            found = isotonic_regression(np.array([_pulled(p) for p in layer]) - offsets).x + offsets
            for place, x in zip(layer, found, strict=True):
                place.x = float(x)


def _lower(place: _Place, texts: dict[str, str]) -> float:
    """From the top of a box to where its arrows begin, below its text."""
    return place.height + LABEL * (place.name in texts)


def _curve(points: list[tuple[float, float, float]], layers: list[list[_Place]], tops: list[float]) -> str:
    """From below the first box, vertically through every layer, to the upper edge of the last."""
    x, top, height = points[0]
    path = f"M{x:.1f} {top + height:.1f}"
    y = top + height
    for place, (px, ptop, _) in enumerate(points[1:], start=1):
        bend = max(8.0, (ptop - y) / 2)
        path += f" C{x:.1f} {y + bend:.1f} {px:.1f} {ptop - bend:.1f} {px:.1f} {ptop:.1f}"
        x, y = px, ptop
        if place < len(points) - 1:  # past the boxes of this layer
            y = ptop + max(p.height for p in layers[tops.index(ptop)])
            path += f" L{x:.1f} {y:.1f}"
    return path


def _box(place: _Place, x: float, y: float, text: str) -> list[str]:
    assert place.box is not None
    parts = [
        f'<g class="{place.box.role}"><rect x="{x - place.width / 2:.1f}" y="{y:.1f}" width="{place.width:.1f}" '
        f'height="{place.height:.1f}" rx="5"/>'
    ]
    line = y + PADDING + 9
    parts.append(f'<text class="title" x="{x:.1f}" y="{line:.1f}">{escape(place.box.title)}</text>')
    for row in place.box.lines:
        line += LINE
        parts.append(f'<text x="{x:.1f}" y="{line:.1f}">{escape(row)}</text>')
    if text:
        parts.append(f'<text class="edge" x="{x:.1f}" y="{y + place.height + 15:.1f}">{escape(text)}</text>')
    return [*parts, "</g>"]
