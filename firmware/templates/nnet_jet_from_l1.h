#ifndef NNET_JET_FROM_L1_H_
#define NNET_JET_FROM_L1_H_

#include "nnet_absent.h"
#include "nnet_common.h"

namespace nnet {

struct jet_from_l1_config {
    // width of the table's pt bins: 2^bin_exponent GeV
    static const unsigned bin_exponent = 3;
    static const unsigned n_entries = 512;

    static const unsigned reuse_factor = 1;
    static const unsigned n_multiplications = 2;
    static const unsigned multiplier_limit = DIV_ROUNDUP(n_multiplications, reuse_factor);
};

// q+ = 2 pt: only wiring.
template <class res_T, typename CONFIG_T, class pt_T> res_T jet_component(pt_T pt[1], absent, absent) {
    #pragma HLS INLINE
    return pt[0] + pt[0];
}

// q- = m^2 / (2 pt), with 1 / (2 pt) from a table in bins of pt.
template <class res_T, typename CONFIG_T, class pt_T, class mass_T, class inverse_T>
res_T jet_component(pt_T pt[1], mass_T mass[1], inverse_T inverse[CONFIG_T::n_entries]) {
    #pragma HLS INLINE
    // pt is unsigned, so dropping the fraction rounds down
    const unsigned bin = pt[0].to_uint() >> CONFIG_T::bin_exponent;
    return mass[0] * mass[0] * inverse[bin];
}

// q+ of the jet or, if its mass is present, q-.
template <class pt_T, class mass_T, class inverse_T, class res_T, typename CONFIG_T>
void jet_from_l1(pt_T pt[1], optional<mass_T, 1> mass, optional<inverse_T, CONFIG_T::n_entries> inverse, res_T res[1]) {
    // one event every reuse_factor cycles, so each multiplier serves reuse_factor multiplications
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor
    #pragma HLS ALLOCATION operation instances=mul limit=CONFIG_T::multiplier_limit

    res[0] = jet_component<res_T, CONFIG_T>(pt, mass, inverse);
}

} // namespace nnet

#endif
