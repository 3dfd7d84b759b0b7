#ifndef NNET_MULTIPLICITY_BIN_H_
#define NNET_MULTIPLICITY_BIN_H_

#include "nnet_common.h"

namespace nnet {

struct multiplicity_bin_config {
    static const unsigned low = 24;
    static const unsigned width_exponent = 2;
    static const unsigned n_bins = 16;

    static const unsigned reuse_factor = 1;
};

// min(max(n - low, 0) >> width_exponent, n_bins - 1): which bin a multiplicity is in.
template <class n_T, class res_T, typename CONFIG_T> void multiplicity_bin(n_T n[1], res_T res[1]) {
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor

    const unsigned whole = (unsigned)n[0];
    const unsigned above = whole < CONFIG_T::low ? 0 : (whole - CONFIG_T::low) >> CONFIG_T::width_exponent;
    res[0] = above < CONFIG_T::n_bins ? above : CONFIG_T::n_bins - 1;
}

} // namespace nnet

#endif
