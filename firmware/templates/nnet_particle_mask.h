#ifndef NNET_PARTICLE_MASK_H_
#define NNET_PARTICLE_MASK_H_

#include "nnet_common.h"

namespace nnet {

struct particle_mask_config {
    static const unsigned n_constituents = 8;
    static const unsigned n_spurions = 0;

    static const unsigned reuse_factor = 1;
};

// 1 for a valid particle, else 0. Spurions come first and are always valid; a constituent is valid iff c0 is not 0.
template <class data_T, class res_T, typename CONFIG_T>
void particle_mask(data_T c0[CONFIG_T::n_constituents], res_T res[CONFIG_T::n_spurions + CONFIG_T::n_constituents]) {
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor

    // a single loop over both, since a loop up to an unsigned constant 0 causes warnings
    const unsigned M = CONFIG_T::n_spurions + CONFIG_T::n_constituents;
Particles:
    for (unsigned i = 0; i < M; i++) {
        const bool spurion = i + CONFIG_T::n_constituents < M;
        res[i] = spurion || c0[spurion ? 0 : i - CONFIG_T::n_spurions] != 0;
    }
}

} // namespace nnet

#endif
