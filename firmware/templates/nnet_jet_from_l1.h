#ifndef NNET_JET_FROM_L1_H_
#define NNET_JET_FROM_L1_H_

#include "nnet_common.h"

namespace nnet {

struct jet_from_l1_config {
    // a bin of the table is 2^bin_exponent GeV of pt
    static const unsigned bin_exponent = 3;
    static const unsigned n_entries = 512;

    static const unsigned reuse_factor = 1;
    static const unsigned n_multiplications = 2;
    static const unsigned multiplier_limit = DIV_ROUNDUP(n_multiplications, reuse_factor);
};

// q+ = 2 pt: wiring.
template <class pt_T, class res_T, typename CONFIG_T> void jet_from_l1(pt_T pt[1], res_T res[1]) {
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor

    res[0] = pt[0] + pt[0];
}

// q- = m^2 / (2 pt), the table holding 1 / (2 pt) of each bin of pt.
template <class pt_T, class mass_T, class inverse_T, class res_T, typename CONFIG_T>
void jet_from_l1(pt_T pt[1], mass_T mass[1], inverse_T inverse[CONFIG_T::n_entries], res_T res[1]) {
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor
    #pragma HLS ALLOCATION operation instances=mul limit=CONFIG_T::multiplier_limit

    // an unsigned pt without its fraction is rounded down
    const unsigned bin = pt[0].to_uint() >> CONFIG_T::bin_exponent;
    res[0] = mass[0] * mass[0] * inverse[bin];
}

} // namespace nnet

#endif
