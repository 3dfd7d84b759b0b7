#ifndef NNET_PAIRWISE_DOT_H_
#define NNET_PAIRWISE_DOT_H_

#include "nnet_common.h"
#include "nnet_condensed.h"
#include "nnet_minkowski.h"

namespace nnet {

struct pairwise_dot_config {
    static const unsigned n_constituents = 8;
    // 0, or 2: the beams (1,0,0,1) and (1,0,0,-1) are particles 0 and 1 (cartesian coordinates only)
    static const unsigned n_beams = 0;
    static const bool light_cone = true;

    static const unsigned reuse_factor = 1;
    static const unsigned n_multiplications = 88;
    static const unsigned multiplier_limit = DIV_ROUNDUP(n_multiplications, reuse_factor);
};

// Products of the beams with each other and with every constituent, as sums of components without multiplication.
template <class c0_T, class c3_T, class res_T, typename CONFIG_T>
void beam_dot(c0_T e[CONFIG_T::n_constituents], c3_T pz[CONFIG_T::n_constituents], res_T res[]) {
    #pragma HLS INLINE
    res[0] = 2;
Beams:
    for (unsigned j = 0; j < CONFIG_T::n_constituents; j++) {
        res[1 + j] = e[j] - pz[j];
        res[1 + CONFIG_T::n_constituents + j] = e[j] + pz[j];
    }
}

// d_ij = p_i . p_j for i < j, in condensed order.
template <class c0_T, class c1_T, class c2_T, class c3_T, class res_T, typename CONFIG_T>
void pairwise_dot(c0_T c0[CONFIG_T::n_constituents], c1_T c1[CONFIG_T::n_constituents], c2_T c2[CONFIG_T::n_constituents],
                  c3_T c3[CONFIG_T::n_constituents],
                  res_T res[pair_count(CONFIG_T::n_beams + CONFIG_T::n_constituents)]) {
    // one event every reuse_factor cycles, so each multiplier serves reuse_factor multiplications
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor
    #pragma HLS ALLOCATION operation instances=mul limit=CONFIG_T::multiplier_limit

    const unsigned N = CONFIG_T::n_constituents;
    const unsigned first = CONFIG_T::n_beams == 0 ? 0 : 1 + 2 * N; // the beams' products come first

    if (CONFIG_T::n_beams != 0)
        beam_dot<c0_T, c3_T, res_T, CONFIG_T>(c0, c3, res);

    // Light cone: two multiplications per pair instead of four, since
    //   p . p' = (q+ + q+')(q- + q-') / 2 - (y + z')(z + y') - (xi + xi'),  xi = q+ q- / 2 - y z.
    // xi may overflow res_T, which wraps: the sums are correct modulo 2^W, and p . p' itself fits.
    res_T xi[N];
    #pragma HLS ARRAY_PARTITION variable=xi complete
    if (CONFIG_T::light_cone) {
    Particles:
        for (unsigned i = 0; i < N; i++) {
            xi[i] = c0[i] * c1[i] * one_half() - c2[i] * c3[i];
        }
    }

Rows:
    for (unsigned i = 0; i < N; i++) {
    Columns:
        for (unsigned j = 0; j < N; j++) {
            if (j <= i)
                continue;
            const unsigned k = first + pair_index(N, i, j);
            if (CONFIG_T::light_cone)
                res[k] = (c0[i] + c0[j]) * (c1[i] + c1[j]) * one_half() - (c2[i] + c3[j]) * (c3[i] + c2[j]) -
                         (xi[i] + xi[j]);
            else
                res[k] = minkowski_dot<res_T, false>(c0[i], c1[i], c2[i], c3[i], c0[j], c1[j], c2[j], c3[j]);
        }
    }
}

} // namespace nnet

#endif
