"""Model cards as Markdown, from their JSON: the page of one, and the table of many. Needs no network, so no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nanopelican_hls.evaluation.figure_text import with_error
from nanopelican_hls.markdown import table

_COLUMNS = ("auc", "accuracy", "rejection_30", "rejection_50", "loss")
_HEAD = ("AUC", "accuracy", "rejection at 30%", "rejection at 50%", "loss")


def card_markdown(content: Mapping[str, Any]) -> str:
    """The card as a Markdown page."""
    network, quantisers, recipe = (content["config"][name] for name in ("network", "quantisers", "training"))
    rows = [
        [sample, form, *_cells(figures)]
        for sample, forms in content["figures"].items()
        for form, figures in forms.items()
    ]
    seeds = [
        [str(entry["seed"]) + (" (chosen)" if entry["seed"] == content["seed"] else ""), form, *_cells(entry[form])]
        for entry in content["seeds"]
        for form in ("float", "quantised")
        if form in entry
    ]
    by_role = {key: q for key, q in sorted(quantisers.items()) if key != "tensors"}
    widths = [
        [key, q["bits"], q["rounding"]] if q else [key, "not quantised", ""]
        for key, q in [*by_role.items(), *(quantisers.get("tensors") or {}).items()]
    ]
    return (
        "\n\n".join(
            [
                f"# {content['name']}",
                f"{_of_firmware(content['figures'])} Rejection is one over the background efficiency at the given "
                "signal efficiency.",
                table(["jets", "network", *_HEAD], rows),
                *_of_working_points(content),
                "## Network",
                table(["", ""], [[key, value] for key, value in network.items()]),
                table(["quantiser", "bits", "rounding"], widths),
                "## Training",
                f"```\n{content['command']}\n```",
                table(["jets", "file", "number"], [[s, d["file"], d["jets"]] for s, d in content["data"].items()]),
                # without the seeds of the configuration: those that were trained are in the command
                table(["recipe", ""], [[key, value] for key, value in recipe.items() if key != "seeds"]),
                "On the validation jets, all seeds; chosen is the lowest loss of the last network:",
                table(["seed", "network", *_HEAD], seeds),
                *_of_classes(content["figures"]),
            ]
        )
        + "\n"
    )


def _of_working_points(content: Mapping[str, Any]) -> list[str]:
    """The section on working points; none on cards without."""
    points = content.get("working_points")
    if not points:
        return []
    rows = [
        [name, f"{point['threshold']}", *(_percent(point, f"{kind}_efficiency") for kind in ("signal", "background"))]
        for name, point in points.items()
    ]
    sample = "test" if "test" in content["figures"] else "validation"
    return [
        "## Working points",
        f"Thresholds for a signal efficiency on the validation jets, and what the firmware accepts of the {sample} "
        "jets: `--threshold 30%`.",
        table(["", "logit at least", "signal", "background"], rows),
    ]


def _percent(point: Mapping[str, float], name: str) -> str:
    return f"{100 * point[name]:.2f} ± {100 * point[f'{name}_error']:.2f}%"


def _of_firmware(figures: Mapping[str, Mapping[str, Any]]) -> str:
    if any("quantised" in forms for forms in figures.values()):
        return "The figures of the quantised network are those of its firmware, bit for bit."
    return "Trained in floating point only: there is no quantised network, and so no firmware."


def summary(figures: Mapping[str, Any]) -> str:
    """The most telling figures, in a line."""
    if "classes" in figures:
        return f"mean AUC {figures['auc']:.4f}, accuracy {figures['accuracy']:.4f}"
    return f"AUC {figures['auc']:.4f}, rejection at 30% {figures['rejection_30']:.0f}"


def _of_classes(measured: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """Sections on each class against all others and on pairs; none for signal against background."""
    found = [(sample, form, f) for sample, forms in measured.items() for form, f in forms.items() if "classes" in f]
    if not found:
        return []
    names = list(found[0][2]["classes"])
    rows = [
        [sample, form, name, *_cells(figures["classes"][name])] for sample, form, figures in found for name in names
    ]
    parts = [
        "## Classes",
        "Above, the AUC is the mean over the classes, and the accuracy that of the largest logit. Each class against "
        "all others:",
        table(["jets", "network", "class", *_HEAD], rows),
        "AUC of each class (row) as signal against another (column) as background:",
    ]
    for sample, form, figures in found:
        pairs = figures["pairwise_auc"]
        cells = [[one, *(format(pairs[one][o], ".4f") if o != one else "" for o in names)] for one in names]
        parts.append(table([f"{sample}, {form}", *names], cells))
    return parts


def zoo_table(cards: Sequence[Mapping[str, Any]]) -> str:
    """Models in one table: AUC and rejection at 30%, float and quantised, on the test jets.

    A model without test jets has the figures of its validation jets, and is marked so; one without a quantised network
    has none for it.
    """
    rows = []
    for card in sorted(cards, key=_size):
        network, figures = card["config"]["network"], card["figures"]
        sample = "test" if "test" in figures else "valid"
        name = card["name"] if sample == "test" else f"{card['name']} (validation jets)"
        cells = [_cells(figures[sample].get(form, {})) for form in ("float", "quantised")]
        auc, _, rejection, *_ = zip(*cells, strict=True)
        rows.append([name, network["n_constituents"], network["channels"], *auc, *rejection, card["seed"]])
    head = ["model", "N", "C", "AUC float", "quantised", "rejection at 30% float", "quantised", "seed"]
    return table(head, rows)


def _size(card: Mapping[str, Any]) -> tuple[bool, int, int]:
    """Sort key: trigger models (symmetric) before those of the paper, small ones first."""
    network = card["config"]["network"]
    return not network["symmetric"], network["n_constituents"], network["channels"]


def _cells(figures: Mapping[str, Any]) -> list[str]:
    """Figures in the order of `_COLUMNS`; several classes together have no rejection."""
    return [with_error(figures, name) if name in figures else "-" for name in _COLUMNS]
