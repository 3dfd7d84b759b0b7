"""The network in VHDL: analysed, elaborated and simulated by GHDL, bit for bit."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from random_networks import random_description, random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.rtl.project import generate_rtl
from nanopelican_hls.rtl.settings import Settings
from nanopelican_hls.topology.config import Coordinates, Input, Multiplicity, NetworkConfig, Spurions
from nanopelican_hls.topology.export import build_program
from nanopelican_hls.topology.result import Output, Result, with_result

EVENTS = 500
NETWORKS = {
    "rest": (NetworkConfig(4, 2, spurions=Spurions.REST, multiplicity=Multiplicity.JET), Output.SCORE),
    "words": (NetworkConfig(3, 1, spurions=Spurions.JET, input=Input.L1), Output.LOGIT),
    "beams": (NetworkConfig(3, 2, False, Spurions.BEAMS, Coordinates.CARTESIAN), Output.LOGIT),
}
#: reads an event a clock cycle, and writes what comes out
BENCH = """
library ieee;
use ieee.std_logic_1164.all;
use std.textio.all;

entity bench is end entity;

architecture simulation of bench is
    signal clk: std_logic := '0';
    signal given: std_logic_vector({inputs} downto 0) := (others => '0');
    signal found: std_logic_vector({outputs} downto 0);
begin
    dut: entity work.tagger_pipeline port map(clk => clk, model_inp => given, model_out => found);

    process
        file events: text open read_mode is "events";
        file results: text open write_mode is "results";
        variable row: line;
        variable bits: std_logic_vector({inputs} downto 0);
    begin
        while not endfile(events) loop
            readline(events, row);
            read(row, bits);
            given <= bits;
            wait for 1 ns;
            clk <= '1';
            wait for 1 ns;
            clk <= '0';
            write(row, found);
            writeline(results, row);
        end loop;
        wait;
    end process;
end architecture;
"""


def ghdl(folder, *arguments):
    done = subprocess.run(["ghdl", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.skipif(not shutil.which("ghdl"), reason="needs GHDL: apt-get install ghdl")
@pytest.mark.parametrize("name", NETWORKS)
def test_ghdl_gives_the_integers_of_qonnx_execution(name, tmp_path):
    network, output = NETWORKS[name]
    program = build_program(random_description(network, bits=8, seed=11))
    events = random_ports(network, EVENTS, seed=5)
    program = with_result(program, Result(output, threshold=float(np.median(execute(program, events)["logit"]))))
    tensors = execute(program, events)
    made = generate_rtl(program, tmp_path / "rtl", top="tagger", settings=Settings(3.97), language="vhdl")
    bits, wanted = (
        np.concatenate([port.to_bits(tensors[port.tensor]) for port in ports], axis=1)
        for ports in (program.inputs, program.outputs)
    )
    flush = np.zeros((made.latency_cycles, bits.shape[1]), dtype=np.uint8)
    rows = ["".join(map(str, row[::-1])) for row in np.concatenate([bits, flush])]
    (tmp_path / "events").write_text("\n".join([*rows, ""]))
    sizes = {"inputs": bits.shape[1] - 1, "outputs": wanted.shape[1] - 1}
    (tmp_path / "bench.vhd").write_text(BENCH.format(**sizes))
    ghdl(tmp_path, "-i", "--std=08", *map(str, made.sources), "bench.vhd")
    ghdl(tmp_path, "-m", "--std=08", "bench")
    ghdl(tmp_path, "-r", "--std=08", "bench", "--ieee-asserts=disable")
    lines = (tmp_path / "results").read_text().split()
    # an edge takes an event, and its result is there after as many further ones as the latency says
    found = np.array([[int(bit) for bit in line[::-1]] for line in lines[made.latency_cycles :]], dtype=np.uint8)
    assert len(found) == EVENTS
    assert np.count_nonzero((found != wanted).any(axis=1)) == 0
    assert all(len(np.unique(tensors[port.tensor])) > 1 for port in program.outputs)
