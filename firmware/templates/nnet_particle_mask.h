#ifndef NNET_PARTICLE_MASK_H_
#define NNET_PARTICLE_MASK_H_

#include "nnet_common.h"

namespace nnet {

struct particle_mask_config {
    static const unsigned n_constituents = 8;
    static const unsigned n_spurions = 0;

    static const unsigned reuse_factor = 1;
};

// 1 where a particle is there: spurions, which come first, always; a constituent iff its leading component is not 0.
template <class data_T, class res_T, typename CONFIG_T>
void particle_mask(data_T c0[CONFIG_T::n_constituents], res_T res[CONFIG_T::n_spurions + CONFIG_T::n_constituents]) {
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor

    // via the sum of both, so that no loop runs over an unsigned constant 0
    const unsigned M = CONFIG_T::n_spurions + CONFIG_T::n_constituents;
Particles:
    for (unsigned i = 0; i < M; i++) {
        const bool spurion = i + CONFIG_T::n_constituents < M;
        res[i] = spurion || c0[spurion ? 0 : i - CONFIG_T::n_spurions] != 0;
    }
}

} // namespace nnet

#endif
