"""QONNX files: fields of the protobuf changed, lost, doubled and moved, and bytes damaged."""

from __future__ import annotations

import functools
import zlib
from pathlib import Path

import numpy as np
import onnx
from hypothesis import strategies as st
from random_networks import NETWORKS, random_description

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.contract.program import Program, read_program
from nanopelican_hls.topology.export import build_program

from .mutations import EDGE, NAMES, NUMBERS, damaged

FILE = "model.onnx"
MODELS = [network for k, network in enumerate(NETWORKS) if k % 3 == 0 or network.level1]
EVENTS = 3


@functools.cache
def model(k: int) -> onnx.ModelProto:
    return build_program(random_description(MODELS[k])).model


@st.composite
def cases(draw):
    result = onnx.ModelProto()
    result.CopyFrom(model(draw(st.integers(0, len(MODELS) - 1))))
    if draw(st.booleans()):
        del result.functions[:]  # fewer fields that nothing reads
    for _ in range(draw(st.integers(0, 4))):
        _change(draw, result)
    content = result.SerializeToString()
    if draw(st.integers(0, 3)) == 0:
        content = draw(damaged(content))
    return {FILE: content}


def _change(draw, result: onnx.ModelProto) -> None:
    """Change one field, chosen level by level, so that single nodes are as likely as all weights together."""
    message = result
    while True:
        fields = [field for field, _ in message.ListFields()]
        field = draw(st.sampled_from(fields or list(message.DESCRIPTOR.fields)))
        if field.message_type is None or draw(st.integers(0, 7)) == 0:
            break
        values = getattr(message, field.name)
        if not field.is_repeated:
            message = values
        elif len(values):
            message = values[draw(st.integers(0, len(values) - 1))]
        else:
            break
    if draw(st.integers(0, 9)) == 0:
        field = draw(st.sampled_from(list(message.DESCRIPTOR.fields)))  # also one that is not set
    values = getattr(message, field.name)
    match draw(st.sampled_from(["value", "value", "value", "lost", "doubled", "swapped"])):
        case "lost":
            if field.is_repeated and len(values):
                del values[draw(st.integers(0, len(values) - 1))]
            else:
                message.ClearField(field.name)
        case "doubled" if field.is_repeated and len(values):
            one = values[draw(st.integers(0, len(values) - 1))]
            values.extend([one] * draw(st.sampled_from([1, 1, 2, 1000])))
        case "swapped" if field.is_repeated and len(values) > 1:
            order = draw(st.permutations(range(min(len(values), 20))))
            chosen = [values[k] for k in order]
            chosen = [type(one).FromString(one.SerializeToString()) if field.message_type else one for one in chosen]
            del values[: len(chosen)]
            values.extend(chosen)
        case _ if field.message_type is None:
            value = draw(_values(field, result))
            if not field.is_repeated:
                setattr(message, field.name, value)
            elif len(values):
                values[draw(st.integers(0, len(values) - 1))] = value
            else:
                values.append(value)


def _values(field, result: onnx.ModelProto):
    """Values of a field; names are those of other tensors and operators too, and integers those at the edges."""
    graph = result.graph
    if field.enum_type is not None:
        return st.sampled_from([value.number for value in field.enum_type.values])
    if field.cpp_type == field.CPPTYPE_STRING and field.type == field.TYPE_STRING:
        known = {t for node in graph.node for t in (*node.input, *node.output, node.op_type, node.domain, node.name)}
        known |= {i.name for i in graph.initializer}
        return st.one_of(st.sampled_from(sorted(known) or [""]), NAMES)
    if field.type == field.TYPE_BYTES:
        return st.one_of(
            st.binary(max_size=16),
            st.sampled_from([b"ROUND", b"FLOOR", b"CEIL", b"cartesian", b"light_cone", b"beams", b"jet", b"\xff"]),
            NUMBERS.map(lambda x: np.float64(x).tobytes()),
        )
    if field.cpp_type in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE):
        return NUMBERS.map(lambda x: float(np.clip(x, -3e38, 3e38)) if np.isfinite(x) else x)
    bits = 32 if field.cpp_type in (field.CPPTYPE_INT32, field.CPPTYPE_UINT32) else 64
    low = 0 if field.cpp_type in (field.CPPTYPE_UINT32, field.CPPTYPE_UINT64) else -(2 ** (bits - 1))
    high = 2**bits - 1 if low == 0 else 2 ** (bits - 1) - 1
    return st.one_of(st.integers(0, 30), EDGE).map(lambda n: min(max(n, low), high))


def read(folder: Path) -> None:
    """What passes is the same again when it is saved; every fourth is executed, within its ranges."""
    program = read_program(folder / FILE)
    again = Program.parse(onnx.ModelProto.FromString(program.model.SerializeToString(deterministic=True)))
    assert again.nodes == program.nodes, "the file that is written is another program"
    if zlib.crc32((folder / FILE).read_bytes()) % 4:
        return
    rng = np.random.default_rng(0)
    ports = {
        port.name: np.ldexp(rng.integers(port.range.low, port.range.high + 1, (EVENTS, *port.shape)), port.exponent)
        for port in program.inputs
    }
    for name, values in execute(program, ports).items():
        bounds = program.ranges[name]
        integers = np.ldexp(values, -bounds.exponent)
        assert np.array_equal(integers, np.rint(integers)), f"{name} is off its grid"
        assert bounds.low <= integers.min() <= integers.max() <= bounds.high, f"{name} leaves its range"
