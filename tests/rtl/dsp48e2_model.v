// A model of what this repository and Yosys use of AMD's DSP48E2, for simulation in tests; written from the public
// user guide UG579. Constant INMODE, OPMODE and ALUMODE; no SIMD, no pattern detection, no cascade of A and B.
module DSP48E2 #(
    parameter ACASCREG = 1, ADREG = 1, ALUMODEREG = 1, AREG = 1, BCASCREG = 1, BREG = 1, CARRYINREG = 1,
    parameter CARRYINSELREG = 1, CREG = 1, DREG = 1, INMODEREG = 1, MREG = 1, OPMODEREG = 1, PREG = 1,
    parameter AMULTSEL = "A", A_INPUT = "DIRECT", BMULTSEL = "B", B_INPUT = "DIRECT", PREADDINSEL = "A",
    parameter USE_MULT = "MULTIPLY", USE_SIMD = "ONE48", USE_PATTERN_DETECT = "NO_PATDET", USE_WIDEXOR = "FALSE",
    parameter XORSIMD = "XOR24_48_96", AUTORESET_PATDET = "NO_RESET", AUTORESET_PRIORITY = "RESET",
    parameter SEL_MASK = "MASK", SEL_PATTERN = "PATTERN",
    parameter [47:0] MASK = 48'h3fffffffffff, parameter [47:0] PATTERN = 0, parameter [47:0] RND = 0
) (
    input wire CLK,
    input wire signed [29:0] A, ACIN,
    input wire signed [17:0] B, BCIN,
    input wire signed [47:0] C, PCIN,
    input wire signed [26:0] D,
    input wire [3:0] ALUMODE,
    input wire [4:0] INMODE,
    input wire [8:0] OPMODE,
    input wire [2:0] CARRYINSEL,
    input wire CARRYIN, CARRYCASCIN, MULTSIGNIN,
    input wire CEA1, CEA2, CEAD, CEALUMODE, CEB1, CEB2, CEC, CECARRYIN, CECTRL, CED, CEINMODE, CEM, CEP,
    input wire RSTA, RSTB, RSTC, RSTD, RSTM, RSTP, RSTALUMODE, RSTALLCARRYIN, RSTCTRL, RSTINMODE,
    output wire signed [47:0] P, PCOUT,
    output wire [29:0] ACOUT,
    output wire [17:0] BCOUT,
    output wire [3:0] CARRYOUT,
    output wire [7:0] XOROUT,
    output wire CARRYCASCOUT, MULTSIGNOUT, OVERFLOW, UNDERFLOW, PATTERNDETECT, PATTERNBDETECT
);
    initial if (AREG > 1 || BREG > 1 || A_INPUT != "DIRECT" || B_INPUT != "DIRECT" || BMULTSEL != "B" || PREADDINSEL != "A")
        $fatal(1, "this use of DSP48E2 is not in the model");

    reg signed [29:0] a_reg;
    reg signed [26:0] d_reg, ad_reg;
    reg signed [17:0] b_reg;
    reg signed [44:0] m_reg;
    reg signed [47:0] c_reg, p_reg;

    wire signed [26:0] a = AREG ? a_reg[26:0] : A[26:0];
    wire signed [26:0] d = DREG ? d_reg : D;
    wire signed [17:0] b = BREG ? b_reg : B;
    wire signed [47:0] c = CREG ? c_reg : C;
    wire signed [26:0] gated_a = INMODE[1] ? 27'sd0 : a;
    wire signed [26:0] gated_d = INMODE[2] ? d : 27'sd0;
    wire signed [26:0] sum = INMODE[3] ? gated_d - gated_a : gated_d + gated_a;
    wire signed [26:0] ad = ADREG ? ad_reg : sum;
    wire signed [26:0] factor = AMULTSEL == "AD" ? ad : gated_a;
    wire signed [44:0] product = factor * b;
    wire signed [47:0] m = MREG ? m_reg : product;

    reg signed [47:0] w, xy, z;
    always @(*) begin
        case (OPMODE[8:7])
            2'b00: w = 0;
            2'b01: w = p_reg;
            2'b10: w = RND;
            2'b11: w = c;
        endcase
        case (OPMODE[6:4])
            3'b001: z = PCIN;
            3'b010: z = p_reg;
            3'b011: z = c;
            default: z = 0;
        endcase
        case (OPMODE[3:0])
            4'b0101: xy = m;
            4'b1100: xy = c;
            4'b0010: xy = p_reg;
            default: xy = 0;
        endcase
    end
    wire signed [47:0] result = ALUMODE == 4'b0011 ? z - (w + xy + CARRYIN) : z + w + xy + CARRYIN;
    always @(posedge CLK) begin
        if (CEA2) a_reg <= RSTA ? 0 : A;
        if (CED) d_reg <= RSTD ? 0 : D;
        if (CEAD) ad_reg <= RSTD ? 0 : sum;
        if (CEB2) b_reg <= RSTB ? 0 : B;
        if (CEC) c_reg <= RSTC ? 0 : C;
        if (CEM) m_reg <= RSTM ? 0 : product;
        if (CEP) p_reg <= RSTP ? 0 : result;
    end
    assign P = PREG ? p_reg : result;
    assign PCOUT = P;
endmodule
