"""Commands and snippets of a page, run as a reader would: in one folder, from the top.

`<!-- not run: why -->` ahead of a block: its commands are only parsed. `<!-- file: name -->`: the block is a file. A
block of `text` after a block that ran is its output, line by line; `...` stands for anything, and lines between may be
left out.
"""

from __future__ import annotations

import contextlib
import functools
import io
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from nanopelican_hls.cli import build_parser, main
from nanopelican_hls.flows import bit_accuracy, csimulation, emulation
from nanopelican_hls.proof import hostile

_BLOCK = re.compile(r"(?:<!-- (not run|file): (.*?) -->\n+)?^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    not_run: str | None = None
    file: str | None = None


def blocks(page: Path) -> list[Block]:
    found = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [
        Block(language, text, value if what == "not run" else None, value if what == "file" else None)
        for what, value, language, text in found
    ]


def commands(text: str) -> list[str]:
    """The lines of a block of bash, with continued lines in one."""
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]


def parse(line: str) -> None:
    """That a command of ours exists, with these options."""
    words = shlex.split(line, comments=True)
    words = words[: words.index(">")] if ">" in words else words  # into a file
    if words and Path(words[0]).name == "nanopelican" and words[1:2] not in (["--help"], ["COMMAND"]):
        build_parser().parse_args(words[1:])


def quick(monkeypatch) -> None:
    """Few hostile events, and no optimisation by g++, which takes longer than what it would speed up."""
    monkeypatch.setattr(bit_accuracy, "HOSTILE_EVENTS", 90)
    monkeypatch.setattr(hostile, "SEARCH_ROUNDS", 1)
    for name in ("compile_firmware", "compile_emulator"):
        monkeypatch.setattr(bit_accuracy, name, functools.partial(getattr(bit_accuracy, name), optimisation="-O0"))
    for function in (csimulation.compile, emulation.compile_emulator):
        monkeypatch.setitem(function.__kwdefaults__, "optimisation", "-O0")


def run(page: Path) -> None:
    """Run a page in the current folder."""
    output, names = "", {"__name__": "__main__"}
    for block in blocks(page):
        if block.file:
            Path(block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "text":
            compare(block.text, output)
        elif block.not_run:
            output = block.not_run
            for line in commands(block.text) if block.language == "bash" else ():
                parse(line)
        elif block.language == "bash":
            output = "".join(map(_command, commands(block.text)))
            print(output)
        elif block.language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as stream:
                exec(compile(block.text, str(page), "exec"), names)
            output = stream.getvalue()
            print(output)


def _command(line: str) -> str:
    words = shlex.split(line, comments=True)
    expected = int(match[1]) if (match := re.search(r"# exit status (\d)", line)) else 0
    if words[0] != "nanopelican":
        result = subprocess.run(line, shell=True, capture_output=True, text=True, check=False)
        assert result.returncode == expected, f"{line}\n{result.stdout}{result.stderr}"
        return result.stdout
    with contextlib.redirect_stdout(io.StringIO()) as stream, contextlib.redirect_stderr(stream):
        status = main(words[1:])
    assert status == expected, f"{line}\n{stream.getvalue()}"
    return stream.getvalue()


def compare(expected: str, output: str) -> None:
    """That the lines are in the output, in this order."""
    lines = [" ".join(line.split()) for line in output.splitlines()]
    for line in expected.splitlines():
        if line.strip() in ("", "..."):
            continue
        pattern = re.escape(" ".join(line.split())).replace(re.escape("..."), ".*")
        place = next((k for k, given in enumerate(lines) if re.fullmatch(pattern, given)), None)
        assert place is not None, f"{line!r} is not in\n{output}"
        lines = lines[place + 1 :]
