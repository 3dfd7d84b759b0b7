"""A core as payload of the EMP framework: what the links' bits hold, VHDL, dep file, patterns (docs/core.md)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.core.frame import Arrays, Field
from nanopelican_hls.core.shell import Shell
from nanopelican_hls.errors import RtlError
from nanopelican_hls.markdown import table
from nanopelican_hls.rtl.project import SOURCES, TEMPLATES

#: bits of a link's word
WORD = 64
#: links of the framework's largest FPGA, the VU13P: 32 regions of 4
MOST_LINKS = 128
#: bits of TUSER in use: first and last jet of a frame, first frame of an orbit
FLAGS = 3
#: cycles that the links add to the shell's latency: two on the way in, one on the way out
LINK_CYCLES = 3
#: the hand-written entity, and the framework's name for a payload
LINKS_ENTITY, PAYLOAD_ENTITY = "nanopelican_links", "emp_payload"
#: folder of the payload inside a core, and rows of a pattern file: as many as a buffer of the framework holds
FOLDER, ROWS = "emp", 1024

Words = NDArray[np.uint64]


@dataclass(frozen=True)
class EmpSettings:
    """Settings of a payload.

    Attributes
    ----------
    links : that bring jets, side by side; None for as many as a word of the core takes.
    first_link : the lowest of them.
    output_link : that results leave on.
    frame : words of a link from the start of one frame to the start of the next: 54 for 6 bunch crossings at 360 MHz.
    jets : in a frame; None for as many as fit.

    Raises
    ------
    RtlError
        If there are no such links.
    """

    links: int | None = None
    first_link: int = 0
    output_link: int = 0
    frame: int = 54
    jets: int | None = None

    def __post_init__(self) -> None:
        last = self.first_link + (self.links or 1) - 1
        for what, link in (("links from", self.first_link), ("links up to", last), ("output on", self.output_link)):
            if not 0 <= link < MOST_LINKS:
                raise RtlError(
                    f"the FPGA has links 0 to {MOST_LINKS - 1}",
                    where=f"{what} link {link}",
                    remedy="choose others: --links, --first-link, --output-link",
                )


@dataclass(frozen=True)
class Payload:
    """A core between links.

    Attributes
    ----------
    shell : the core.
    settings

    Raises
    ------
    RtlError
        If the jets do not fit into the frame, links would not be read, or a result does not fit into a word.
    """

    shell: Shell
    settings: EmpSettings

    def __post_init__(self) -> None:
        events, results, settings = self.shell.events, self.shell.results, self.settings
        needed = -(-events.width // WORD)
        if self.links > needed:
            raise RtlError(
                f"are more than a frame needs: the core's word has {events.width} bits",
                where=f"{self.links} links",
                remedy=f"use --links {needed}, or fewer",
            )
        EmpSettings(self.links, settings.first_link, settings.output_link)
        if self.jets > self.most_jets or not self.jets:
            beats = f"{events.words} word{'s' * (events.words > 1)} of {events.width} bits"
            raise RtlError(
                f"{self.most_jets} fit: a jet, {beats}, takes {self.stride} words of {self.links} "
                f"link{'s' * (self.links > 1)} at an interval of {self.shell.project.interval}",
                where=f"{self.jets or 1} jets in a frame of {settings.frame} words",
                remedy="use fewer jets (--jets-per-frame), "
                + (f"more links (--links, up to {needed}), " if self.links < needed else "")
                + "a longer frame (--frame), or a shorter interval (--interval)",
            )
        if results.width >= WORD:
            raise RtlError(
                f"does not fit into a word of {WORD} bits, one of which marks it",
                where=f"a result of {results.width} bits",
                remedy="use a network with fewer outputs, or the AXI4-Stream shell without --emp",
            )
        if self.shell.user_bits < FLAGS:
            raise RtlError(
                f"are too few for the marks of a frame's jets, {FLAGS} bits",
                where=f"{self.shell.user_bits} sideband bits",
                remedy=f"use --sideband {FLAGS}, or more",
            )
        top = self.shell.project.top
        if top.lower() in (LINKS_ENTITY, PAYLOAD_ENTITY) or "__" in self.shell.top:
            raise RtlError(
                "is the name of an entity of the payload, or none in VHDL",
                where=f"top = {top!r}",
                remedy="choose another name, without two '_' in a row and without one at the end",
            )

    @property
    def links(self) -> int:
        return self.settings.links or -(-self.shell.events.width // WORD)

    @property
    def parts(self) -> int:
        """Clocks in which the links bring a word of the core."""
        return -(-self.shell.events.width // (WORD * self.links))

    @property
    def stride(self) -> int:
        """Clocks from the first word of a jet to that of the next."""
        return max(self.shell.project.interval, self.parts * self.shell.events.words)

    @property
    def most_jets(self) -> int:
        return self.settings.frame // self.stride

    @property
    def jets(self) -> int:
        return self.most_jets if self.settings.jets is None else self.settings.jets

    @property
    def latency_cycles(self) -> int:
        """Clocks from the one in which the last word of a jet is on the links to the one in which its result is."""
        return self.shell.latency_cycles + LINK_CYCLES

    @property
    def first_result(self) -> int:
        """The same from the start of a frame to the result of its first jet."""
        return self.parts * self.shell.events.words - 1 + self.latency_cycles

    def place(self, low: int, high: int) -> list[tuple[int, int, int, int]]:
        """Where some bits of a word of the core are: clock of the word, link, lowest and highest bit; from below."""
        found = []
        for word in range(low // WORD, high // WORD + 1):
            start, end = max(low, word * WORD), min(high, word * WORD + WORD - 1)
            clock, link = divmod(word, self.links)
            found.append((clock, self.settings.first_link + link, start % WORD, end % WORD))
        return found

    def frames(self, tensors: Arrays) -> Words:
        """Words [n, frame, links] of the frames of events; events that do not fill a frame are left out."""
        events = self.shell.events.of(tensors)
        count = len(events) // self.jets
        bits = np.zeros((count, self.jets, self.shell.events.words, self.parts * self.links * WORD // 8), np.uint8)
        bits[..., : events.shape[-1]] = events[: count * self.jets].reshape(count, self.jets, *events.shape[1:])
        words = bits.view("<u8").reshape(count, self.jets, -1, self.links)
        frames = np.zeros((count, self.settings.frame, self.links), np.uint64)
        for jet in range(self.jets):
            frames[:, jet * self.stride : jet * self.stride + words.shape[2]] = words[:, jet]
        return frames

    def results(self, tensors: Arrays) -> Words:
        """Words [n, jets] of the results of the same events."""
        results = self.shell.results.of(tensors)[:, 0]
        count = len(results) // self.jets
        words = np.zeros((count * self.jets, WORD // 8), np.uint8)
        words[:, : results.shape[1]] = results[: len(words)]
        words[:, -1] |= 0x80
        return words.view("<u8").reshape(count, self.jets)

    def files(self, sources: Sequence[str], tensors: Arrays) -> Mapping[str, str]:
        """The files of the payload, by path inside the core."""
        component = f"{FOLDER}/firmware"
        entity = (TEMPLATES / f"{LINKS_ENTITY}.vhd").read_text(encoding="utf-8")
        return {
            f"{component}/hdl/{PAYLOAD_ENTITY}.vhd": self.vhdl(),
            f"{component}/hdl/{LINKS_ENTITY}.vhd": entity,
            f"{component}/cfg/payload.dep": self.dep_file(sources),
            f"{FOLDER}/README.md": self.page(),
            **{f"{FOLDER}/patterns/{name}.txt": text for name, text in self.patterns(tensors).items()},
        }

    def dep_file(self, sources: Sequence[str]) -> str:
        """What ipbb reads, from the bottom to the top; the Verilog is that of the core."""
        verilog = "".join(f"src --cd ../../../{SOURCES} {name}\n" for name in sources)
        return (
            f"src {PAYLOAD_ENTITY}.vhd\nsrc {LINKS_ENTITY}.vhd\n{verilog}"
            "\naddrtab -c emp-fwk:components/payload emp_payload.xml\n"
        )

    def patterns(self, tensors: Arrays) -> dict[str, str]:
        """Pattern files for the framework's buffers: frames one after the other, and what comes out of the payload."""
        frames, results = self.frames(tensors), self.results(tensors)
        after = self.first_result + (self.jets - 1) * self.stride + 1
        count = max(1, min(len(frames), 1 + (ROWS - after) // self.settings.frame))
        rows = max(ROWS, after)
        data = np.zeros((2, rows, max(self.links, 1)), np.uint64)
        flags = np.zeros((2, rows, self.links), np.int64)  # as in the files: orbit, start, last, valid
        for k, (words, found) in enumerate(zip(frames[:count], results[:count], strict=True)):
            start = k * self.settings.frame
            end = min(start + self.settings.frame, rows)
            data[0, start:end], flags[0, start:end] = words[: end - start], 1
            out = start + self.first_result
            last = out + (self.jets - 1) * self.stride
            data[1, out : last + 1 : self.stride, 0], flags[1, out : last + 1, 0] = found, 1
            for side, (first, final) in enumerate(((start, end - 1), (out, last))):
                flags[side, first] |= 0b0100 | 0b1000 * (k == 0)
                flags[side, final] |= 0b0010
        inputs = [self.settings.first_link + k for k in range(self.links)]
        return {
            "links": _pattern(inputs, data[0], flags[0]),
            "results": _pattern([self.settings.output_link], data[1, :, :1], flags[1, :, :1]),
        }

    def page(self) -> str:
        """README of the payload: how to add it to a project, and the frame."""
        settings, events = self.settings, self.shell.events
        fields = [(field, beat) for beat in range(events.words) for field in events.fields]
        rows = [self._row(field, beat) for field, beat in fields if field.elements[beat] is not None]
        return "\n".join(
            [
                f"# {self.shell.top} as payload of the EMP framework",
                "",
                "In an ipbb work area with emp-fwk and what it needs, this core is a package with the component "
                f"`{FOLDER}`. Copy or link the core's folder to `src/nanopelican-core`, and write a component of your "
                "own with the board and the package `emp_project_decl`, say `src/my-tagger/top`:",
                "",
                "```",
                "# src/my-tagger/top/firmware/cfg/top.dep",
                f"include -c nanopelican-core:{FOLDER} payload.dep",
                "src emp_project_decl.vhd",
                "include -c emp-fwk:boards/apollo/cm_v2/vu13p cm_v2.dep",
                "```",
                "",
                "```bash",
                "ipbb proj create vivado tagger my-tagger:top top.dep",
                "```",
                "",
                "The path of the board depends on the version of emp-fwk. In `emp_project_decl`, `CLOCK_RATIO` is 9 "
                f"for 360 MHz; give {self._regions()} buffers or links. `{PAYLOAD_ENTITY}.vhd` has the ports of "
                "emp-fwk 0.7; for a version with others, put the process and the two instances into its own "
                f"`{PAYLOAD_ENTITY}.vhd`.",
                "",
                "## The frame",
                "",
                f"{settings.frame} words of each link, the first with `start`; {self.jets} jets, jet j from word "
                f"{self.stride} j on. A result is on link {settings.output_link}, in bits "
                f"{self.shell.results.width - 1}:0 of a word with bit {WORD - 1} set, {self.latency_cycles} clocks "
                "after the last word of its jet. `port_map.md` has units, and the fields of a result. Bits that are "
                "not named are not read.",
                "",
                table(["word of the jet", "link: bits", "field", "element"], rows),
                "",
                "`patterns/links.txt` holds frames of the test bench's events in the form of EMP's buffer files; "
                "`patterns/results.txt` is what is then on the output link, clock by clock.",
                "",
            ]
        )

    def _regions(self) -> str:
        links = [*range(self.settings.first_link, self.settings.first_link + self.links), self.settings.output_link]
        regions = sorted({link // 4 for link in links})
        return f"region{'s' * (len(regions) > 1)} {', '.join(map(str, regions))}"

    def _row(self, field: Field, beat: int) -> list[str]:
        places = self.place(field.low, field.high)
        words = sorted({beat * self.parts + clock for clock, *_ in places})
        where = ", ".join(f"{link}: {high}:{low}" for _, link, low, high in places)
        return [" and ".join(map(str, words)), where, f"`{field.name}`", str(field.elements[beat])]

    def vhdl(self) -> str:
        """The payload: the links, the core, and the framework's other ports left alone."""
        shell, settings = self.shell, self.settings
        first, last, out = settings.first_link, settings.first_link + self.links - 1, settings.output_link
        width, user, result = shell.events.width, shell.user_bits, shell.results.width
        return f"""-- {shell.top} between links {first} to {last} and link {out} of the EMP framework (README.md)
library ieee;
use ieee.std_logic_1164.all;

use work.ipbus.all;
use work.emp_data_types.all;
use work.emp_device_decl.all;
use work.emp_ttc_decl.all;
use work.emp_slink_types.all;

entity {PAYLOAD_ENTITY} is
  port (
    clk          : in  std_logic;
    rst          : in  std_logic;
    ipb_in       : in  ipb_wbus;
    ipb_out      : out ipb_rbus;
    clk40        : in  std_logic;
    clk_payload  : in  std_logic_vector(2 downto 0);
    rst_payload  : in  std_logic_vector(2 downto 0);
    clk_p        : in  std_logic;
    rst_loc      : in  std_logic_vector(N_REGION - 1 downto 0);
    clken_loc    : in  std_logic_vector(N_REGION - 1 downto 0);
    ctrs         : in  ttc_stuff_array(N_REGION - 1 downto 0);
    d            : in  ldata(4 * N_REGION - 1 downto 0);
    backpressure : in  std_logic_vector(SLINK_MAX_QUADS - 1 downto 0);
    bc0          : out std_logic;
    q            : out ldata(4 * N_REGION - 1 downto 0);
    gpio         : out std_logic_vector(29 downto 0);
    gpio_en      : out std_logic_vector(29 downto 0);
    slink_q      : out slink_input_data_quad_array(SLINK_MAX_QUADS - 1 downto 0)
  );
end {PAYLOAD_ENTITY};

architecture rtl of {PAYLOAD_ENTITY} is

  component {shell.top} is
    port (
      aclk          : in  std_logic;
      aresetn       : in  std_logic;
      s_axis_tdata  : in  std_logic_vector({width - 1} downto 0);
      s_axis_tuser  : in  std_logic_vector({user - 1} downto 0);
      s_axis_tlast  : in  std_logic;
      s_axis_tvalid : in  std_logic;
      s_axis_tready : out std_logic;
      m_axis_tdata  : out std_logic_vector({result - 1} downto 0);
      m_axis_tuser  : out std_logic_vector({user - 1} downto 0);
      m_axis_tlast  : out std_logic;
      m_axis_tvalid : out std_logic;
      m_axis_tready : in  std_logic;
      misframed     : out std_logic
    );
  end component;

  signal reset, resetn : std_logic;
  signal s_data : std_logic_vector({width - 1} downto 0);
  signal m_data : std_logic_vector({result - 1} downto 0);
  signal s_user, m_user : std_logic_vector({user - 1} downto 0);
  signal s_last, s_valid, m_valid : std_logic;
  signal result : lword;

begin

  assert 4 * N_REGION > {max(last, out)}
    report "links up to {max(last, out)} are more than this board has: use other --links, --first-link, --output-link"
    severity failure;

  -- a copy of its own: the framework's has a large fan-out
  resets : process (clk_p)
  begin
    if rising_edge(clk_p) then
      reset  <= rst_loc({first // 4});
      resetn <= not rst_loc({first // 4});
    end if;
  end process;

  links : entity work.{LINKS_ENTITY}
    generic map (
      LINKS  => {self.links},
      WIDTH  => {width},
      PARTS  => {self.parts},
      BEATS  => {shell.events.words},
      STRIDE => {self.stride},
      JETS   => {self.jets},
      USER   => {user},
      RESULT => {result}
    )
    port map (
      clk     => clk_p,
      rst     => reset,
      d       => d({last} downto {first}),
      q       => result,
      s_data  => s_data,
      s_user  => s_user,
      s_last  => s_last,
      s_valid => s_valid,
      m_data  => m_data,
      m_user  => m_user,
      m_valid => m_valid
    );

  core : component {shell.top}
    port map (
      aclk          => clk_p,
      aresetn       => resetn,
      s_axis_tdata  => s_data,
      s_axis_tuser  => s_user,
      s_axis_tlast  => s_last,
      s_axis_tvalid => s_valid,
      s_axis_tready => open,
      m_axis_tdata  => m_data,
      m_axis_tuser  => m_user,
      m_axis_tlast  => open,
      m_axis_tvalid => m_valid,
      m_axis_tready => '1',
      misframed     => open
    );

  outputs : process (result)
  begin
    for link in q'range loop
      q(link).data           <= (others => '0');
      q(link).valid          <= '0';
      q(link).start          <= '0';
      q(link).last           <= '0';
      q(link).start_of_orbit <= '0';
      q(link).strobe         <= '1';
    end loop;
    q({out}) <= result;
  end process;

  ipb_out <= IPB_RBUS_NULL;
  bc0     <= '0';
  gpio    <= (others => '0');
  gpio_en <= (others => '0');
  slink_q <= (others => SLINK_INPUT_DATA_ARRAY_NULL);

end rtl;
"""


def _pattern(links: Sequence[int], data: Words, flags: NDArray[np.int64]) -> str:
    """A buffer file of the EMP framework (version 2): a row for each clock, a column for each link."""
    head = ["ID: nanopelican", "Metadata: (strobe,) start of orbit, start of packet, end of packet, valid", ""]
    head += ["      Link  " + "".join(f"            {link:03d}        " for link in links)]
    rows = (
        f"Frame {k:04d}  " + "".join(f"  {flag:04b} {word:016x}" for word, flag in zip(words, marks, strict=True))
        for k, words, marks in zip(itertools.count(), data.tolist(), flags.tolist(), strict=False)
    )
    return "\n".join([*head, *rows, ""])
