`default_nettype none
// All registers of the pipeline outside of DSPs: WIDTH bits, delayed by CYCLES clock cycles, at least 1.
module nanopelican_register #(
    parameter WIDTH = 8,
    parameter CYCLES = 1
) (
    input wire clk,
    input wire [WIDTH-1:0] x,
    output wire [WIDTH-1:0] y
);
    reg [WIDTH*CYCLES-1:0] stages;
    wire [WIDTH*(CYCLES+1)-1:0] shifted = {stages, x};
    always @(posedge clk) stages <= shifted[WIDTH*CYCLES-1:0];
    assign y = stages[WIDTH*CYCLES-1-:WIDTH];
endmodule
`default_nettype wire
