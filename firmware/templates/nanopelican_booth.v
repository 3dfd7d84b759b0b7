`default_nettype none
// Multiplier in LUTs: p = a * b, with a latency of STAGES - 1 clock cycles and no registers at its inputs and output.
//
// Radix-4 Booth recoding: each row adds -2a, -a, 0, a or 2a, selected by three bits of b, to a quarter of the previous
// row. Selection and addition share a LUT6, so a row takes A_WIDTH + 2 LUTs, and one for its carry-in.
//
// INSTANTIATE = 0: behavioural model. INSTANTIATE = 1: instantiated primitives.
`ifndef NANOPELICAN_INSTANTIATE
`define NANOPELICAN_INSTANTIATE 0
`endif

module nanopelican_booth #(
    parameter A_WIDTH = 8,
    parameter A_SIGNED = 1,
    parameter B_WIDTH = 8,
    parameter B_SIGNED = 1,
    parameter ROWS_PER_STAGE = 3,
    parameter INSTANTIATE = `NANOPELICAN_INSTANTIATE
) (
    input wire clk,
    input wire [A_WIDTH-1:0] a,
    input wire [B_WIDTH-1:0] b,
    output wire [A_WIDTH+B_WIDTH-1:0] p
);
    localparam ROWS = (B_WIDTH + (B_SIGNED ? 0 : 1) + 1) / 2;
    localparam STAGES = (ROWS + ROWS_PER_STAGE - 1) / ROWS_PER_STAGE;
    localparam WIDTH = A_WIDTH + 2;
    localparam P_WIDTH = A_WIDTH + B_WIDTH;
    genvar k, j;

    generate
        if (INSTANTIATE == 0) begin : behavioural
            wire signed [A_WIDTH:0] wide_a = {A_SIGNED ? a[A_WIDTH-1] : 1'b0, a};
            wire signed [B_WIDTH:0] wide_b = {B_SIGNED ? b[B_WIDTH-1] : 1'b0, b};
            wire signed [P_WIDTH+1:0] product = wide_a * wide_b;
            nanopelican_wait #(.WIDTH(P_WIDTH), .CYCLES(STAGES - 1)) wait_p (.clk(clk), .x(product[P_WIDTH-1:0]), .y(p));
        end else begin : instantiated
            // passed from row to row: partial sum, a, b with a 0 appended, and the finished low bits
            wire [WIDTH-1:0] sums[0:ROWS];
            wire [A_WIDTH-1:0] as[0:ROWS];
            wire [2*ROWS:0] bs[0:ROWS];
            wire [2*ROWS-1:0] lows[0:ROWS];
            assign sums[0] = 0;
            assign as[0] = a;
            assign bs[0] = {{2 * ROWS - B_WIDTH + 1{B_SIGNED ? b[B_WIDTH-1] : 1'b0}}, b, 1'b0};
            assign lows[0] = 0;
            for (k = 0; k < ROWS; k = k + 1) begin : row
                localparam CYCLES = k > 0 && k % ROWS_PER_STAGE == 0 ? 1 : 0;
                wire [WIDTH-1:0] sum, quarter;
                wire [2*ROWS-1:0] low;
                nanopelican_wait #(.WIDTH(WIDTH), .CYCLES(CYCLES)) wait_sum (.clk(clk), .x(sums[k]), .y(sum));
                nanopelican_wait #(.WIDTH(A_WIDTH), .CYCLES(CYCLES)) wait_a (.clk(clk), .x(as[k]), .y(as[k+1]));
                nanopelican_wait #(.WIDTH(2*ROWS+1), .CYCLES(CYCLES)) wait_b (.clk(clk), .x(bs[k]), .y(bs[k+1]));
                nanopelican_wait #(.WIDTH(2*ROWS), .CYCLES(CYCLES)) wait_low (.clk(clk), .x(lows[k]), .y(low));
                assign quarter = {{2{sum[WIDTH-1]}}, sum[WIDTH-1:2]};
                ultrascale_booth_row #(.A_WIDTH(A_WIDTH), .A_SIGNED(A_SIGNED)) adder (
                    .a(as[k+1]), .digit(bs[k+1][2*k+:3]), .sum(k == 0 ? sum : quarter), .y(sums[k+1])
                );
                for (j = 0; j < 2 * ROWS; j = j + 1) begin : bits
                    if (j / 2 == k) begin : own
                        assign lows[k+1][j] = sums[k+1][j%2];
                    end else begin : below
                        assign lows[k+1][j] = low[j];
                    end
                end
            end
            wire [WIDTH+2*ROWS-3:0] full = {sums[ROWS][WIDTH-1:2], lows[ROWS]};
            assign p = full[P_WIDTH-1:0];
        end
    endgenerate
endmodule

// Delay by CYCLES clock cycles, which may be 0.
module nanopelican_wait #(
    parameter WIDTH = 8,
    parameter CYCLES = 0
) (
    input wire clk,
    input wire [WIDTH-1:0] x,
    output wire [WIDTH-1:0] y
);
    generate
        if (CYCLES == 0) begin : wire_only
            assign y = x;
        end else begin : registers
            nanopelican_delay #(.WIDTH(WIDTH), .CYCLES(CYCLES)) delay (.clk(clk), .x(x), .y(y));
        end
    endgenerate
endmodule

// sum + digit * a, with `digit` Booth-encoded: 000 and 111 are 0, 001 and 010 are 1, 011 is 2, 100 is -2, 101 and 110
// are -1.
module ultrascale_booth_row #(
    parameter A_WIDTH = 8,
    parameter A_SIGNED = 1
) (
    input wire [A_WIDTH-1:0] a,
    input wire [2:0] digit,
    input wire [A_WIDTH+1:0] sum,
    output wire [A_WIDTH+1:0] y
);
    localparam WIDTH = A_WIDTH + 2, BLOCKS = (WIDTH + 3) / 4;
    // bit of the multiple: from a, 2a or 0, inverted if negative (the carry-in completes the two's complement)
    function [63:0] table_of_row;
        input integer unused;
        integer n;
        reg [5:0] i;
        reg bit_of_multiple;
        for (n = 0; n < 64; n = n + 1) begin
            i = n;
            case (i[4:2])
                3'b000, 3'b111: bit_of_multiple = 1'b0;
                3'b001, 3'b010: bit_of_multiple = i[0];
                3'b011: bit_of_multiple = i[1];
                3'b100: bit_of_multiple = ~i[1];
                default: bit_of_multiple = ~i[0];
            endcase
            table_of_row[n] = bit_of_multiple ^ i[5];
        end
    endfunction

    wire [WIDTH:0] wide_a = {{2{A_SIGNED ? a[A_WIDTH-1] : 1'b0}}, a, 1'b0};
    wire [4*BLOCKS-1:0] s, di, o, co;
    wire negative;
    LUT3 #(.INIT(8'b0111_0000)) sign (.I0(digit[0]), .I1(digit[1]), .I2(digit[2]), .O(negative));
    assign y = o[WIDTH-1:0];
    genvar k;
    generate
        for (k = 0; k < 4 * BLOCKS; k = k + 1) begin : place
            if (k < WIDTH) begin : used
                LUT6 #(.INIT(table_of_row(0))) lut (
                    .I0(wide_a[k+1]), .I1(wide_a[k]), .I2(digit[0]), .I3(digit[1]), .I4(digit[2]), .I5(sum[k]), .O(s[k])
                );
                assign di[k] = sum[k];
            end else begin : unused
                assign s[k] = 1'b0;
                assign di[k] = 1'b0;
            end
        end
        for (k = 0; k < BLOCKS; k = k + 1) begin : block
            if (k == 0) begin : first
                CARRY4 carry (.CI(1'b0), .CYINIT(negative), .DI(di[3:0]), .S(s[3:0]), .O(o[3:0]), .CO(co[3:0]));
            end else begin : further
                CARRY4 carry (
                    .CI(co[4*k-1]), .CYINIT(1'b0), .DI(di[4*k+:4]), .S(s[4*k+:4]), .O(o[4*k+:4]), .CO(co[4*k+:4])
                );
            end
        end
    endgenerate
endmodule
`default_nettype wire
