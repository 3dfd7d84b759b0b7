// Types of the ports of ${library}, for those who call it. Written by nanopelican-hls ${release}.

#ifndef ${guard}
#define ${guard}

#include "ap_fixed.h"

#include <array>
#include <cstddef>
#include <tuple>

namespace hls4ml_${library} {

// The inputs of one jet, as the firmware takes them: an array for each port.
using inputs_t = std::tuple<
${inputs}
    >;

// The same as real numbers, which are rounded to those types and saturate; NaN and infinity are refused.
using real_inputs_t = std::tuple<
${real_inputs}
    >;

constexpr const char *PORTS[] = {${names}};

// The result of one jet: ${output}.
using result_t = ${result};
constexpr std::size_t N_RESULTS = ${n_results};
using outputs_t = std::tuple<std::array<result_t, N_RESULTS>>;

} // namespace hls4ml_${library}

#endif
