"""Proofs that generated firmware computes what its operators define, for all inputs (docs/proof.md)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.errors import SolverError
from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.solver.decide import Answer, Solver, Verdict
from nanopelican_hls.solver.integer import Integer, Space
from nanopelican_hls.solver.kernel import Kernel
from nanopelican_hls.solver.llvm import Duty
from nanopelican_hls.solver.symbolic import Numbers, reference, variables

#: in place of a tensor's name: what C++ leaves undefined does not happen
DUTIES = "no overflow of signed integers, no place outside of a table"

Progress = Callable[[str], object]


@dataclass(frozen=True)
class TensorProof:
    """Of one tensor.

    Attributes
    ----------
    tensor, operator, elements : its name, that of the operator that computes it, and its size.
    verdict : proved if it holds for all elements; refuted if one has a counterexample.
    proved : elements for which it is known to hold.
    solved : elements that the solver decided; both sides of the others are the same polynomial.
    seconds : wall-clock time.
    reason : why it is unproved; or the element that differs.
    counterexample : integers of the inputs for which an element differs, by name.
    """

    tensor: str
    operator: str
    elements: int
    verdict: Verdict
    proved: int
    solved: int
    seconds: float
    reason: str = ""
    counterexample: Mapping[str, int] | None = None


def prove_layers(program: Program, kernel: Kernel, limit_s: float, progress: Progress) -> list[TensorProof]:
    """Prove each layer by itself, for all values of its inputs.

    Together these are a proof of the whole: if every layer computes what its operator defines from the tensors that it
    reads, so does their composition. Each tensor is also
    proved to stay within its range, on which the next proofs rely.

    Parameters
    ----------
    program : Program
    kernel : Kernel
    limit_s : float
        Time for one statement, in seconds.
    progress : callable
        Called before each tensor with its name.

    Raises
    ------
    SolverError
        If the kernel does not show a tensor: of firmware that computes it nothing would be known.
    """
    _require_all(program, kernel)
    space = Space()
    tensors = {port.tensor: variables(program, space, port.tensor) for port in program.inputs}
    expected = {}
    for node in _nodes(program, kernel):
        expected[node.output] = reference(program, node, tensors, space)
        tensors[node.output] = variables(program, space, node.output, expected[node.output])
    firmware = kernel.execute(space, _integers(program, tensors))
    solver = Solver(space, limit_s)
    proofs = []
    for node in _nodes(program, kernel):
        progress(node.output)
        tensor, values = node.output, program.ranges[node.output]
        wanted = expected[tensor].integers(values.exponent)
        proofs.append(_compare(solver, tensor, node.operator.name, wanted, firmware.tensors[tensor], values))
    given = _integers(program, tensors)
    for tensor, found in firmware.results.items():  # what comes after the last layer leaves the outputs as they are
        proofs.append(_compare(solver, f"{tensor} at the port", "output", given[tensor], found, program.ranges[tensor]))
    return [*proofs, _duties(solver, firmware.execution.duties)]


def _require_all(program: Program, kernel: Kernel) -> None:
    # those that read no tensor are the quantisers of the ports
    layers = [node.output for node in program.nodes if node.inputs[0] in program.ranges]
    for tensor in layers:
        if tensor not in kernel.places:
            raise SolverError(
                "is not in the generated code, or not traced there, so nothing is proved of it",
                where=f"tensor {tensor}",
                remedy="hls4ml leaves out quantisers that change nothing: leave them out of the file",
            )


def _nodes(program: Program, kernel: Kernel) -> Iterator[Node]:
    """Nodes in the order of execution, without the quantisers of ports."""
    return (node for node in program.nodes if node.output in kernel.places)


def _integers(program: Program, tensors: Mapping[str, Numbers]) -> dict[str, Sequence[Integer]]:
    return {tensor: numbers.integers(program.exponent(tensor)) for tensor, numbers in tensors.items()}


def _compare(
    solver: Solver,
    tensor: str,
    operator: str,
    expected: Sequence[Integer],
    found: Sequence[Integer],
    values: FixedRange,
) -> TensorProof:
    """That integers are the expected ones, within a range."""
    start, solved, proved = time.monotonic(), 0, 0
    verdict, reason, counterexample = Verdict.PROVED, "", None
    for place, (one, other) in enumerate(zip(expected, found, strict=True)):
        answer, what = solver.equal(one, other), "equal"
        solved += not answer.by_normal_form
        if answer.verdict is Verdict.PROVED:
            answer, what = solver.within(one, values.low, values.high), "within its range"
        if answer.verdict is not Verdict.PROVED:
            verdict, reason = (
                worse(verdict, answer),
                reason or f"element {place}, {what}: {answer.reason or 'differs'}",
            )
            counterexample = counterexample or answer.counterexample
        if verdict is not Verdict.PROVED:
            break
        proved += 1
    seconds = time.monotonic() - start
    return TensorProof(tensor, operator, len(found), verdict, proved, solved, seconds, reason, counterexample)


def worse(verdict: Verdict, answer: Answer) -> Verdict:
    """What is known of a tensor, after another element that is not proved."""
    return Verdict.REFUTED if Verdict.REFUTED in (verdict, answer.verdict) else Verdict.UNPROVED


def _duties(solver: Solver, duties: Sequence[Duty]) -> TensorProof:
    """That signed arithmetic of C++ does not overflow and that no place lies outside of its table."""
    start = time.monotonic()
    verdict, reason, proved = Verdict.PROVED, "", 0
    for duty in duties:
        answer = solver.within(duty.result * duty.condition, duty.low, duty.high)
        if answer.verdict is not Verdict.PROVED:
            verdict, reason = Verdict.UNPROVED, f"{duty.where}: {answer.reason or 'out of bounds'}"
            break
        proved += 1
    seconds = time.monotonic() - start
    return TensorProof(DUTIES, "C++", len(duties), verdict, proved, len(duties), seconds, reason)
