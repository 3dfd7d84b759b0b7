"""What a program is written as: an HLS project, Verilog, and whatever comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from nanopelican_hls.contract.program import Program


class Target(Protocol):
    """A kind of project, with its options as fields: a writer of files.

    A folder is written whole, or not at all as far as a later run can see; an older project of the same kind in it is
    replaced, and anything else is refused. Tools that do something with what was written stand apart, in `flows`.
    """

    def write(self, program: Program, folder: Path) -> Any:
        """Write the files of a program, and return what describes them.

        Raises
        ------
        NanopelicanError
            If an option is outside its range, the program cannot be had as this target, or the folder holds something
            else or cannot be written.
        """
