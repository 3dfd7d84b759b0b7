`default_nettype none
// Delay of a flag by CYCLES clock cycles, at least 1; `rst` clears it.
module nanopelican_control #(
    parameter CYCLES = 1
) (
    input wire clk,
    input wire rst,
    input wire x,
    output wire y
);
    wire [CYCLES-1:0] stages;
    wire [CYCLES:0] shifted = {stages, x};
    nanopelican_register #(.WIDTH(CYCLES)) register (
        .clk(clk), .x(rst ? {CYCLES{1'b0}} : shifted[CYCLES-1:0]), .y(stages)
    );
    assign y = stages[CYCLES-1];
endmodule
`default_nettype wire
