"""An operator on named tensors: what a node of a file and a step of a dataflow have in common."""

from __future__ import annotations

from dataclasses import dataclass

from nanopelican_hls.operators.base import Operator


@dataclass(frozen=True)
class Call:
    """The tensor that is computed, the operator, and what it is given; absent optional inputs are None."""

    output: str
    operator: Operator
    inputs: tuple[str | None, ...]

    @property
    def given(self) -> dict[str, str]:
        """The tensors that are there, by the names of the operator's inputs."""
        named = zip(self.operator.inputs, self.inputs, strict=True)
        return {name: tensor for name, tensor in named if tensor is not None}

    @property
    def activations(self) -> dict[str, str]:
        """Those of them that depend on the jet."""
        return {name: tensor for name, tensor in self.given.items() if name not in self.operator.parameters}

    @property
    def parameters(self) -> dict[str, str]:
        """Those of them that are constants."""
        return {name: tensor for name, tensor in self.given.items() if name in self.operator.parameters}
