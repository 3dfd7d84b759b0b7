import pytest

from nanopelican_hls.solver.clang import find_clang


@pytest.fixture(scope="session")
def clang():
    if find_clang() is None:
        pytest.skip("clang++ 15 or later is not installed")
