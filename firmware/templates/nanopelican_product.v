`default_nettype none
// One product of a Minkowski product: p = pcin +- (a + d) * b + x + ROUND, in three clock cycles, for one DSP48E2.
//
//   cycle 0: a, d, b    cycle 1: x    cycle 2: pcin    cycle 3: p, pcout
//
// With REGISTERED = 0 there are no registers before the multiplier: a, d, b arrive in cycle 1, already registered.
// The products of a sum form a cascade: pcout of one is pcin of the next, whose other inputs arrive a cycle later. Only
// the first of a cascade can have ROUND, and only it can have x with SUBTRACT. All numbers are signed.
//
// INSTANTIATE = 0: behavioural, with the registers and adders that synthesis maps to a DSP48E2 (A, D, B, M, C, P,
// pre-adder, post-adder). INSTANTIATE = 1: the primitive itself (UG579).
`ifndef NANOPELICAN_INSTANTIATE
`define NANOPELICAN_INSTANTIATE 0
`endif

module nanopelican_product #(
    parameter A_WIDTH = 26,  // width of a and d, at most 26
    parameter B_WIDTH = 18,  // at most 18
    parameter X_WIDTH = 48,  // at most 48
    parameter SUBTRACT = 0,
    parameter CHAINED = 0,  // 0: pcin is not used
    parameter signed [47:0] ROUND = 0,
    parameter REGISTERED = 1,
    parameter INSTANTIATE = `NANOPELICAN_INSTANTIATE
) (
    input wire clk,
    input wire [A_WIDTH-1:0] a,
    input wire [A_WIDTH-1:0] d,
    input wire [B_WIDTH-1:0] b,
    input wire [X_WIDTH-1:0] x,
    input wire [47:0] pcin,
    output wire [47:0] p,
    output wire [47:0] pcout
);
    // signed operands are extended where they meet wider ones
    // verilator lint_off WIDTHEXPAND
    wire [26:0] wide_a = $signed(a), wide_d = $signed(d);
    wire [17:0] wide_b = $signed(b);
    wire [47:0] wide_x = $signed(x);

    generate
        if (INSTANTIATE == 0) begin : behavioural
            reg signed [A_WIDTH+B_WIDTH:0] m_reg;
            reg signed [47:0] c_reg, p_reg;
            wire signed [A_WIDTH-1:0] a_now, d_now;
            wire signed [B_WIDTH-1:0] b_now;
            if (REGISTERED) begin : factors
                reg [A_WIDTH-1:0] a_reg, d_reg;
                reg [B_WIDTH-1:0] b_reg;
                always @(posedge clk) {a_reg, d_reg, b_reg} <= {a, d, b};
                assign {a_now, d_now, b_now} = {a_reg, d_reg, b_reg};
            end else begin : factors
                assign {a_now, d_now, b_now} = {a, d, b};
            end
            wire signed [A_WIDTH:0] ad = a_now + d_now;
            wire signed [47:0] head = CHAINED ? pcin : ROUND;
            always @(posedge clk) begin
                m_reg <= ad * b_now;
                c_reg <= wide_x;
                p_reg <= SUBTRACT ? head + c_reg - m_reg : head + c_reg + m_reg;
            end
            assign p = p_reg;
            assign pcout = p_reg;
        end else begin : instantiated
            // X and Y are the product. First of a cascade: Z is C, W is RND. Otherwise: Z is PCIN, W is C or 0.
            localparam [8:0] OPMODE = CHAINED ? (SUBTRACT ? 9'b00_001_01_01 : 9'b11_001_01_01) : 9'b10_011_01_01;
            DSP48E2 #(
                .AMULTSEL("AD"), .BMULTSEL("B"), .PREADDINSEL("A"), .A_INPUT("DIRECT"), .B_INPUT("DIRECT"),
                .USE_MULT("MULTIPLY"), .USE_SIMD("ONE48"), .USE_PATTERN_DETECT("NO_PATDET"),
                .RND(SUBTRACT ? -ROUND : ROUND),  // the ALU subtracts it together with the product
                .AREG(REGISTERED), .ACASCREG(REGISTERED), .DREG(REGISTERED), .ADREG(0),
                .BREG(REGISTERED), .BCASCREG(REGISTERED), .CREG(1), .MREG(1), .PREG(1),
                .ALUMODEREG(0), .CARRYINREG(0), .CARRYINSELREG(0), .INMODEREG(0), .OPMODEREG(0)
            ) dsp (
                .CLK(clk), .A({{3{wide_a[26]}}, wide_a}), .D(wide_d), .B(wide_b), .C(wide_x), .PCIN(pcin),
                .P(p), .PCOUT(pcout),
                .INMODE(5'b00100), .OPMODE(OPMODE), .ALUMODE(SUBTRACT ? 4'b0011 : 4'b0000),
                .CARRYIN(1'b0), .CARRYINSEL(3'b000), .ACIN(30'b0), .BCIN(18'b0), .CARRYCASCIN(1'b0), .MULTSIGNIN(1'b0),
                .CEA1(1'b0), .CEA2(1'b1), .CEAD(1'b0), .CEB1(1'b0), .CEB2(1'b1), .CED(1'b1), .CEC(1'b1), .CEM(1'b1),
                .CEP(1'b1), .CEALUMODE(1'b0), .CECARRYIN(1'b0), .CECTRL(1'b0), .CEINMODE(1'b0),
                .RSTA(1'b0), .RSTB(1'b0), .RSTC(1'b0), .RSTD(1'b0), .RSTM(1'b0), .RSTP(1'b0), .RSTALUMODE(1'b0),
                .RSTALLCARRYIN(1'b0), .RSTCTRL(1'b0), .RSTINMODE(1'b0)
            );
        end
    endgenerate
    // verilator lint_on WIDTHEXPAND
endmodule
`default_nettype wire
