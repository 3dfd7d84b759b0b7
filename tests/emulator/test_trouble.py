"""What an emulator refuses, and how it says so."""

from __future__ import annotations

import numpy as np
import pytest
from emulators import build
from random_networks import random_ports

import nanopelican_hls as nph
from nanopelican_hls.emulator.block import located
from nanopelican_hls.emulator.number import Number, width
from nanopelican_hls.emulator.project import EmulatorTarget
from nanopelican_hls.errors import ContractError, FirmwareError
from nanopelican_hls.fixed_point import FixedRange, Quantiser, Rounding
from nanopelican_hls.flows import emulation
from nanopelican_hls.flows.emulation import compile_emulator

from .conftest import NETWORK


def test_more_bits_than_a_type_has():
    x = Number.variable("x", FixedRange(-(1 << 30), 1 << 30, -3))
    with pytest.raises(FirmwareError) as caught, located("outer"), located("z"):
        x * x * x
    assert str(caught.value) == (
        "tensor 'z', grid of 2^-9: an intermediate value needs 92 bits, more than the 64 of a C++ integer\n"
        "  remedy: narrow the quantisers upstream, or move their grids closer together"
    )


@pytest.mark.parametrize("bits", [16, 32, 64])
def test_the_last_range_of_a_type(bits):
    assert width(FixedRange(-(1 << (bits - 1)), (1 << (bits - 1)) - 1, 0)) == bits
    if bits < 64:
        assert width(FixedRange(0, 1 << (bits - 1), 0)) == 2 * bits


def test_a_far_quantiser_needs_no_wide_type():
    """Between grids 2^90 apart."""
    x = Number.variable("x", FixedRange(-100, 100, 40))
    for exponent in (-50, 130):
        assert x.quantised(Quantiser(8, True, exponent)).bits == 32


@pytest.mark.parametrize(("bits", "shift"), [(20, 22), (30, 31), (31, 31), (40, 42), (62, 63)])
def test_no_shift_by_the_width_of_a_type(bits, shift):
    """It would be undefined; found on a drawn network, compiled with sanitisers."""
    x = Number.variable("x", FixedRange(-(1 << (bits - 1)), (1 << (bits - 1)) - 1, 0))
    assert x.quantised(Quantiser(4, True, 100, Rounding.FLOOR)).text == f"(x >> {shift})"


@pytest.mark.parametrize("name", ["my-emulator", "int", "2top", "std", "clip", ""])
def test_a_name_that_cannot_be(name, program, tmp_path):
    with pytest.raises(FirmwareError, match=f"name '{name}': is no C\\+\\+ identifier, or a reserved word") as caught:
        EmulatorTarget(name).write(program, tmp_path / "emulator")
    assert caught.value.remedy == "use letters, digits and '_', a letter first"


def test_ports_are_checked(emulator, events):
    with pytest.raises(ContractError, match="port 'q_y_in': has shape"):
        emulator.predict(events | {"q_y": events["q_y"][:, :5]})


def test_arrays_of_the_library_are_checked(emulator, events):
    """It reads memory as it finds it."""
    integers = emulator.port_integers(events)
    wide = integers | {"q_y_in": integers["q_y_in"].astype(np.int64)}
    short = integers | {"q_z_in": integers["q_z_in"][:-1]}
    turned = integers | {"q_plus_in": np.asfortranarray(integers["q_plus_in"])}
    for arrays, port in ((wide, "q_y_in"), (short, "q_z_in"), (turned, "q_plus_in")):
        with pytest.raises(ContractError, match=f"port '{port}': is .*, expected int16 of shape") as caught:
            emulator.run(arrays, traced=False)
        assert caught.value.remedy


def test_no_compiler(program, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FirmwareError, match="not found on the PATH\n  remedy: install g"):
        build(program, tmp_path / "emulator")


def test_sources_that_do_not_compile(program, tmp_path):
    project = EmulatorTarget().write(program, tmp_path / "emulator")
    source = project.path / "emulator.cpp"
    source.write_text(source.read_text().replace("rounded<", "raunded<"))
    with pytest.raises(FirmwareError, match=r"does not compile \(exit status 1\): .*raunded") as caught:
        compile_emulator(project)
    assert str(project.path / "compile.log") in str(caught.value)
    assert not list(project.path.glob("*.so"))


def test_fast_math_is_refused(program, tmp_path):
    project = EmulatorTarget().write(program, tmp_path / "emulator")
    with pytest.raises(FirmwareError, match="-ffast-math changes how inputs are rounded"):
        compile_emulator(project, optimisation="-Ofast")


def test_a_library_that_cannot_be_loaded(program, events, tmp_path):
    emulator = build(program, tmp_path / "emulator")
    emulator.library.write_bytes(b"")
    with pytest.raises(FirmwareError, match="cannot be loaded") as caught:
        emulator.predict(events)
    assert caught.value.remedy == "compile again"


class TestCache:
    @pytest.fixture(autouse=True)
    def cache(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr(
            emulation, "compile_emulator", lambda project: compile_emulator(project, optimisation="-O0")
        )
        return tmp_path / "cache" / "nanopelican-hls"

    def test_an_emulator_is_compiled_once(self, program, cache, monkeypatch):
        ports = random_ports(NETWORK, 20)
        reference = nph.execute(program, ports)
        assert nph.compare(program, reference, nph.emulate(program, ports, tensors=True)).first is None
        assert nph.emulate(program, ports).keys() == {"logit"}
        monkeypatch.setattr(emulation, "run_compiler", lambda *_: pytest.fail("compiled again"))
        emulation._cached.cache_clear()  # as in another process
        assert nph.compare(program, reference, nph.emulate(program, ports)).first is None
        (folder,) = cache.iterdir()
        assert len(list(folder.glob("*.so"))) == 1

    def test_a_file(self, program, tmp_path):
        (tmp_path / "model.onnx").write_bytes(program.model.SerializeToString())
        ports = random_ports(NETWORK, 20)
        found = nph.emulate(tmp_path / "model.onnx", ports)
        assert nph.compare(program, nph.execute(program, ports), found).first is None

    def test_a_cache_that_cannot_be_written(self, program, tmp_path):
        emulation._cached.cache_clear()
        (tmp_path / "cache").touch()
        with pytest.raises(FirmwareError, match=r"cannot be written \(Not a directory\)") as caught:
            nph.emulate(program, random_ports(NETWORK, 1))
        assert caught.value.remedy == "name a folder in the variable XDG_CACHE_HOME"
