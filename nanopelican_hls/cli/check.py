"""``nanopelican check``: the pre-flight check of QONNX files, and the tensors of those that pass."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from nanopelican_hls import zoo
from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.output import Table, emit

if TYPE_CHECKING:
    from nanopelican_hls.contract.program import Program


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

    found = []
    for source in args.files:
        program = read_program(zoo.find(source, ".onnx", ContractError))
        caption = f"{source}: inside the contract, {len(program.inputs)} ports, {len(program.nodes)} nodes"
        table = Table("tensor", "shape", ">bits", "signed", "grid", "quantiser", caption=caption)
        rows = _tensors(program)
        for row in rows:
            signed = "yes" if row["signed"] else "no"
            table.add(
                row["tensor"],
                " x ".join(map(str, row["shape"])),
                row["bits"],
                signed,
                f"2^{row['exponent']}",
                row["quantiser"],
            )
        table.show()
        found.append(
            {
                "file": source,
                "ports": [port.name for port in (*program.inputs, *program.outputs)],
                "nodes": len(program.nodes),
                "tensors": rows,
            }
        )
    emit(args, {"files": found})
    return ExitStatus.OK


def _tensors(program: Program) -> list[dict[str, Any]]:
    return [
        {
            "tensor": tensor,
            "shape": list(program.shapes[tensor]),
            "bits": values.bits,
            "signed": values.signed,
            "exponent": values.exponent,
            "quantiser": program.quantisers[tensor].rounding.value if tensor in program.quantisers else "exact",
        }
        for tensor, values in program.ranges.items()
    ]
