"""The port map of a core, for people (Markdown), scripts (JSON) and software (a C header)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from nanopelican_hls.core.frame import Field, Frame
from nanopelican_hls.core.shell import Shell
from nanopelican_hls.markdown import table


def as_json(shell: Shell) -> dict[str, Any]:
    """What a driver or a test bench needs to know."""
    project = shell.project
    return {
        "top": shell.top,
        "pipeline": project.top,
        "interval": project.interval,
        "pipeline_latency_cycles": project.latency_cycles,
        "latency_cycles": shell.latency_cycles,
        "user_bits": shell.user_bits,
        "s_axis": _frame(shell.events),
        "m_axis": _frame(shell.results),
    }


def _frame(frame: Frame) -> dict[str, Any]:
    fields = [
        {
            "name": field.name,
            "low": field.low,
            "bits": field.bits,
            "signed": field.signed,
            "exponent": field.exponent,
            "elements": list(field.elements),
        }
        for field in frame.fields
    ]
    return {"words": frame.words, "width": frame.width, "fields": fields}


def as_markdown(shell: Shell) -> str:
    """The same as a page."""
    project = shell.project
    lines = [
        f"# Port map of {shell.top}",
        "",
        f"One clock, `aclk`; `aresetn` is synchronous. An event is a frame of {_count(project.beats, 'word')} on "
        "`s_axis`, with TLAST on the last one; its result is a frame of one word on `m_axis`, which can be taken "
        f"{shell.latency_cycles} cycles after the event's last word if nothing waits. At most an event every "
        f"{_count(project.interval, 'cycle')}. TUSER ({_count(shell.user_bits, 'bit')}) of an event's first word comes "
        "out with its result. A frame of another length is dropped, and `misframed` is 1 for a cycle.",
        "",
        "A field is an integer in the units given. Bits that no field has are not read, and are 0 in results.",
    ]
    for stream, frame in (("s_axis", shell.events), ("m_axis", shell.results)):
        lines += ["", f"## {stream}_tdata[{frame.width - 1}:0]", ""]
        lines += [table(["bits", "field", "type", "unit", *_titles(frame)], [_row(field) for field in frame.fields])]
    return "\n".join([*lines, ""])


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _titles(frame: Frame) -> list[str]:
    return [f"element in word {word}" for word in range(frame.words)] if frame.words > 1 else ["element"]


def _row(field: Field) -> list[Any]:
    elements = ["not read" if element is None else element for element in field.elements]
    kind = f"{'int' if field.signed else 'uint'}{field.bits}"
    return [f"{field.high}:{field.low}", f"`{field.name}`", kind, f"2^{field.exponent}", *elements]


def as_header(shell: Shell) -> str:
    """The same as constants of C."""
    project, name = shell.project, shell.top.upper()
    constants = {
        "INTERVAL_CYCLES": project.interval,
        "LATENCY_CYCLES": shell.latency_cycles,
        "USER_BITS": shell.user_bits,
    }
    for stream, frame in (("S", shell.events), ("M", shell.results)):
        constants |= {f"{stream}_WORDS": frame.words, f"{stream}_WIDTH": frame.width}
        constants |= _constants(stream, frame.fields)
    guard = f"{name}_H"
    return "\n".join(
        [
            f"#ifndef {guard}",
            f"#define {guard}",
            *(f"#define {name}_{key} {value}" for key, value in constants.items()),
            f"#endif  // {guard}",
            "",
        ]
    )


def _constants(stream: str, fields: Sequence[Field]) -> dict[str, int]:
    found: dict[str, int] = {}
    for field in fields:
        of = {"LOW": field.low, "BITS": field.bits, "SIGNED": int(field.signed), "EXPONENT": field.exponent}
        found |= {f"{stream}_{field.name.upper()}_{key}": value for key, value in of.items()}
    return found


def text(shell: Shell) -> str:
    """`as_json` as text."""
    return json.dumps(as_json(shell), indent=1) + "\n"
