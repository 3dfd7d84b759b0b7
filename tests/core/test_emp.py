"""The payload of the EMP framework: frame, dep file, patterns, and the whole way from the links to the results."""

import dataclasses
import functools
import itertools
import random
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from random_networks import random_description, random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.core.emp import EmpSettings, Payload
from nanopelican_hls.core.project import CoreSettings, write_core
from nanopelican_hls.errors import RtlError
from nanopelican_hls.rtl.project import SOURCES
from nanopelican_hls.rtl.settings import open_settings
from nanopelican_hls.topology.config import NetworkConfig, Spurions
from nanopelican_hls.topology.export import build_program

TAGGER = NetworkConfig(6, 2, spurions=Spurions.REST)
EVENTS = 300
HERE = Path(__file__).parent
needs_ghdl = pytest.mark.skipif(not shutil.which("ghdl"), reason="needs GHDL: apt-get install ghdl")
needs_icarus = pytest.mark.skipif(not shutil.which("iverilog"), reason="needs Icarus Verilog: apt-get install iverilog")


@functools.cache
def example():
    """Events, of which some have no constituents at all."""
    program = build_program(random_description(TAGGER, bits=5, seed=3))
    ports = random_ports(TAGGER, EVENTS, seed=5)
    for values in ports.values():
        values[10:20] = 0
    return program, execute(program, ports)


def written(folder, interval=3, streamed=True, user_bits=8, top="nanopelican", **options):
    hardware = open_settings(2.7777, interval=interval, streamed=streamed)
    settings = CoreSettings(top, user_bits=user_bits, hardware=hardware, emp=EmpSettings(**options))
    return Payload(write_core(example()[0], folder, settings, example()[1]), settings.emp)


def run(command, folder):
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def vhdl(core):
    hdl = core / "emp" / "firmware" / "hdl"
    files = HERE / "emp_framework.vhd", hdl / "nanopelican_links.vhd", hdl / "emp_payload.vhd", HERE / "emp_bench.vhd"
    return list(files)


IDLE, VALID, LAST, START, ORBIT, STROBE = 0, 1 << 64, 1 << 65, 1 << 66, 1 << 67, 1 << 68


def simulated(core, rows):
    """What the output links show in the clock of each row; rows are the reset and the words of eight links."""
    # GHDL turns the payload into Verilog, with an empty module for the core, whose own Verilog takes its place
    text = run(["ghdl", "--synth", "--std=08", "--out=verilog", *vhdl(core), "-e", "payload_bench"], core)
    empty = re.compile(r"^module nanopelican_axis\b.*?^endmodule\n", re.DOTALL | re.MULTILINE)
    assert len(empty.findall(text)) == 1
    (core / "payload.v").write_text(empty.sub("", text))
    lines = [f"{(reset << 8 * 69) | sum(word << 69 * k for k, word in enumerate(words)):x}" for reset, words in rows]
    (core / "rows.hex").write_text("\n".join(lines) + "\n")
    sources = sorted((core / SOURCES).glob("*.v"))
    macro = f"-DROWS={len(rows)}"
    run(["iverilog", "-g2005", "-o", "sim", macro, HERE / "emp_testbench.v", "payload.v", *sources], core)
    shown = [line for line in run(["vvp", "sim"], core).splitlines() if re.fullmatch(r"[0-9a-fxX]+", line)]
    assert len(shown) == len(rows)
    mask = (1 << 69) - 1
    # before the reset nothing is known
    return [[int(line, 16) >> 69 * k & mask for k in range(8)] if "x" not in line.lower() else None for line in shown]


def read(path):
    """Links and rows of a pattern file, in the bits of the test bench."""
    head, metadata, blank, links, *rows = path.read_text().splitlines()
    assert head.startswith("ID: ") and blank == "" and links.startswith("      Link  ")
    assert metadata == "Metadata: (strobe,) start of orbit, start of packet, end of packet, valid"
    found = []
    for k, row in enumerate(rows):
        # as CMSSW reads them
        assert row.startswith(f"Frame {k:04d}  ")
        tokens = [token for token in re.split(r"\s\s+", row[12:]) if token]
        assert all(re.fullmatch(r"[01]{4} [0-9a-f]{16}", token) for token in tokens)
        found.append([int(token[:4], 2) << 64 | int(token[5:], 16) | STROBE for token in tokens])
    return list(map(int, links.split()[1:])), found


CASES = {
    "a word in a clock": {"interval": 3},
    "an event in a clock": {"interval": 1, "streamed": False, "first_link": 1, "output_link": 6, "frame": 48},
    "a word in several clocks": {"interval": 5, "streamed": False, "links": 1, "first_link": 3, "jets": 4},
    "a beat in several clocks": {"interval": 3, "links": 1, "first_link": 7, "output_link": 1, "frame": 100},
}  # fmt: skip


