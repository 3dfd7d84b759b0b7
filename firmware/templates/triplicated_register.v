`default_nettype none
// nanopelican_register in three copies with a majority voter: takes its place with --tmr state. What a register takes
// next is computed from voted outputs, so a wrong bit is gone after CYCLES clock cycles. The copies stay modules of their
// own in synthesis, which would otherwise merge equal registers.
module nanopelican_register #(
    parameter WIDTH = 8,
    parameter CYCLES = 1
) (
    input wire clk,
    input wire [WIDTH-1:0] x,
    output wire [WIDTH-1:0] y
);
    wire [WIDTH-1:0] y0, y1, y2;
    (* DONT_TOUCH = "TRUE" *) nanopelican_copy #(.WIDTH(WIDTH), .CYCLES(CYCLES)) copy0 (.clk(clk), .x(x), .y(y0));
    (* DONT_TOUCH = "TRUE" *) nanopelican_copy #(.WIDTH(WIDTH), .CYCLES(CYCLES)) copy1 (.clk(clk), .x(x), .y(y1));
    (* DONT_TOUCH = "TRUE" *) nanopelican_copy #(.WIDTH(WIDTH), .CYCLES(CYCLES)) copy2 (.clk(clk), .x(x), .y(y2));
    nanopelican_voter #(.WIDTH(WIDTH)) voter (.a(y0), .b(y1), .c(y2), .y(y));
endmodule

module nanopelican_copy #(
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
