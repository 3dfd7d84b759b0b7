"""Pragmas that each header needs, by what its functions do."""

from __future__ import annotations

import re

import pytest

from nanopelican_hls.hls import templates_path
from nanopelican_hls.hls.layers import snake_case
from nanopelican_hls.operators import OPERATORS

#: tables that are read once per jet: ROMs, and no registers
MEMORIES = {"inverse", "table"}


def functions(name):
    """Bodies of the functions in an operator's header, by name; those of one name together."""
    text = (templates_path() / f"nnet_{snake_case(name)}.h").read_text()
    found = {}
    for signature, body in re.findall(r"^(\w[^;{}]*?)\{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        if called := re.search(r"(\w+)\((?!\))", signature):
            found.setdefault(called[1], []).append(body)
    return found


@pytest.mark.parametrize("name", OPERATORS)
def test_weights_that_are_read_in_parallel_are_registers(name):
    used = 0
    for bodies in functions(name).values():
        for body in bodies:
            for parameter in OPERATORS[name].parameters - MEMORIES:
                if re.search(rf"\b{parameter}\[", body):
                    used += 1
                    assert f"#pragma HLS ARRAY_PARTITION variable={parameter} complete\n" in body, parameter
    # tables of Level-1 words are read by a function of the table's element
    assert used or not OPERATORS[name].parameters - MEMORIES or name == "LightConeFromL1"


@pytest.mark.parametrize("name", OPERATORS)
def test_multipliers_are_shared_where_there_are_any(name):
    (body,) = functions(name)[snake_case(name)]
    assert body.count("#pragma HLS PIPELINE II=CONFIG_T::reuse_factor\n") == 1
    text = (templates_path() / f"nnet_{snake_case(name)}.h").read_text()
    limit = "#pragma HLS ALLOCATION operation instances=mul limit=CONFIG_T::multiplier_limit\n"
    assert body.count(limit) == text.count(limit) == ("n_multiplications" in text)
