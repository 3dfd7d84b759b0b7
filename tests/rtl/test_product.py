"""The hand-written products: behavioural and instantiated variants against each other and against integers."""

from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from nanopelican_hls.contract.port import Port
from nanopelican_hls.flows.verilator import compile_simulation, run
from nanopelican_hls.rtl.project import TEMPLATES, RtlProject

MODEL = Path(__file__).with_name("dsp48e2_model.v")
CELLS = Path(str(resources.files("pyosys"))) / "share" / "xilinx" / "cells_sim.v"
A, B, X = 9, 8, 20
#: subtract, chained, round, registered
FORMS = [(0, 0, 0, 1), (1, 0, 64, 1), (0, 1, 0, 1), (1, 1, 0, 1), (0, 0, -5, 0), (1, 1, 0, 0)]


def top(variants):
    """A bench with each variant of all forms, on the same inputs, delayed as each form requires."""
    lines, fields = [], []
    for k, (subtract, chained, half, registered) in enumerate(FORMS):
        for variant in range(variants):
            name = f"p{k}_{variant}"
            x = "48'd0" if subtract and chained else "{{28{x1[19]}}, x1}"
            factors = ("a", "d", "b") if registered else ("a1", "d1", "b1")
            lines += [
                f"wire [47:0] {name};",
                f"nanopelican_product #(.A_WIDTH({A}), .B_WIDTH({B}), .SUBTRACT({subtract}), .CHAINED({chained}), "
                f".ROUND({half}), .REGISTERED({registered}), .INSTANTIATE({variant})) u_{name} (.clk(clk), "
                f".a({factors[0]}), .d({factors[1]}), .b({factors[2]}), .x({x}), "
                f".pcin({{{{28{{x2[19]}}}}, x2}}), .p({name}), .pcout());",
            ]
            fields.append(f"{name}[23:0]")
    checks = [f"p{k}_0 == p{k}_{v}" for k in range(len(FORMS)) for v in range(1, variants)]
    return f"""module product_bench (
    input wire clk, input wire [{A - 1}:0] a, input wire [{A - 1}:0] d, input wire [{B - 1}:0] b,
    input wire [{X - 1}:0] x, input wire [2:0] form, output wire [24:0] y
);
    reg [{X - 1}:0] x1, x2; reg [{A - 1}:0] a1, d1; reg [{B - 1}:0] b1; reg [2:0] form1, form2, form3;
    always @(posedge clk) begin
        x1 <= x; x2 <= x1; a1 <= a; d1 <= d; b1 <= b; form1 <= form; form2 <= form1; form3 <= form2;
    end
    {chr(10).join(lines)}
    wire [{24 * len(FORMS) - 1}:0] all = {{{", ".join(f"p{k}_0[23:0]" for k in reversed(range(len(FORMS))))}}};
    assign y = {{{" && ".join(checks)}, all[24 * form3 +: 24]}};
endmodule
"""


@pytest.fixture
def bench(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "product_bench.v").write_text(top(2))
    ports = [("a", A, True), ("d", A, True), ("b", B, True), ("x", X, True), ("form", 3, False)]
    inputs = tuple(Port(name, name, (1,), bits, signed, 0) for name, bits, signed in ports)
    return RtlProject(tmp_path, "product_bench", "verilog", inputs, (Port("y", "y", (1,), 25, False, 0),), 2)


def test_variants_are_equal_and_right(bench):
    compile_simulation(bench, [bench.path / "src" / "product_bench.v", TEMPLATES / "nanopelican_product.v", MODEL])
    random = np.random.default_rng(0)
    ends = {name: random.choice([-1, 1], 4000) for name in "adbx"}
    events = {
        port.name: random.integers(-(1 << port.bits - 1), 1 << port.bits - 1, 4000)
        for port in bench.inputs
        if port.signed
    }
    for port in bench.inputs[:4]:  # the ends of the ranges, more often
        at_end = random.random(4000) < 0.3
        low, high = -(1 << port.bits - 1), (1 << port.bits - 1) - 1
        events[port.name] = np.where(at_end, np.where(ends[port.name] < 0, low, high), events[port.name])
    events["form"] = random.integers(0, len(FORMS), 4000)
    subtract, chained, half, _ = np.array(FORMS).T[:, events["form"]]
    product = (events["a"] + events["d"]) * events["b"] * np.where(subtract, -1, 1)
    x = np.where(subtract & chained, 0, events["x"])
    expected = np.where(chained, events["x"], half) + x + product
    wanted = (1 << 24) + (expected & ((1 << 24) - 1))
    latency, shown = run(
        bench, {name: array[:, None].astype(float) for name, array in (events | {"y": wanted}).items()}
    )
    np.testing.assert_array_equal(shown["y"][:, 0], wanted)
    assert latency == bench.latency_cycles


