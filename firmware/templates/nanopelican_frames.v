`default_nettype none
// Takes frames of BEATS words from an AXI4-Stream, and gives only whole ones on, word by word without a gap: `first` is 1
// with the first word of a frame, which comes INTERVAL cycles after the one before, or later, and only while `go` is 1. A
// frame that ends too soon or goes on too long is dropped as a whole, and `misframed` is 1 for a cycle.
module nanopelican_frames #(
    parameter WIDTH = 8,
    parameter BEATS = 1,
    parameter INTERVAL = 1,
    // address bits of the memory, which holds two frames or more
    parameter ADDRESS = 2
) (
    input wire clk,
    input wire rst,
    input wire [WIDTH-1:0] s_data,
    input wire s_last,
    input wire s_valid,
    output wire s_ready,
    input wire go,
    output wire first,
    output wire [WIDTH-1:0] word,
    output reg misframed
);
    (* ram_style = "distributed" *) reg [WIDTH-1:0] words [0:(1<<ADDRESS)-1];
    // the next word to write, the end of the last whole frame, the next word to read
    reg [ADDRESS:0] next, whole, read;
    // words of the frame that is coming in, and words still to give of the one that is going out
    reg [7:0] taken, giving;
    // cycles until the next frame may start
    reg [7:0] pause;
    reg skipping;

    wire [ADDRESS:0] used = next - read;
    assign s_ready = ~used[ADDRESS];
    wire push = s_valid & s_ready;
    wire complete = taken == BEATS - 1;
    wire ends = push & s_last & complete & ~skipping;
    wire wrong = push & ~skipping & (s_last != complete);

    assign first = go & (giving == 0) & (pause == 0) & (whole != read);
    wire pop = first | (giving != 0);
    assign word = words[read[ADDRESS-1:0]];

    always @(posedge clk) begin
        if (push) words[next[ADDRESS-1:0]] <= s_data;
        misframed <= wrong & ~rst;
        if (rst) begin
            next <= 0;
            whole <= 0;
            read <= 0;
            taken <= 0;
            giving <= 0;
            pause <= 0;
            skipping <= 1'b0;
        end else begin
            if (wrong) skipping <= ~s_last;
            else if (push & s_last) skipping <= 1'b0;
            if (push) begin
                taken <= (s_last | wrong | skipping) ? 8'd0 : taken + 8'd1;
                next <= (wrong | skipping) ? whole : next + 1'b1;
            end
            if (ends) whole <= next + 1'b1;
            if (pop) read <= read + 1'b1;
            giving <= first ? BEATS - 1 : giving - {7'd0, giving != 0};
            pause <= first ? INTERVAL - 1 : pause - {7'd0, pause != 0};
        end
    end
endmodule
`default_nettype wire
