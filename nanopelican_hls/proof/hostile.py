"""Hostile events: events that no detector sends, made to expose differences between executors.

They are float64 values at the ports: rounding ties, saturation of every quantiser that can saturate, empty jets, one
constituent, all N, duplicates, constituents that round to zero, padding in the middle; and where angles are taken
relative to an axis, constituents close to it, at the ends of the tables, and at the wrap-around of phi.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.program import Program
from nanopelican_hls.operators.angle_difference import AngleDifference

Ports = dict[str, NDArray[np.float64]]
Execute = Callable[[Ports], Mapping[str, NDArray[np.float64]]]

#: hostile events per model, in the C-simulation and in the RTL simulation
HOSTILE_EVENTS = 20_000
#: rounds of the search for events that saturate a quantiser
SEARCH_ROUNDS = 12
#: events that the search keeps and varies in each round, for each bound of each quantiser
SEARCH_KEEP = 8
#: events that the search executes at once: bounds the memory, does not affect results
SEARCH_CHUNK = 512


@dataclass(frozen=True)
class HostileEvents:
    """Hostile events, and the quantiser bounds that they reach.

    Attributes
    ----------
    ports : float64 arrays [n, ...] by port, with the names of `jets.port_values`.
    kinds : number of events of each kind.
    saturated : quantiser bounds at which some event saturates, as ``tensor+`` or ``tensor-``.
    unreachable : bounds that no event can reach, by interval analysis.
    unsaturated : bounds that the search did not reach, although interval analysis does not exclude them.
    """

    ports: Ports
    kinds: Mapping[str, int]
    saturated: tuple[str, ...]
    unreachable: tuple[str, ...]
    unsaturated: tuple[str, ...]


def hostile_events(program: Program, execute: Execute, events: int, seed: int = 2026) -> HostileEvents:
    """Make at least ``events`` hostile events for a program.

    Parameters
    ----------
    program : Program
        Its quantisers define the ties and bounds.
    execute : callable
        An executor of the program (ports to tensors), used in the search for saturation.
    events : int
        Number of events, divided evenly among the kinds; the events found by the search are added to these.
    seed : int
        Seed of the generator; the same arguments produce the same events.
    """
    make = _Generator(program, np.random.default_rng(seed))
    batches = _batches(make, events)
    pool = _stack(list(batches.values()))
    found, saturated, unreachable, unsaturated = _search_saturation(program, execute, pool, make)
    batches["saturated quantisers"] = found
    return HostileEvents(
        ports=_stack(list(batches.values())),
        kinds={kind: len(next(iter(batch.values()))) for kind, batch in batches.items()},
        saturated=saturated,
        unreachable=unreachable,
        unsaturated=unsaturated,
    )


def more_hostile_events(program: Program, events: int, seed: int) -> Ports:
    """At least ``events`` hostile events without a search, others for each seed."""
    return _stack(list(_batches(_Generator(program, np.random.default_rng(seed)), events).values()))


def _batches(make: _Generator, events: int) -> dict[str, Ports]:
    """Events of each kind."""
    kinds = {
        "rounding ties": make.ties,
        "saturated ports": make.saturated_ports,
        "random scale": make.random_scale,
        "empty": make.empty,
        "one constituent": make.one_constituent,
        "all constituents": make.all_constituents,
        "duplicates": make.duplicates,
        "rounding to zero": make.rounding_to_zero,
        "padding in the middle": make.padding_in_the_middle,
    }
    if make.axes:
        kinds["about the axis"] = make.about_the_axis
    share = -(-events // len(kinds))
    return {kind: function(share) for kind, function in kinds.items()}


def _stack(batches: list[Ports]) -> Ports:
    return {port: np.concatenate([batch[port] for batch in batches]) for port in batches[0]}


def _select(ports: Mapping[str, NDArray[np.float64]], index: NDArray[np.intp]) -> Ports:
    return {port: array[index] for port, array in ports.items()}


class _Generator:
    """Generates events of each kind from the quantisers of the ports."""

    def __init__(self, program: Program, rng: np.random.Generator) -> None:
        self.rng = rng
        self.quantisers = {port.tensor: port.quantiser for port in program.inputs}
        self.widths = {port.tensor: port.shape[0] for port in program.inputs}
        self.n_constituents = max(self.widths.values())
        #: for each port of angles, the port of their axis and the operator that subtracts it
        self.axes = {
            node.given["angle"]: (node.given["axis"], node.operator)
            for node in program.nodes
            if isinstance(node.operator, AngleDifference)
        }

    def _uniform_integers(self, port: str, events: int) -> NDArray[np.float64]:
        q = self.quantisers[port]
        return self.rng.integers(q.low, q.high + 1, size=(events, self.widths[port])).astype(np.float64)

    def _is_constituents(self, port: str) -> bool:
        return self.widths[port] == self.n_constituents

    def all_constituents(self, events: int) -> Ports:
        """All N constituents, uniform over the whole grid."""
        return {p: self._uniform_integers(p, events) * q.scale for p, q in self.quantisers.items()}

    def ties(self, events: int) -> Ports:
        """Values halfway between two grid points, and the nearest float64 on either side."""
        ports = {}
        for port, q in self.quantisers.items():
            tie = (self._uniform_integers(port, events) + 0.5) * q.scale
            aside = np.nextafter(tie, np.where(self.rng.random(tie.shape) < 0.5, -np.inf, np.inf))
            ports[port] = np.where(self.rng.random(tie.shape) < 0.25, aside, tie)
        return ports

    def saturated_ports(self, events: int) -> Ports:
        """Values at, just beyond and far beyond both bounds of the ports."""
        ports = {}
        for port, q in self.quantisers.items():
            bound = np.where(self.rng.random((events, self.widths[port])) < 0.5, q.low - 0.5, q.high + 0.5)
            factor = self.rng.choice([1.0, 1.0 - 2.0**-52, 1.0 + 2.0**-52, 1.5, 2.0**8, 2.0**20], size=bound.shape)
            ports[port] = bound * factor * q.scale
        return ports

    def random_scale(self, events: int) -> Ports:
        """Exponentially distributed values, with a scale per event that covers all octaves of the grid."""
        size = 2.0 ** self.rng.uniform(-2, 2 + max(q.bits for q in self.quantisers.values()), size=(events, 1))
        ports = {}
        for port, q in self.quantisers.items():
            value = self.rng.exponential(size=(events, self.widths[port])) * size * q.scale
            sign = self.rng.choice([-1.0, 1.0], size=value.shape) if q.signed else 1.0
            ports[port] = value * sign
        return ports

    def empty(self, events: int) -> Ports:
        """No constituents: all zero, negative zero, or only a jet four-momentum."""
        ports = self.all_constituents(events)
        for port in ports:
            zero = self.rng.choice([0.0, -0.0], size=ports[port].shape)
            alone = self.rng.random((events, 1)) < (0.0 if self._is_constituents(port) else 0.5)
            ports[port] = np.where(alone, ports[port], zero)
        return ports

    def _masked(self, ports: Ports, keep: NDArray[np.bool_]) -> Ports:
        return {p: np.where(keep, a, 0.0) if self._is_constituents(p) else a for p, a in ports.items()}

    def one_constituent(self, events: int) -> Ports:
        """A single constituent, in any place."""
        place = self.rng.integers(0, self.n_constituents, size=events)
        return self._masked(self.random_scale(events), place[:, None] == np.arange(self.n_constituents))

    def padding_in_the_middle(self, events: int) -> Ports:
        """Padding in any place."""
        keep = self.rng.random((events, self.n_constituents)) < self.rng.random((events, 1))
        return self._masked(self.all_constituents(events), keep)

    def duplicates(self, events: int) -> Ports:
        """Repeated constituents, up to N copies of one."""
        ports = self.random_scale(events)
        kinds = self.rng.integers(1, self.n_constituents + 1, size=(events, 1))
        source = self.rng.integers(0, kinds, size=(events, self.n_constituents))
        return {p: np.take_along_axis(a, source, axis=1) if self._is_constituents(p) else a for p, a in ports.items()}

    def rounding_to_zero(self, events: int) -> Ports:
        """Values around half a grid step, so that some or all components of a constituent round to zero."""
        ports = {}
        for port, q in self.quantisers.items():
            shape = (events, self.widths[port])
            ports[port] = self.rng.choice([-0.5, -0.25, 0.0, 0.25, 0.4999, 0.5, 0.5001, 1.0, 1.5], size=shape) * q.scale
        return ports

    def about_the_axis(self, events: int) -> Ports:
        """Angles near the axis, at or next to the limit, or opposite; the axis is often at the wrap-around of phi."""
        ports = self.random_scale(events)
        for port, (axis, difference) in self.axes.items():
            q, limit, half = self.quantisers[port], difference.limit, difference.turn // 2
            centre = self._uniform_integers(axis, events)
            if half:
                seam = self.rng.choice([-half, half - 1, 0], size=centre.shape)
                centre = np.where(self.rng.random(centre.shape) < 0.5, seam, np.clip(centre, -half, half - 1))
            shape = (events, self.widths[port])
            edges = self.rng.choice([limit - 1, limit, limit + 1, half - 1, half, half + 1], size=shape)
            near = self.rng.integers(0, limit + 1, size=shape)
            offset = np.where(self.rng.random(shape) < 0.5, edges, near) * self.rng.choice([-1, 1], size=shape)
            angle = centre + offset
            if half:
                angle = (angle + half) % (2 * half) - half
            ports[axis], ports[port] = centre, np.clip(angle, q.low, q.high)
        return ports

    def vary(self, ports: Ports, copies: int) -> Ports:
        """Copies of events with some entries replaced by bounds, zero or random grid points."""
        events = len(next(iter(ports.values())))
        varied = _select(ports, np.repeat(np.arange(events), copies))
        rate = self.rng.choice([0.02, 0.1, 0.5], size=(events * copies, 1))
        for port, q in self.quantisers.items():
            shape = varied[port].shape
            choice = self.rng.integers(0, 4, size=shape)
            other = self._uniform_integers(port, shape[0]) * q.scale
            new = np.select([choice == 0, choice == 1, choice == 2], [q.low * q.scale, q.high * q.scale, 0.0], other)
            varied[port] = np.where(self.rng.random(shape) < rate, new, varied[port])
        return varied


def _search_saturation(
    program: Program, execute: Execute, pool: Ports, make: _Generator
) -> tuple[Ports, tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Search for an event that saturates each quantiser bound, by keeping and varying the most extreme events."""
    bounds, unreachable = _bounds(program)
    open_bounds = dict(bounds)
    kept: list[Ports] = []
    candidates = pool
    for round_ in range(SEARCH_ROUNDS + 1):
        extremes = _extremes(execute, candidates, open_bounds)
        survivors: list[NDArray[np.intp]] = []
        for name, extreme in extremes.items():
            best = np.argsort(-extreme, kind="stable")[:SEARCH_KEEP]
            if extreme[best[0]] > bounds[name][2]:
                del open_bounds[name]
                kept.append(_select(candidates, best[:1]))
            else:
                survivors.append(best)
        if not open_bounds or round_ == SEARCH_ROUNDS:
            break
        parents = _select(candidates, np.unique(np.concatenate(survivors)))
        candidates = _stack([parents, make.vary(parents, copies=24)])
    saturated = tuple(name for name in bounds if name not in open_bounds)
    found = _stack(kept) if kept else _select(pool, np.arange(0))
    return found, saturated, unreachable, tuple(open_bounds)


