"""Networks with random weights, mapped with Yosys, to which the fast estimate is fitted."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanopelican_hls.benchmarks.synthesis import CLOCK_PERIOD_NS
from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.files import write_atomically

if TYPE_CHECKING:
    from nanopelican_hls.config import Config
    from nanopelican_hls.contract.program import Program


@dataclass(frozen=True)
class Untrained:
    """A network with random weights, for the calibration.

    Attributes
    ----------
    form : letter (`topology.forms.REFERENCE_FORMS`).
    size : number of constituents.
    products : multipliers of momenta, ``dsp`` or ``fabric``.
    multipliers : with multipliers at pair level, and 8 bits inside; otherwise w_d are powers of two, and 6 bits inside.
    interval : initiation interval.
    streamed : whether the constituents come in over the cycles of an interval.
    """

    form: str
    size: int
    products: str
    multipliers: bool = False
    interval: int = 1
    streamed: bool = False

    @property
    def name(self) -> str:
        shared = f"-every-{self.interval}{'-streamed' * self.streamed}" if self.interval > 1 else ""
        return f"untrained-{self.form}-n{self.size}-{self.products}{'-multipliers' * self.multipliers}{shared}"


UNTRAINED = (
    *(Untrained(form, n, products) for n in (4, 6, 8) for form in "abc" for products in ("dsp", "fabric")),
    *(Untrained(form, n, "dsp", multipliers=True) for n in (4, 6, 8) for form in "abc"),
    *(Untrained(form, 12, "dsp") for form in "abc"),
    Untrained("a", 12, "fabric"),
    *(
        Untrained(form, n, products, interval=interval, streamed=k % 2 > 0)
        for form in "bc"
        for k, (n, interval) in enumerate([(6, 2), (7, 4), (10, 5), (12, 2), (12, 6), (20, 4), (24, 9)])
        for products in ("dsp", "fabric")
    ),
)
#: number of jets of the shipped sample that calibrate the quantisers
JETS = 2048


def map_untrained(path: Path, build: Path, progress: Callable[[Sequence[Any]], Any]) -> None:
    """Map networks of all forms with random weights, and write their resources; resumes after a kill.

    Parameters
    ----------
    path : Path
        JSON file with the rows, rewritten after each network.
    build : Path
        Folder for the RTL.
    progress : callable
        Wraps the list of networks, and sees which are done.
    """
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    done = {row["name"] for row in rows}
    for network in progress(UNTRAINED):
        if network.name not in done:
            rows.append({"name": network.name} | measure(network, build / network.name))
            write_atomically(path, json.dumps(rows, indent=1) + "\n", SynthesisError)


def measure(network: Untrained, build: Path) -> dict[str, Any]:
    """Counts of a network, and its cells after mapping with Yosys."""
    from nanopelican_hls.estimate.estimate import Counts
    from nanopelican_hls.flows.yosys import map_rtl
    from nanopelican_hls.rtl import generate_rtl, open_settings

    program = untrained_program(network)
    settings = open_settings(CLOCK_PERIOD_NS, network.products, interval=network.interval, streamed=network.streamed)
    counts = Counts.of(program, settings)
    cells = map_rtl(generate_rtl(program, build, settings=settings))
    return {"counts": asdict(counts), "lut": cells.lut, "ff": cells.ff, "dsp": cells.dsp}


def untrained_program(network: Untrained) -> Program:
    """A network with random weights, and with quantisers calibrated on the shipped jets."""
    from nanopelican_hls.config.recipes import recommended
    from nanopelican_hls.topology.config import QuantiserConfig
    from nanopelican_hls.topology.forms import REFERENCE_FORMS

    form = REFERENCE_FORMS[network.form]
    quantisers = form.quantisers
    if network.multipliers:
        eight = QuantiserConfig(8)
        quantisers = replace(quantisers, d=eight, mix=eight, relu=eight, weights=eight, tensors=None)
    config = replace(recommended(), name=network.name, network=form.network(network.size), quantisers=quantisers)
    return random_program(config, canonical=not network.multipliers)


def random_program(config: Config, *, canonical: bool = True) -> Program:
    """A network of a configuration with random weights, and with quantisers calibrated on the shipped jets.

    Parameters
    ----------
    config : Config
    canonical : bool
        Powers of two as weights w_d (`network.canonical`).
    """
    from nanopelican_hls.config import InitialValues
    from nanopelican_hls.jets import port_values, read_jets, sample_path
    from nanopelican_hls.network.canonical import canonical_folded
    from nanopelican_hls.network.float_network import FloatNetwork
    from nanopelican_hls.network.fold import fold
    from nanopelican_hls.topology.export import build_program
    from nanopelican_hls.training.scales import calibrated

    values = port_values(read_jets(sample_path(), JETS), config.network)
    nbar, size = config.training.nbar, config.network.n_constituents
    folded = fold(FloatNetwork(config.network, nbar=nbar, seed=size, initial_values=InitialValues.RANDOM))
    return build_program(calibrated(config, canonical_folded(folded) if canonical else folded, values))
