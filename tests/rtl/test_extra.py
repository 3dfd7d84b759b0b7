"""Says that the tests of this folder were left out, if so."""

import pytest
from rtl_extra import MISSING


def test_the_extra_is_installed():
    if MISSING:
        pytest.skip(f"tests/rtl left out: {', '.join(MISSING)} missing, pip install '.[rtl]'")
