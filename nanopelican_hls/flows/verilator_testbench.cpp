// Drives one event per clock cycle into a module and records its outputs after every rising edge.
//   testbench EVENTS RESULTS CYCLES
// EVENTS has STRIDE bytes per event, little-endian, each port in a slot padded to a multiple of 8 bytes; after its end
// zeros are driven. RESULTS receives ROW bytes per cycle, each output in a slot of the same kind.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "Vdut.h"
#include "ports.h"
#include "verilated.h"

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    std::FILE *events = std::fopen(argv[1], "rb");
    std::FILE *results = std::fopen(argv[2], "wb");
    if (!events || !results) return 2;
    const long cycles = std::atol(argv[3]);
    std::vector<unsigned char> event(STRIDE), row(ROW);
    VerilatedContext context;
    Vdut dut(&context);
    for (long cycle = 0; cycle < cycles; cycle++) {
        if (std::fread(event.data(), 1, STRIDE, events) != STRIDE) std::memset(event.data(), 0, STRIDE);
        drive(dut, event.data());
        dut.clk = 0;
        dut.eval();
        dut.clk = 1;
        dut.eval();
        record(dut, row.data());
        if (std::fwrite(row.data(), 1, ROW, results) != ROW) return 2;
    }
    dut.final();
    return std::fclose(results) ? 2 : 0;
}
