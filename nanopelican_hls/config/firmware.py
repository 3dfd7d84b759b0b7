"""Settings of the firmware: the `firmware` section of a configuration."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nanopelican_hls.errors import ConfigError
from nanopelican_hls.topology.result import Output, Result


@dataclass(frozen=True)
class FirmwareConfig:
    """Settings of the firmware: part, clock, how often a jet comes, and what goes out."""

    backend: str = "Vitis"
    part: str = "xcvu13p-flga2577-2-e"
    clock_period_ns: float = 2.7777
    interval: int = 1  #: initiation interval in clock cycles
    streamed: bool = False  #: Verilog: constituents come over the cycles of an interval, not all at once
    output: Output = Output.LOGIT
    threshold: float | str | None = None  #: of the logit, or a working point of the card, such as 30%: `accept`

    def __post_init__(self) -> None:
        if self.backend not in ("Vitis", "Vivado"):
            raise ConfigError(
                f"unknown backend {self.backend!r}", where="firmware.backend", remedy="use Vitis or Vivado"
            )
        if not 0 < self.clock_period_ns < math.inf:
            raise ConfigError(
                f"must be positive and finite, not {self.clock_period_ns}",
                where="firmware.clock_period_ns",
                remedy="give a value in this range, or leave the key out for the default (docs/configuration.md)",
            )
        if self.interval < 1:
            raise ConfigError(
                f"must be at least 1, not {self.interval}",
                where="firmware.interval",
                remedy="give a value in this range, or leave the key out for the default (docs/configuration.md)",
            )

        if isinstance(self.threshold, str):
            object.__setattr__(self, "threshold", parsed_threshold(self.threshold, "firmware.threshold"))
        if not isinstance(self.threshold, str):
            _ = self.result  # checks the threshold

    @property
    def result(self) -> Result:
        """What goes out.

        Raises
        ------
        ConfigError
            If the threshold is a working point (`with_logit`).
        """
        if isinstance(self.threshold, str):
            raise ConfigError(
                f"{self.threshold} of the signal is a working point of a trained model's card, and there is none",
                where="firmware.threshold",
                remedy="keep the card (.json) beside the checkpoint, or give a logit, such as 1.5",
            )
        return Result(self.output, self.threshold)

    def with_logit(self, card: Path) -> FirmwareConfig:
        """With the logit of the card in place of a working point.

        Raises
        ------
        ConfigError
            If the card has no such working point.
        """
        if not isinstance(self.threshold, str):
            return self
        points = json.loads(card.read_text(encoding="utf-8")).get("working_points", {})
        if self.threshold not in points:
            raise ConfigError(
                f"the card has no working point {self.threshold}: it has {', '.join(points) or 'none'}",
                where=str(card),
                remedy="give one of them, or a logit" if points else "give a logit, or train the model again",
            )
        return replace(self, threshold=float(points[self.threshold]["threshold"]))

    def hls_options(self) -> dict[str, Any]:
        """The options of `nanopelican_hls.convert`; hls4ml knows the interval as reuse factor."""
        options = asdict(self)
        del options["output"], options["threshold"]  # the program has them
        del options["streamed"]  # the ports of an HLS project take whole events
        return options | {"reuse_factor": options.pop("interval")}


def parsed_threshold(text: str, where: str) -> float | str:
    """A threshold as it is typed: a logit, or a working point, such as ``30%``, which stays text without spaces.

    Raises
    ------
    ConfigError
        If it is neither.
    """
    given = text.replace(" ", "")
    try:
        number = float(given.removesuffix("%"))
    except ValueError:
        raise ConfigError(
            f"{text!r} is neither a logit nor a working point",
            where=where,
            remedy="give a number, such as 1.5, or a signal efficiency, such as 30%",
        ) from None
    return given if given.endswith("%") else number
