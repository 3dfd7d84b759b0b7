"""Where everything comes from: commands, seeds, versions and checksums."""

from __future__ import annotations

from pathlib import Path

from nanopelican_hls.files import sha256
from nanopelican_hls.report.content import Block, Cell, Code, Column, Section, Table
from nanopelican_hls.report.subject import Subject
from nanopelican_hls.versions import versions

#: whose versions determine what is measured here
PACKAGES = ("brevitas", "hls4ml", "matplotlib", "mplhep", "numpy", "onnx", "qonnx", "scikit-learn", "scipy", "torch")


def section(subject: Subject) -> Section:
    return Section(
        "origin",
        "Where it comes from",
        "Which commands, seeds, versions and files made this page?",
        tuple(_blocks(subject)),
    )


def _blocks(subject: Subject) -> list[Block]:
    commands = [
        ("the model", subject.card["command"] if subject.card else "unknown: it has no card"),
        ("bit accuracy", subject.csim_source if subject.csim else f"not run: {subject.csim_command}"),
        ("latency and resources", subject.synth_source if subject.synth else f"not run: {subject.synth_command}"),
        ("this report", subject.command),
    ]
    width = max(len(what) for what, _ in commands)
    return [
        Code("Commands, in order", "\n".join(f"{command}  # {what}".ljust(width) for what, command in commands)),
        _seeds(subject),
        _versions(subject),
        _checksums(subject),
    ]


def _seeds(subject: Subject) -> Table:
    card = subject.card
    tried = ", ".join(str(each["seed"]) for each in card["seeds"]) if card else None
    return Table(
        "seeds",
        "Random seeds: training is the only step in which they change the result",
        (Column("seed"), Column("value")),
        (
            ("of the model", str(subject.model.checkpoint.seed)),
            ("trained, of which it has the lowest validation loss", tried),
            ("of the boosts and of random cuts", "1"),
        ),
        subject.command,
    )


def _versions(subject: Subject) -> Table:
    here = versions(PACKAGES)
    csim = dict(subject.csim["versions"]) if subject.csim else {}
    synth = dict(subject.synth["tool_versions"]) if subject.synth else {}
    names = sorted({*here, *csim, *synth}, key=str.lower)
    rows: list[tuple[Cell, ...]] = [(name, here.get(name), csim.get(name), synth.get(name)) for name in names]
    return Table(
        "versions",
        "Versions of what made this page, csim.json and synth.json",
        (Column("package or tool"), Column("report"), Column("csim.json"), Column("synth.json")),
        tuple(rows),
        subject.command,
        folded=True,
    )


def _checksums(subject: Subject) -> Table:
    files = dict(subject.files) | {"jets": subject.jets_path}
    files |= {name: subject.build / name for name in ("csim.json", "synth.json")}
    files |= {name: subject.benchmarks / name for name in ("ring.json", "rivals.json")}
    rows = [(what, _shown(path, subject), sha256(path) if path.is_file() else None) for what, path in files.items()]
    return Table(
        "checksums",
        "SHA-256 of the files that were read",
        (Column("what"), Column("file"), Column("sha256")),
        tuple(rows),
        "sha256sum FILE",
        folded=True,
    )


def _shown(path: Path, subject: Subject) -> str:
    """The name of a file; folders of this machine would not help a reader elsewhere."""
    return str(path.relative_to(subject.build.parent)) if path.is_relative_to(subject.build.parent) else path.name
