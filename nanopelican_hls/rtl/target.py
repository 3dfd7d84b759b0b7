"""The target RTL: Verilog, or VHDL."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nanopelican_hls.contract.program import Program
from nanopelican_hls.rtl.project import RtlProject, generate_rtl
from nanopelican_hls.rtl.settings import Settings


@dataclass(frozen=True)
class RtlTarget:
    """Options of `generate_rtl`."""

    top: str = "nanopelican"
    language: str = "verilog"
    settings: Settings = field(default_factory=Settings)

    def write(self, program: Program, folder: Path) -> RtlProject:
        return generate_rtl(program, folder, top=self.top, language=self.language, settings=self.settings)
