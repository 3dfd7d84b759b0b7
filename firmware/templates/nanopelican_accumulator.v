`default_nettype none
// Sums of WIDTH bits that turn like the places of nanopelican_ring: each adds its `x`, and begins anew with it when
// `first` is 1.
module nanopelican_accumulator #(
    parameter WIDTH = 8,
    parameter PLACES = 1,
    parameter TURNING = 0,
    parameter STEP = 0
) (
    input wire clk,
    input wire first,
    input wire [WIDTH*PLACES-1:0] x,
    output wire [WIDTH*PLACES-1:0] y
);
    wire [WIDTH*PLACES-1:0] sums;
    assign y = sums;
    genvar p;
    generate
        for (p = 0; p < PLACES; p = p + 1) begin : place
            localparam FROM = p >= TURNING ? p : p + STEP < TURNING ? p + STEP : p + STEP - TURNING;
            wire [WIDTH-1:0] earlier = first ? {WIDTH{1'b0}} : sums[WIDTH*FROM+:WIDTH];
            nanopelican_register #(.WIDTH(WIDTH)) register (
                .clk(clk), .x(x[WIDTH*p+:WIDTH] + earlier), .y(sums[WIDTH*p+:WIDTH])
            );
        end
    endgenerate
endmodule
`default_nettype wire
