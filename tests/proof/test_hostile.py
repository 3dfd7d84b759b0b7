import numpy as np
import pytest
from random_networks import NETWORKS, network_id, random_description

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.proof import hostile
from nanopelican_hls.proof.hostile import hostile_events
from nanopelican_hls.topology.export import build_program

EVENTS = 900


@pytest.fixture(scope="module", params=NETWORKS[:4], ids=network_id)
def case(request):
    program = build_program(random_description(request.param, seed=7))
    events = hostile_events(program, lambda ports: execute(program, ports), EVENTS, seed=1)
    return program, events


def batches(events):
    start = 0
    for kind, count in events.kinds.items():
        yield kind, {port: array[start : start + count] for port, array in events.ports.items()}
        start += count


def port_tensors(program):
    """The quantised tensor of each port, whose name is also the key of the port's values."""
    return [port.tensor for port in program.inputs]


def constituent_ports(program):
    width = max(port.shape[0] for port in program.inputs)
    return [port for port in port_tensors(program) if program.shapes[port][0] == width]


def test_every_kind_is_there_and_the_events_are_as_many_as_asked_for(case):
    program, events = case
    assert list(events.ports) == port_tensors(program)
    assert sum(events.kinds.values()) == len(next(iter(events.ports.values()))) >= EVENTS
    assert all(count > 0 for count in events.kinds.values())


def test_each_kind_is_what_it_says(case):
    program, events = case
    quantisers = program.quantisers
    by_kind = dict(batches(events))
    constituents = constituent_ports(program)
    energy = constituents[0]

    def scaled(kind, port):
        return by_kind[kind][port] / quantisers[port].scale

    for port in port_tensors(program):
        fraction = np.abs(scaled("rounding ties", port) % 1 - 0.5)
        assert (fraction == 0).mean() > 0.5
        assert (fraction < 1e-6).all()
        quantiser = quantisers[port]
        integers = quantiser.integers(by_kind["saturated ports"][port])
        assert (integers == quantiser.high).any()
        assert (integers == quantiser.low).any()
        assert (np.abs(scaled("rounding to zero", port)) <= 1.5).all()
    assert all((by_kind["empty"][port] == 0).all() for port in constituents)
    single = np.count_nonzero(np.stack([by_kind["one constituent"][p] for p in constituents]).any(axis=0), axis=1)
    assert (single == 1).all()
    middle = quantisers[energy].integers(by_kind["padding in the middle"][energy]) != 0
    assert ((np.diff(middle.astype(int), axis=1) == 1).any(axis=1)).any()
    repeated = by_kind["duplicates"][energy]
    assert (np.array([len(set(row)) for row in repeated]) < repeated.shape[1]).any()


def test_reported_saturation_is_real_and_nothing_reachable_is_forgotten(case):
    program, events = case
    tensors = execute(program, events.ports)
    told = {*events.saturated, *events.unreachable, *events.unsaturated}
    for node in program.nodes:
        if node.quantiser is None or node.inputs[0] not in tensors:
            continue
        q, exact = node.quantiser, tensors[node.inputs[0]] / node.quantiser.scale
        assert f"{node.output}+" in told
        assert (exact.max() > q.high + 0.5) == (f"{node.output}+" in events.saturated)
        if f"{node.output}-" in told:
            assert (exact.min() < q.low - 0.5) == (f"{node.output}-" in events.saturated)
    assert len(events.saturated) > len(events.unsaturated)


def test_the_same_seed_gives_the_same_events(case):
    program, events = case
    again = hostile_events(program, lambda ports: execute(program, ports), EVENTS, seed=1)
    other = hostile_events(program, lambda ports: execute(program, ports), EVENTS, seed=2)
    assert all(np.array_equal(again.ports[p], events.ports[p]) for p in events.ports)
    assert not all(np.array_equal(other.ports[p], events.ports[p]) for p in events.ports)


def test_the_search_executes_a_few_events_at_a_time(case, monkeypatch):
    program, events = case
    monkeypatch.setattr(hostile, "SEARCH_CHUNK", 50)
    sizes = []

    def counted(ports):
        sizes.append(len(next(iter(ports.values()))))
        return execute(program, ports)

    again = hostile_events(program, counted, EVENTS, seed=1)
    assert max(sizes) == 50
    for port, values in events.ports.items():
        assert np.array_equal(again.ports[port], values)


def test_angles_about_the_axis():
    """Level-1 words: angles on both sides of the phi wrap-around, at and next to the table ends, and opposite."""
    network = next(n for n in NETWORKS if n.level1 is not None)
    program = build_program(random_description(network, seed=7))
    events = hostile_events(program, lambda ports: execute(program, ports), EVENTS, seed=1)
    batch = dict(batches(events))["about the axis"]
    phi, axis = batch["phi"], batch["jet_phi"]
    for codes in (phi, axis):
        assert codes.min() == -720
        assert codes.max() == 719
    raw = phi - axis
    assert ((np.abs(raw) > 720).any(axis=1) & (np.abs(raw) < 720).any(axis=1)).sum() > 10
    around = (raw + 720) % 1440 - 720
    assert {-720, -192, -191, -190, 190, 191, 192, 719} <= set(around.ravel().astype(int).tolist())
    d_eta = execute(program, batch)["d_eta"]
    assert {-191, -190, 190, 191} <= set(d_eta.ravel().astype(int).tolist())
