"""Report the tests in this folder as skipped if they were not collected."""

import pytest
from rtl_extra import MISSING

from nanopelican_hls.extras import install


def test_the_extra_is_installed():
    if MISSING:
        pytest.skip(f"tests/rtl left out: {', '.join(MISSING)} missing, {install('alkaid')}")
