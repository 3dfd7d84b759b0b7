"""The folder of models of CMSSW: a library around plain integers and one around the HLS C++ (docs/cmssw.md)."""

from __future__ import annotations

import json
import os
import re
import shutil
import string
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from nanopelican_hls.cmssw.ports import Ports
from nanopelican_hls.contract.port import Port
from nanopelican_hls.contract.program import Program
from nanopelican_hls.emulator.block import tensor_names
from nanopelican_hls.emulator.names import identifier
from nanopelican_hls.emulator.number import cpp_type
from nanopelican_hls.emulator.source import sources
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.files import make_writable, project_folder, write_texts
from nanopelican_hls.hls.project import HlsTarget
from nanopelican_hls.versions import __version__

TEMPLATES = Path(__file__).with_name("templates")
#: what says that a folder holds models of CMSSW, and may receive another version
MARKER = "cmssw.json"
#: added to the version of the library around the HLS C++
HLS_SUFFIX = "_hls"


@dataclass(frozen=True)
class CmsswModel:
    """Name and version of a model.

    Attributes
    ----------
    name, version : C++ identifiers; the library is ``<name>_<version>.so``, its namespace ``hls4ml_<name>_<version>``.

    Raises
    ------
    FirmwareError
        If one is no identifier.
    """

    name: str
    version: str

    def __post_init__(self) -> None:
        for what, word, example in (("name", self.name, "TopTagger"), ("version", self.version, "v1_0")):
            if identifier(word) != word:
                raise FirmwareError(
                    "is no C++ identifier, or a reserved word",
                    where=f"{what} {word!r}",
                    remedy=f"use letters, digits and '_', a letter first, such as {example}",
                )
        if f"_{self.version}".endswith(HLS_SUFFIX):
            raise FirmwareError(
                f"ends in {HLS_SUFFIX!r}, as the library around the HLS C++ of another version does",
                where=f"version {self.version!r}",
                remedy="use another version",
            )

    @property
    def integers(self) -> str:
        """The library around plain integers."""
        return f"{self.name}_{self.version}"

    @property
    def hls(self) -> str:
        """The library around the HLS C++."""
        return f"{self.integers}{HLS_SUFFIX}"

    @property
    def package_version(self) -> str:
        """The version as package managers have it: v1_0 is 1.0."""
        return re.sub(r"^v(?=\d)", "", self.version).replace("_", ".")


def write_models(program: Program, folder: Path, model: CmsswModel) -> Ports:
    """Write the folder of a model.

    Parameters
    ----------
    program : Program
    folder : Path
        New, empty, or with models of CMSSW: of these only what is of the same version is replaced, and the files that
        all versions share. Everything else in it stays, other versions among it.
    model : CmsswModel

    Raises
    ------
    FirmwareError
        If the program cannot be written, or the folder holds something else.
    """
    path = project_folder(Path(folder), FirmwareError)
    if path.exists() and not (path / MARKER).is_file() and not (path.is_dir() and not any(path.iterdir())):
        raise FirmwareError("exists and holds no models of CMSSW", where=str(path), remedy="choose another folder")
    ports = Ports(program)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.mkdir(parents=True)
        _write_hls(program, temporary, model)
        write_texts(temporary, _files(ports, model))
        _move(temporary, path, whole=(model.integers, model.hls, "include/ap_types"))
    except OSError as error:
        raise FirmwareError(
            f"cannot be written ({error.strerror})",
            where=str(path),
            remedy="free some space or choose another folder",
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return ports


def _move(source: Path, target: Path, whole: Sequence[str]) -> None:
    """Move files into a folder that may have others; some folders are replaced as a whole. The marker comes last."""
    for name in whole:
        old = source / f".old-{Path(name).name}"
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if (target / name).exists():
            (target / name).rename(old)
        (source / name).rename(target / name)
        shutil.rmtree(old, ignore_errors=True)
    for path in sorted(source.rglob("*"), key=lambda path: path.name == MARKER):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)


def _write_hls(program: Program, folder: Path, model: CmsswModel) -> None:
    """Write the HLS C++ of the firmware, and the ``ap_types``."""
    target = HlsTarget(project_name=model.hls, namespace=f"hls4ml_{model.hls}", traced=False)
    with tempfile.TemporaryDirectory(dir=folder) as project:
        firmware = target.write(program, Path(project) / "hls").path / "firmware"
        make_writable(firmware)
        shutil.copytree(firmware / "ap_types", folder / "include" / "ap_types")
        shutil.copytree(firmware, folder / model.hls / "NN", ignore=shutil.ignore_patterns("ap_types"))


