import numpy as np
import pytest
from random_networks import NETWORKS, random_description, random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.errors import ContractError
from nanopelican_hls.proof.comparison import compare, merge, to_integers
from nanopelican_hls.topology.export import build_program

JETS = 40


@pytest.fixture(scope="module")
def execution():
    network = NETWORKS[0]
    model = build_program(random_description(network, seed=3))
    return model, execute(model, random_ports(network, JETS, seed=4))


def copied(tensors):
    return {name: array.copy() for name, array in tensors.items()}


def test_equal_executions_agree_at_every_tensor(execution):
    program, tensors = execution
    comparison = compare(program, tensors, copied(tensors))
    assert comparison.mismatches == 0
    assert comparison.first is None
    assert comparison.jets == JETS
    assert comparison.tensors == tuple(program.ranges)


def test_one_unit_in_one_entry_is_found_and_named(execution):
    program, tensors = execution
    other = copied(tensors)
    at = (17, 2, 1)
    other["z"][at] += 2.0 ** program.exponent("z")
    other["logit"][23, 0] += 2.0 ** program.exponent("logit")
    comparison = compare(program, tensors, other)
    assert comparison.mismatches == 2
    first = comparison.first
    assert first is not None
    assert (first.tensor, first.jet, first.index) == ("z", 17, (2, 1))
    assert first.other == first.reference + 1
    assert first.reference == int(tensors["z"][at] * 2.0 ** -program.exponent("z"))
    assert str(first) == (
        f"tensor 'z', jet 17, index [2, 1]: {first.reference} in the reference, {first.other} in the other "
        f"(grid 2^{program.exponent('z')})"
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.5])
def test_a_value_off_the_grid_is_a_mismatch(execution, value):
    program, tensors = execution
    other = copied(tensors)
    other["logit"][5, 0] += value * 2.0 ** program.exponent("logit")
    comparison = compare(program, tensors, other)
    assert comparison.mismatches == 1
    assert comparison.first is not None
    assert comparison.first.other is None


def test_the_same_value_off_the_grid_in_both_is_a_mismatch_too(execution):
    program, tensors = execution
    other = copied(tensors)
    other["logit"][5, 0] = np.nan
    assert compare(program, other, other).mismatches == 1


def test_a_reference_off_the_grid_is_a_mismatch_even_where_the_other_is_0(execution):
    program, tensors = execution
    reference, other = copied(tensors), copied(tensors)
    reference["logit"][5, 0], other["logit"][5, 0] = np.nan, 0.0
    comparison = compare(program, reference, other)
    assert comparison.mismatches == 1
    assert comparison.first is not None
    assert (comparison.first.reference, comparison.first.other) == (None, 0)


def test_only_shared_tensors_are_compared_and_the_output_must_be_one(execution):
    program, tensors = execution
    some = {"logit": tensors["logit"], "r": tensors["r"], "foreign": tensors["r"]}
    assert compare(program, tensors, some).tensors == ("r", "logit")
    with pytest.raises(ContractError, match="output is missing"):
        compare(program, tensors, {"r": tensors["r"]})


def test_nothing_to_compare_is_an_error(execution):
    program, tensors = execution
    empty = {name: array[:0] for name, array in tensors.items()}
    with pytest.raises(ContractError, match="no jets to compare"):
        compare(program, empty, empty)
    with pytest.raises(ContractError, match="shapes differ"):
        compare(program, tensors, {name: array[1:] for name, array in tensors.items()})
    fewer = tensors | {"logit": tensors["logit"][1:]}
    with pytest.raises(ContractError, match="tensor 'logit': shapes differ"):
        compare(program, fewer, copied(fewer))


def test_chunks_merge_to_the_whole(execution):
    program, tensors = execution
    other = copied(tensors)
    for jet in (12, 31, 32):  # of the second chunk, and of the third
        other["r"][jet, 0] -= 2.0 ** program.exponent("r")
    whole = compare(program, tensors, other)
    cuts = [slice(0, 11), slice(11, 30), slice(30, JETS)]
    parts = [compare(program, *({n: a[cut] for n, a in t.items()} for t in (tensors, other))) for cut in cuts]
    assert merge(parts) == whole


def test_integers_beyond_the_grid_of_float64_are_exact():
    integers, on_grid = to_integers(np.array([2.0**52 + 1, -3.5, 2.0**70]), exponent=0)
    assert on_grid.tolist() == [True, False, False]
    assert integers[0] == 2**52 + 1
