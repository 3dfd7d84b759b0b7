"""Models of CMSSW: what is in the folder, what it promises, and the same integers as QONNX execution."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest
from random_networks import random_ports

from nanopelican_hls.cli import main
from nanopelican_hls.cmssw.project import MARKER, CmsswModel, write_models
from nanopelican_hls.contract.execution import execute, port_arrays
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.jets import port_values, read_jets, sample_path
from nanopelican_hls.jets.level1 import CMS_CORRELATOR, _polar, _rapidity_and_mass, to_level1

from .conftest import run

EVENTS, JETS_OF_EVENT = 1000, 16
JETS = EVENTS * JETS_OF_EVENT
#: candidates in the common struct, more than any network takes
CANDIDATES = 12
HALF_TURN = CMS_CORRELATOR.half_turn


@functools.cache
def sample():
    """Jets of the sample, each turned around the beam by a random angle, so that many lie across the seam of phi."""
    jets = read_jets(sample_path())
    draw = np.random.default_rng(8)
    jets = jets[draw.integers(0, len(jets), JETS)]
    angle = draw.uniform(-np.pi, np.pi, len(jets))

    def turned(momenta, cos, sin):
        e, px, py, pz = np.moveaxis(momenta, -1, 0)
        return np.stack([e, cos * px - sin * py, sin * px + cos * py, pz], axis=-1)

    cos, sin = np.cos(angle), np.sin(angle)
    return replace(
        jets,
        four_momenta=turned(jets.four_momenta, cos[:, None], sin[:, None]),
        jet_four_momentum=turned(jets.jet_four_momentum, cos, sin),
    )


def common_rows(jets):
    """Rows of the common struct, of real numbers: the leading candidates in the order of `to_level1`, and the jet."""
    lsb = CMS_CORRELATOR.angle_lsb
    pt, eta, phi = _polar(jets.four_momenta)
    code = CMS_CORRELATOR.pt.integers(pt)
    codes = [np.where(code > 0, CMS_CORRELATOR.eta.integers(eta / lsb), 0), np.where(code > 0, words_of(phi / lsb), 0)]
    order = np.lexsort((codes[1], codes[0], -code), axis=1)[:, :CANDIDATES, None]
    candidates = np.take_along_axis(np.stack([pt, np.where(pt > 0, eta, 0) / lsb, phi / lsb], axis=-1), order, axis=1)
    jet_pt, _, jet_phi = _polar(jets.jet_four_momentum)
    rapidity, mass = _rapidity_and_mass(jets.jet_four_momentum)
    jet = np.stack([jet_pt, rapidity / lsb, jet_phi / lsb, mass, jets.multiplicity.astype(float)], axis=-1)
    return np.concatenate([candidates.reshape(len(jets), -1), jet], axis=1)


def words_of(phi):
    """phi words of numbers in units of them, as `to_level1` makes them."""
    return (np.rint(phi).astype(np.int64) + HALF_TURN) % (2 * HALF_TURN) - HALF_TURN


def hostile_rows(n, count, seed=4):
    """Rows of the common struct that no detector sends, and the ports that `to_level1` would make of them."""
    draw = np.random.default_rng(seed)
    halves = 2.0 ** -draw.integers(0, 4, (count, CANDIDATES)).astype(float)

    def numbers(scale, shape):
        some = draw.choice([1, scale / 100, scale, 100 * scale], shape) * draw.uniform(-1, 1, shape)
        return np.round(some / halves[:, : shape[1]]) * halves[:, : shape[1]]

    candidates = {"pt": np.abs(numbers(4096, (count, CANDIDATES))) / 4, "eta": numbers(2048, (count, CANDIDATES))}
    candidates["phi"] = numbers(720, (count, CANDIDATES))
    candidates["pt"][draw.random((count, CANDIDATES)) < 0.2] *= -1
    jet = {"jet_pt": np.abs(numbers(4096, (count, 1))) / 4, "jet_eta": numbers(2048, (count, 1))}
    # close to the axis, where the network does not saturate
    near = draw.random(count) < 0.7
    jet |= {"jet_phi": numbers(720, (count, 1)), "jet_mass": np.abs(numbers(400, (count, 1)))}
    for angle in ("eta", "phi"):
        close = jet[f"jet_{angle}"] + np.round(draw.uniform(-250, 250, (count, CANDIDATES)) * 8) / 8
        candidates[angle] = np.where(near[:, None], close, candidates[angle])
    jet["n_jet"] = draw.integers(0, 300, (count, 1)).astype(float)
    rows = np.stack(list(candidates.values()), axis=-1).reshape(count, -1)
    order = ["jet_pt", "jet_eta", "jet_phi", "jet_mass", "n_jet"]
    rows = np.concatenate([rows, *(jet[word] for word in order)], axis=1)
    ports = {}
    for word, values in (candidates | jet).items():
        values = values[:, :n]
        if word.endswith("phi"):
            ports[word] = words_of(values).astype(float)
        elif word.endswith("eta"):
            ports[word] = CMS_CORRELATOR.eta.integers(values).astype(float)
        else:
            ports[word] = values if word == "n_jet" else CMS_CORRELATOR.pt.integers(values) * 0.25
    return rows, ports


def integers(program, values):
    """Results [n, outputs], each in units of its grid."""
    scaled = np.ldexp(values, [-port.exponent for port in program.outputs])
    assert np.array_equal(scaled, np.rint(scaled))
    return scaled.astype(np.int64)


def test_all_libraries_at_once_give_the_integers_of_qonnx_execution(models, repository):
    """Six libraries, two variants of three models, in four threads, by all interfaces."""
    expected, hostile = {}, 2000
    for written in models:
        program, network = written.program, written.network
        ports = port_values(sample(), network)
        rows = {}
        if written.words:
            last, last_ports = hostile_rows(network.n_constituents, hostile)
            rows["common"] = np.concatenate([common_rows(sample())[:-hostile], last])
        else:
            last_ports = random_ports(network, hostile)
        ports = {name: np.concatenate([values[:-hostile], last_ports[name]]) for name, values in ports.items()}
        # real numbers, which the types of the ports round
        rows["ports"] = np.concatenate(list(port_arrays(program, ports).values()), axis=1)
        tensors = execute(program, ports)
        reference = integers(program, np.concatenate([tensors[port.tensor] for port in program.outputs], axis=1))
        assert len(np.unique(reference)) > 20
        for library in written.libraries:
            for kind, numbers in rows.items():
                numbers.astype(np.float64).tofile(repository / f"{library}.{kind}")
            for kind in (*rows, "reals"):
                expected[library, kind] = program, reference
    libraries = sorted({library for library, _ in expected})
    done = subprocess.run(
        ["./loader", ".", "4", *libraries],
        cwd=repository,
        env={"CANDIDATES": str(CANDIDATES)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "6 libraries, 4 threads\n"), done.stderr
    for (library, kind), (program, reference) in expected.items():
        found = np.fromfile(repository / f"{library}.{kind}.out").reshape(JETS, -1)
        assert np.count_nonzero(integers(program, found) != reference) == 0, (library, kind)


def test_the_sample_has_jets_across_the_seam():
    words = to_level1(sample())
    across = (words.phi[:, :8].max(axis=1) > 600) & (words.phi[:, :8].min(axis=1) < -600)
    assert np.count_nonzero(across) > 500


def test_nothing_else_is_exported(models, repository):
    for written in models:
        for library in written.libraries:
            symbols = run(["nm", "-D", "--defined-only", f"{library}.so"], repository)
            assert [line.split()[1:] for line in symbols.splitlines()] == [
                ["T", "create_model"],
                ["T", "destroy_model"],
            ]
            own = run(["nm", "-C", f"{library}.so"], repository)
            assert f"hls4ml_{library}::" in own
            assert not re.search(r" [uV] ", own)  # unique to the process, or a weak object


def test_make_install(repository):
    run(["make", "-o", "all", "install", "PREFIX=installed"], repository)
    assert (repository / "installed" / "lib64" / "Tagger_v1.so").is_file()


LENGTH = "8 candidates with pt, eta and phi are 24 numbers; fill up with zeros, and give the length of the whole array"
TAKES = "pass ModelInputs, or a pointer to inputs_t or real_inputs_t of Tagger_v1.h"
GIVES = "pass a pointer to ModelOutputs, or to outputs_t or, of one output, result_t of Tagger_v1.h"
FIRST = "runtime_error", "predict: called before prepare_input; call prepare_input first"
FINITE = "pass finite numbers, 0 where there is no constituent"
WRONG = "invalid_argument"
TROUBLE = {
    "predict first": FIRST,
    "good": ("nothing", ""),
    "few candidates": (WRONG, f"ModelInputs: total_candidate_inputs is 21, but {LENGTH}"),
    "predict after an error": FIRST,
    "one candidate": (WRONG, f"ModelInputs: total_candidate_inputs is 3, but {LENGTH}"),
    "negative": (WRONG, f"ModelInputs: total_candidate_inputs is -24, but {LENGTH}"),
    "ragged": (
        WRONG,
        "ModelInputs: total_candidate_inputs is 25, which is no multiple of 3; give pt, eta and phi of each candidate",
    ),
    "short jet": (
        WRONG,
        "ModelInputs: total_jet_inputs is 2, less than 5; give pt, eta, phi, mass and the number of constituents of "
        "the jet",
    ),
    "null": (WRONG, "ModelInputs: a pointer is null; set candidate_inputs and jet_inputs"),
    "wrong type": (
        WRONG,
        f"prepare_input: std::any holds ap_fixed<64, 32, (ap_q_mode)0, (ap_o_mode)0, 0>*; {TAKES}",
    ),
    "empty": (WRONG, f"prepare_input: std::any holds nothing; {TAKES}"),
    "null pointer": (WRONG, "prepare_input: std::any holds a null pointer; pass the address of an object"),
    "read first": ("runtime_error", "read_result: called before predict; call predict first"),
    "wrong result": (WRONG, f"read_result: std::any holds ModelOutputs; {GIVES}"),
    "null result": (
        WRONG,
        "ModelOutputs: jet_class_output is null; point it to as many numbers as there are results, 2",
    ),
    "nan": (WRONG, f"eta_in[3]: is nan; {FINITE}"),
    "infinity": (WRONG, f"eta_in[3]: is -inf; {FINITE}"),
}
COMPONENTS = (
    "invalid_argument\tComponents_v1: ModelInputs: has pt, eta and phi, but this model takes q_plus, q_minus, q_y, "
    "q_z, jet_q_plus, jet_q_minus, jet_q_y and jet_q_z; pass a pointer to inputs_t of Components_v1.h, or use a model "
    "that was trained with `input: l1`"
)


def test_what_cannot_be_used_is_an_exception(repository):
    said = run(["./trouble", ".", "Tagger_v1", "Components_v1"], repository)
    found = dict(line.split("\t", 1) for line in said.splitlines())
    assert found.pop("components") == COMPONENTS
    assert found == {
        case: f"{kind}\t{'Tagger_v1: ' if sentence else ''}{sentence}" for case, (kind, sentence) in TROUBLE.items()
    }


@pytest.mark.parametrize("version", ["1", "v1.0", "v-1", "int", "", "v1;", "é", "v 1", "v__1"])
def test_a_version_that_cannot_be(version):
    with pytest.raises(FirmwareError, match=re.escape(f"version {version!r}: is no C++ identifier")) as caught:
        CmsswModel("Tagger", version)
    assert caught.value.remedy == "use letters, digits and '_', a letter first, such as v1_0"
    with pytest.raises(FirmwareError, match="name 'my-tagger': is no"):
        CmsswModel("my-tagger", "v1")


class TestFolder:
    def test_what_the_software_stack_needs(self, repository):
        spec = (repository / "cmsdist" / "Tagger.spec").read_text()
        assert spec.startswith("### RPM external Tagger 2\n")
        assert "EMULATOR_EXTRAS=${HLS4MLEMULATOREXTRAS_ROOT} HLS_ROOT=${HLS_ROOT}" in spec
        tool = ElementTree.parse(
            repository / "cmsdist" / "scram-tools.file" / "tools" / "Tagger" / "tagger.xml"
        ).getroot()
        assert tool.attrib == {"name": "tagger", "version": "@TOOL_VERSION@", "revision": "1"}
        assert [tuple(e.attrib.values()) for e in tool.iter("environment")] == [
            ("TAGGER_BASE", "@TOOL_ROOT@"),
            ("LIBDIR", "$TAGGER_BASE/lib64"),
        ]

    def test_the_version_of_the_package(self):
        assert CmsswModel("Tagger", "v1_0_2").package_version == "1.0.2"

    def test_versions_side_by_side_and_nothing_else_is_touched(self, models, tmp_path):
        written = models[2]
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "notes").write_text("mine")
        with pytest.raises(FirmwareError, match="exists and holds no models of CMSSW"):
            write_models(written.program, tmp_path / "mine", written.model)
        folder = tmp_path / "theirs"
        write_models(written.program, folder, written.model)
        (folder / ".git").mkdir()
        (folder / ".git" / "HEAD").write_text("mine")
        (folder / "Components_v1" / "stale.cpp").touch()
        for version in ("v7", "v1"):
            write_models(written.program, folder, CmsswModel("Components", version))
        versions = [f"Components_{version}" for version in ("v1", "v1_hls", "v7", "v7_hls")]
        assert sorted(path.name for path in folder.iterdir()) == [
            *(".git", *versions, "Makefile", "README.md", "cmsdist", MARKER, "include")
        ]
        assert (folder / ".git" / "HEAD").read_text() == "mine"
        assert not (folder / "Components_v1" / "stale.cpp").exists()
        assert (folder / "include" / "ap_types" / "ap_fixed.h").is_file()
        assert json.loads((folder / MARKER).read_text())["version"] == "v1"
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    @pytest.mark.parametrize("version", ["v1_hls", "hls"])
    def test_a_version_like_the_library_of_another(self, version):
        with pytest.raises(FirmwareError, match="ends in '_hls', as the library around the HLS C"):
            CmsswModel("Tagger", version)


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["emulator", "trigger-n8-l1", "--version", "v1_0"]) == 0
    said = capsys.readouterr().out
    assert "trigger_n8_l1_v1_0.so" in said and "make -C build/trigger-n8-l1/cmssw" in said
    page = (tmp_path / "build" / "trigger-n8-l1" / "cmssw" / "README.md").read_text(encoding="utf-8")
    assert "| 1 | `eta_in` | `ap_fixed<12,12,AP_RND_CONV,AP_SAT,0>` | 8 |" in page
    assert main(["emulator", "trigger-n8-l1", "--version", "1.0"]) == 2
    assert "error: version '1.0': is no C++ identifier" in capsys.readouterr().err


def test_two_options_have_the_name_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0 and capsys.readouterr().out.startswith("nanopelican-hls ")
    assert main(["emulator", "trigger-n8-l1"]) == 2 and "--version" in capsys.readouterr().err
