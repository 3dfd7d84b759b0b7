`default_nettype none
// Ternary adder with one LUT per bit, as vendor tools map a + b + c on UltraScale and Yosys does not. For mapping with
// Yosys, it replaces alkaid's module with the same name and parameters.
//
// Each term has BW_INPUT bits, is SIGNED or not, is shifted left by PAD, and is subtracted if NEGATE. `out` is the sum
// without its DROP_LSBS lowest bits.
module ternary_adder #(
    parameter BW_INPUT0 = 32, parameter SIGNED0 = 0, parameter NEGATE0 = 0, parameter PAD0 = 0,
    parameter BW_INPUT1 = 32, parameter SIGNED1 = 0, parameter NEGATE1 = 0, parameter PAD1 = 0,
    parameter BW_INPUT2 = 32, parameter SIGNED2 = 0, parameter NEGATE2 = 0, parameter PAD2 = 0,
    parameter BW_OUT = 32,
    parameter DROP_LSBS = 0
) (
    input wire [BW_INPUT0-1:0] in0,
    input wire [BW_INPUT1-1:0] in1,
    input wire [BW_INPUT2-1:0] in2,
    output wire [BW_OUT-1:0] out
);
    localparam WIDTH = BW_OUT + DROP_LSBS;
    localparam NEGATIVES = NEGATE0 + NEGATE1 + NEGATE2;
    // below the second lowest PAD only one term has bits; if no term is negated, they are those of the sum
    localparam LOW01 = PAD0 < PAD1 ? PAD0 : PAD1, HIGH01 = PAD0 < PAD1 ? PAD1 : PAD0;
    localparam SECOND = PAD2 < LOW01 ? LOW01 : PAD2 < HIGH01 ? PAD2 : HIGH01;
    localparam START = NEGATIVES != 0 || SECOND >= WIDTH ? 0 : SECOND;

    function [WIDTH-1:0] padded;
        input [WIDTH-1:0] extended;
        input integer pad;
        input integer negate;
        padded = negate ? ~(extended << pad) : extended << pad;
    endfunction

    wire [WIDTH-1:0] wide0, wide1, wide2;
    generate
        if (SIGNED0) assign wide0 = $signed(in0); else assign wide0 = in0;
        if (SIGNED1) assign wide1 = $signed(in1); else assign wide1 = in1;
        if (SIGNED2) assign wide2 = $signed(in2); else assign wide2 = in2;
    endgenerate
    wire [WIDTH-1:0] a = padded(wide0, PAD0, NEGATE0), b = padded(wide1, PAD1, NEGATE1), c = padded(wide2, PAD2, NEGATE2);
    wire [WIDTH-1:0] sum;
    generate
        if (NEGATIVES > 2) begin : three_negative
            assign sum = a + b + c + 3;
        end else if (START == 0) begin : all_bits
            ultrascale_sum3 #(.WIDTH(WIDTH)) adder (.a(a), .b(b), .c(c), .carry0(NEGATIVES > 0), .carry1(NEGATIVES > 1), .y(sum));
        end else begin : upper_bits
            assign sum[START-1:0] = a[START-1:0] | b[START-1:0] | c[START-1:0];
            ultrascale_sum3 #(.WIDTH(WIDTH - START)) adder (
                .a(a[WIDTH-1:START]), .b(b[WIDTH-1:START]), .c(c[WIDTH-1:START]),
                .carry0(1'b0), .carry1(1'b0), .y(sum[WIDTH-1:START])
            );
        end
    endgenerate
    assign out = sum[WIDTH-1:DROP_LSBS];
endmodule

// a + b + c + carry0 + carry1. Each LUT6_2 computes the parity of its bit, and the majority as input of the next bit.
module ultrascale_sum3 #(
    parameter WIDTH = 8
) (
    input wire [WIDTH-1:0] a, b, c,
    input wire carry0, carry1,
    output wire [WIDTH-1:0] y
);
    localparam BLOCKS = (WIDTH + 3) / 4;
    wire [WIDTH:0] majority;
    wire [4*BLOCKS-1:0] parity, di, o, co;
    assign majority[0] = carry1;
    assign y = o[WIDTH-1:0];
    genvar k;
    generate
        for (k = 0; k < 4 * BLOCKS; k = k + 1) begin : place
            if (k < WIDTH) begin : used
                LUT6_2 #(.INIT(64'h69966996_E8E8E8E8)) lut (
                    .I0(a[k]), .I1(b[k]), .I2(c[k]), .I3(majority[k]), .I4(1'b0), .I5(1'b1),
                    .O5(majority[k+1]), .O6(parity[k])
                );
                assign di[k] = majority[k];
            end else begin : unused
                assign parity[k] = 1'b0;
                assign di[k] = 1'b0;
            end
        end
        for (k = 0; k < BLOCKS; k = k + 1) begin : block
            if (k == 0)
                CARRY4 carry (.CI(1'b0), .CYINIT(carry0), .DI(di[3:0]), .S(parity[3:0]), .O(o[3:0]), .CO(co[3:0]));
            else
                CARRY4 carry (
                    .CI(co[4*k-1]), .CYINIT(1'b0), .DI(di[4*k+:4]), .S(parity[4*k+:4]), .O(o[4*k+:4]), .CO(co[4*k+:4])
                );
        end
    endgenerate
endmodule
`default_nettype wire
