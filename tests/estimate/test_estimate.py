"""The fast estimate: exact counts, the fit, and the command."""

import dataclasses
import json

import pytest
from random_networks import NETWORKS, random_description
from rtl_extra import MISSING

from nanopelican_hls.cli import main
from nanopelican_hls.contract.program import save_program
from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.topology.export import build_program

if MISSING:
    pytest.skip(f"needs the extra rtl: {', '.join(MISSING)}", allow_module_level=True)

from nanopelican_hls import rtl
from nanopelican_hls.estimate.calibration import Mapped, calibrate, read_mapped, write_calibration
from nanopelican_hls.estimate.estimate import FITTED, FIXED, Calibration, Counts, estimate
from nanopelican_hls.flows.yosys import map_rtl

NETWORK = next(
    k for k in NETWORKS if k.symmetric and k.spurion == "jet" and k.coordinates.value == "light_cone" and not k.level1
)
COEFFICIENTS = {
    "lut": {
        "sum_bits": 0.75,
        "particle_mix_bits": 0.5,
        "pair_mix_bits": 1.25,
        "pair_output_bits": 0.0,
        "booth_bits": 1.0,
    },
    "ff": {"register_bits": 0.875, "booth_register_bits": 1.5},
}


@pytest.fixture(scope="module")
def program():
    return build_program(random_description(NETWORK, seed=1, bits=5))


@pytest.fixture(scope="module", params=["dsp", "fabric"])
def mapped(request, program, tmp_path_factory):
    """Counts, and the generated and the mapped hardware of the same network."""
    settings = rtl.open_settings(2.7777, request.param)
    project = rtl.generate_rtl(program, tmp_path_factory.mktemp("rtl") / "p", settings=settings)
    return Counts.of(program, settings), project, map_rtl(project)


def test_what_the_generator_decides_is_exact(mapped):
    counts, project, cells = mapped
    assert counts.dsp == cells.dsp
    assert counts.cycles == project.latency_cycles
    assert counts.shift_registers == cells.srl
    assert counts.waiting_bits == cells.pieces["delay"].ff


def test_hand_written_multipliers(mapped):
    """Rows are instantiated cell by cell, but constant cells of the first and last row are optimised away."""
    counts, _, cells = mapped
    assert 0.7 * counts.booth_bits < cells.pieces["booth"].lut <= 1.2 * counts.booth_bits


def synthetic(number=16):
    """Synthetic networks that follow the linear model exactly."""
    rows = []
    for k in range(number):
        values = {
            field.name: 1000 + 800 * ((7 * k + 3 * i * k * k + i) % 11)
            for i, field in enumerate(dataclasses.fields(Counts))
        }
        found = {
            r: sum(values[n] for n in FIXED[r]) + sum(c * values[n] for n, c in COEFFICIENTS[r].items()) for r in FITTED
        }
        rows.append(Mapped(f"n{k}", Counts(**values), round(found["lut"]), round(found["ff"]), values["dsp"]))
    return rows


def test_the_fit_finds_the_coefficients():
    found = calibrate(synthetic())
    for resource, coefficients in COEFFICIENTS.items():
        assert found.coefficients[resource] == pytest.approx(coefficients, abs=2e-3)
    assert found.largest_error_percent == {"lut": 0.0, "ff": 0.0}
    assert found.configurations == 16


def test_the_error_is_that_of_a_network_left_out():
    """One network takes twice as many LUTs as the model says: fitting to it must not hide that."""
    rows = synthetic()
    rows[3] = dataclasses.replace(rows[3], lut=2 * rows[3].lut)
    found = calibrate(rows)
    assert found.largest_error_percent["lut"] > 45
    assert 45 / 16 < found.mean_error_percent["lut"] < 45
    assert found.largest_error_percent["ff"] == 0.0


def test_coefficients_are_not_negative():
    rows = [dataclasses.replace(row, lut=max(1, row.lut - row.counts.booth_bits * 3)) for row in synthetic()]
    assert min(calibrate(rows).coefficients["lut"].values()) >= 0


def test_wrong_dsp_are_refused():
    rows = synthetic()
    rows[5] = dataclasses.replace(rows[5], dsp=rows[5].dsp + 1)
    with pytest.raises(SynthesisError, match="n5: Yosys has"):
        calibrate(rows)


