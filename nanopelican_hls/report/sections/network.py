"""What the model is: the network as a drawing, its ports, and the formula with its numbers."""

from __future__ import annotations

from collections.abc import Mapping

from nanopelican_hls.analysis.formula import Formula, parameter_count, parameter_rows, text
from nanopelican_hls.config import to_mapping
from nanopelican_hls.contract.port import Port
from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.errors import NetworkError
from nanopelican_hls.operators.quant import Quant
from nanopelican_hls.operators.relu import Relu
from nanopelican_hls.report.content import (
    Arrow,
    Block,
    Box,
    Code,
    Column,
    Diagram,
    Paragraph,
    Section,
    Table,
)
from nanopelican_hls.report.subject import Subject
from nanopelican_hls.report.tensors import type_name

#: what the operators do, in a line
MEANINGS = {
    "AngleDifference": "angles to the jet axis",
    "JetFromL1": "the jet's components",
    "LightConeFromL1": "words to components",
    "MultiplicityBin": "bin of the number",
    "PairMix": "z_ij = c1 d_ij + u_i + v_j",
    "PairSum": "sum over pairs",
    "PairwiseDot": "d_ij = p_i · p_j",
    "ParticleMask": "which places are filled",
    "ParticleMix": "c3 r_i + c5 S + b",
    "ParticleSum": "sum over particles",
    "Readout": "w = k · sums + b0",
    "RestMomentum": "jet minus constituents",
    "RowSums": "r_i = sum_j d_ij",
    "SpurionDot": "products with the spurion",
    "SpurionSum": "sum over its pairs",
    "TotalSum": "S = sum_ij d_ij",
}


def section(subject: Subject) -> Section:
    blocks: list[Block] = [
        _settings(subject),
        _ports(subject),
        _diagram(subject),
        _tensors(subject),
        *_formula(subject),
    ]
    return Section("network", "The network", "What is this model, and what does it compute?", tuple(blocks))


