"""Makes the report of a model: the sections in order, and the headline."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nanopelican_hls.report.content import Cell, Figure, Measured, Report, Section, Table, text
from nanopelican_hls.report.sections import (
    accuracy,
    calibration,
    distributions,
    hardware,
    invariance,
    network,
    origin,
    physics,
    working_points,
)
from nanopelican_hls.report.subject import Subject

SECTIONS: tuple[Callable[[Subject], Section | None], ...] = tuple(
    module.section
    for module in (
        network,
        accuracy,
        physics,
        working_points,
        calibration,
        distributions,
        hardware,
        invariance,
        origin,
    )
)


def gather(subject: Subject, announce: Callable[[str], object] = lambda _: None) -> Report:
    """Measure what a report says.

    Parameters
    ----------
    subject : Subject
    announce : callable
        Called with the title of each section when it is done.
    """
    sections = []
    for make in SECTIONS:
        section = make(subject)
        if section:
            sections.append(section)
            announce(section.title)
    return Report(
        title=f"{subject.name}: report",
        models=(subject.name,),
        command=subject.command,
        headline=_headline(subject, {section.key: section for section in sections}),
        differs=bool(accuracy.mismatches(subject)),
        sections=tuple(sections),
    )


def _headline(subject: Subject, sections: Mapping[str, Section]) -> tuple[Figure, ...]:
    """The figures that everybody asks for first."""
    network = subject.config.network
    found = [
        Figure("network", f"N = {network.n_constituents}, C = {network.channels}", network.spurions.value, "network")
    ]
    wrong = accuracy.mismatches(subject)
    found.append(
        Figure(
            "events that differ",
            "not run" if wrong is None else f"{wrong:,}",
            _said_of_executors(subject),
            "accuracy",
        )
    )
    found += _of_physics(subject, sections["physics"])
    synth = subject.synth if subject.synth and not subject.is_stale(subject.synth) else None
    stage = hardware.said_stage(synth) if synth else "nanopelican synth"
    for title, value in _of_hardware(synth):
        found.append(Figure(title, value, stage, "hardware"))
    return tuple(found)


def _of_physics(subject: Subject, section: Section) -> list[Figure]:
    """AUC and rejection of the quantised network on the jets of the report, beside those of the card."""
    measured, card = (_quantised(_table(section, key)) for key in ("figures", "card"))
    sample = f"{len(subject.jets):,} jets of {subject.jets_path.name}" if measured else "of the card"
    found = []
    for k in (0, 2):
        column = physics.FIGURES[k]
        own, of_card = (row[k + 1] if row else None for row in (measured or card, measured and card))
        if isinstance(own, Measured | float):
            note = f"quantised, {sample}"
            if isinstance(of_card, Measured | float):
                note += f"; card: {text(of_card, column)}"
            found.append(Figure(column.title, text(own, column), note, "physics"))
    return found


def _quantised(table: Table | None) -> tuple[Cell, ...] | None:
    """The last row of a quantised network: on a card, that of the test jets; or the last one."""
    if table is None:
        return None
    return next((row for row in reversed(table.rows) if "quantised" in str(row[0])), table.rows[-1])


def _said_of_executors(subject: Subject) -> str:
    """Which executors the number of events that differ is of."""
    found = accuracy.compared(subject)
    if not found:
        return "no executor compared"
    verilog = accuracy.SHORT["rtl"]
    return f"from QONNX, as integers: {', '.join(found)}" + ("" if verilog in found else f"; {verilog} not compared")


def _of_hardware(synth: object) -> list[tuple[str, str]]:
    if not isinstance(synth, dict):
        return [("latency, LUT", "not run")]
    latency, interval = synth["latency_ns"], synth["initiation_interval"]
    return [
        ("latency", "unknown" if latency is None else f"{latency:.1f} ns"),
        ("interval", "unknown" if interval is None else f"{interval} cycle{'s' * (interval > 1)}"),
        ("LUT", "unknown" if synth["lut"] is None else f"{synth['lut']:,}"),
        ("DSP", "unknown" if synth["dsp"] is None else f"{synth['dsp']:,}"),
    ]


def _table(section: Section, key: str) -> Table | None:
    return next((each for each in section.blocks if isinstance(each, Table) and each.key == key), None)
