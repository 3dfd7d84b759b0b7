from __future__ import annotations

import dataclasses
import subprocess

import numpy as np
import pytest
from hls_models import MODELS
from random_networks import random_description, random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.flows.testbench import BenchResult, run_events_file, run_testbench, write_events
from nanopelican_hls.hls import convert
from nanopelican_hls.hls.passes import MANIFEST
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.export import build_program

EVENTS = 50
EXPECTED = {"logit": np.arange(EVENTS)[:, None]}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A project with its events and logits, whose test bench has been compiled and has passed."""
    program = MODELS["jet"].program()
    firmware = convert(program, tmp_path_factory.mktemp("bench"))
    ports = random_ports(MODELS["jet"].network, EVENTS)
    logits = execute(program, ports)["logit"]
    assert run_testbench(firmware, ports, {"logit": logits}) == BenchResult(EVENTS, 0, None)
    return firmware, ports, logits


def run(path):
    """Run the compiled bench on the current event file."""
    result = subprocess.run(["./testbench"], cwd=path, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def test_one_wrong_integer_is_found(bench):
    firmware, ports, logits = bench
    exponent = firmware.program.exponent("logit")
    wrong = logits.copy()
    wrong[17] += 2.0**exponent
    expected, got = (int(np.ldexp(x[17, 0], -exponent)) for x in (wrong, logits))
    result = run_testbench(firmware, ports, {"logit": wrong})
    assert result == BenchResult(EVENTS, 1, f"event 17, logit[0], expected {expected}, got {got}")
    status, output = run(firmware.path)
    assert status == 1
    assert output.splitlines()[-1] == f"FAIL: {EVENTS} events, 1 mismatches"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda lines: lines[:0], "cannot be read, or is empty"),
        (lambda lines: lines[:1], "has no events"),
        (lambda lines: [lines[0].replace("^", "^1"), *lines[1:]], "its header does not match this firmware"),
        (lambda lines: [*lines[:3], lines[3].rsplit(" ", 1)[0]], "too few integers in a line"),
        (lambda lines: [*lines[:3], lines[3] + " 0"], "too many integers in the line of event 2"),
        (lambda lines: [*lines[:3], "x " + lines[3]], "or a non-integer"),
        (lambda lines: [*lines[:3], "256 " + lines[3].split(" ", 1)[1]], "the integer 256 does not fit its port"),
        (lambda lines: [*lines[:3], "-1 " + lines[3].split(" ", 1)[1]], "the integer -1 does not fit its port"),
    ],
)
def test_malformed_files_are_refused(bench, edit, message):
    firmware, ports, logits = bench
    integers = {f"{p}_in": firmware.program.quantisers[p].integers(a) for p, a in ports.items()}
    expected = np.ldexp(logits, -firmware.program.exponent("logit")).astype(int)
    file = write_events(firmware, integers, {"logit": expected})
    lines = file.read_text().splitlines()
    file.write_text("\n".join(edit(lines)))
    status, output = run(firmware.path)
    assert status == 2
    assert message in output


def test_missing_file_is_an_error_of_the_bench(bench):
    firmware, _, _ = bench
    (firmware.path / "tb_data" / "events.dat").unlink(missing_ok=True)
    with pytest.raises(
        FirmwareError, match=r"the test bench failed \(exit status 2\): tb_data/events.dat: cannot be read"
    ):
        run_events_file(firmware.path)


class TestWriteEvents:
    @pytest.fixture
    def integers(self, bench):
        firmware, ports, _ = bench
        return {f"{p}_in": firmware.program.quantisers[p].integers(a) for p, a in ports.items()}

    def test_file(self, bench, integers):
        file = write_events(bench[0].path, integers, EXPECTED)
        header, first, *_ = file.read_text().splitlines()
        names = [group.split("[")[0] for group in header.split()]
        assert names == [*(port.name for port in bench[0].program.inputs), "logit"]
        assert list(map(int, first.split())) == [*np.concatenate([a[0] for a in integers.values()]), 0]

    def test_missing_port(self, bench, integers):
        del integers["q_y_in"]
        with pytest.raises(FirmwareError, match="port 'q_y_in': is missing"):
            write_events(bench[0], integers, EXPECTED)

    def test_missing_output(self, bench, integers):
        with pytest.raises(FirmwareError, match="output 'logit': is missing"):
            write_events(bench[0], integers, {"score": EXPECTED["logit"]})

    def test_wrong_shape(self, bench, integers):
        with pytest.raises(FirmwareError, match=r"port 'q_plus_in': has shape \(50, 4\), expected \(3, 4\)"):
            write_events(bench[0], integers, {"logit": np.zeros((3, 1), int)})

    def test_floats_are_no_integers(self, bench, integers):
        with pytest.raises(FirmwareError, match="logit: must hold integers, not float64"):
            write_events(bench[0], integers, {"logit": np.zeros((EVENTS, 1))})

    def test_logits_off_the_grid(self, bench):
        firmware, ports, logits = bench
        with pytest.raises(FirmwareError, match="logit of event 4: is not on the grid of the output"):
            run_testbench(firmware, ports, {"logit": logits + np.where(EXPECTED["logit"] == 4, 2.0**-30, 0)})

    def test_half_written_project(self, tmp_path, integers):
        (tmp_path / MANIFEST).write_text("{}")
        with pytest.raises(FirmwareError, match="is not a complete HLS project"):
            write_events(tmp_path, integers, EXPECTED)


def test_numbers_far_below_the_grid_they_are_rounded_to(tmp_path):
    """The bit that decides the rounding is above all bits of the number."""
    description = random_description(NetworkConfig(2, 1, symmetric=False), bits=4)
    parameters = description.parameters | {"column_w_r": np.zeros(1)}
    quantisers = description.quantisers | {"column": Quantiser(4, True, 30)}
    program = build_program(dataclasses.replace(description, parameters=parameters, quantisers=quantisers))
    ports = random_ports(description.network, EVENTS)
    outputs = {"logit": execute(program, ports)["logit"]}
    assert run_testbench(convert(program, tmp_path / "hls"), ports, outputs) == BenchResult(EVENTS, 0, None)
