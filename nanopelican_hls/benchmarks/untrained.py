"""Networks of random weights, mapped with Yosys: what the fast estimate is fitted to, before any network is trained."""

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
    from nanopelican_hls.contract.program import Program


@dataclass(frozen=True)
class Untrained:
    """A network of random weights to calibrate on.

    Attributes
    ----------
    form : letter (`topology.forms.REFERENCE_FORMS`).
    size : constituents.
    products : what multiplies momenta.
    multipliers : at pair level, with 8 bits inside; else the weights of d are powers of two, with 6 bits inside.
    """

    form: str
    size: int
    products: str
    multipliers: bool = False

    @property
    def name(self) -> str:
        return f"untrained-{self.form}-n{self.size}-{self.products}{'-multipliers' * self.multipliers}"


UNTRAINED = (
    *(Untrained(form, n, products) for n in (4, 6, 8) for form in "abc" for products in ("dsp", "fabric")),
    *(Untrained(form, n, "dsp", multipliers=True) for n in (4, 6, 8) for form in "abc"),
    *(Untrained(form, 12, "dsp") for form in "abc"),
    Untrained("a", 12, "fabric"),
)
#: jets of the shipped sample from which their quantisers are calibrated
JETS = 2048


def map_untrained(path: Path, build: Path, progress: Callable[[Sequence[Any]], Any]) -> None:
    """Map networks of all forms with random weights, and write what they took; goes on after a kill.

    Parameters
    ----------
    path : Path
        A JSON file of rows, written anew after each network.
    build : Path
        Receives the RTL.
    progress : callable
        Wraps the list of what is to be done, as tqdm does.
    """
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    done = {row["name"] for row in rows}
    for network in progress(UNTRAINED):
        if network.name not in done:
            rows.append({"name": network.name} | measure(network, build / network.name))
            write_atomically(path, json.dumps(rows, indent=1) + "\n", SynthesisError)


def measure(network: Untrained, build: Path) -> dict[str, Any]:
    """Counts of a network, and what Yosys made of it."""
    from nanopelican_hls.estimate.estimate import Counts
    from nanopelican_hls.flows.yosys import map_rtl
    from nanopelican_hls.rtl import generate_rtl, open_settings

    program = untrained_program(network)
    settings = open_settings(CLOCK_PERIOD_NS, network.products)
    counts = Counts.of(program, settings)
    cells = map_rtl(generate_rtl(program, build, settings=settings))
    return {"counts": asdict(counts), "lut": cells.lut, "ff": cells.ff, "dsp": cells.dsp}


def untrained_program(network: Untrained) -> Program:
    """Random weights, and quantisers calibrated on the shipped jets."""
    from nanopelican_hls.config import InitialValues
    from nanopelican_hls.config.recipes import recommended
    from nanopelican_hls.jets import port_values, read_jets, sample_path
    from nanopelican_hls.network.canonical import canonical_folded
    from nanopelican_hls.network.float_network import FloatNetwork
    from nanopelican_hls.network.fold import fold
    from nanopelican_hls.topology.config import QuantiserConfig
    from nanopelican_hls.topology.export import build_program
    from nanopelican_hls.topology.forms import REFERENCE_FORMS
    from nanopelican_hls.training.scales import calibrated

    form = REFERENCE_FORMS[network.form]
    quantisers = form.quantisers
    if network.multipliers:
        eight = QuantiserConfig(8)
        quantisers = replace(quantisers, d=eight, mix=eight, relu=eight, weights=eight, tensors=None)
    config = replace(recommended(), name=network.name, network=form.network(network.size), quantisers=quantisers)
    values = port_values(read_jets(sample_path(), JETS), config.network)
    nbar = config.training.nbar
    net = FloatNetwork(config.network, nbar=nbar, seed=network.size, initial_values=InitialValues.RANDOM)
    folded = fold(net) if network.multipliers else canonical_folded(fold(net))
    return build_program(calibrated(config, folded, values))