def _extremes(
    execute: Execute, events: Ports, bounds: Mapping[str, tuple[str, float, float]]
) -> dict[str, NDArray[np.float64]]:
    """How far each event [n] goes towards each of the bounds."""
    count = len(next(iter(events.values())))
    parts: dict[str, list[NDArray[np.float64]]] = {name: [] for name in bounds}
    for start in range(0, count, SEARCH_CHUNK):
        chunk = np.arange(start, min(start + SEARCH_CHUNK, count))
        tensors = execute(_select(events, chunk))
        for name, (source, sign, _) in bounds.items():
            parts[name].append((sign * tensors[source]).reshape(len(chunk), -1).max(axis=1))
    return {name: np.concatenate(found) for name, found in parts.items()}


def _bounds(program: Program) -> tuple[dict[str, tuple[str, float, float]], tuple[str, ...]]:
    """Quantiser bounds by name, as (input tensor, sign, limit beyond which it saturates), and unreachable ones."""
    reachable, unreachable = {}, []
    for node in program.nodes:
        if node.quantiser is None or node.inputs[0] is None:
            continue
        source, q = node.inputs[0], node.quantiser
        for mark, sign, limit in (("+", 1.0, (q.high + 0.5) * q.scale), ("-", -1.0, (-q.low + 0.5) * q.scale)):
            exact = program.ranges.get(source)
            if exact is None:  # a port, whose values are any real numbers
                continue
            extreme = np.ldexp(float(exact.high if sign > 0 else -exact.low), exact.exponent)
            if extreme > limit:
                reachable[f"{node.output}{mark}"] = (source, sign, float(limit))
            elif q.signed or sign > 0:
                unreachable.append(f"{node.output}{mark}")
    return reachable, tuple(unreachable)