def _settings(subject: Subject) -> Table:
    network = subject.config.network
    count = parameter_count(subject.model.float_network)
    rows: list[tuple[str, str]] = [
        (key, ", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for key, value in to_mapping(network).items()
        if value not in ([], None)
    ]
    rows += [
        ("particles, spurions included", str(network.particles)),
        ("parameters", f"{count.nominal} nominal, {count.effective} effective as the paper counts"),
        ("independent parameters", str(count.independent)),
    ]
    return Table(
        "settings",
        "Form of the network (docs/configuration.md)",
        (Column("setting"), Column("value")),
        tuple(rows),
        subject.check_command,
        folded=True,
    )


def _ports(subject: Subject) -> Table:
    program = subject.program
    rows = [
        (
            port.name.removesuffix("_in"),
            direction,
            port.elements,
            type_name(program, port.tensor),
            port.bits,
            port.exponent,
            port.width,
            f"[{port.bits - 1}:0] … [{port.width - 1}:{port.width - port.bits}]"
            if port.elements > 1
            else (f"[{port.bits - 1}:0]"),
        )
        for direction, ports in (("in", program.inputs), ("out", program.outputs))
        for port in ports
    ]
    return Table(
        "ports",
        "Ports of the firmware. Each element is an integer of this type, times 2 to the exponent; of the Verilog, the "
        "first element has the lowest bits. docs/rtl.md says how start, valid and early go with them.",
        (
            Column("port"),
            Column("direction"),
            Column("elements"),
            Column("type"),
            Column("bits"),
            Column("exponent"),
            Column("all bits"),
            Column("first and last element"),
        ),
        tuple(rows),
        subject.check_command,
    )


def _diagram(subject: Subject) -> Diagram:
    boxes, arrows = graph(subject.program)
    widest = max(subject.program.nodes, key=lambda node: subject.program.ranges[node.output].bits)
    return Diagram(
        "dataflow",
        "The QONNX graph. A box is an operator, or the ports with the same readers; an arrow is a tensor, with its "
        "number of elements "
        "and its type after the quantiser.",
        f"Graph from {len(subject.program.inputs)} input ports through {len(boxes) - 1} boxes to the logit; the widest "
        f"exact value is {widest.output}, {type_name(subject.program, widest.output)}. The table below has the same "
        "tensors.",
        tuple(boxes),
        tuple(arrows),
        subject.check_command,
    )


def graph(program: Program) -> tuple[list[Box], list[Arrow]]:
    """Boxes and arrows of a program: Relu and Quant belong to the box of the operator before them."""
    nodes = {node.output: node for node in program.nodes}
    owner: dict[str, str] = {}
    inside: dict[str, list[Node]] = {}
    for node in program.nodes:
        source = next(iter(node.activations.values()))
        if isinstance(node.operator, Quant | Relu) and source in owner:
            owner[node.output] = owner[source]
            inside[owner[source]].append(node)
        elif not isinstance(node.operator, Quant):
            owner[node.output] = node.output
            inside[node.output] = [node]
    ports = _port_groups(program, nodes, owner)
    group_of = {port.tensor: name for name, group in ports.items() for port in group}
    boxes = [
        Box(
            name,
            f"{len(group)} ports" if len(group) > 1 else group[0].tensor,
            tuple(f"{port.tensor + ' ' if len(group) > 1 else ''}{_said(program, port.tensor)}" for port in group),
            "port",
        )
        for name, group in ports.items()
    ]
    outputs = {port.tensor for port in program.outputs}
    arrows: dict[tuple[str, str], list[str]] = {}
    for name, own in inside.items():
        last = own[-1].output
        is_output = bool(outputs & {node.output for node in own})
        steps = [each.operator.name for each in own[1:]]
        lines = [MEANINGS.get(own[0].operator.name, ""), *([" → ".join(steps)] if steps else [])]
        if is_output:
            lines.append(_said(program, last))
        boxes.append(
            Box(
                name,
                f"{own[0].operator.name}: {last}",
                tuple(filter(None, lines)),
                "output" if is_output else "operator",
            )
        )
        for tensor in own[0].activations.values():
            if tensor in group_of:
                arrows.setdefault((group_of[tensor], name), [])
            elif tensor in owner:
                arrows.setdefault((owner[tensor], name), []).append(_said(program, tensor))
    return boxes, [Arrow(start, end, ", ".join(dict.fromkeys(texts))) for (start, end), texts in arrows.items()]


def _port_groups(program: Program, nodes: Mapping[str, Node], owner: Mapping[str, str]) -> dict[str, list[Port]]:
    """Ports with the same readers; the mask is read off one of a group and does not split it."""
    readers: dict[tuple[object, ...], list[Port]] = {}
    for port in program.inputs:
        reading = {
            owner[output]
            for output, node in nodes.items()
            if port.tensor in node.activations.values() and node.operator.name != "ParticleMask"
        }
        readers.setdefault((*sorted(reading), port.elements), []).append(port)
    return {f"ports of {group[0].tensor}": group for group in readers.values()}


def _said(program: Program, tensor: str) -> str:
    elements = 1
    for length in program.shapes[tensor]:
        elements *= length
    return f"{elements} x {type_name(program, tensor)}"


def _tensors(subject: Subject) -> Table:
    program = subject.program
    rows = []
    for node in program.nodes:
        of = program.ranges[node.output]
        shape = " x ".join(map(str, program.shapes[node.output]))
        rounding = node.quantiser.rounding.value if node.quantiser else None
        sources = ", ".join(node.activations.values())
        rows.append(
            (node.output, node.operator.name, sources, shape, type_name(program, node.output), of.bits, rounding)
        )
    return Table(
        "tensors",
        "Tensors in order of execution. Without a quantiser, the type is the smallest that holds every value that can "
        "occur.",
        tuple(Column(title) for title in ("tensor", "operator", "from", "shape", "type", "bits", "rounding")),
        tuple(rows),
        subject.check_command,
        folded=True,
    )


def _formula(subject: Subject) -> list[Block]:
    command = subject.on_file("formula", "checkpoint")
    try:
        found = Formula.of(subject.model.float_network)
    except NetworkError as error:
        return [Paragraph(f"The float network is not written as a formula: {error.where} is set, and {error.what}.")]
    head, *rows = parameter_rows([found], digits=4)
    return [
        Code(f"The float network as a formula, by `{command}`", text(found, digits=4).rstrip()),
        Table(
            "parameters",
            "Parameters of the formula (docs/formula.md)",
            tuple(Column(title) for title in head),
            tuple(
                (f"{name} {channel}".strip(), channel, _number(canonical), _number(value), unit)
                for name, channel, canonical, value, unit in rows
            ),
            command,
            folded=True,
        ),
    ]


def _number(written: str) -> float | str:
    try:
        return float(written)
    except ValueError:
        return written
