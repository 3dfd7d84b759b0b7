// One jet through plain integers.

#ifndef NANOPELICAN_NETWORK_H
#define NANOPELICAN_NETWORK_H

#include "${library}.h"

#include "NN/hls4ml_${library}.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace hls4ml_${library} {

// Numbers of a port in units of its grid. Exact, as no port has more bits than a double.
template <class Integer, class T, std::size_t n> std::array<Integer, n> integers(const std::array<T, n> &numbers) {
    std::array<Integer, n> found;
    for (std::size_t i = 0; i < n; i++) {
        found[i] = static_cast<Integer>(std::ldexp(numbers[i].to_double(), T::width - T::iwidth));
    }
    return found;
}

template <class Integer, class T, std::size_t n> void save(const std::array<Integer, n> &from, std::array<T, n> &to) {
    for (std::size_t i = 0; i < n; i++) {
        to[i] = std::ldexp(static_cast<double>(from[i]), T::iwidth - T::width);
    }
}

inline void compute(const inputs_t &inputs, outputs_t &outputs) {
${integers}
    Inputs rows = {};
${rows}
${results}
    Outputs result_rows = {};
${result_rows}
    run(1, rows, result_rows);
${save}
}

} // namespace hls4ml_${library}

#endif
