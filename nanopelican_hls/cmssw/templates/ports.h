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

// The results of one jet.
using outputs_t = std::tuple<
${outputs}
    >;
using result_t = std::tuple_element<0, outputs_t>::type::value_type; // where there is one output

constexpr std::size_t N_RESULTS = ${n_results}; // of all outputs

} // namespace hls4ml_${library}

#endif
