"""What no Verilog can be written of is refused by name; equal masks are one."""

from __future__ import annotations

import copy
import os
import re

import numpy as np
import pytest
from onnx import TensorProto, helper
from random_networks import random_description, random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import RtlError
from nanopelican_hls.rtl.project import generate_rtl, read_rtl
from nanopelican_hls.rtl.supported import RESERVED
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.export import build_program

NETWORK = NetworkConfig(3, 1)


@pytest.fixture(scope="module")
def program():
    return build_program(random_description(NETWORK))


def renamed(program, old, new):
    model = copy.deepcopy(program.model)
    for node in model.graph.node:
        for tensors in (node.input, node.output):
            tensors[:] = [new if tensor == old else tensor for tensor in tensors]
    for value in (*model.graph.output, *model.graph.value_info):
        value.name = new if value.name == old else value.name
    return Program.parse(model)


def with_mask_of(program, tensor):
    model = copy.deepcopy(program.model)
    at = next(k for k, node in enumerate(model.graph.node) if node.op_type == "ParticleMask")
    mask = copy.deepcopy(model.graph.node[at])
    mask.name, mask.output[0], mask.input[0] = "another", "mask_too", tensor or mask.input[0]
    model.graph.node.insert(at + 1, mask)
    next(node for node in model.graph.node if node.op_type == "ParticleSum").input[1] = "mask_too"
    return Program.parse(model)


@pytest.mark.parametrize("tensor", ["q_plus", "d", "pair", "logit"])
@pytest.mark.parametrize(
    "name", ["/layer.0/d", "1d", "wire", "Output", "signal", "ψ", "clk", "a b", "rst", "valid", "Busy"]
)
def test_names(program, tensor, name, tmp_path):
    with pytest.raises(RtlError, match=f"^tensor {re.escape(repr(name))}: is no name of Verilog") as caught:
        generate_rtl(renamed(program, tensor, name), tmp_path / "rtl")
    assert "GiveReadableTensorNames" in caught.value.remedy
    assert not (tmp_path / "rtl").exists()


def test_our_own_names_are_allowed(program):
    assert not RESERVED & set(program.shapes)


def test_output_that_is_the_tensor_of_a_port(program, tmp_path):
    model = copy.deepcopy(program.model)
    model.graph.output.append(helper.make_tensor_value_info("q_plus", TensorProto.FLOAT, [1, 3]))
    with pytest.raises(RtlError, match="output 'q_plus': is the tensor of a port"):
        generate_rtl(Program.parse(model), tmp_path / "rtl")


def test_two_masks(program, tmp_path):
    with pytest.raises(RtlError, match="tensor 'mask_too': is a second mask, besides 'mask'"):
        generate_rtl(with_mask_of(program, "q_minus"), tmp_path / "rtl")


def test_equal_masks_are_one(program, tmp_path):
    found = with_mask_of(program, None)
    assert generate_rtl(found, tmp_path / "rtl").path.is_dir()
    jets = random_ports(NETWORK, 50)
    np.testing.assert_array_equal(execute(found, jets)["logit"], execute(program, jets)["logit"])


def test_the_current_folder_is_not_replaced(program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in (".", tmp_path, tmp_path.parent):
        with pytest.raises(RtlError, match="is the current folder or contains it"):
            generate_rtl(program, folder)


@pytest.mark.parametrize("exists", [True, False])
def test_a_symbolic_link_is_followed(program, tmp_path, exists):
    if exists:
        (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for _ in range(2):
        generate_rtl(program, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert read_rtl(tmp_path / "real").top == "nanopelican"


def test_a_folder_that_is_not_utf_8(program, tmp_path):
    with pytest.raises(RtlError, match="has a name that is not UTF-8"):
        generate_rtl(program, os.fsdecode(bytes(tmp_path) + b"/caf\xe9"))
