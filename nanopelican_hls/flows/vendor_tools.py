"""AMD's tools: found, version-checked, run; what their logs say when they fail."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nanopelican_hls.errors import SynthesisError

#: seconds that a tool may take to say its version
VERSION_TIMEOUT_S = 120
#: seconds that an interrupted tool may take to end
STOP_TIMEOUT_S = 20
#: so many ERROR lines are shown
SHOWN_ERRORS = 3

Version = tuple[int, int]


@dataclass(frozen=True)
class ToolKind:
    """How a tool is called.

    Attributes
    ----------
    name : str
        Of the executable.
    minimum : (int, int)
        The oldest version whose commands and reports are those that the scripts and parsers expect.
    version_option : str
        Makes it print its version.
    script_options : tuple of str
        Stand in front of the name of a Tcl script.
    """

    name: str
    minimum: Version
    version_option: str
    script_options: tuple[str, ...]


VITIS_RUN = ToolKind("vitis-run", (2023, 1), "--version", ("--mode", "hls", "--tcl"))
VITIS_HLS = ToolKind("vitis_hls", (2021, 1), "-version", ("-f",))
VIVADO = ToolKind("vivado", (2021, 1), "-version", ("-mode", "batch", "-nojournal", "-nolog", "-source"))
#: the first that is there and new enough is taken
HLS_TOOLS = (VITIS_RUN, VITIS_HLS)
#: tools of before, which are named if there is nothing else
OLD_HLS_TOOLS = ("vivado_hls",)


@dataclass(frozen=True)
class Tool:
    """A tool of this machine."""

    kind: ToolKind
    path: str
    version: Version

    @property
    def version_text(self) -> str:
        return _text(self.version)

    def command(self, script: str) -> list[str]:
        """The command line that runs a Tcl script."""
        return [self.path, *self.kind.script_options, script]


def find_tool(kinds: tuple[ToolKind, ...]) -> Tool:
    """The first of the tools that is on the PATH and new enough.

    Raises
    ------
    SynthesisError
        If there is none, or those that are there are too old or do not tell their version.
    """
    too_old = [f"{name} of before Vitis" for name in OLD_HLS_TOOLS if kinds == HLS_TOOLS and shutil.which(name)]
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
        remedy=f"source settings64.sh of the AMD installation, which has to have {needed}",
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
        raise SynthesisError(f"does not tell its version ({error})", where=path) from error
    match = re.search(r"\bv(\d{4})\.(\d)", result.stdout)
    if match is None:
        first = (result.stdout.strip().splitlines() or ["nothing"])[0]
        raise SynthesisError(f"does not tell its version; `{kind.version_option}` prints: {first}", where=path)
    return int(match[1]), int(match[2])


def _text(version: Version) -> str:
    return f"{version[0]}.{version[1]}"


def run_script(tool: Tool, script: str, folder: Path, log: Path, products: Iterable[Path]) -> None:
    """Run a Tcl script in a folder; all that the tool prints goes to the log.

    Raises
    ------
    SynthesisError
        If the tool fails, or does not leave the products: with the cause if it is a known one, and with the first ERROR
        lines.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            tool.command(script),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # the tools are shell scripts that start others: an interrupt has to reach them all
            start_new_session=True,
            # the lock of the build folder is inherited: it lasts as long as a tool works there, whatever happens to us
            close_fds=False,
        )
        try:
            status = process.wait()
        except BaseException:
            _stop(process)
            raise
    if status:
        raise failure(tool, script, status, f"failed in {script} (exit status {status})", log)
    # the wrappers of some versions hide the exit status
    missing = [path for path in products if not path.exists()]
    if missing:
        raise failure(tool, script, status, f"ended {script} without writing {missing[0].relative_to(folder)}", log)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a tool and all that it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(STOP_TIMEOUT_S)
            return


@dataclass(frozen=True)
class Cause:
    """A known reason for a failure: what the log says, and what that means."""

    pattern: str
    what: str
    remedy: str


CAUSES = (
    Cause(
        r"valid license was not found|Failed to get the license|(?i:ERROR.*licen[sc]e.*(denied|expired|missing))",
        "a licence is missing",
        "set XILINXD_LICENSE_FILE, or choose a part that needs none",
    ),
    Cause(
        r"ERROR.*([Pp]art '?xc|Specified part).*(not installed|not found|not be found|invalid|not supported)",
        "the part is not installed",
        "add its device family with AMD's installer, or choose another part",
    ),
    Cause(
        r"std::bad_alloc|(?i:out of memory|cannot allocate memory|memory allocation failed)",
        "memory ran out",
        "use a machine with more memory, fewer constituents or channels, or a larger reuse factor",
    ),
)


def failure(tool: Tool, script: str, status: int, what: str, log: Path) -> SynthesisError:
    """The error of a tool that failed, from its exit status and its log."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    shown = [line for line in lines if line.startswith("ERROR")][:SHOWN_ERRORS] or ["no ERROR line in its log"]
    remedy = f"see {log}"
    number = -status if status < 0 else status - 128
    if number in set(signal.Signals):
        what = f"was killed in {script} ({signal.Signals(number).name})"
        if number == signal.SIGKILL:
            remedy = f"look whether memory ran out, for then the system kills; {remedy}"
    for cause in CAUSES:
        evidence = [line for line in lines if re.search(cause.pattern, line)][:SHOWN_ERRORS]
        if evidence:
            what, shown, remedy = f"{what}: {cause.what}", evidence, f"{cause.remedy}; {remedy}"
            break
    details = "".join(f"\n  {line}" for line in [*shown, progress(lines)])
    return SynthesisError(f"{tool.kind.name} {tool.version_text} {what}{details}", where=tool.path, remedy=remedy)


def progress(lines: list[str]) -> str:
    """How far a run came: the last thing that a tool began or finished."""
    steps = [line for line in lines if re.match(r"nanopelican:|INFO:|Start|Finished|Phase \d", line)]
    return f"it came as far as: {steps[-1]}" if steps else "it had not begun"