@needs_ghdl
@needs_icarus
@pytest.mark.parametrize("case", CASES)
def test_the_patterns_come_true_clock_by_clock(case, tmp_path):
    payload = written(tmp_path / "core", **CASES[case])
    assert (payload.parts > 1) == ("several" in case)
    links, played = read(tmp_path / "core" / "emp" / "patterns" / "links.txt")
    (output,), expected = read(tmp_path / "core" / "emp" / "patterns" / "results.txt")
    rows = [(1, [STROBE] * 8)] * 5 + [(0, [STROBE] * 8)] * 5
    rows += [(0, [words[links.index(k)] if k in links else STROBE for k in range(8)]) for words in played]
    shown = simulated(tmp_path / "core", rows)[10:]
    assert [words[output] for words in shown] == [words[0] for words in expected]
    assert {word for words in shown for k, word in enumerate(words) if k != output} == {STROBE}
    assert sum(bool(words[0] & 1 << 63) for words in expected) >= 5 * payload.jets


def with_gaps(payload, frames, draw):
    """Frames with clocks that do not count, words that are not valid, and pauses; noise where nothing is to be read."""
    noise = lambda: draw.getrandbits(64)  # noqa: E731
    first, length = payload.settings.first_link, payload.jets * payload.stride
    rows = []
    for frame in frames.tolist():
        for clock, words in enumerate(frame[:length]):
            while draw.random() < 0.1:
                rows.append((0, [noise() | draw.choice([0, VALID, START, VALID | START]) for _ in range(8)]))
            row = [noise() | STROBE | draw.choice([0, VALID, LAST, VALID | START]) for _ in range(8)]
            for k, word in enumerate(words):
                row[first + k] = STROBE | (VALID | word if word or draw.random() < 0.1 else noise())
            if clock == 0:
                row[first] = STROBE | VALID | START | words[0]
            elif row[first] & VALID and draw.random() < 0.1:
                row[first] |= START  # inside a frame it means nothing
            rows.append((0, row))
        rows += [(0, [STROBE | noise() for _ in range(8)])] * draw.choice([0, 0, 1, 7])
    return rows


