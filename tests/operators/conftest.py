"""Parametrises the operators' test classes (`operator_tests.OperatorTests`) by their cases."""

import pytest

pytest.register_assert_rewrite("operator_tests")


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", metafunc.cls.cases, ids=lambda case: case.name)