#: signs of the factors of the multiplier in LUTs
SIGNS = [(0, 0), (0, 1), (1, 0), (1, 1)]
BOOTH_A = 5


def booth_top(width):
    """A bench with both variants for all signs, delayed to the same latency; `form` selects the product."""
    bits = BOOTH_A + width
    lines = []
    for k, (a_signed, b_signed) in enumerate(SIGNS):
        cycles = (width + (not b_signed) + 1) // 2 - 1  # one row per stage
        for variant in (0, 1):
            name = f"p{k}_{variant}"
            lines += [
                f"wire [{bits - 1}:0] {name}, {name}_early;",
                f"nanopelican_booth #(.A_WIDTH({BOOTH_A}), .A_SIGNED({a_signed}), .B_WIDTH({width}), "
                f".B_SIGNED({b_signed}), .ROWS_PER_STAGE(1), .INSTANTIATE({variant})) u_{name} "
                f"(.clk(clk), .a(a), .b(b), .p({name}_early));",
                f"nanopelican_wait #(.WIDTH({bits}), .CYCLES({2 - cycles})) w_{name} "
                f"(.clk(clk), .x({name}_early), .y({name}));",
            ]
    equal = " && ".join(f"p{k}_0 == p{k}_1" for k in range(4))
    return f"""module booth_bench (
    input wire clk, input wire [4:0] a, input wire [{width - 1}:0] b, input wire [1:0] form, output reg [{bits}:0] y
);
    reg [1:0] form1, form2;
    {chr(10).join(lines)}
    wire [{4 * bits - 1}:0] all = {{p3_0, p2_0, p1_0, p0_0}};
    always @(posedge clk) begin
        form1 <= form; form2 <= form1; y <= {{{equal}, all[{bits} * form2 +: {bits}]}};
    end
endmodule
"""


@pytest.mark.parametrize("width", [1, 2, 4])
def test_multiplier_of_look_up_tables(width, tmp_path):
    """All products of factors of 5 bits and of 1 to 4 bits: one to three rows."""
    bits = BOOTH_A + width
    (tmp_path / "booth_bench.v").write_text(booth_top(width))
    ports = [("a", BOOTH_A), ("b", width), ("form", 2)]
    inputs = tuple(Port(name, name, (1,), bits, False, 0) for name, bits in ports)
    bench = RtlProject(tmp_path, "booth_bench", "verilog", inputs, (Port("y", "y", (1,), bits + 1, False, 0),), 2)
    templates = [TEMPLATES / f"nanopelican_{name}.v" for name in ("booth", "delay", "register")]
    compile_simulation(bench, [tmp_path / "booth_bench.v", *templates, CELLS])
    a, b, form = (grid.ravel() for grid in np.meshgrid(np.arange(32), np.arange(1 << width), np.arange(4)))
    signs = np.array(SIGNS)[form]
    signed_a = np.where(signs[:, 0] & (a > 15), a - 32, a)
    signed_b = np.where(signs[:, 1] & (b >= 1 << width - 1), b - (1 << width), b)
    wanted = (1 << bits) + ((signed_a * signed_b) & ((1 << bits) - 1))
    events = {name: array[:, None].astype(float) for name, array in (("a", a), ("b", b), ("form", form))}
    latency, shown = run(bench, events | {"y": wanted[:, None].astype(float)})
    np.testing.assert_array_equal(shown["y"][:, 0], wanted)
    assert latency == 2
