"""Plugin that lets alkaid trace a `Program` (entry-point group ``alir_tracer.plugins``).

With this package installed, ``alkaid.converter.trace_model(program)`` works. Pass its result to ``alkaid.trace.trace``
within `alkaid_adapter.patched`; otherwise constants of more than 24 bits are truncated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nanopelican_hls.contract.program import Program
from nanopelican_hls.rtl.alkaid_adapter import ALIRTracerPluginBase, patched
from nanopelican_hls.rtl.symbolic import Shape, Symbolic
from nanopelican_hls.rtl.tracer import trace


class ProgramTracer(ALIRTracerPluginBase):  # type: ignore[misc]
    """Replays a `Program`; inputs are the ports of the QONNX file, in its order, without the batch axis."""

    model: Program

    def get_input_shapes(self) -> Sequence[Shape]:
        return [port.shape for port in self.model.inputs]

    @patched()
    def apply_model(self, verbose: bool, inputs: tuple[Any, ...]) -> tuple[dict[str, Any], list[str]]:  # noqa: ARG002
        """Replay on alkaid's arrays; untyped inputs get the type of their port, others are quantised to it."""
        ports = {
            port.tensor: Symbolic(array[None]).as_port(port.quantiser)
            for port, array in zip(self.model.inputs, inputs, strict=True)
        }
        tensors = trace(self.model, ports).tensors
        return {name: tensors[name].values[0] for name in self.model.ranges}, [
            port.tensor for port in self.model.outputs
        ]
