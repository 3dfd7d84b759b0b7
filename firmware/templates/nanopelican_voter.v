`default_nettype none
// Majority of three copies, bit by bit: one LUT each, or part of the LUT that reads it.
module nanopelican_voter #(
    parameter WIDTH = 8
) (
    input wire [WIDTH-1:0] a,
    input wire [WIDTH-1:0] b,
    input wire [WIDTH-1:0] c,
    output wire [WIDTH-1:0] y
);
    assign y = (a & b) | (a & c) | (b & c);
endmodule
`default_nettype wire
