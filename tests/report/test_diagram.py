"""The drawing of a network."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import combinations

import pytest

from nanopelican_hls import zoo
from nanopelican_hls.contract.program import read_program
from nanopelican_hls.report.content import Diagram
from nanopelican_hls.report.diagram import draw
from nanopelican_hls.report.sections.network import graph


@pytest.mark.parametrize("name", ["trigger-n16", "trigger-n8-l1", "trigger-n16-5c", "paper-n16-c2"])
class TestZoo:
    def drawing(self, name):
        program = read_program(zoo.file_of(name, ".onnx"))
        boxes, arrows = graph(program)
        return program, boxes, arrows, draw(Diagram("dataflow", "<caption>", "alt", tuple(boxes), tuple(arrows), ""))

    def test_every_port_and_operator_is_there_once(self, name):
        program, boxes, _, svg = self.drawing(name)
        for port in program.inputs:
            assert svg.count(f">{port.tensor}") == 1 or f">{port.tensor} " in svg
        own = [node for node in program.nodes if node.operator.name not in ("Quant", "Relu")]
        assert len([box for box in boxes if box.role != "port"]) == len(own)
        assert len([box for box in boxes if box.role == "output"]) == len(program.outputs)

    def test_arrows_carry_types(self, name):
        _, boxes, arrows, _ = self.drawing(name)
        ports = {box.name for box in boxes if box.role == "port"}
        for arrow in arrows:
            assert arrow.start in ports or re.fullmatch(r"(\d+ x ap_u?fixed<\d+, -?\d+>(, )?)+", arrow.text)
        assert {arrow.start for arrow in arrows} | {box.name for box in boxes if box.role == "output"} == {
            box.name for box in boxes
        }

    def test_no_box_covers_another(self, name):
        *_, svg = self.drawing(name)
        root = ET.fromstring(svg)
        size = [float(each) for each in root.get("viewBox").split()]
        boxes = [[float(rect.get(k)) for k in ("x", "y", "width", "height")] for rect in root.iter("rect")]
        for x, y, width, height in boxes:
            assert x >= 0
            assert x + width <= size[2]
            assert y + height <= size[3]
        for (x, y, w, h), (x2, y2, w2, h2) in combinations(boxes, 2):
            assert x + w < x2 or x2 + w2 < x or y + h < y2 or y2 + h2 < y
