// Drives events into a module and records its outputs after every rising edge.
//   testbench EVENTS CONTROL RESULTS UPSETS
//   testbench REGISTERS
// CONTROL has a byte per clock cycle: bit 0 is rst, bit 1 is start, bit 2 says that the next inputs are driven; in other
// cycles the inputs are noise. EVENTS has STRIDE bytes per such cycle, little-endian, each port in a slot padded to a multiple
// of 8 bytes; after its end zeros are driven. RESULTS receives ROW bytes per cycle, each output in a slot of the same kind.
// UPSETS has three numbers of 4 bytes for each bit to flip, by cycle: the cycle after whose edge it flips, the register, the bit.
// REGISTERS receives a line for each register that can be reached (compiled as public): name and bits.
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "Vdut.h"
#include "ports.h"
#include "verilated.h"
#include "verilated_syms.h"

struct Register {
    std::string name;
    unsigned char *bytes;
    unsigned bits;
};

static std::vector<Register> registers(VerilatedContext &context) {
    std::vector<Register> found;
    const VerilatedScopeNameMap *scopes = context.scopeNameMap();
    if (!scopes) return found;
    for (const auto &scope : *scopes) {
        VerilatedVarNameMap *variables = scope.second->varsp();
        if (!variables) continue;
        for (const auto &variable : *variables) {
            auto *bytes = static_cast<unsigned char *>(variable.second.datap());
            found.push_back({scope.first + std::string(".") + variable.first, bytes, variable.second.entBits()});
        }
    }
    return found;
}

static int list(VerilatedContext &context, const char *path) {
    std::FILE *file = std::fopen(path, "w");
    if (!file) return 2;
    for (const Register &each : registers(context)) std::fprintf(file, "%s %u\n", each.name.c_str(), each.bits);
    return std::fclose(file) ? 2 : 0;
}

int main(int argc, char **argv) {
    VerilatedContext context;
    Vdut dut(&context);
    if (argc == 2) return list(context, argv[1]);
    if (argc != 5) return 2;
    std::FILE *events = std::fopen(argv[1], "rb");
    std::FILE *cycles = std::fopen(argv[2], "rb");
    std::FILE *results = std::fopen(argv[3], "wb");
    std::FILE *upsets = std::fopen(argv[4], "rb");
    if (!events || !cycles || !results || !upsets) return 2;
    std::vector<Register> state = registers(context);
    std::uint32_t upset[3];
    bool waiting = std::fread(upset, sizeof upset, 1, upsets);
    std::vector<unsigned char> event(STRIDE), row(ROW);
    std::mt19937 noise(1);
    std::uint32_t cycle = 0;
    for (int flags; (flags = std::fgetc(cycles)) != EOF; cycle++) {
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
        for (; waiting && upset[0] == cycle; waiting = std::fread(upset, sizeof upset, 1, upsets)) {
            state.at(upset[1]).bytes[upset[2] / 8] ^= 1u << upset[2] % 8;
            dut.eval();
        }
        record(dut, row.data());
        if (std::fwrite(row.data(), 1, ROW, results) != ROW) return 2;
    }
    dut.final();
    return std::fclose(results) ? 2 : 0;
}
