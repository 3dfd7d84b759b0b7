import io
import os
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hls_models import MODELS

from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.files import LOCK, one_at_a_time
from nanopelican_hls.flows.compiler import first_error
from nanopelican_hls.hls import convert


def test_the_reason_of_a_copy_that_failed_is_given(tmp_path, monkeypatch):
    def full(*_, **__):
        raise shutil.Error([("source", "destination", "[Errno 28] No space left on device")])

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(FirmwareError, match=r"cannot be written \(\[Errno 28\] No space left on device\)"):
        convert(MODELS["jet"].program(), tmp_path / "hls")


def test_a_project_from_a_read_only_installation_can_be_replaced(tmp_path, monkeypatch):
    def copytree(source, target):
        shutil.copytree(source, target)
        for path in (Path(target), *Path(target).rglob("*")):
            path.chmod(path.stat().st_mode & ~0o222)

    monkeypatch.setattr("hls4ml.writer.vivado_writer.copytree", copytree)
    project = convert(MODELS["jet"].program(), tmp_path / "project").path
    assert all(path.stat().st_mode & 0o200 for path in project.rglob("*"))


def test_a_project_is_replaced_whole(tmp_path):
    """Reports of an older one are not taken for new ones."""
    program = MODELS["jet"].program()
    path = convert(program, tmp_path / "hls").path
    report = path / "solution1" / "syn" / "report" / "csynth.xml"
    report.parent.mkdir(parents=True)
    report.write_text("old")
    convert(program, path)
    assert not (path / "solution1").exists()


@pytest.mark.parametrize(
    ("reuse_factor", "hls_config", "expected"),
    [
        (1, None, 1),
        (2, None, 2),
        (2, {"Model": {"ReuseFactor": 3}}, 3),
        (2, {"LayerName": {"z": {"ReuseFactor": 5}}}, 5),
    ],
)
def test_a_reuse_factor_of_the_configuration_comes_first(tmp_path, reuse_factor, hls_config, expected):
    path = convert(MODELS["jet"].program(), tmp_path / "hls", reuse_factor=reuse_factor, hls_config=hls_config).path
    assert f"#pragma HLS PIPELINE II={expected}\n" in (path / "firmware" / "nanopelican.cpp").read_text()
    parameters = (path / "firmware" / "parameters.h").read_text()
    ordinary = hls_config["Model"]["ReuseFactor"] if hls_config and "Model" in hls_config else reuse_factor
    factors = re.findall(r"static const unsigned reuse_factor = (\d+);", parameters)
    assert set(map(int, factors)) == {ordinary, expected}


def test_a_port_is_no_output(tmp_path):
    model = MODELS["jet"].onnx()
    model.graph.output.append(next(v for v in model.graph.value_info if v.name == "q_plus"))
    with pytest.raises(FirmwareError, match=r"graph output 'q_plus': has shape .*, expected a computed tensor"):
        convert(Program.parse(model), tmp_path / "hls")


def test_the_linker_is_quoted_before_its_driver():
    output = "/usr/bin/ld: final link failed: No space left on device\ncollect2: error: ld returned 1 exit status\n"
    assert first_error(output) == "/usr/bin/ld: final link failed: No space left on device"


def test_the_current_folder_is_not_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FirmwareError, match="is the current folder or contains it"):
        convert(MODELS["jet"].program(), ".")


def test_a_symbolic_link_is_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for _ in range(2):
        convert(MODELS["jet"].program(), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "firmware").is_dir()


def test_a_folder_that_is_not_utf_8(tmp_path):
    with pytest.raises(FirmwareError, match="has a name that is not UTF-8"):
        convert(MODELS["jet"].program(), os.fsdecode(bytes(tmp_path) + b"/caf\xe9"))


def test_several_threads(tmp_path, monkeypatch):
    """hls4ml's output is redirected for the whole process: afterwards stdout is the same as before."""
    before = io.StringIO()
    monkeypatch.setattr(sys, "stdout", before)
    program = MODELS["jet"].program()
    with ThreadPoolExecutor(4) as pool:
        projects = list(pool.map(lambda k: convert(program, tmp_path / str(k)), range(4)))
    assert sys.stdout is before
    assert before.getvalue() == ""
    sources = {(project.path / "firmware" / "nanopelican.cpp").read_text() for project in projects}
    assert len(sources) == 1


def test_one_conversion_at_a_time_in_a_folder(tmp_path):
    """The project of a run that is still at work stays as it is."""
    program, folder = MODELS["jet"].program(), tmp_path / "project"
    convert(program, folder)
    (folder / "report").write_text("of the older project")
    with (
        one_at_a_time(folder, FirmwareError),
        pytest.raises(FirmwareError, match=rf"project: is in use by another run \(process {os.getpid()}\)"),
    ):
        convert(program, folder)
    assert (folder / "report").is_file()
    convert(program, folder)
    assert not (folder / "report").exists()
    assert (folder / LOCK).is_file()
