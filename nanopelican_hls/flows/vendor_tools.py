"""AMD's tools: how they are found, checked for their version and run, and how failures are reported."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.processes import stop_group

#: time limit for a tool to print its version
VERSION_TIMEOUT_S = 120
#: time limit for an interrupted tool to end
STOP_TIMEOUT_S = 20
#: number of ERROR lines that are shown
SHOWN_ERRORS = 3

Version = tuple[int, int]


@dataclass(frozen=True)
class ToolKind:
    """How a tool is called.

    Attributes
    ----------
    name : str
        Name of the executable.
    minimum : (int, int)
        Oldest version that works with our scripts and parsers.
    version_option : str
        Option that prints the version.
    script_options : tuple of str
        Options before the name of a Tcl script.
    """

    name: str
    minimum: Version
    version_option: str
    script_options: tuple[str, ...]


VITIS_RUN = ToolKind("vitis-run", (2023, 1), "--version", ("--mode", "hls", "--tcl"))
VITIS_HLS = ToolKind("vitis_hls", (2021, 1), "-version", ("-f",))
VIVADO = ToolKind("vivado", (2021, 1), "-version", ("-mode", "batch", "-nojournal", "-nolog", "-source"))
#: in order of preference
HLS_TOOLS = (VITIS_RUN, VITIS_HLS)
#: obsolete tools, named in the error if there is no other
OLD_HLS_TOOLS = ("vivado_hls",)


@dataclass(frozen=True)
class Tool:
    """An installed tool."""

    kind: ToolKind
    path: str
    version: Version

    @property
    def version_text(self) -> str:
        return _text(self.version)

    def command(self, script: str) -> list[str]:
        """Command line that runs a Tcl script."""
        return [self.path, *self.kind.script_options, script]


def find_tool(kinds: tuple[ToolKind, ...]) -> Tool:
    """Find the first of the tools that is on the PATH and new enough.

    Raises
    ------
    SynthesisError
        If no tool is installed, or it is too old or does not report its version.
    """
    too_old = [f"{name} (older than Vitis)" for name in OLD_HLS_TOOLS if kinds == HLS_TOOLS and shutil.which(name)]
    for kind in kinds:
        path = shutil.which(kind.name)
        if path is None:
            continue
        version = _version(kind, path)
        if version >= kind.minimum:
            return Tool(kind, path, version)
        too_old.append(f"{kind.name} {_text(version)}")
    needed = " or ".join(f"{kind.name} (from {_text(kind.minimum)})" for kind in kinds)
    names = " and ".join(kind.name for kind in kinds)
    if too_old:
        raise SynthesisError(f"{', '.join(too_old)} is too old", where="PATH", remedy=f"install {needed}")
    raise SynthesisError(
        f"{names} not found",
        where="PATH",
        remedy=f"source settings64.sh of an AMD installation with {needed}",
    )


def _version(kind: ToolKind, path: str) -> Version:
    try:
        result = subprocess.run(
            [path, kind.version_option],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=VERSION_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SynthesisError(
            f"does not report its version ({error})",
            where=path,
            remedy="check the installation: source the settings64.sh of the tool",
        ) from error
    match = re.search(r"\bv(\d{4})\.(\d)", result.stdout)
    if match is None:
        first = (result.stdout.strip().splitlines() or ["nothing"])[0]
        raise SynthesisError(
            f"does not report its version; `{kind.version_option}` prints: {first}",
            where=path,
            remedy="check the installation: source the settings64.sh of the tool",
        )
    return int(match[1]), int(match[2])


def _text(version: Version) -> str:
    return f"{version[0]}.{version[1]}"


def run_script(tool: Tool, script: str, folder: Path, log: Path, products: Iterable[Path]) -> None:
    """Run a Tcl script in a folder, with all output of the tool in a log.

    Raises
    ------
    SynthesisError
        If the tool fails or does not write the products; the message has the cause, if known, and ERROR lines.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            tool.command(script),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # the tools are shell scripts that start other processes, and an interrupt must reach all of them
            start_new_session=True,
            # the tool inherits the lock of the build folder and so holds it, even if we are killed
            close_fds=False,
        )
        try:
            status = process.wait()
        except BaseException:
            stop_group(process, STOP_TIMEOUT_S)
            raise
    if status:
        raise failure(tool, script, status, f"failed in {script} (exit status {status})", log)
    # wrapper scripts of some versions hide the exit status
    missing = [path for path in products if not path.exists()]
    if missing:
        raise failure(tool, script, status, f"ended {script} without writing {missing[0].relative_to(folder)}", log)


@dataclass(frozen=True)
class Cause:
    """A known cause of failures: a pattern in the log, its meaning and the remedy."""

    pattern: str
    what: str
    remedy: str


CAUSES = (
    Cause(
        r"valid license was not found|Failed to get the license|(?i:ERROR.*licen[sc]e.*(denied|expired|missing))",
        "a licence is missing",
        "set XILINXD_LICENSE_FILE, or choose a part that needs no licence",
    ),
    Cause(
        r"ERROR.*([Pp]art '?xc|Specified part).*(not installed|not found|not be found|invalid|not supported)",
        "the part is not installed",
        "add its device family with AMD's installer, or choose another part",
    ),
    Cause(
        r"std::bad_alloc|(?i:out of memory|cannot allocate memory|memory allocation failed)",
        "out of memory",
        "use a machine with more memory, fewer constituents or channels, or a larger reuse factor",
    ),
)


def failure(tool: Tool, script: str, status: int, what: str, log: Path) -> SynthesisError:
    """The error for a failed tool, from its exit status and its log."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    shown = [line for line in lines if line.startswith("ERROR")][:SHOWN_ERRORS] or ["no ERROR lines in its log"]
    remedy = f"see {log}"
    number = -status if status < 0 else status - 128
    if number in set(signal.Signals):
        what = f"was killed in {script} ({signal.Signals(number).name})"
        if number == signal.SIGKILL:
            remedy = f"check whether the machine ran out of memory; {remedy}"
    for cause in CAUSES:
        evidence = [line for line in lines if re.search(cause.pattern, line)][:SHOWN_ERRORS]
        if evidence:
            what, shown, remedy = f"{what}: {cause.what}", evidence, f"{cause.remedy}; {remedy}"
            break
    details = "".join(f"\n  {line}" for line in [*shown, progress(lines)])
    return SynthesisError(f"{tool.kind.name} {tool.version_text} {what}{details}", where=tool.path, remedy=remedy)


def progress(lines: list[str]) -> str:
    """How far a run got: the last step that the tool started or finished."""
    steps = [line for line in lines if re.match(r"nanopelican:|INFO:|Start|Finished|Phase \d", line)]
    return f"last step: {steps[-1]}" if steps else "no step was started"