def _files(ports: Ports, model: CmsswModel) -> dict[str, str]:
    """The other files, by their places in the folder."""
    emulator = sources(ports.program, f"hls4ml_{model.integers}")
    tool = model.name.lower()
    manifest = {
        "name": model.name,
        "version": model.version,
        "libraries": [model.integers, model.hls],
        "common_struct": ports.level1 is not None,
        "inputs": [asdict(port) for port in ports.program.inputs],
        "outputs": [asdict(port) for port in ports.program.outputs],
    }
    files = {
        "Makefile": _template("repository.mk"),
        "README.md": _readme(ports, model),
        "include/hls4ml/emulator.h": _template("interface.h"),
        f"cmsdist/{model.name}.spec": _rendered(
            "package.spec", model=model.name, package_version=model.package_version
        ),
        f"cmsdist/scram-tools.file/tools/{model.name}/{tool}.xml": _rendered(
            "tool.xml", tool=tool, variable=f"{model.name.upper()}_BASE"
        ),
        f"{model.integers}/NN/hls4ml_{model.integers}.h": emulator.header,
        f"{model.integers}/NN/hls4ml_{model.integers}.cpp": emulator.source,
        MARKER: json.dumps(manifest, indent=2) + "\n",
    }
    kinds = {
        model.integers: ("plain integers", _integer_network(ports, model)),
        model.hls: ("HLS C++", _hls_network(ports, model)),
    }
    for library, (network, source) in kinds.items():
        version = library.removeprefix(f"{model.name}_")
        files |= {
            f"{library}/{name}": text
            for name, text in {
                "Makefile": _template("version.mk"),
                "exports.map": _template("exports.map"),
                "common.h": _rendered("common.h", library=library),
                "network.h": source,
                "read_common.h": _read_common(ports, library),
                f"{library}.h": _ports_header(ports, library),
                f"{model.name}_emulator_{version}.cpp": _rendered(
                    "emulator.cpp",
                    library=library,
                    network=network,
                    release=__version__,
                    n_results=str(_n_results(ports)),
                ),
            }.items()
        }
    return files


def _ports_header(ports: Ports, library: str) -> str:
    inputs = ports.program.inputs
    return _rendered(
        "ports.h",
        library=library,
        release=__version__,
        guard=f"NANOPELICAN_{library.upper()}_H",
        inputs=_listed(zip(ports.input_types(), map(_described, inputs), strict=True)),
        real_inputs=_listed((f"std::array<double, {port.elements}>", port.name) for port in inputs),
        names=", ".join(f'"{port.name}"' for port in inputs),
        outputs=_listed(zip(ports.output_types(), map(_described, ports.program.outputs), strict=True)),
        n_results=str(_n_results(ports)),
    )


def _read_common(ports: Ports, library: str) -> str:
    if ports.level1 is None:
        return _rendered("components.h", library=library, components=_and(p.tensor for p in ports.program.inputs))
    n = ports.n_candidates()
    return _rendered(
        "words.h",
        library=library,
        n=str(n),
        n_candidate_inputs=str(3 * n),
        half_turn=str(ports.level1.half_turn),
        candidates=_indented(ports.candidate_lines(), 8),
        jet=_indented(ports.jet_lines(), 4),
    )


def _hls_network(ports: Ports, model: CmsswModel) -> str:
    program = ports.program
    arguments = [
        f"std::get<{k}>({name}).data()"
        for name, side in (("inputs", program.inputs), ("outputs", program.outputs))
        for k in range(len(side))
    ]
    return _rendered("hls_network.h", library=model.hls, arguments=", ".join(arguments))


def _integer_network(ports: Ports, model: CmsswModel) -> str:
    program = ports.program
    names = tensor_names(program)
    kinds = {port: f"std::{cpp_type(program.ranges[port.tensor])}" for port in (*program.inputs, *program.outputs)}
    inputs, outputs = list(enumerate(program.inputs)), list(enumerate(program.outputs))
    return _rendered(
        "integer_network.h",
        library=model.integers,
        integers=_indented(
            (f"const auto port_{k} = integers<{kinds[p]}>(std::get<{k}>(inputs));" for k, p in inputs), 4
        ),
        rows=_indented((f"rows.{names[p.tensor]} = port_{k}.data();" for k, p in inputs), 4),
        results=_indented((f"std::array<{kinds[p]}, {p.elements}> result_{k};" for k, p in outputs), 4),
        result_rows=_indented((f"result_rows.{names[p.tensor]} = result_{k}.data();" for k, p in outputs), 4),
        save=_indented((f"save(result_{k}, std::get<{k}>(outputs));" for k, _ in outputs), 4),
    )


def _readme(ports: Ports, model: CmsswModel) -> str:
    if ports.level1 is None:
        common = _template("readme_components.md")
    else:
        common = _rendered("readme_words.md", n=str(ports.n_candidates()), half_turn=str(ports.level1.half_turn))
    return _rendered(
        "readme.md",
        model=model.name,
        release=__version__,
        integers=model.integers,
        hls=model.hls,
        common=common.strip(),
        ports=_table(ports.program.inputs, ports.input_types()),
        outputs=_table(ports.program.outputs, ports.output_types()),
    )


def _table(side: Sequence[Port], types: Sequence[str]) -> str:
    return "\n".join(
        f"| {k} | `{port.name}` | `{kind.removeprefix('std::array<').rpartition(',')[0]}` | {port.elements} |"
        for k, (port, kind) in enumerate(zip(side, types, strict=True))
    )


def _n_results(ports: Ports) -> int:
    return sum(port.elements for port in ports.program.outputs)


def _described(port: Port) -> str:
    return f"{port.name}, multiples of 2^{port.exponent}"


def _listed(items: Iterable[tuple[str, str]]) -> str:
    """Lines of a list in C++, with a comment each."""
    *first, (last, comment) = items
    return "\n".join([*(f"    {item}, // {comment}" for item, comment in first), f"    {last} // {comment}"])


def _and(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _indented(lines: Iterable[str], spaces: int) -> str:
    return "\n".join(" " * spaces + line for line in lines)


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _rendered(name: str, **values: str) -> str:
    return string.Template(_template(name)).substitute(values)
