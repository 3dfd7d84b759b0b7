"""The schedule of a piece: no operation before its operands, none across a stage boundary, all as late as possible."""

from hypothesis import given, settings
from hypothesis import strategies as st

from nanopelican_hls.rtl.schedule import Operation, Time, as_soon_as_possible, finished, stages

LEVELS = 4.0


@st.composite
def circuits(draw):
    level = st.integers(0, 16).map(lambda quarters: quarters / 4)
    inputs = draw(st.integers(1, 4))
    operations = [Operation((), 0.0, draw(st.builds(Time, st.integers(0, 3), level))) for _ in range(inputs)]
    for k in range(inputs, inputs + draw(st.integers(1, 12))):
        operands = draw(st.lists(st.integers(0, k - 1), min_size=1, max_size=3))
        operations.append(Operation(tuple(operands), draw(st.integers(0, 20)) / 4))
    outputs = draw(st.lists(st.integers(0, len(operations) - 1), min_size=1, max_size=3))
    return operations, outputs


@settings(deadline=None, max_examples=300)
@given(circuits())
def test_schedule(case):
    operations, outputs = case
    cycles, times = stages(operations, outputs, LEVELS)
    assert times == [as_soon_as_possible(operations, LEVELS)[k] for k in outputs]
    assert [cycles[k] for k in outputs] == [time.cycle for time in times]
    # every operation finishes before the clock edge at the end of its cycle
    level = {}
    for k, (operation, cycle) in enumerate(zip(operations, cycles, strict=True)):
        if cycle is None:
            continue
        assert all(cycles[a] <= cycle for a in operation.operands)
        start = max((level[a] for a in operation.operands if cycles[a] == cycle), default=0.0)
        if operation.arrival:
            assert cycle >= operation.arrival.cycle
            start = operation.arrival.level if cycle == operation.arrival.cycle else 0.0
        level[k] = start + min(operation.delay, LEVELS)
        assert level[k] <= LEVELS


def test_what_does_not_fit_into_the_rest_of_a_stage_waits_for_the_next():
    assert finished(Time(2, 1.0), 3.0, LEVELS) == Time(2, 4.0)
    assert finished(Time(2, 1.5), 3.0, LEVELS) == Time(3, 3.0)
    assert finished(Time(2, 0.5), 9.0, LEVELS) == Time(3, LEVELS)


def test_an_early_operation_is_done_late():
    """Its operand, narrow and shared, is delayed instead of its result."""
    early, late = (Operation((), 0.0, Time(cycle, 0.0)) for cycle in (0, 5))
    cycles, times = stages([early, late, Operation((0,), 2.0), Operation((1, 2), 1.0)], [3], LEVELS)
    assert times == [Time(5, 1.0)]
    assert cycles == [4, 5, 4, 5]
