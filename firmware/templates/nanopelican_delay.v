`default_nettype none
// nanopelican_register as a module of its own: a value that waits, counted as such after mapping.
module nanopelican_delay #(
    parameter WIDTH = 8,
    parameter CYCLES = 1
) (
    input wire clk,
    input wire [WIDTH-1:0] x,
    output wire [WIDTH-1:0] y
);
    nanopelican_register #(.WIDTH(WIDTH), .CYCLES(CYCLES)) register (.clk(clk), .x(x), .y(y));
endmodule
`default_nettype wire
