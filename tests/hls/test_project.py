import shutil

import pytest
from hls_models import MODELS

from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.flows.compiler import first_error
from nanopelican_hls.hls import convert


def test_the_reason_of_a_copy_that_failed_is_given(tmp_path, monkeypatch):
    def full(*_, **__):
        raise shutil.Error([("source", "destination", "[Errno 28] No space left on device")])

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(FirmwareError, match=r"cannot be written \(\[Errno 28\] No space left on device\)"):
        convert(MODELS["jet"].program(), tmp_path / "hls")


def test_the_linker_is_quoted_before_its_driver():
    output = "/usr/bin/ld: final link failed: No space left on device\ncollect2: error: ld returned 1 exit status\n"
    assert first_error(output) == "/usr/bin/ld: final link failed: No space left on device"
