"""``nanopelican check``: the pre-flight check of QONNX files, and the tensors of those that pass."""

from __future__ import annotations

import argparse
from typing import Any

from nanopelican_hls import zoo


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "check",
        help="check QONNX files against the contract, and list their tensors",
        description="Check QONNX files against the contract (docs/contract.md). List the tensors of files inside it; "
        "otherwise name the node, the cause and the remedy.",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="QONNX file, or name of a model of the zoo, such as trigger-n16"
    )


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if every file satisfies the contract; the first that does not raises an error."""
    from nanopelican_hls.contract.program import read_program
    from nanopelican_hls.errors import ContractError

    for source in args.files:
        program = read_program(zoo.find(source, ".onnx", ContractError))
        print(f"{source}: inside the contract, {len(program.inputs)} ports, {len(program.nodes)} nodes")
        print(f"  {'tensor':<20} {'shape':<12} {'bits':>4} {'signed':<6} {'grid':<6} quantiser")
        for tensor, values in program.ranges.items():
            quantiser = program.quantisers.get(tensor)
            shape = " x ".join(map(str, program.shapes[tensor]))
            rounding = quantiser.rounding.value if quantiser else "exact"
            signed = "yes" if values.signed else "no"
            print(f"  {tensor:<20} {shape:<12} {values.bits:>4} {signed:<6} 2^{values.exponent:<4} {rounding}")
    return 0
