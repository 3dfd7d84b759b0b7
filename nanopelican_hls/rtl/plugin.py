"""Programs of the contract as models of alkaid (entry-point group ``alir_tracer.plugins``).

With this package installed, ``alkaid.converter.trace_model(program)`` traces a `Program`. What it gives goes on to
``alkaid.trace.trace``: within `alkaid_adapter.patched`, or that cuts constants of more than 24 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nanopelican_hls.contract.program import Program
from nanopelican_hls.rtl.alkaid_adapter import ALIRTracerPluginBase, patched
from nanopelican_hls.rtl.symbolic import Shape, Symbolic
from nanopelican_hls.rtl.tracer import trace


class ProgramTracer(ALIRTracerPluginBase):  # type: ignore[misc]
    """Replays a `Program`; its inputs are the ports without the batch axis, in the order of the file."""

    model: Program

    def get_input_shapes(self) -> Sequence[Shape]:
        return [port.shape for port in self.model.inputs]

    @patched()
    def apply_model(self, verbose: bool, inputs: tuple[Any, ...]) -> tuple[dict[str, Any], list[str]]:  # noqa: ARG002
        """Replay on alkaid's arrays; inputs of no type yet get that of their port, others are quantised."""
        ports = {
            port.tensor: Symbolic(array[None]).as_port(port.quantiser)
            for port, array in zip(self.model.inputs, inputs, strict=True)
        }
        tensors = trace(self.model, ports).tensors
        return {name: tensors[name].values[0] for name in self.model.ranges}, [
            port.tensor for port in self.model.outputs
        ]
