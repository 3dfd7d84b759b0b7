"""Settings of the firmware: the `firmware` section of a configuration."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
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
    threshold: float | None = None  #: of the logit; jets that reach it have the decision bit, `accept`

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

        _ = self.result  # checks the threshold

    @property
    def result(self) -> Result:
        """What goes out."""
        return Result(self.output, self.threshold)

    def hls_options(self) -> dict[str, Any]:
        """The options of `nanopelican_hls.convert`; hls4ml knows the interval as reuse factor."""
        options = asdict(self)
        del options["output"], options["threshold"]  # the program has them
        del options["streamed"]  # the ports of an HLS project take whole events
        return options | {"reuse_factor": options.pop("interval")}
