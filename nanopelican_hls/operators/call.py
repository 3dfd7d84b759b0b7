"""An operator applied to named tensors: a node of a file, or a step of the dataflow."""

from __future__ import annotations

from dataclasses import dataclass

from nanopelican_hls.operators.base import Operator


@dataclass(frozen=True)
class Call:
    """Output tensor, operator and input tensors; absent optional inputs are None."""

    output: str
    operator: Operator
    inputs: tuple[str | None, ...]

    @property
    def given(self) -> dict[str, str]:
        """The input tensors that are present, by the operator's input names."""
        named = zip(self.operator.inputs, self.inputs, strict=True)
        return {name: tensor for name, tensor in named if tensor is not None}

    @property
    def activations(self) -> dict[str, str]:
        """The inputs that depend on the jet, by name."""
        return {name: tensor for name, tensor in self.given.items() if name not in self.operator.parameters}

    @property
    def parameters(self) -> dict[str, str]:
        """The inputs that are constants, by name."""
        return {name: tensor for name, tensor in self.given.items() if name in self.operator.parameters}
