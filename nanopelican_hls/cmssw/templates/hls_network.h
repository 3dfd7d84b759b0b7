// One jet through the HLS C++.

#ifndef NANOPELICAN_NETWORK_H
#define NANOPELICAN_NETWORK_H

#include "${library}.h"

#include "NN/${library}.h"

namespace hls4ml_${library} {

inline void compute(inputs_t &inputs, outputs_t &outputs) {
    ${library}(${arguments});
}

} // namespace hls4ml_${library}

#endif
