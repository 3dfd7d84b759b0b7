from __future__ import annotations

import contextlib
import functools
import io

import pytest
from hls_models import MODELS

from nanopelican_hls.flows.csimulation import compile
from nanopelican_hls.hls import convert, register


@pytest.fixture(scope="session")
def firmware_of(tmp_path_factory):
    """The compiled firmware of a model, by name; each is compiled once per session, at -O0 to save time."""

    @functools.cache
    def build(name):
        path = tmp_path_factory.mktemp(name) / "hls"
        return compile(convert(MODELS[name].program(), path, backend=MODELS[name].backend), optimisation="-O0")

    return build


@pytest.fixture
def hls4ml_convert(tmp_path):
    """hls4ml's own conversion, as a user calls it, without its printed messages."""
    register()
    from hls4ml.converters import convert_from_onnx_model

    def call(model, *, write=True, **options):
        with contextlib.redirect_stdout(io.StringIO()):
            options = {"backend": "Vitis", "output_dir": str(tmp_path / "hls"), **options}
            graph = convert_from_onnx_model(model, **options)
            if write:
                graph.write()
        return graph

    return call
