"""What upsets did, as JSON and as a page of Markdown (docs/upsets.md)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanopelican_hls.errors import RtlError
from nanopelican_hls.files import write_atomically
from nanopelican_hls.flows.upsets import LOWER, TOP, UPPER, ConstantUpsets, PlaceUpsets, Share, of_any_bit
from nanopelican_hls.markdown import table

EFFECTS = ("wrong", "changed", "lost", "spurious")


@dataclass(frozen=True)
class UpsetsReport:
    """Upsets of one form of a model's Verilog.

    Attributes
    ----------
    model : name of the model.
    events : number of jets.
    interval, latency_cycles, products, tmr : of the hardware.
    threshold : logit from which on jets are accepted.
    mismatches : jets whose result without upsets is not that of QONNX execution.
    state : of registers, by place.
    constants : of parameters and tables; empty where these are triplicated.
    """

    model: str
    events: int
    interval: int
    latency_cycles: int
    products: str
    tmr: str
    threshold: float
    mismatches: int
    state: tuple[PlaceUpsets, ...]
    constants: tuple[ConstantUpsets, ...]
    program_sha256: str
    command: str

    def as_json(self) -> dict[str, Any]:
        """The content of ``upsets.json``."""
        content = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        of_all = {name: dict(zip(("share", "error"), of_any_bit(self.state, name), strict=True)) for name in EFFECTS}
        return content | {
            "bits": sum(place.bits for place in self.state),
            "of_any_bit": of_all,
            "state": [place.as_json() for place in self.state],
            "constants": [dataclasses.asdict(each) for each in self.constants],
        }

    def page(self) -> str:
        """The report as Markdown."""
        head = (
            f"{self.model}, interval {self.interval}, latency {self.latency_cycles} cycles, "
            f"products in {self.products}, tmr {self.tmr}: {self.events:,} jets, threshold {self.threshold:g}; "
            f"{self.mismatches} jets differ from QONNX execution without upsets."
        )
        parts = [head, "Registers: share of upsets, in percent.", self._state()]
        if self.constants:
            parts += ["Parameters and tables: share of jets, in percent, while a bit is wrong.", self._constants()]
        return "\n\n".join(parts) + "\n"

    def _state(self) -> str:
        columns = ("place", "bits", "upsets", "changed decision", TOP, UPPER, LOWER, "wrong result", "lost", "spurious")
        rows = []
        for each in self.state:
            groups = [each.changed_by_group.get(name) for name in (TOP, UPPER, LOWER)]
            shares = [each.changed, *groups, each.wrong, each.lost, each.spurious]
            rows.append([each.place, f"{each.bits:,}", f"{each.changed.of:,}", *map(_of, shares), each.cycles])
        total = {name: _percent(*of_any_bit(self.state, name)) for name in EFFECTS}
        bits, upsets = (sum(counts) for counts in zip(*((p.bits, p.changed.of) for p in self.state), strict=True))
        last = [total["changed"], "", "", "", total["wrong"], total["lost"], total["spurious"]]
        rows.append(["**any bit**", f"{bits:,}", f"{upsets:,}", *last, max(p.cycles for p in self.state)])
        return table([*columns, "cycles"], rows)

    def _constants(self) -> str:
        shown = "changed decision", "lowest bit", "top bit", "worst bit", "wrong result"
        rows = [
            [f"`{each.tensor}`", each.elements, each.bits, _percent(each.changed, each.error)]
            + [
                f"{100 * share:.2f}"
                for share in (each.changed_by_bit[0], each.changed_by_bit[-1], each.most, each.wrong)
            ]
            for each in self.constants
        ]
        return table(("tensor", "elements", "bits", *shown), rows)


def _of(share: Share | None) -> str:
    return "-" if share is None else _percent(share.value, share.error) if share.count else "0"


def _percent(value: float, error: float) -> str:
    return f"{100 * value:.2f} ± {100 * error:.2f}" if value else "0"


def write_report(report: UpsetsReport, folder: Path) -> Sequence[Path]:
    """Write ``upsets.json`` and ``upsets.md``; returns their paths."""
    texts = {"upsets.json": json.dumps(report.as_json(), indent=2) + "\n", "upsets.md": report.page()}
    for name, text in texts.items():
        write_atomically(folder / name, text, RtlError)
    return [folder / name for name in texts]
