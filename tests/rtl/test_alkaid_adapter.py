"""alkaid is patched only while something is traced, and restored afterwards."""

import re
from importlib import metadata
from pathlib import Path

import pytest
from alkaid._binary import cmvm_bin
from random_networks import NETWORKS, random_description

import nanopelican_hls.rtl
from nanopelican_hls.errors import RtlError
from nanopelican_hls.rtl import alkaid_adapter
from nanopelican_hls.rtl.alkaid_adapter import CORRECTIONS, VERSIONS, check_version, patched
from nanopelican_hls.rtl.hardware import Settings, build
from nanopelican_hls.rtl.tracer import trace
from nanopelican_hls.topology.export import build_program


def is_original():
    return all(module.get_lsb_loc is cmvm_bin.get_lsb_loc for module in CORRECTIONS)


def is_corrected():
    return all(module.get_lsb_loc is function for module, function in CORRECTIONS.items())


def test_alkaid_is_itself_after_tracing():
    assert is_original()
    program = build_program(random_description(NETWORKS[0], seed=1, bits=4))
    build(program, "p", Settings())
    assert is_original()
    trace(program).circuit().vhdl("p", 4.0)
    assert is_original()


def test_contexts_nest():
    with patched():
        with patched():
            assert is_corrected()
        assert is_corrected()
    assert is_original()


def test_errors_end_a_context():
    @patched()
    def fail():
        assert is_corrected()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert is_original()


@pytest.mark.parametrize("version", ["0.8.1", "0.9", "0.9.0", "0.10", "1.0.dev1"])
def test_other_versions_are_refused(version, monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda _: version)
    with pytest.raises(RtlError, match=rf'alkaid {version}: is not supported.*\n.*pip install "nanopelican-hls\[rtl'):
        check_version()


@pytest.mark.parametrize("version", ["0.8.2", "0.8.10", "0.8.3.post1"])
def test_versions_of_the_extra_are_accepted(version, monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda _: version)
    check_version()
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    first, end = (".".join(map(str, each)) for each in VERSIONS)
    assert f'"alkaid>={first},<{end}"' in project


def test_no_other_module_imports_alkaid():
    package = Path(nanopelican_hls.__file__).parent
    imports = re.compile(r"^\s*(import|from) alkaid\b", re.MULTILINE)
    assert [path.name for path in package.rglob("*.py") if imports.search(path.read_text())] == [
        Path(alkaid_adapter.__file__).name
    ]
