"""nanopelican-hls: FPGA firmware for nanoPELICAN, a Lorentz- and permutation-invariant jet tagger.

The functions below are the whole chain, usable one by one in a notebook and without vendor tools. Each is imported on
first access, so that importing the package stays cheap.

>>> import nanopelican_hls as nph
>>> model = nph.load_model("trigger-n16")  # of the zoo; or a file
>>> program = nph.export_qonnx(model)
>>> firmware = nph.compile(nph.convert(program, "build/notebook"))
>>> jets = nph.read_jets(nph.sample_path(), events=1000)
>>> ports = nph.port_values(jets, model.config.network)
>>> logits = nph.predict(firmware, ports)["logit"]
>>> print(nph.compare(program, nph.execute(program, ports), nph.trace(firmware, ports)))
>>> print(nph.compare(program, nph.execute(program, ports), nph.emulate(program, ports, tensors=True)))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from nanopelican_hls.versions import __version__

if TYPE_CHECKING:
    from nanopelican_hls.contract.execution import execute
    from nanopelican_hls.flows.csimulation import compile, predict, trace
    from nanopelican_hls.flows.emulation import emulate
    from nanopelican_hls.hls.project import convert
    from nanopelican_hls.jets import Jets, port_values, read_jets, sample_path
    from nanopelican_hls.network.model import export_qonnx, load_model
    from nanopelican_hls.proof.comparison import compare

_HOMES = {
    "Jets": "jets",
    "compare": "proof.comparison",
    "compile": "flows.csimulation",
    "convert": "hls.project",
    "emulate": "flows.emulation",
    "execute": "contract.execution",
    "export_qonnx": "network.model",
    "load_model": "network.model",
    "port_values": "jets",
    "predict": "flows.csimulation",
    "read_jets": "jets",
    "sample_path": "jets",
    "trace": "flows.csimulation",
}

__all__ = [
    "Jets",
    "__version__",
    "compare",
    "compile",
    "convert",
    "emulate",
    "execute",
    "export_qonnx",
    "load_model",
    "port_values",
    "predict",
    "read_jets",
    "sample_path",
    "trace",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
