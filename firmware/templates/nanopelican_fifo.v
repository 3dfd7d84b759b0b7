`default_nettype none
// First-in, first-out memory of 2**ADDRESS words of WIDTH bits; `y` is the oldest word, while `empty` is 0. Whoever pushes
// sees to it that there is room.
module nanopelican_fifo #(
    parameter WIDTH = 8,
    parameter ADDRESS = 4
) (
    input wire clk,
    input wire rst,
    input wire push,
    input wire [WIDTH-1:0] x,
    input wire pop,
    output wire [WIDTH-1:0] y,
    output wire empty
);
    (* ram_style = "distributed" *) reg [WIDTH-1:0] words [0:(1<<ADDRESS)-1];
    reg [ADDRESS:0] written, read;
    assign empty = written == read;
    assign y = words[read[ADDRESS-1:0]];
    always @(posedge clk) begin
        if (push) words[written[ADDRESS-1:0]] <= x;
        written <= rst ? {(ADDRESS+1){1'b0}} : written + {{ADDRESS{1'b0}}, push};
        read <= rst ? {(ADDRESS+1){1'b0}} : read + {{ADDRESS{1'b0}}, pop};
    end
endmodule
`default_nettype wire
