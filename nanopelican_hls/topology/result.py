"""What goes out: the logit, or a probability, and the decision at a threshold (docs/result.md).

These steps follow the trained network, so they can be added to a QONNX file that has none of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
import onnx
from numpy.typing import NDArray

from nanopelican_hls.contract.functions import attach_functions
from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import ConfigError
from nanopelican_hls.fixed_point import FixedRange, Quantiser
from nanopelican_hls.operators.decision import Decision
from nanopelican_hls.operators.score import Score
from nanopelican_hls.topology.dataflow import Step
from nanopelican_hls.topology.export import GraphBuilder

#: the type of scores in the CMS Level-1 trigger, ap_ufixed<8,1>: steps of 1/128, 1 included
SCORE = Quantiser(8, signed=False, exponent=-7)
#: the table's step is 2^-5 where the logit has one as fine: no score but 0 and 1 is then skipped
FRACTION_BITS = 5
#: the table ends where all scores are 0 or 1: 1 / (1 + exp(-8)) is 1 - 0.043 / 128
REACH = 8


class Output(str, Enum):
    """The number that goes out."""

    LOGIT = "logit"
    SCORE = "score"  #: the probability of the signal, `SCORE`, from a table over the logit


@dataclass(frozen=True)
class Result:
    """What the firmware puts out.

    Parameters
    ----------
    output : Output
        A score takes the place of the logit.
    threshold : float, optional
        Of the logit, at any output. If given, there is a second output, ``accept``: 1 for jets that reach it.
    """

    output: Output = Output.LOGIT
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise ConfigError(
                f"must be finite, not {self.threshold}", where="threshold", remedy="give a logit, such as 1.5"
            )

    def steps(self, tensor: str, logit: FixedRange) -> list[Step]:
        """The operator calls that follow the logit, a tensor in this range.

        Raises
        ------
        ConfigError
            If all jets reach the threshold, or none.
        """
        steps = []
        if self.output is Output.SCORE:
            fraction_bits, table = score_table(logit)
            step = Step("score", Score(fraction_bits), (tensor, "score_table"), {"score_table": table})
            steps.append(step)
        if self.threshold is not None:
            value = {"accept_threshold": np.array([threshold_code(self.threshold, logit) * 2.0**logit.exponent])}
            steps.append(Step("accept", Decision(), (tensor, "accept_threshold"), value))
        return steps

    def outputs(self, tensor: str) -> tuple[str, ...]:
        """Names of the outputs of the graph, given that of the logit."""
        number = tensor if self.output is Output.LOGIT else "score"
        return (number,) if self.threshold is None else (number, "accept")


#: only the logit
PLAIN = Result()
#: quantised tensors of `Result.steps`
RESULT_QUANTISERS = {"score": SCORE}


def score_table(logit: FixedRange) -> tuple[int, NDArray[np.float64]]:
    """Fractional bits of the logit that pick an entry, and the table: 1 / (1 + exp(-logit)) on the grid of `SCORE`.

    An entry is that of the mean of the logits that share it.
    """
    fraction_bits = min(FRACTION_BITS, max(0, -logit.exponent))
    step, grid = 2.0**-fraction_bits, 2.0**logit.exponent
    # of both signs, as far as the logit goes
    largest = max(-logit.low, logit.high + 1) * grid
    half = 1 << max(0, math.ceil(math.log2(min(largest, REACH) / step)))
    mean = np.arange(-half, half) * step + max(0.0, step - grid) / 2
    return fraction_bits, SCORE(1 / (1 + np.exp(-mean)))


def threshold_code(threshold: float, logit: FixedRange) -> int:
    """The least integer on the logit's grid that reaches a threshold.

    Raises
    ------
    ConfigError
        If all integers of the range reach it, or none does.
    """
    code = math.ceil(math.ldexp(threshold, -logit.exponent))
    if not logit.low < code <= logit.high:
        low, high = (math.ldexp(bound, logit.exponent) for bound in (logit.low, logit.high))
        raise ConfigError(
            f"{threshold:g} decides nothing: logits are {low:g} to {high:g}",
            where="threshold",
            remedy=f"give a logit above {low:g}, up to {high:g}",
        )
    return code


def with_result(program: Program, result: Result) -> Program:
    """A program whose result is as asked, from one that puts out a logit.

    Parameters
    ----------
    program : Program
        With one output of one element.
    result : Result

    Raises
    ------
    ConfigError
        If the program has another number of outputs or elements, or the threshold decides nothing.
    ContractError
        If it has tensors with the names of the new ones.
    """
    if result == PLAIN:
        return program
    if len(program.outputs) != 1 or program.outputs[0].elements != 1:
        raise ConfigError(
            f"a score and a threshold are for one logit, but the outputs are "
            f"{', '.join(port.name for port in program.outputs)}",
            where="firmware.output" if result.output is Output.SCORE else "firmware.threshold",
            remedy="leave it out, or use a network of signal against background",
        )
    tensor = program.outputs[0].tensor
    builder = GraphBuilder(RESULT_QUANTISERS, {tensor: (1, 1)})
    for step in result.steps(tensor, program.ranges[tensor]):
        builder.add_step(step)
    model = onnx.ModelProto()
    model.CopyFrom(program.model)
    found = {value.name: value for value in (*model.graph.output, *builder.values)}
    outputs = [found.pop(name) for name in result.outputs(tensor)]
    del model.graph.output[:], model.functions[:]
    model.graph.node.extend(builder.nodes)
    model.graph.initializer.extend(builder.initialisers)
    model.graph.output.extend(outputs)
    model.graph.value_info.extend(found.values())
    attach_functions(model)
    return Program.parse(model)
