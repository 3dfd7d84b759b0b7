"""C++ that runs the firmware: test bench and batch bridge of a project, generated from its manifest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from nanopelican_hls.hls.layers import layer_name
from nanopelican_hls.hls.templates import render

Manifest = Mapping[str, Any]


def batch_bridge(model: Any, manifest: Manifest) -> str:
    """C++ source that runs many events in one call from Python."""
    places = _places(manifest["tensors"])
    outputs = _places({name: output["shape"] for name, output in manifest["outputs"].items()})
    ports = manifest["ports"].values()
    traced = [tensor for tensor in places if tensor not in {port["tensor"] for port in ports}]
    return render(
        "batch_bridge.cpp",
        **_common(model),
        # without tracing there are no layers, but an array may not be empty
        layers=",\n".join(f'    {{"{layer_name(t)}", {places[t]}}}' for t in traced) or "    {NULL, 0}",
        n_layers=str(len(traced)),
        row=str(_elements(manifest["tensors"].values())),
        outputs_row=_outputs_row(manifest),
        read_ports=_lines("read_port(ports, {variable});", ports),
        trace_ports=_lines(
            "    save_port({variable}, row + {place});", ({**port, "place": places[port["tensor"]]} for port in ports)
        ),
        save_outputs=_lines(
            "    save_port({variable}, row + {place});",
            ({**output, "place": outputs[name]} for name, output in manifest["outputs"].items()),
        ),
    )


def proof_kernel(model: Any, manifest: Manifest) -> str:
    """C++ source of the top function on integers, cut at every layer, for the proof for all inputs."""
    ports = _places({port["variable"]: port["shape"] for port in manifest["ports"].values()})
    results = _places({output["variable"]: output["shape"] for output in manifest["outputs"].values()})
    return render(
        "proof_kernel.cpp",
        **_common(model),
        ports=str(_elements(port["shape"] for port in manifest["ports"].values())),
        tensors=str(_elements(manifest["tensors"].values())),
        results=_outputs_row(manifest),
        read_ports="\n".join(f"    read_port({place}, {variable});" for variable, place in ports.items()),
        take_results="\n".join(f"    take_result({place}, {variable});" for variable, place in results.items()),
    )


def test_bench(model: Any, manifest: Manifest) -> str:
    """C++ source of the test bench, which compares outputs with an event file, as integers."""
    places = _places({name: output["shape"] for name, output in manifest["outputs"].items()})
    outputs = [{**output, "place": places[name]} for name, output in manifest["outputs"].items()]
    return render(
        "testbench.cpp",
        **_common(model),
        header=events_header(manifest),
        outputs_row=_outputs_row(manifest),
        read_ports=_lines("read_port(line, {variable});", manifest["ports"].values()),
        read_expected=_lines("read_expected(line, {variable}, expected + {place});", outputs),
        check_outputs=_lines(
            'differs |= check(event, "{tensor}", {variable}, expected + {place}, mismatches);', outputs
        ),
    )


def events_header(manifest: Manifest) -> str:
    """First line of an event file: name, number of integers and grid of each group of columns."""
    groups = {port["variable"]: port for port in manifest["ports"].values()}
    groups |= {layer_name(output["tensor"]): output for output in manifest["outputs"].values()}
    return " ".join(f"{name}[{math.prod(g['shape'])}]*2^{g['exponent']}" for name, g in groups.items())


def _common(model: Any) -> dict[str, str]:
    """Placeholders of both templates."""
    variables = [*model.get_input_variables(), *model.get_output_variables()]
    namespace = model.config.get_writer_config().get("Namespace")
    return {
        "project": model.config.get_project_name(),
        "using_namespace": f"using namespace {namespace};" if namespace else "",
        "variables": "\n".join(f"    {v.definition_cpp()};" for v in variables),
        "arguments": ", ".join(v.name for v in variables),
    }


def _lines(statement: str, ports: Iterable[Mapping[str, Any]]) -> str:
    """A statement of the event loop for each port."""
    return "\n".join("        " + statement.format(**port) for port in ports)


def _elements(shapes: Iterable[Iterable[int]]) -> int:
    return sum(math.prod(shape) for shape in shapes)


def _outputs_row(manifest: Manifest) -> str:
    return str(_elements(output["shape"] for output in manifest["outputs"].values()))


def _places(shapes: Mapping[str, Iterable[int]]) -> dict[str, int]:
    """Offset of each tensor in a row that holds all of them."""
    places, width = {}, 0
    for name, shape in shapes.items():
        places[name] = width
        width += math.prod(shape)
    return places