def test_too_few_networks_are_refused():
    with pytest.raises(SynthesisError, match="6 networks are too few"):
        calibrate(synthetic(6))


def test_calibration_file(tmp_path, program):
    path = tmp_path / "calibration.json"
    write_calibration(calibrate(synthetic()), path)
    found = estimate(program, rtl.open_settings(2.7777), Calibration.read(path))
    counts = found.counts
    fitted = sum(c * getattr(counts, n) for n, c in COEFFICIENTS["lut"].items())
    assert found.lut == pytest.approx(counts.shift_registers + counts.table_luts + fitted, rel=2e-3)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"configurations": 1}'])
def test_bad_calibration_files(tmp_path, content):
    path = tmp_path / "calibration.json"
    path.write_text(content)
    with pytest.raises(SynthesisError, match="is not a calibration"):
        Calibration.read(path)


def test_a_calibration_of_other_counts_is_refused(tmp_path):
    path = tmp_path / "calibration.json"
    content = dataclasses.asdict(calibrate(synthetic()))
    del content["coefficients"]["lut"]["booth_bits"]
    path.write_text(json.dumps(content))
    with pytest.raises(SynthesisError, match="other counts"):
        Calibration.read(path)


def test_rows_of_files(tmp_path):
    rows = [dataclasses.asdict(row) for row in synthetic(3)]
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows))
    assert read_mapped([path, path]) == 2 * synthetic(3)
    del rows[1]["counts"]["dsp"]
    path.write_text(json.dumps(rows))
    with pytest.raises(SynthesisError, match="row 1: has no counts"):
        read_mapped([path])
    rows[0]["lut"] = None
    path.write_text(json.dumps(rows))
    with pytest.raises(SynthesisError, match="row 0: has no lut"):
        read_mapped([path])


def test_the_calibration_of_the_package():
    found = Calibration.read()
    assert found.configurations >= 20
    assert found.mean_error_percent["lut"] <= 10


def test_the_command(tmp_path, capsys, program):
    save_program(program, tmp_path / "tiny.onnx")
    assert main(["estimate", str(tmp_path / "tiny.onnx"), "--products", "fabric"]) == 0
    printed = capsys.readouterr().out
    assert "estimate, no tool was run" in printed
    assert "0 (exact)" in printed
    assert f"calibrated on {Calibration.read().configurations} configurations" in printed


def test_a_refit_is_written(tmp_path, capsys):
    path, target = tmp_path / "rows.json", tmp_path / "calibration.json"
    path.write_text(json.dumps([dataclasses.asdict(row) for row in synthetic()]))
    assert main(["estimate", "--calibrate", str(path), "--calibration", str(target)]) == 0
    assert Calibration.read(target).configurations == 16
    assert "error 0.0%, at most 0.0%" in capsys.readouterr().out


def test_a_clock_period_that_is_not_finite(tmp_path, capsys, program):
    save_program(program, tmp_path / "model.onnx")
    assert main(["estimate", str(tmp_path / "model.onnx"), "--clock", "inf"]) == 2
    assert "must be a positive number of ns, not inf" in capsys.readouterr().err


@pytest.mark.parametrize(("clock", "told"), [("0.01", True), ("0.69", True), ("0.7", False)])
def test_a_clock_period_below_a_level_of_logic_is_told(clock, told, tmp_path, caplog, program):
    save_program(program, tmp_path / "model.onnx")
    assert main(["estimate", str(tmp_path / "model.onnx"), "--clock", clock]) == 0
    expected = f"a clock period of {clock} ns is shorter than a level of logic with its routing (0.7 ns)"
    assert any(message.startswith(expected) for message in caplog.messages) == told


@pytest.mark.parametrize("content", ["[1]", '{"rows": 1}', "3"])
def test_a_file_that_is_no_list_of_rows(tmp_path, content):
    (tmp_path / "rows.json").write_text(content)
    with pytest.raises(SynthesisError, match="is not a list of rows"):
        read_mapped([tmp_path / "rows.json"])


@pytest.mark.parametrize("arguments", [[], ["x.onnx", "--map", "y.json"]])
def test_one_thing_at_a_time(arguments, capsys):
    assert main(["estimate", *arguments]) == 2
    assert "give one of MODEL" in capsys.readouterr().err
