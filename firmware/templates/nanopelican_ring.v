`default_nettype none
// PLACES registers of WIDTH bits that take `x` when `load` is 1. In all other cycles the first TURNING of them turn: place
// p takes the number of place p + STEP. With CYCLIC = 1 the first ones come in again at the end; with 0 the last ones are
// not needed any more once they have moved. The other places keep their number.
module nanopelican_ring #(
    parameter WIDTH = 8,
    parameter PLACES = 2,
    parameter TURNING = 0,
    parameter STEP = 0,
    parameter CYCLIC = 1
) (
    input wire clk,
    input wire load,
    input wire [WIDTH*PLACES-1:0] x,
    output wire [WIDTH*PLACES-1:0] y
);
    reg [WIDTH*PLACES-1:0] places;
    assign y = places;
    genvar p;
    generate
        for (p = 0; p < PLACES; p = p + 1) begin : place
            localparam FROM = p + STEP < TURNING ? p + STEP : p + STEP - TURNING;
            if (p >= TURNING) begin : stays
                always @(posedge clk) if (load) places[WIDTH*p+:WIDTH] <= x[WIDTH*p+:WIDTH];
            end else if (CYCLIC || p + STEP < TURNING) begin : turns
                always @(posedge clk) places[WIDTH*p+:WIDTH] <= load ? x[WIDTH*p+:WIDTH] : places[WIDTH*FROM+:WIDTH];
            end else begin : leaves
                always @(posedge clk) places[WIDTH*p+:WIDTH] <= x[WIDTH*p+:WIDTH];
            end
        end
    endgenerate
endmodule
`default_nettype wire
