"""The interface of targets: the kinds of project that a program can be written as, such as HLS or Verilog."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from nanopelican_hls.contract.program import Program


class Target(Protocol):
    """A writer of one kind of project; its options are its fields.

    The folder is replaced as a whole, so a later run never sees a partial project. An older project of the same kind
    in it is overwritten; a folder with anything else is refused. Tools that use the result are in `flows`.
    """

    def write(self, program: Program, folder: Path) -> Any:
        """Write the project of a program, and return a description of it.

        Raises
        ------
        NanopelicanError
            If an option is out of range, the target does not support the program, or the folder holds something else or
            cannot be written.
        """
