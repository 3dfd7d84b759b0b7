"""The top module of a core: AXI4-Stream around the pipeline (firmware/templates/nanopelican_stream.v)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from nanopelican_hls.contract.port import Port
from nanopelican_hls.core.frame import Field, Frame
from nanopelican_hls.rtl.arrival import Arrival
from nanopelican_hls.rtl.project import RtlProject
from nanopelican_hls.rtl.top_module import strict
from nanopelican_hls.topology.level1_format import Level1Format

#: hand-written modules of the shell
MODULES = ("nanopelican_fifo", "nanopelican_frames", "nanopelican_stream")
#: cycles from a start to the place that its result frees, besides the pipeline's latency
ROUND_TRIP_CYCLES = 4


@dataclass(frozen=True)
class Shell:
    """An AXI4-Stream shell.

    Attributes
    ----------
    project : the pipeline.
    user_bits : width of TUSER, sideband bits that come out with the event's result.
    level1 : format of the words on the input; None for concatenated ports.
    """

    project: RtlProject
    user_bits: int
    level1: Level1Format | None = None

    @property
    def top(self) -> str:
        return f"{self.project.top}_axis"

    @property
    def events(self) -> Frame:
        return Frame(self.project.inputs, self.project.arrival, self.level1)

    @property
    def results(self) -> Frame:
        return Frame(self.project.outputs, Arrival(max(port.elements for port in self.project.outputs)))

    @property
    def latency_cycles(self) -> int:
        """Clock edges from the one that takes the last word of a frame to the first that can take its result."""
        # the start follows the last word by a cycle; the result is written to its memory, and read
        return self.project.latency_cycles + 3

    def verilog(self) -> str:
        project, events, results = self.project, self.events, self.results
        ports = [*self._slices(events, project.inputs, "word"), *self._slices(results, project.outputs, "result")]
        unused = results.width - sum(port.width for port in project.outputs)
        room = project.latency_cycles // project.interval + ROUND_TRIP_CYCLES
        parameters = {
            "DATA": events.width, "USER": self.user_bits, "RESULT": results.width, "BEATS": project.beats,
            "INTERVAL": project.interval, "IN_ADDRESS": max(2, (2 * project.beats - 1).bit_length()),
            "OUT_ADDRESS": (room - 1).bit_length(),
        }  # fmt: skip
        text = f"""// AXI4-Stream shell of {project.top}: port_map.md has the bits of a word
module {self.top} (
    input wire aclk,
    input wire aresetn,
    input wire [{events.width - 1}:0] s_axis_tdata,
    input wire [{self.user_bits - 1}:0] s_axis_tuser,
    input wire s_axis_tlast,
    input wire s_axis_tvalid,
    output wire s_axis_tready,
    output wire [{results.width - 1}:0] m_axis_tdata,
    output wire [{self.user_bits - 1}:0] m_axis_tuser,
    output wire m_axis_tlast,
    output wire m_axis_tvalid,
    input wire m_axis_tready,
    output wire misframed
);
    wire rst = ~aresetn;
    wire start, valid, early;
    wire [{events.width - 1}:0] word;
    wire [{results.width - 1}:0] result;
    nanopelican_stream #(
        {", ".join(f".{name}({value})" for name, value in parameters.items())}
    ) u_stream (
        .clk(aclk), .rst(rst), .s_data(s_axis_tdata), .s_user(s_axis_tuser), .s_last(s_axis_tlast),
        .s_valid(s_axis_tvalid), .s_ready(s_axis_tready), .start(start), .word(word), .valid(valid), .result(result),
        .m_data(m_axis_tdata), .m_user(m_axis_tuser), .m_last(m_axis_tlast), .m_valid(m_axis_tvalid),
        .m_ready(m_axis_tready), .misframed(misframed)
    );
    {project.top} u_{project.top} (
        .clk(aclk), .rst(rst), .start(start), .valid(valid), .early(early),
        {", ".join(ports)}
    );
"""
        if unused:
            text += f"    assign result[{results.width - 1}:{results.width - unused}] = {unused}'d0;\n"
        return strict(text + "endmodule\n")

    def _slices(self, frame: Frame, ports: tuple[Port, ...], word: str) -> list[str]:
        return [
            f".{port.tensor if word == 'word' else port.name}({_bits(frame.of_port(port), word)})" for port in ports
        ]


def _bits(fields: Sequence[Field], word: str) -> str:
    """The bits of some fields of a word, the first in the lowest bits."""
    if all(one.high + 1 == other.low for one, other in pairwise(fields)):
        return f"{word}[{fields[-1].high}:{fields[0].low}]"
    return "{" + ", ".join(f"{word}[{field.high}:{field.low}]" for field in reversed(fields)) + "}"
