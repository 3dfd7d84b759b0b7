// The common struct, as the words that this model takes.

#ifndef NANOPELICAN_READ_COMMON_H
#define NANOPELICAN_READ_COMMON_H

#include "${library}.h"
#include "common.h"

#include <cstdint>

namespace hls4ml_${library} {

constexpr int N_CANDIDATES = ${n};
constexpr int N_CANDIDATE_INPUTS = 3; // pt in GeV, eta and phi in units of pi / ${half_turn}
constexpr int N_JET_INPUTS = 5;       // pt in GeV, eta, phi, mass in GeV, number of constituents

// phi is rounded first, halves to even, and then brought into one turn, so what rounds to pi becomes -pi.
inline int phi_word(const inputtype &phi) {
    constexpr std::int64_t half_turn = ${half_turn}, turn = 2 * half_turn;
    const std::int64_t rounded = ap_fixed<33, 33, AP_RND_CONV>(phi).to_int64();
    const std::int64_t shifted = (rounded + half_turn) % turn;
    return static_cast<int>((shifted < 0 ? shifted + turn : shifted) - half_turn);
}

// The types of the ports round the other inputs, halves to even, and saturate.
inline void read_common(const ModelInputs &from, inputs_t &inputs) {
    if (!from.candidate_inputs || !from.jet_inputs) {
        throw wrong("ModelInputs", "a pointer is null", "set candidate_inputs and jet_inputs");
    }
    if (from.total_candidate_inputs < N_CANDIDATES * N_CANDIDATE_INPUTS) {
        throw wrong("ModelInputs", "total_candidate_inputs is " + std::to_string(from.total_candidate_inputs) +
                    ", but ${n} candidates with pt, eta and phi are ${n_candidate_inputs} numbers",
                    "fill up with zeros, and give the length of the whole array");
    }
    if (from.total_candidate_inputs % N_CANDIDATE_INPUTS != 0) {
        throw wrong("ModelInputs", "total_candidate_inputs is " + std::to_string(from.total_candidate_inputs) +
                    ", which is no multiple of 3", "give pt, eta and phi of each candidate");
    }
    if (from.total_jet_inputs < N_JET_INPUTS) {
        throw wrong("ModelInputs", "total_jet_inputs is " + std::to_string(from.total_jet_inputs) + ", less than 5",
                    "give pt, eta, phi, mass and the number of constituents of the jet");
    }
    for (int i = 0; i < N_CANDIDATES; i++) { // those that follow are left out, as in the firmware
        const inputtype *candidate = from.candidate_inputs + i * N_CANDIDATE_INPUTS;
${candidates}
    }
    const inputtype *jet = from.jet_inputs;
${jet}
}

} // namespace hls4ml_${library}

#endif
