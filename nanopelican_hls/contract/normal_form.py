"""The normal form of a file: what other tools may have changed is undone before anything reads or executes the graph.

What has no normal form is refused by name. The parser sees only the result of `prepare`, and every executor only the
result of `complete`: so a file is executed exactly as it was parsed (docs/contract.md, "With other QONNX tools").
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from nanopelican_hls.contract import protobuf
from nanopelican_hls.contract.functions import attach_functions
from nanopelican_hls.contract.port import Shape
from nanopelican_hls.contract.quant import QUANT_DEFAULTS, QUANT_DOMAIN, QUANT_DOMAINS
from nanopelican_hls.errors import ContractError
from nanopelican_hls.operators import DOMAIN
from nanopelican_hls.operators._onnx_body import OPSET

logger = logging.getLogger(__name__)

STANDARD_DOMAINS = ("", "ai.onnx")
#: the first with function overloads
IR_VERSION = 10


def prepare(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy in the normal form that needs no shapes: domains, versions, names, constants, and only needed nodes.

    Raises
    ------
    ContractError
        If a constant has no normal form: stored elsewhere, sparse, or of a type that float32 does not hold.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    _check_text(result.graph)
    _check_loaded(result.graph)
    _use_one_domain(result)
    _fold_constants(result.graph)
    _merge_masks(result.graph)
    _drop_dead_nodes(result.graph)
    _name_nodes(result.graph.node)
    _give_defaults(result.graph.node)
    _use_float32(result.graph)
    return result


def complete(model: onnx.ModelProto, shapes: Mapping[str, Shape], constants: Mapping[str, Shape]) -> None:
    """Declare every tensor with its shape and type, and give every node its function body; in place.

    Parameters
    ----------
    model : onnx.ModelProto
        From `prepare`, checked.
    shapes : mapping of str to tuple of int
        Of every activation, ports included, without the batch axis.
    constants : mapping of str to tuple of int
        Of every parameter that a ``Quant`` computes.
    """
    graph = model.graph
    types = _types(graph)
    outer = {value.name for value in (*graph.input, *graph.output)}
    batch = onnx.TensorShapeProto.Dimension()
    batch.CopyFrom(next(iter(graph.input)).type.tensor_type.shape.dim[0])
    declared: dict[str, onnx.ValueInfoProto] = {}
    for value in graph.value_info:  # in their order, so that our own files stay as they are
        if value.name in types and value.name not in outer:
            declared.setdefault(value.name, value)
    for tensor in types:
        if tensor not in outer:
            declared.setdefault(tensor, onnx.ValueInfoProto(name=tensor))
    values = list(declared.values())
    for value in (*graph.input, *values, *graph.output):
        tensor = value.type.tensor_type
        tensor.elem_type = types.get(value.name, tensor.elem_type)
        if value.name in (*shapes, *constants):
            # also of a parameter that is declared with another shape, from which its function body would be made
            del tensor.shape.dim[:]
            if value.name in shapes:
                tensor.shape.dim.add().CopyFrom(batch)
            for length in shapes.get(value.name, constants.get(value.name, ())):
                tensor.shape.dim.add().dim_value = length
    values = [onnx.ValueInfoProto.FromString(value.SerializeToString()) for value in values]
    del graph.value_info[:]
    graph.value_info.extend(values)
    others = [f for f in model.functions if f.domain not in (DOMAIN, *QUANT_DOMAINS)]
    del model.functions[:]
    model.functions.extend(others)
    attach_functions(model)


def _check_text(graph: onnx.GraphProto) -> None:
    """Names are text; of a damaged file, protobuf returns bytes."""
    of_nodes = (t for n in graph.node for t in (n.name, n.op_type, n.domain, *n.input, *n.output))
    values = (*graph.input, *graph.output, *graph.value_info, *graph.initializer)
    for name in (*of_nodes, *(value.name for value in values)):
        if not isinstance(name, str):
            raise ContractError("is not UTF-8", where=f"name {name!r}", remedy="export the model again")


def _check_loaded(graph: onnx.GraphProto) -> None:
    for initialiser in graph.initializer:
        if initialiser.data_location == TensorProto.EXTERNAL:
            raise ContractError(
                "is stored in another file, which is not loaded",
                where=f"initialiser {initialiser.name!r}",
                remedy="load it with read_program, or with onnx.load, next to that file",
            )
    for sparse in graph.sparse_initializer:
        raise ContractError(
            "is sparse", where=f"initialiser {sparse.values.name!r}", remedy="store it as an ordinary initialiser"
        )


def _use_one_domain(model: onnx.ModelProto) -> None:
    """One name for each domain, and the version of ONNX in which the bodies are written.

    Of the standard operators a file has only ``Relu``, which is the same in all versions.
    """
    for node in model.graph.node:
        if node.domain in STANDARD_DOMAINS:
            node.ClearField("domain")
        elif node.op_type == "Quant" and node.domain in QUANT_DOMAINS:
            node.domain = QUANT_DOMAIN
    used = {"", *(node.domain for node in model.graph.node)}
    versions = {"": OPSET, QUANT_DOMAIN: 1}
    found = {i.domain: i.version for i in model.opset_import if i.domain in used and i.domain not in versions}
    versions = {domain: version for domain, version in versions.items() if domain in used} | found
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid(domain, version) for domain, version in versions.items())
    model.ir_version = IR_VERSION


_CONSTANTS = {
    "value_float": np.float32,
    "value_floats": np.float32,
    "value_int": np.int64,
    "value_ints": np.int64,
}


def _fold_constants(graph: onnx.GraphProto) -> None:
    """``Constant`` nodes become initialisers."""
    kept = []
    for node in graph.node:
        if node.op_type != "Constant" or node.domain:
            kept.append(node)
            continue
        given = protobuf.attributes(node)
        name = next(iter(given), "")
        is_tensor = name in _CONSTANTS or (name == "value" and isinstance(given[name], TensorProto))
        if len(given) != 1 or len(node.output) != 1 or not is_tensor:
            raise ContractError(
                f"is a Constant with {', '.join(given) or 'no value'}",
                where=protobuf.where(node),
                remedy="store it as an initialiser",
            )
        if name == "value":
            initialiser = graph.initializer.add()
            initialiser.CopyFrom(given[name])
            initialiser.name = node.output[0]
        else:
            value = np.asarray(given[name], dtype=_CONSTANTS[name])
            graph.initializer.append(numpy_helper.from_array(value, node.output[0]))
    _replace(graph.node, kept)
    _check_loaded(graph)


def _merge_masks(graph: onnx.GraphProto) -> None:
    """One mask where several nodes compute the same, since the firmware masks at one place."""
    outputs = {value.name for value in graph.output}
    first: dict[str, str] = {}
    renamed: dict[str, str] = {}
    for node in graph.node:
        if node.op_type == "ParticleMask" and node.domain == DOMAIN and len(node.output) == 1:
            key = repr((list(node.input), sorted(protobuf.attributes(node).items())))
            kept = first.setdefault(key, node.output[0])
            if kept != node.output[0] and node.output[0] not in outputs:
                renamed[node.output[0]] = kept
    for node in graph.node:
        for k, tensor in enumerate(node.input):
            if tensor in renamed:
                node.input[k] = renamed[tensor]


def _drop_dead_nodes(graph: onnx.GraphProto) -> None:
    """Leave out nodes whose result nobody needs; the quantiser of a port stays, since it types the port."""
    ports = {value.name for value in graph.input}
    needed = {value.name for value in graph.output}
    waiting, kept = list(graph.node), list[onnx.NodeProto]()
    if not needed:
        return
    found = waiting
    while found:  # the graph may be unsorted
        found = [node for node in waiting if _types_port(node, ports) or needed.intersection(node.output)]
        kept += found
        waiting = [node for node in waiting if not any(node is other for other in found)]
        needed.update(tensor for node in found for tensor in node.input)
    for node in waiting:
        logger.warning("%s: nothing needs its result; left out", protobuf.where(node))
    _replace(graph.node, [node for node in graph.node if any(node is other for other in kept)])


def _types_port(node: onnx.NodeProto, ports: set[str]) -> bool:
    return node.op_type == "Quant" and node.domain == QUANT_DOMAIN and len(node.input) > 0 and node.input[0] in ports


def _name_nodes(nodes: Sequence[onnx.NodeProto]) -> None:
    """A name of its own for every node, since function bodies are found by it: that of its output, if it has none."""
    taken = Counter(node.name for node in nodes)
    for node in nodes:
        if node.output and (not node.name or taken[node.name] > 1):
            name = node.output[0]
            while taken[name]:
                name += "_"
            taken[name] += 1
            node.name = name


def _give_defaults(nodes: Sequence[onnx.NodeProto]) -> None:
    """The attributes of ``Quant``, whose defaults a function body does not know."""
    for node in nodes:
        if node.op_type == "Quant" and node.domain == QUANT_DOMAIN:
            given = protobuf.attributes(node)
            missing = {name: default for name, default in QUANT_DEFAULTS.items() if name not in given}
            node.attribute.extend(helper.make_attribute(name, default) for name, default in missing.items())


def _use_float32(graph: onnx.GraphProto) -> None:
    """Constants in float32 where it holds them: qonnx computes in the type it finds, and 2**(b - 1) overflows int8.

    Others are float64, and the parser refuses them as settings of a ``Quant``.
    """
    for initialiser in graph.initializer:
        if initialiser.data_type == TensorProto.FLOAT:
            continue
        try:
            value = protobuf.initialiser_value(initialiser, "constant", "graph")
        except ContractError:
            continue  # the parser says which input of which node it is
        with np.errstate(over="ignore", under="ignore"):
            narrow = value.astype(np.float32)
        exact = narrow if np.array_equal(narrow, value) else value
        initialiser.CopyFrom(numpy_helper.from_array(exact, initialiser.name))


def _types(graph: onnx.GraphProto) -> dict[str, int]:
    """The type of every tensor but initialisers: ``Quant`` returns float32, everything else is float64."""
    types = {value.name: int(TensorProto.DOUBLE) for value in graph.input}
    for node in graph.node:
        if node.domain == QUANT_DOMAIN:
            kind = int(TensorProto.FLOAT)
        elif node.domain == DOMAIN:
            kind = int(TensorProto.DOUBLE)
        else:
            kind = types[node.input[0]]
        types[node.output[0]] = kind
    return types


def _replace(nodes: object, kept: Iterable[onnx.NodeProto]) -> None:
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in kept]
    del nodes[:]  # type: ignore[attr-defined]
    nodes.extend(copies)  # type: ignore[attr-defined]
