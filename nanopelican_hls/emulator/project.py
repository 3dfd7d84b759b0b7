"""The folder of an emulator: header, source and manifest."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from nanopelican_hls.contract.program import Program
from nanopelican_hls.emulator.source import sources
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.files import folder_written_whole, project_folder, write_texts

MANIFEST = "emulator.json"


@dataclass(frozen=True)
class EmulatorProject:
    """The sources of an emulator.

    Attributes
    ----------
    program : the program that it computes.
    path : folder with ``<name>.h`` and ``<name>.cpp``.
    name : of these files and of the namespace.
    """

    program: Program
    path: Path
    name: str


@dataclass(frozen=True)
class EmulatorTarget:
    """C++17 of fixed-width integers, without any library (docs/emulator.md).

    Attributes
    ----------
    name : of the files and of the namespace.
    """

    name: str = "emulator"

    def write(self, program: Program, folder: Path) -> EmulatorProject:
        """Write the project; see `contract.target.Target`."""
        path = project_folder(Path(folder), FirmwareError)
        if path.exists() and not (path / MANIFEST).is_file() and not (path.is_dir() and not any(path.iterdir())):
            raise FirmwareError("exists and is not an emulator", where=str(path), remedy="choose another folder")
        texts = sources(program, self.name)
        manifest = {
            "name": self.name,
            "inputs": [asdict(port) for port in program.inputs],
            "outputs": [asdict(port) for port in program.outputs],
        }
        files = {
            f"{self.name}.h": texts.header,
            f"{self.name}.cpp": texts.source,
            MANIFEST: json.dumps(manifest, indent=2) + "\n",
        }
        with folder_written_whole(path, FirmwareError) as temporary:
            write_texts(temporary, files)
        return EmulatorProject(program, path, self.name)
