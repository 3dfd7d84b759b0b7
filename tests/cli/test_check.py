import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from random_networks import NETWORKS, random_description

from nanopelican_hls.cli import main
from nanopelican_hls.contract.program import save_program
from nanopelican_hls.topology.export import build_program

MODEL = build_program(random_description(NETWORKS[0], seed=2))


def test_a_good_file_is_listed_tensor_by_tensor(tmp_path, capsys):
    save_program(MODEL, tmp_path / "good.onnx")
    assert main(["check", str(tmp_path / "good.onnx")]) == 0
    first, _, *rows = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{tmp_path / 'good.onnx'}: inside the contract")
    assert [row.split()[0] for row in rows] == list(MODEL.ranges)
    for row, (tensor, values) in zip(rows, MODEL.ranges.items(), strict=True):
        assert f" {values.bits} " in row
        assert row.split()[-1] == (MODEL.quantisers[tensor].rounding.value if tensor in MODEL.quantisers else "exact")


def test_every_file_is_checked(tmp_path, capsys):
    good, bad = tmp_path / "good.onnx", tmp_path / "bad.onnx"
    save_program(MODEL, good)
    bad.write_bytes(b"no model")
    assert main(["check", str(good), str(good)]) == 0
    assert capsys.readouterr().out.count("inside the contract") == 2
    assert main(["check", str(good), str(bad)]) == 2
    assert "bad.onnx: is not an ONNX file" in capsys.readouterr().err


def test_a_bad_file_ends_with_status_2_node_cause_and_remedy(tmp_path, capsys):
    bad = onnx.ModelProto()
    bad.CopyFrom(MODEL.model)
    next(n for n in bad.graph.node if n.op_type == "PairMix").op_type = "PairMixer"
    onnx.save(bad, tmp_path / "bad.onnx")
    assert main(["check", str(tmp_path / "bad.onnx")]) == 2
    error = capsys.readouterr().err
    assert "error: node 'z_PairMix' (PairMixer): unknown operator" in error
    assert "did you mean PairMix" in error


def test_a_missing_file_ends_with_status_2(tmp_path, capsys):
    assert main(["check", str(Path(tmp_path) / "none.onnx")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_output_may_be_cut_off(tmp_path):
    """As by `head`: the command ends quietly, with the status that a shell gives a broken pipe."""
    path = tmp_path / "m.onnx"
    save_program(MODEL, path)
    command = [
        sys.executable,
        "-c",
        "import sys; from nanopelican_hls.cli import main; sys.exit(main())",
        "check",
        path,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", [["check"], ["zoo"], ["--json", "zoo"]], ids=" ".join)
def test_a_full_disk_under_the_output_is_named(words, tmp_path):
    """Whether the text fits into Python's buffer (check) or not (zoo)."""
    path = tmp_path / "m.onnx"
    save_program(MODEL, path)
    program = "import sys; from nanopelican_hls.cli import main; sys.exit(main())"
    arguments = [*words, str(path)] if words == ["check"] else words
    with Path("/dev/full").open("w") as full:
        found = subprocess.run(
            [sys.executable, "-c", program, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert found.stderr == (
        "error: standard output: No space left on device\n"
        "  remedy: free some space where it goes, or send it elsewhere\n"
    )
    assert found.returncode == 2


def test_a_file_that_is_full_is_not_the_output(monkeypatch, capsys):
    import errno

    from nanopelican_hls import cli

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cli, "run_words", full)
    assert main(["zoo"]) == 2
    assert capsys.readouterr().err.startswith("error: a file: No space left on device")


def test_a_configuration_is_no_qonnx_file(tmp_path, capsys):
    (tmp_path / "m.yaml").write_text("network: {n_constituents: 4, channels: 2}\n")
    assert main(["check", str(tmp_path / "m.yaml")]) == 2
    assert "m.yaml: is not a QONNX file\n  remedy: give the .onnx file" in capsys.readouterr().err
