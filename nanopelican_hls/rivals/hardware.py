"""Hardware of a trained rival: traced and written by alkaid, simulated and mapped by the flow of our own RTL."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.port import Port
from nanopelican_hls.flows.verilator import compile_simulation, run
from nanopelican_hls.flows.yosys import MappedCells, map_rtl
from nanopelican_hls.rivals.inputs import JET, Feature, Inputs
from nanopelican_hls.rtl.alkaid_adapter import CombLogic, RTLModel, keras_logic, patched
from nanopelican_hls.rtl.project import SOURCES, RtlProject
from nanopelican_hls.rtl.settings import open_settings

#: ports of the Verilog that alkaid writes: all elements, each as wide as the widest
INPUT, OUTPUT = "model_inp", "model_out"


@dataclass(frozen=True, eq=False)
class Hardware:
    """The hardware of a rival.

    Attributes
    ----------
    logic : as alkaid represents it.
    project : its Verilog, a pipeline that takes a jet every cycle.
    """

    logic: CombLogic
    project: RtlProject

    def logits(self, jets: Inputs) -> NDArray[np.float64]:
        """Logits [n] by alkaid's interpreter, in exact arithmetic."""
        found: NDArray[np.float64] = self.logic.predict(_flat(jets), n_threads=1)[:, 0]
        return found

    def simulate(self, jets: Inputs) -> tuple[int, int]:
        """Latency in cycles, and number of jets whose logit differs from that of the interpreter."""
        compile_simulation(self.project)
        wanted = self.logits(jets)
        latency, shown = run(self.project, {INPUT: _flat(jets), OUTPUT: wanted[:, None]})
        return latency, int(np.count_nonzero(shown[OUTPUT][:, 0] != wanted))

    def map(self) -> MappedCells:
        """Cells of the part."""
        return map_rtl(self.project)


@patched()
def hardware(
    model: Any, n_constituents: int, features: Sequence[Feature], folder: Path, clock_period_ns: float
) -> Hardware:
    """Trace a Keras model and write its Verilog, with as many levels of logic in a stage as our own RTL has.

    Parameters
    ----------
    model : keras.Model
        From `networks`, trained.
    n_constituents : int
    features : sequence of Feature
        Of a constituent.
    folder : Path
        For the project; replaced if it exists.
    clock_period_ns : float
    """
    logic = keras_logic(model, [_precision(features, n_constituents), _precision(JET, None)])
    shutil.rmtree(folder, ignore_errors=True)
    written = folder / "alkaid"
    levels = open_settings(clock_period_ns).levels_per_stage
    rtl = RTLModel(logic, written, "rival", "verilog", latency_cutoff=levels, print_latency=False)
    rtl.write()
    sources = folder / SOURCES
    sources.mkdir()
    for source in sorted((written / "src").rglob("*.v")):
        shutil.copy(source, sources)
    project = RtlProject(
        path=folder,
        top="rival_wrapper",
        language="verilog",
        inputs=(_port(INPUT, logic.inp_qint),),
        outputs=(_port(OUTPUT, logic.out_qint),),
        latency_cycles=int(rtl.latency),
    )
    return Hardware(logic, project)


def _precision(features: Sequence[Feature], n_constituents: int | None) -> tuple[Any, Any, Any]:
    """Sign, integer and fractional bits of the elements [1, N, features] or [1, features]."""
    shape = (1, len(features)) if n_constituents is None else (1, n_constituents, len(features))
    signed = np.array([feature.grid.signed for feature in features])
    fraction = np.array([-feature.exponent for feature in features])
    integer = np.array([feature.grid.bits for feature in features]) - signed - fraction
    return tuple(np.broadcast_to(bits, shape).astype(np.int8) for bits in (signed, integer, fraction))  # type: ignore[return-value]


def _port(name: str, bounds: Sequence[Any]) -> Port:
    signed, integer, fraction = (int(bits) for bits in np.max([bound.kif for bound in bounds], axis=0))
    return Port(name, name, (len(bounds),), signed + integer + fraction, bool(signed), -fraction)


def _flat(jets: Inputs) -> NDArray[np.float64]:
    """Elements [n, m] in the order of the ports."""
    flat = np.concatenate([jets.constituents.reshape(len(jets), -1), jets.jet], axis=1)
    return np.ascontiguousarray(flat, dtype=np.float64)
