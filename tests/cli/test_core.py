"""``nanopelican core``."""

import shutil

import pytest

from nanopelican_hls.cli import main

CORE = ["core", "trigger-n8", "--interval", "3", "--streamed", "--events", "40"]


def test_it_writes_a_core_with_a_payload(tmp_path, capsys):
    assert main([*CORE, "--build", str(tmp_path), "--emp", "--links", "1", "--first-link", "5"]) == 0
    assert "9 jets in a frame of 54 words of 1 link, one every 6 clocks" in capsys.readouterr().out
    payload = tmp_path / "trigger-n8" / "core" / "emp"
    assert "d(5 downto 5)" in (payload / "firmware" / "hdl" / "emp_payload.vhd").read_text()
    assert "from word 6 j on" in (payload / "README.md").read_text()


@pytest.mark.skipif(not shutil.which("iverilog"), reason="needs Icarus Verilog: apt-get install iverilog")
def test_it_runs_the_test_bench(tmp_path, capsys):
    assert main([*CORE, "--build", str(tmp_path), "--simulate"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "test bench 5 of 5 tests passed latency cycles" in words and "lost 0 mismatched 0 misframed 0" in words
    assert (tmp_path / "trigger-n8" / "core" / "waveform.svg").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--interval", "0"], "firmware.interval: must be at least 1, not 0"),
        (["--interval", "9"], "interval = 9: is more than the 7 rounds in which 8 constituents meet"),
        (["--top", "3x"], "top = '3x': is not a valid module name"),
        (["--links", "2"], "links and frames: are options of the EMP payload\n  remedy: add --emp"),
        (["--emp", "--output-link", "128"], "output on link 128: the FPGA has links 0 to 127"),
    ],
)
def test_wrong_options_are_found_before_jets_are_read(options, message, tmp_path, capsys):
    assert main([*CORE, "--build", str(tmp_path), "--jets", str(tmp_path / "none.h5"), *options]) == 2
    assert message in capsys.readouterr().err
