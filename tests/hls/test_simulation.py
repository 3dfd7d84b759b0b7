"""The compiled C++ compared with QONNX execution, as integers, at every tensor."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hls_models import MODELS
from random_networks import random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.errors import ContractError, FirmwareError
from nanopelican_hls.flows.csimulation import EVENTS_PER_CALL, compile, predict, trace
from nanopelican_hls.hls import convert
from nanopelican_hls.hls.passes import MANIFEST
from nanopelican_hls.hls.project import read_manifest
from nanopelican_hls.proof.comparison import compare
from nanopelican_hls.proof.hostile import hostile_events

#: the others have each option, if not each pair of options
LATER = {"beams", "plain-laboratory", "words-plain"}


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.long if name in LATER else []) for name in MODELS])
def name(request):
    return request.param


def assert_bit_exact(firmware, program, ports):
    reference = execute(program, ports)
    simulated = trace(firmware, ports)
    assert list(simulated) == list(reference), "every tensor is traced, in execution order"
    comparison = compare(firmware.program, reference, simulated)
    assert comparison.mismatches == 0, str(comparison)
    outputs = predict(firmware, ports)
    assert list(outputs) == [port.name for port in program.outputs]
    for output, values in outputs.items():
        np.testing.assert_array_equal(values, reference[output])


def test_models_cover_all_pairs_of_options():
    options = [
        (m.network.symmetric, m.network.spurions.value, m.network.coordinates.value, m.tables, m.backend)
        for m in MODELS.values()
    ]
    for a, b in itertools.combinations(range(5), 2):
        wanted = set(itertools.product({o[a] for o in options}, {o[b] for o in options}))
        # beams are not constants in light-cone coordinates
        assert wanted - {("beams", "light_cone")} == {(o[a], o[b]) for o in options}


def test_jets_are_bit_exact(firmware_of, name):
    ports = random_ports(MODELS[name].network, 700, seed=3)
    assert_bit_exact(firmware_of(name), MODELS[name].program(), ports)


def test_hostile_events_are_bit_exact(firmware_of, name):
    program, firmware = MODELS[name].program(), firmware_of(name)
    hostile = hostile_events(program, lambda ports: execute(program, ports), 700)
    assert hostile.saturated
    assert_bit_exact(firmware, program, hostile.ports)


@pytest.mark.parametrize("value", [1e300, 1e12, 2.0**31 + 0.5, 0.5, 1.5, 5e-324, 0.0])
def test_ports_round_and_saturate_any_number(firmware_of, value):
    firmware = firmware_of("jet")
    ports = {
        port: np.stack([np.full(shape, v) for v in (value, -value, np.nextafter(value, 0), -np.nextafter(value, 0))])
        for port, shape in ((port.name, port.shape) for port in firmware.program.inputs)
    }
    assert_bit_exact(firmware, MODELS["jet"].program(), ports)


def test_threads_and_chunks_do_not_matter(firmware_of):
    firmware = firmware_of("jet")
    ports = random_ports(MODELS["jet"].network, 3 * EVENTS_PER_CALL + 1)
    one, three = (trace(firmware, ports, threads=threads) for threads in (1, 3))
    for tensor in one:
        np.testing.assert_array_equal(one[tensor], three[tensor])


@pytest.mark.parametrize("events", [0, 1])
def test_few_events(firmware_of, events):
    firmware = firmware_of("jet")
    ports = random_ports(MODELS["jet"].network, events)
    assert predict(firmware, ports)["logit"].shape == (events, 1)
    assert trace(firmware, ports)["pair"].shape == (events, 10, 2)


def test_ports_are_checked(firmware_of):
    firmware = firmware_of("jet")
    ports = random_ports(MODELS["jet"].network, 3)
    with pytest.raises(ContractError, match="port 'q_y_in': has shape"):
        predict(firmware, ports | {"q_y": np.zeros((3, 5))})


class TestCompile:
    @pytest.fixture
    def firmware(self, tmp_path):
        return convert(MODELS["beams"].program(), tmp_path / "hls")

    def test_firmware_must_be_compiled_to_run(self, firmware):
        with pytest.raises(FirmwareError, match=r"is not compiled\n  remedy: call compile\(\) first"):
            predict(firmware, random_ports(MODELS["beams"].network, 1))

    def test_first_error_of_the_compiler_is_shown(self, firmware):
        source = firmware.path / "firmware" / "nanopelican.cpp"
        source.write_text(source.read_text().replace("nnet::pair_mix<", "nnet::pear_mix<"))
        with pytest.raises(FirmwareError, match=r"does not compile \(exit status 1\): .*pear_mix") as error:
            compile(firmware)
        assert "pear_mix" in (firmware.path / "compile.log").read_text()
        assert str(firmware.path / "compile.log") in str(error.value)
        assert not list(firmware.path.glob("firmware/*.so"))

    def test_missing_compiler(self, firmware, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(FirmwareError, match="not found on the PATH\n  remedy: install g"):
            compile(firmware)

    def test_library_is_named_by_its_sources(self, firmware_of, monkeypatch):
        firmware = firmware_of("jet")
        monkeypatch.setattr("nanopelican_hls.flows.csimulation.run_compiler", lambda *_: pytest.fail("compiled again"))
        assert compile(firmware, optimisation="-O0").library == firmware.library

    def test_half_written_project_is_refused(self, firmware):
        (firmware.path / MANIFEST).write_text("{}\n")
        with pytest.raises(FirmwareError, match=r"is not a complete HLS project .*\n  remedy: convert again"):
            compile(firmware)


class TestFolder:
    def test_older_project_is_replaced(self, tmp_path):
        (convert(MODELS["beams"].program(), tmp_path).path / "stale.rpt").touch()
        convert(MODELS["beams"].program(), tmp_path)
        assert not (tmp_path / "stale.rpt").exists()

    def test_interrupted_conversion_can_be_repeated(self, tmp_path, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr("nanopelican_hls.hls.passes.render", _interrupt)
            with pytest.raises(KeyboardInterrupt):
                convert(MODELS["beams"].program(), tmp_path)
        with pytest.raises(FirmwareError, match="is not a complete HLS project"):
            read_manifest(tmp_path)
        assert read_manifest(convert(MODELS["beams"].program(), tmp_path).path)["project"] == "nanopelican"

    def test_foreign_folder_is_left_alone(self, tmp_path):
        (tmp_path / "firmware").mkdir()
        (tmp_path / "thesis.tex").touch()
        with pytest.raises(FirmwareError, match="exists and is not an HLS project\n  remedy: choose another folder"):
            convert(MODELS["beams"].program(), tmp_path)
        assert (tmp_path / "thesis.tex").exists()

    def test_file_in_the_way(self, tmp_path):
        (tmp_path / "hls").touch()
        with pytest.raises(FirmwareError, match="exists and is not an HLS project"):
            convert(MODELS["beams"].program(), tmp_path / "hls")

    def test_unwritable_folder(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(FirmwareError, match=r"cannot be written \(Not a directory\)"):
            convert(MODELS["beams"].program(), tmp_path / "file" / "hls")


def _interrupt(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "Quartus"}, "backend: unknown backend 'Quartus'\n  remedy: use Vitis or Vivado"),
        (
            {"reuse_factor": 0},
            "reuse_factor: must be at least 1, not 0\n  remedy: use 1 for a new event in every cycle",
        ),
        (
            {"project_name": "my-project"},
            "project_name: 'my-project' is not a valid C++ function name\n"
            "  remedy: use letters, digits and '_', a letter first",
        ),
        (
            {"namespace": "a::b"},
            "namespace: 'a::b' is not a valid C++ namespace\n  remedy: use letters, digits and '_', a letter first",
        ),
        ({"hls_config": {"Modell": {}}}, "hls_config: unknown key 'Modell'\n  remedy: did you mean 'Model'?"),
    ],
)
def test_options_are_checked(tmp_path, options, message):
    with pytest.raises(FirmwareError) as error:
        convert(MODELS["beams"].program(), tmp_path, **options)
    assert str(error.value) == message
