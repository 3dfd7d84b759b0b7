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
    wire [WIDTH*PLACES-1:0] places;
    assign y = places;
    genvar p;
    generate
        for (p = 0; p < PLACES; p = p + 1) begin : place
            localparam FROM = p + STEP < TURNING ? p + STEP : p + STEP - TURNING;
            wire [WIDTH-1:0] next;
            if (p >= TURNING) begin : stays
                assign next = load ? x[WIDTH*p+:WIDTH] : places[WIDTH*p+:WIDTH];
            end else if (CYCLIC || p + STEP < TURNING) begin : turns
                assign next = load ? x[WIDTH*p+:WIDTH] : places[WIDTH*FROM+:WIDTH];
            end else begin : leaves
                assign next = x[WIDTH*p+:WIDTH];
            end
            nanopelican_register #(.WIDTH(WIDTH)) register (.clk(clk), .x(next), .y(places[WIDTH*p+:WIDTH]));
        end
    endgenerate
endmodule
`default_nettype wire
