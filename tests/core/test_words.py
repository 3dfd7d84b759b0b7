"""A core that takes the words of a trigger: their bits, and the whole way in Icarus Verilog."""

import functools
import json
import re

import numpy as np
import pytest
from random_networks import random_description

from nanopelican_hls.cli import main
from nanopelican_hls.contract.execution import execute
from nanopelican_hls.core.project import MARKER, CoreSettings, write_core
from nanopelican_hls.errors import RtlError
from nanopelican_hls.jets import port_values, read_jets, sample_path
from nanopelican_hls.jets.level1 import CMS_CORRELATOR, GLOBAL_TRIGGER, pack, to_level1
from nanopelican_hls.rtl.settings import open_settings
from nanopelican_hls.topology.config import Input, Multiplicity, NetworkConfig, RestFrom, Spurions
from nanopelican_hls.topology.export import build_program
from nanopelican_hls.topology.result import Output, Result, with_result

from .test_core import TESTS, needs_icarus, simulated

TAGGER = NetworkConfig(
    *(6, 1),
    spurions=Spurions.REST,
    rest_from=RestFrom.JET,
    input=Input.L1,
    multiplicity=Multiplicity.JET,
)
EVENTS = 40


@functools.cache
def example():
    program = with_result(build_program(random_description(TAGGER, bits=5, seed=3)), Result(Output.SCORE, 0.0))
    jets = read_jets(sample_path(), EVENTS)
    return program, jets, execute(program, port_values(jets, TAGGER))


def written(folder, interval, streamed=False, level1=CMS_CORRELATOR):
    program, _, tensors = example()
    hardware = open_settings(2.7777, interval=interval, streamed=streamed)
    return write_core(program, folder, CoreSettings(user_bits=64, hardware=hardware, level1=level1), tensors)


@pytest.mark.parametrize(("interval", "streamed"), [(1, False), (3, True), (5, True)])
def test_frames_are_the_words_of_a_trigger(interval, streamed, tmp_path):
    shell = written(tmp_path / "core", interval, streamed)
    _, jets, tensors = example()
    candidates, jet = pack(to_level1(jets), TAGGER.n_constituents)
    beats, width = shell.events.words, shell.events.width // 64
    assert beats * (width - 1) >= 6 > (beats - 1) * (width - 1)
    frames = shell.events.of(tensors).view("<u8")
    assert frames.shape == (EVENTS, beats, width)
    np.testing.assert_array_equal(frames[:, 0, 0], jet)
    sent = frames[:, :, 1:].reshape(EVENTS, -1)[:, :6]
    np.testing.assert_array_equal(sent & np.uint64((1 << 37) - 1), candidates)
    noisy = shell.events.of(tensors, np.random.default_rng(1)).view("<u8")
    assert (noisy >> np.uint64(37) != 0).mean() > 0.9  # what the candidates' words hold besides


@needs_icarus
@pytest.mark.parametrize(("interval", "streamed"), [(1, False), (3, True)])
def test_score_and_decision_come_out_with_the_jets_word(interval, streamed, tmp_path):
    shell = written(tmp_path / "core", interval, streamed)
    assert [field.name for field in shell.results.fields] == ["score_0", "accept_0"]
    found = simulated(tmp_path / "core")
    assert (set(found.tests), found.failed) == (TESTS, ()), found


def test_formats_and_models_that_do_not_go_together(tmp_path):
    with pytest.raises(RtlError, match="global_trigger: has no words of candidates and jets"):
        written(tmp_path / "core", 1, level1=GLOBAL_TRIGGER)
    components = NetworkConfig(4, 1, spurions=Spurions.REST)
    program = build_program(random_description(components, bits=5, seed=3))
    with pytest.raises(RtlError, match=re.escape("port 'q_plus_in' of 7 bits: is not in the words of cms_correlator")):
        write_core(program, tmp_path / "core", CoreSettings(level1=CMS_CORRELATOR), {})
    assert not (tmp_path / "core").exists()


def test_on_the_command_line(tmp_path, capsys):
    command = ["core", "trigger-n8-l1", "--build", str(tmp_path), "--events", "20", "--words"]
    assert main([*command, "nobody"]) == 2
    assert "'nobody': is no format of Level-1 words" in capsys.readouterr().err
    assert main([*command, "cms_correlator", "--score", "--threshold", "30%"]) == 0
    content = json.loads((tmp_path / "trigger-n8-l1" / "core" / MARKER).read_text())
    fields = {field["name"]: field["low"] for field in content["s_axis"]["fields"]}
    assert (content["s_axis"]["width"], fields["jet_mass_0"], fields["eta_7"]) == (64 * 9, 45, 64 * 8 + 14)
    assert [field["name"] for field in content["m_axis"]["fields"]] == ["score_0", "accept_0"]