def results_with_gaps(core, payload):
    """Result words of frames with gaps, after a reset in the middle of one, with the marks of first and last."""
    draw, frames = random.Random(7), payload.frames(example()[1])
    quiet = [(0, [STROBE] * 8)]
    rows = [(1, [STROBE] * 8)] * 5
    rows += with_gaps(payload, frames[:1], draw)[: payload.jets * payload.stride // 2] + rows[:3] + quiet * 2
    begin = len(rows)
    rows += [*with_gaps(payload, frames, draw), *quiet * (payload.latency_cycles + 10)]
    found, inside = [], False
    for words in simulated(core, rows)[begin:]:
        word = words[payload.settings.output_link]
        assert word & STROBE
        assert bool(word & VALID) == (inside or bool(word & START))
        if word & 1 << 63:
            found.append(word & (START | LAST | (1 << 64) - 1))
        else:
            assert word & ~VALID == STROBE
        inside = bool(word & VALID and not word & LAST)
    return found


def expected_results(payload):
    """Those of QONNX execution."""
    results = payload.results(example()[1])
    assert len(results) == EVENTS // payload.jets
    marks = [START * (jet == 0) | LAST * (jet == payload.jets - 1) for jet in range(payload.jets)]
    return [word | marks[jet] for frame in results.tolist() for jet, word in enumerate(frame)]


@needs_ghdl
@needs_icarus
@pytest.mark.parametrize("case", CASES)
def test_frames_with_gaps_give_the_results_of_the_contract(case, tmp_path):
    payload = written(tmp_path / "core", **CASES[case])
    assert results_with_gaps(tmp_path / "core", payload) == expected_results(payload)


#: faults of the entity around the core: how they change it
MUTANTS = {
    "clocks without strobe count": ("if strobe = '1' and (running", "if (running"),
    "words that are not valid are read": ("if d(link).valid = '1' then", "if d(link).strobe = '1' then"),
    "a start inside a frame": ("if place = STRIDE - 1 then", "if place = STRIDE - 1 or (running and start) = '1' then"),
    "parts are swapped": ("word & held(PARTS * BITS - 1 downto BITS)", "held((PARTS - 1) * BITS - 1 downto 0) & word"),
    "a frame survives a reset": ("        running <= '0';\n        s_valid <= '0';", "        s_valid <= '0';"),
    "every result is the last": ("q.last           <= m_valid and m_user(1)", "q.last           <= m_valid"),
}  # fmt: skip


@needs_ghdl
@needs_icarus
@pytest.mark.parametrize("mutant", MUTANTS)
def test_faults_are_found(mutant, tmp_path):
    payload = written(tmp_path / "core", **CASES["a word in several clocks"])
    source = tmp_path / "core" / "emp" / "firmware" / "hdl" / "nanopelican_links.vhd"
    old, new = MUTANTS[mutant]
    assert source.read_text().count(old) == 1
    source.write_text(source.read_text().replace(old, new))
    try:
        found = results_with_gaps(tmp_path / "core", payload)
    except (AssertionError, TypeError):  # a frame that is none, or an output that is unknown
        return
    assert found != expected_results(payload)


@needs_ghdl
@pytest.mark.parametrize("standard", ["93", "08"])
def test_the_vhdl_is_good_in_either_standard(standard, tmp_path):
    written(tmp_path / "core")
    for file in vhdl(tmp_path / "core"):
        assert run(["ghdl", "-a", f"--std={standard}", file], tmp_path) == ""
    run(["ghdl", "-e", f"--std={standard}", "payload_bench"], tmp_path)


def test_every_bit_of_a_jet_has_a_place_of_its_own(tmp_path):
    payload = written(tmp_path / "core", interval=5, streamed=False, links=2, first_link=9)
    places = [payload.place(field.low, field.high) for field in payload.shell.events.fields]
    bits = [(clock, link, bit) for place in places for clock, link, low, high in place for bit in range(low, high + 1)]
    assert len(set(bits)) == len(bits) == sum(field.bits for field in payload.shell.events.fields)
    assert bits == sorted(bits) and {link for _, link, _ in bits} == {9, 10}
    # and it is where the frames have it
    frame = payload.frames(example()[1])[3]
    word = np.unpackbits(payload.shell.events.of(example()[1])[3 * payload.jets + 1, 0], bitorder="little")
    for bit, (clock, link, place) in enumerate(bits):
        assert int(frame[payload.stride + clock, link - 9]) >> place & 1 == word[bit]
    page = (tmp_path / "core" / "emp" / "README.md").read_text()
    assert all(f"`{field.name}`" in page for field in payload.shell.events.fields)


def test_the_dep_file_names_every_source(tmp_path):
    """Paths as ipbb makes them: from firmware/hdl of the component, with --cd in between."""
    written(tmp_path / "core", top="tagger")
    component = tmp_path / "core" / "emp" / "firmware"
    named = []
    for line in (component / "cfg" / "payload.dep").read_text().splitlines():
        match = re.fullmatch(r"src (?:--cd (\S+) )?(\S+)", line)
        if match:
            named.append((component / "hdl" / (match[1] or "") / match[2]).resolve())
    assert named == sorted(set(named), key=named.index) and all(path.is_file() for path in named)
    sources = itertools.chain((tmp_path / "core" / SOURCES).glob("*.v"), (component / "hdl").glob("*.vhd"))
    assert set(named) == {path.resolve() for path in sources}
    assert "component tagger_axis is" in (component / "hdl" / "emp_payload.vhd").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"first_link": 128}, "links from link 128: the FPGA has links 0 to 127"),
        ({"first_link": 126, "links": 3}, "links up to link 128: the FPGA has links 0 to 127"),
        ({"interval": 1, "streamed": False, "first_link": 127}, "links up to link"),
        ({"output_link": 200}, "output on link 200: the FPGA has links 0 to 127"),
        ({"links": 40}, "40 links: are more than a frame needs: the core's word has"),
        ({"jets": 19}, "19 jets in a frame of 54 words: 18 fit: a jet, 3 words of"),
        ({"frame": 2}, "1 jets in a frame of 2 words: 0 fit"),
        ({"user_bits": 2}, "2 sideband bits: are too few for the marks"),
        ({"top": "Emp_Payload"}, "top = 'Emp_Payload': is the name of an entity of the payload, or none in VHDL"),
        ({"top": "tagger_"}, "top = 'tagger_': is the name of an entity of the payload, or none in VHDL"),
    ],
)
def test_options_that_cannot_be(options, message, tmp_path):
    with pytest.raises(RtlError, match=re.escape(message)):
        written(tmp_path / "core", **options)
    assert not (tmp_path / "core").exists()


def test_a_result_must_fit_into_a_word(tmp_path):
    payload = written(tmp_path / "core")
    output = payload.shell.project.outputs[0]
    wide = dataclasses.replace(payload.shell.project, outputs=(dataclasses.replace(output, shape=(20,)),))
    with pytest.raises(RtlError, match="does not fit into a word of 64 bits"):
        Payload(dataclasses.replace(payload.shell, project=wide), payload.settings)
