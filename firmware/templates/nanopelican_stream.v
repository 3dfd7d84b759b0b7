`default_nettype none
// AXI4-Stream around a pipeline that cannot wait: an event starts only if there will be room for its result. Results and
// TUSER of the events' first words come out together, in the order of the events, in frames of one word.
module nanopelican_stream #(
    parameter DATA = 8,
    parameter USER = 1,
    parameter RESULT = 8,
    parameter BEATS = 1,
    parameter INTERVAL = 1,
    // address bits of the memory of incoming words, and of that of results
    parameter IN_ADDRESS = 2,
    parameter OUT_ADDRESS = 4
) (
    input wire clk,
    input wire rst,
    input wire [DATA-1:0] s_data,
    input wire [USER-1:0] s_user,
    input wire s_last,
    input wire s_valid,
    output wire s_ready,
    output wire start,
    output wire [DATA-1:0] word,
    input wire valid,
    input wire [RESULT-1:0] result,
    output wire [RESULT-1:0] m_data,
    output wire [USER-1:0] m_user,
    output wire m_last,
    output wire m_valid,
    input wire m_ready,
    output wire misframed
);
    wire [USER-1:0] user;
    wire none, no_user;
    wire taken = m_valid & m_ready;
    // events from their start until their result is taken
    reg [OUT_ADDRESS:0] under_way;
    always @(posedge clk)
        under_way <= rst ? {(OUT_ADDRESS+1){1'b0}}
            : under_way + {{OUT_ADDRESS{1'b0}}, start} - {{OUT_ADDRESS{1'b0}}, taken};

    nanopelican_frames #(
        .WIDTH(USER + DATA), .BEATS(BEATS), .INTERVAL(INTERVAL), .ADDRESS(IN_ADDRESS)
    ) u_frames (
        .clk(clk), .rst(rst), .s_data({s_user, s_data}), .s_last(s_last), .s_valid(s_valid), .s_ready(s_ready),
        .go(~under_way[OUT_ADDRESS]), .first(start), .word({user, word}), .misframed(misframed)
    );
    nanopelican_fifo #(.WIDTH(USER), .ADDRESS(OUT_ADDRESS)) u_users (
        .clk(clk), .rst(rst), .push(start), .x(user), .pop(taken), .y(m_user), .empty(no_user)
    );
    nanopelican_fifo #(.WIDTH(RESULT), .ADDRESS(OUT_ADDRESS)) u_results (
        .clk(clk), .rst(rst), .push(valid), .x(result), .pop(taken), .y(m_data), .empty(none)
    );
    assign m_valid = ~none;
    assign m_last = 1'b1;
endmodule
`default_nettype wire
