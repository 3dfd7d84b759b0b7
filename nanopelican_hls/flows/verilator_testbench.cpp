// Drives events into a module and records its outputs after every rising edge.
//   testbench EVENTS CONTROL RESULTS
// CONTROL has a byte per clock cycle: bit 0 is rst, bit 1 is start, bit 2 says that the next inputs are driven; in other
// cycles the inputs are noise. EVENTS has STRIDE bytes per such cycle, little-endian, each port in a slot padded to a multiple
// of 8 bytes; after its end zeros are driven. RESULTS receives ROW bytes per cycle, each output in a slot of the same kind.
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "Vdut.h"
#include "ports.h"
#include "verilated.h"

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    std::FILE *events = std::fopen(argv[1], "rb");
    std::FILE *cycles = std::fopen(argv[2], "rb");
    std::FILE *results = std::fopen(argv[3], "wb");
    if (!events || !cycles || !results) return 2;
    std::vector<unsigned char> event(STRIDE), row(ROW);
    std::mt19937 noise(1);
    VerilatedContext context;
    Vdut dut(&context);
    for (int flags; (flags = std::fgetc(cycles)) != EOF;) {
        if (flags & 4) {
            if (std::fread(event.data(), 1, STRIDE, events) != STRIDE) std::memset(event.data(), 0, STRIDE);
        } else {
            for (std::size_t k = 0; k < STRIDE; k++) event[k] = static_cast<unsigned char>(noise()) & USED[k];
        }
        drive(dut, event.data());
        control(dut, flags & 1, flags & 2);
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
