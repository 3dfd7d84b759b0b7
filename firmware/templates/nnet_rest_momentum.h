#ifndef NNET_REST_MOMENTUM_H_
#define NNET_REST_MOMENTUM_H_

#include "nnet_absent.h"
#include "nnet_common.h"

namespace nnet {

struct rest_momentum_config {
    static const unsigned n_constituents = 8;

    static const unsigned reuse_factor = 1;
};

template <class res_T, class jet_T> res_T rest_momentum_start(jet_T jet[1]) {
    #pragma HLS INLINE
    return jet[0];
}

template <class res_T> res_T rest_momentum_start(absent) {
    #pragma HLS INLINE
    return 0;
}

// J - sum_i c_i, one component; res_T holds every partial sum. Order: constituent 0 first.
template <class c_T, class jet_T, class res_T, typename CONFIG_T>
void rest_momentum(c_T c[CONFIG_T::n_constituents], optional<jet_T, 1> jet, res_T res[1]) {
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor

    res_T rest = rest_momentum_start<res_T>(jet);
Constituents:
    for (unsigned i = 0; i < CONFIG_T::n_constituents; i++) {
        rest -= c[i];
    }
    res[0] = rest;
}

} // namespace nnet

#endif
