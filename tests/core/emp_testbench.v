// Plays the rows of rows.hex into the payload, and prints what comes out: a row is the reset and 8 links of 69 bits.
module testbench;
    reg clk = 1'b0;
    always #1 clk = ~clk;
    reg [552:0] rows [0:`ROWS-1];
    reg [552:0] row = 553'd0;
    wire [551:0] q;
    integer k;
    payload_bench dut (.clk(clk), .rst(row[552]), .d(row[551:0]), .q(q));
    initial begin
        $readmemh("rows.hex", rows);
        for (k = 0; k < `ROWS; k = k + 1) begin
            @(posedge clk) row <= rows[k];
            // after the edge: row k comes out with the results of its clock
            @(negedge clk) $display("%h", q);
        end
        $finish;
    end
endmodule
