"""Lorentz invariance: what boosts change in the float network (nothing) and in the quantised one."""

from __future__ import annotations

from nanopelican_hls.analysis.equivariance import Drift, Kind, drifts, float_deviation
from nanopelican_hls.report.content import (
    Block,
    Cell,
    Column,
    Panel,
    Paragraph,
    Picture,
    Section,
    Series,
    Table,
)
from nanopelican_hls.report.subject import Subject

BETAS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
#: those of the float network, at which nothing changes anyway
FLOAT_BETAS = (0.5, 0.9)
JETS, SEED = 2000, 1
TITLES = {Kind.BEAM: "along the beam", Kind.TRANSVERSE: "across the beam", Kind.ANY: "any direction"}


def section(subject: Subject) -> Section:
    return Section(
        "invariance",
        "Lorentz invariance",
        "Does the tag depend on the frame, and how much of the symmetry does quantisation break?",
        tuple(_blocks(subject)),
    )


def _blocks(subject: Subject) -> list[Block]:
    command = subject.on_file("equivariance", "checkpoint", subject.jets_option)
    if subject.labels is None:
        return [subject.without_labels]
    jets = subject.jets[:JETS].leading(subject.config.network.n_constituents)
    deviation = float_deviation(subject.model.float_network, jets, FLOAT_BETAS, SEED)
    found = list(drifts(subject.model.description, jets, BETAS, SEED))
    return [
        Paragraph(
            f"Each of {len(jets):,} jets is boosted and rotated, with its spurions, into a frame of its own. The "
            f"logit of "
            f"the float network changes by no more than {deviation:.1e} of max(1, |logit|), which is rounding of "
            f"float64; "
            "what the quantised network changes is that momenta are rounded in one frame. "
            f"`{command}` scans their widths too."
        ),
        Picture(
            "boosts",
            "Quantised network: median change of the logit against the velocity of the boost.",
            f"The change grows with the velocity: at |β| = 0.5 its median is {_said(found, 0.5, 'median')} along the "
            f"beam, "
            "across it, and in any direction.",
            "|β| of the boost",
            (Panel("median |Δ logit|", tuple(_series(found, kind, lambda d: d.quantiles[0]) for kind in Kind)),),
            subject.command,
            limits=(0.0, 0.92),
            compared="Quantised network: median change of the logit against the velocity of a boost in any direction.",
        ),
        Picture(
            "flips",
            "Quantised network: share of the jets whose tag flips, against the velocity of the boost.",
            f"The share grows with the velocity: at |β| = 0.5 it is {_said(found, 0.5, 'flips')} along the beam, "
            f"across it, "
            "and in any direction.",
            "|β| of the boost",
            (Panel("tags that flip [%]", tuple(_series(found, kind, lambda d: 100 * d.flipped) for kind in Kind)),),
            subject.command,
            limits=(0.0, 0.92),
            compared="Quantised network: share of the jets whose tag flips, against the velocity of a boost in any "
            "direction.",
        ),
        Table(
            "boosts_table",
            "The same as numbers; saturated: jets that exceed the range of a port in their new frame",
            (
                Column("boost, |β|"),
                Column("mean |Δ logit|", ".3f"),
                Column("median", ".3f"),
                Column("90% below", ".3f"),
                Column("99% below", ".3f"),
                Column("flips", ".2f", "%"),
                Column("AUC", ".4f"),
                Column("saturated", ".2f", "%"),
            ),
            tuple(_row(each) for each in found),
            subject.command,
            title="Boosts, as numbers",
            folded=True,
        ),
    ]


def _said(found: list[Drift], beta: float, what: str) -> str:
    chosen = [each for each in found if each.beta == beta]
    if what == "median":
        return ", ".join(f"{each.quantiles[0]:.2f}" for each in chosen)
    return ", ".join(f"{100 * each.flipped:.1f}%" for each in chosen)


def _series(found: list[Drift], kind: Kind, value: object) -> Series:
    assert callable(value)
    own = [each for each in found if each.kind is kind]
    return Series(
        TITLES[kind], kind.value, "line", tuple(each.beta for each in own), tuple(float(value(each)) for each in own)
    )


def _row(each: Drift) -> tuple[Cell, ...]:
    return (
        f"{TITLES[each.kind]}, {each.beta:g}",
        each.mean,
        *each.quantiles,
        100 * each.flipped,
        each.auc,
        100 * each.saturated,
    )
