import numpy as np
import pytest
from random_networks import NETWORKS, network_id, random_description

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.proof import hostile
from nanopelican_hls.proof.hostile import hostile_events
from nanopelican_hls.topology.config import NetworkConfig, Spurions
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


@pytest.fixture(scope="module")
def program():
    return build_program(random_description(NetworkConfig(4, 1, spurions=Spurions.JET), seed=7))


class TestKinds:
    """Each kind by itself, without the search."""

    EVENTS = 500

    @pytest.fixture
    def make(self, program):
        return hostile._Generator(program, np.random.default_rng(3))

    @staticmethod
    def in_steps(make, ports):
        """Values in units of their grids, by port."""
        return {port: values / make.quantisers[port].scale for port, values in ports.items()}

    def test_empty_events_have_zeros_of_both_signs_and_may_keep_the_jet(self, make):
        for port, values in make.empty(self.EVENTS).items():
            assert set(np.signbit(values[values == 0])) == {True, False}
            assert (values != 0).any() == port.startswith("jet_")

    def test_ports_beyond_both_bounds_by_the_least_and_by_far(self, make):
        for port, steps in self.in_steps(make, make.saturated_ports(self.EVENTS)).items():
            for bound in (make.quantisers[port].low - 0.5, make.quantisers[port].high + 0.5):
                around = {bound * factor for factor in (1.0, 1 - 2.0**-52, 1 + 2.0**-52, 2.0**20)}
                assert around <= set(steps.ravel()), port

    def test_ties_and_their_neighbours(self, make):
        for steps in self.in_steps(make, make.ties(self.EVENTS)).values():
            beside = (steps % 1) - 0.5
            assert (np.abs(beside) < 1e-6).all()
            assert {-1.0, 0.0, 1.0} == set(np.sign(beside).ravel())

    def test_what_rounds_to_zero_and_what_just_does_not(self, make):
        for steps in self.in_steps(make, make.rounding_to_zero(self.EVENTS)).values():
            assert set(steps.ravel()) == {-0.5, -0.25, 0.0, 0.25, 0.4999, 0.5, 0.5001, 1.0, 1.5}

    def test_a_single_constituent_at_every_place(self, make):
        values = make.one_constituent(self.EVENTS)["q_plus"]
        assert set(np.argmax(values, axis=1)) == set(range(4))

    def test_signs_and_octaves_of_scales(self, make):
        for port, values in make.random_scale(self.EVENTS).items():
            assert (values < 0).any() == make.quantisers[port].signed
            steps = np.abs(values).max(axis=1) / make.quantisers[port].scale
            assert steps.min() < 1 < make.quantisers[port].high < steps.max()

    def test_duplicates_of_one_are_as_likely_as_of_several(self, make):
        distinct = np.array([len(set(row)) for row in make.duplicates(self.EVENTS)["q_plus"]])
        assert set(distinct) == {1, 2, 3, 4}
        assert np.mean(distinct == 1) > 0.25

    def test_axes_at_the_seam(self):
        network = next(n for n in NETWORKS if n.level1 is not None)
        program = build_program(random_description(network, seed=7))
        axis = hostile._Generator(program, np.random.default_rng(3)).about_the_axis(2000)["jet_phi"]
        # a sixth of them on purpose, and what random axes add by being cut
        assert np.mean(axis == -720) > 0.2
        assert np.mean(axis == 719) > 0.2


class TestSearch:
    """With executions made up, in which only ``d_exact`` is not 0."""

    @staticmethod
    def tensors(program, ports, d_exact):
        count = len(next(iter(ports.values())))
        found = {tensor: np.zeros((count, *shape)) for tensor, shape in program.shapes.items()}
        found["d_exact"][:, 0] = d_exact
        return found

    def test_it_finds_what_no_ordinary_event_has_and_keeps_it(self, program):
        """Here a quantiser saturates only if eight inputs are at the last steps of their grids."""
        q = program.quantisers["d"]

        def share(ports):
            bounds = {p: program.quantisers[p].high * program.quantisers[p].scale for p in ("q_plus", "q_minus")}
            return np.concatenate([ports[p] == bound for p, bound in bounds.items()], axis=1).mean(axis=1)

        def execute_made_up(ports):
            return self.tensors(program, ports, share(ports) * (q.high + 0.6) * q.scale)

        events = hostile_events(program, execute_made_up, 90, seed=1)
        assert events.saturated == ("d+",)
        assert events.kinds["saturated quantisers"] == 1
        assert share(events.ports)[-1] == 1
        assert share(events.ports)[:-1].max() < 1

    def test_a_bound_that_is_met_is_not_crossed(self, program):
        q = program.quantisers["d"]
        events = hostile_events(
            program, lambda ports: self.tensors(program, ports, (q.high + 0.5) * q.scale), 90, seed=1
        )
        assert events.saturated == ()
        assert "d+" in events.unsaturated
