"""FPGA parts: short names, full ordering codes, and resources.

Resources are from AMD's product tables (UltraScale overview DS890; Alveo data sheets DS962, DS963, DS965, DS978), and
equal the column "Available" of Vivado's utilisation report.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace

from nanopelican_hls.errors import SynthesisError

#: device, package, speed grade, temperature grade: xcvu13p-flga2577-2-e
ORDERING_CODE = re.compile(r"(xc[a-z]{1,2}\d+[a-z]*)-([a-z]{4}\d{3,4})-(\d(?:l|lv)?)-([eim])", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """An FPGA.

    Attributes
    ----------
    name : str
        Short name: the device.
    ordering_code : str
        Device, package, speed and temperature grade.
    lut, ff, dsp, bram36, uram : int
        Numbers of six-input LUTs, flip-flops, DSP slices, block RAMs of 36 kbit, UltraRAMs of 288 kbit.
    slrs : int
        Number of super logic regions (SLRs); wires between them are few and slow.
    """

    name: str
    ordering_code: str
    lut: int
    ff: int
    dsp: int
    bram36: int
    uram: int
    slrs: int


_PARTS = (
    Part("xcku040", "xcku040-ffva1156-2-e", 242_400, 484_800, 1_920, 600, 0, 1),
    Part("xcku060", "xcku060-ffva1156-2-e", 331_680, 663_360, 2_760, 1_080, 0, 1),
    Part("xcku115", "xcku115-flvb2104-2-i", 663_360, 1_326_720, 5_520, 2_160, 0, 2),
    Part("xcku5p", "xcku5p-ffvb676-2-e", 216_960, 433_920, 1_824, 480, 64, 1),
    Part("xcku15p", "xcku15p-ffve1760-2-e", 522_720, 1_045_440, 1_968, 984, 128, 1),
    Part("xcvu3p", "xcvu3p-ffvc1517-2-e", 394_080, 788_160, 2_280, 720, 320, 1),
    Part("xcvu7p", "xcvu7p-flva2104-2-e", 788_160, 1_576_320, 4_560, 1_440, 640, 2),
    Part("xcvu9p", "xcvu9p-flga2104-2-e", 1_182_240, 2_364_480, 6_840, 2_160, 960, 3),
    Part("xcvu11p", "xcvu11p-flga2577-2-e", 1_296_000, 2_592_000, 9_216, 2_016, 960, 3),
    Part("xcvu13p", "xcvu13p-flga2577-2-e", 1_728_000, 3_456_000, 12_288, 2_688, 1_280, 4),
    Part("xcvu35p", "xcvu35p-fsvh2104-2-e", 871_680, 1_743_360, 5_952, 1_344, 640, 2),
    Part("xcvu37p", "xcvu37p-fsvh2892-2-e", 1_303_680, 2_607_360, 9_024, 2_016, 960, 3),
    Part("xcu50", "xcu50-fsvh2104-2-e", 871_680, 1_743_360, 5_952, 1_344, 640, 2),
    Part("xcu55c", "xcu55c-fsvh2892-2L-e", 1_303_680, 2_607_360, 9_024, 2_016, 960, 3),
    Part("xcu200", "xcu200-fsgd2104-2-e", 1_182_240, 2_364_480, 6_840, 2_160, 960, 3),
    Part("xcu250", "xcu250-figd2104-2L-e", 1_728_000, 3_456_000, 12_288, 2_688, 1_280, 4),
    Part("xcu280", "xcu280-fsvh2892-2L-e", 1_303_680, 2_607_360, 9_024, 2_016, 960, 3),
    Part("xczu7ev", "xczu7ev-ffvc1156-2-e", 230_400, 460_800, 1_728, 312, 96, 1),
    Part("xczu9eg", "xczu9eg-ffvb1156-2-e", 274_080, 548_160, 2_520, 912, 0, 1),
    Part("xczu19eg", "xczu19eg-ffvc1760-2-e", 522_720, 1_045_440, 1_968, 984, 128, 1),
    Part("xczu28dr", "xczu28dr-ffvg1517-2-e", 425_280, 850_560, 4_272, 1_080, 80, 1),
)
PARTS = {part.name: part for part in _PARTS}


def find_part(name: str) -> Part:
    """Find a part by its short name (``xcvu13p``) or full ordering code (``xcvu13p-fhgb2104-2L-e``).

    A short name selects one package and speed grade; an ordering code is kept.

    Raises
    ------
    SynthesisError
        If the name is neither, or the device is not in the table; the message suggests the nearest names.
    """
    code = ORDERING_CODE.fullmatch(name)
    device = code[1] if code else name
    part = PARTS.get(device.lower())
    if part is None:
        # in a malformed code, only the device is compared
        near = difflib.get_close_matches(device.lower().partition("-")[0], PARTS, n=3)
        raise SynthesisError(
            "is not a known part",
            where=repr(name),
            remedy=f"did you mean {', '.join(near)}?" if near else f"use one of {', '.join(PARTS)}",
        )
    # Vivado's codes are lower case, except the L of a low-power speed grade
    return replace(part, ordering_code=_canonical(code)) if code else part


def _canonical(code: re.Match[str]) -> str:
    device, package, speed, grade = code.groups()
    return f"{device.lower()}-{package.lower()}-{speed.upper()}-{grade.lower()}"
