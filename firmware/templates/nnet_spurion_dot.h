#ifndef NNET_SPURION_DOT_H_
#define NNET_SPURION_DOT_H_

#include "nnet_absent.h"
#include "nnet_common.h"
#include "nnet_minkowski.h"

namespace nnet {

struct spurion_dot_config {
    static const unsigned n_particles = 8;
    static const bool light_cone = true;

    static const unsigned reuse_factor = 1;
    static const unsigned n_multiplications = 32;
    static const unsigned multiplier_limit = DIV_ROUNDUP(n_multiplications, reuse_factor);
};

// p_i . J; s0 to s3 are the components of J.
template <class res_T, typename CONFIG_T, class c0_T, class c1_T, class c2_T, class c3_T, class s0_T, class s1_T,
          class s2_T, class s3_T>
res_T spurion_product(c0_T c0[CONFIG_T::n_particles], c1_T c1[CONFIG_T::n_particles], c2_T c2[CONFIG_T::n_particles],
                      c3_T c3[CONFIG_T::n_particles], s0_T s0[1], s1_T s1[1], s2_T s2[1], s3_T s3[1], unsigned i) {
    #pragma HLS INLINE
    return minkowski_dot<res_T, CONFIG_T::light_cone>(c0[i], c1[i], c2[i], c3[i], s0[0], s1[0], s2[0], s3[0]);
}

// The same for a spurion on the axis of the light-cone coordinates, where y = z = 0.
template <class res_T, typename CONFIG_T, class c0_T, class c1_T, class s0_T, class s1_T>
res_T spurion_product(c0_T c0[CONFIG_T::n_particles], c1_T c1[CONFIG_T::n_particles], absent, absent, s0_T s0[1],
                      s1_T s1[1], absent, absent, unsigned i) {
    #pragma HLS INLINE
    static_assert(CONFIG_T::light_cone, "only light-cone coordinates have an axis");
    return (c0[i] * s1[0] + c1[i] * s0[0]) * one_half();
}

// Without a spurion: p_i . p_i.
template <class res_T, typename CONFIG_T, class c0_T, class c1_T, class c2_T, class c3_T>
res_T spurion_product(c0_T c0[CONFIG_T::n_particles], c1_T c1[CONFIG_T::n_particles], c2_T c2[CONFIG_T::n_particles],
                      c3_T c3[CONFIG_T::n_particles], absent, absent, absent, absent, unsigned i) {
    #pragma HLS INLINE
    return minkowski_dot<res_T, CONFIG_T::light_cone>(c0[i], c1[i], c2[i], c3[i], c0[i], c1[i], c2[i], c3[i]);
}

template <class res_T, typename CONFIG_T, class c0_T, class c1_T>
res_T spurion_product(c0_T c0[CONFIG_T::n_particles], c1_T c1[CONFIG_T::n_particles], absent, absent, absent, absent,
                      absent, absent, unsigned i) {
    #pragma HLS INLINE
    static_assert(CONFIG_T::light_cone, "only light-cone coordinates have an axis");
    return (c0[i] * c1[i] + c1[i] * c0[i]) * one_half();
}

// p_i . J for every particle i; p_i . p_i without a spurion.
template <class c0_T, class c1_T, class c2_T, class c3_T, class s0_T, class s1_T, class s2_T, class s3_T, class res_T,
          typename CONFIG_T>
void spurion_dot(c0_T c0[CONFIG_T::n_particles], c1_T c1[CONFIG_T::n_particles],
                 optional<c2_T, CONFIG_T::n_particles> c2, optional<c3_T, CONFIG_T::n_particles> c3,
                 optional<s0_T, 1> s0, optional<s1_T, 1> s1, optional<s2_T, 1> s2, optional<s3_T, 1> s3,
                 res_T res[CONFIG_T::n_particles]) {
    // one event every reuse_factor cycles, so each multiplier serves reuse_factor multiplications
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor
    #pragma HLS ALLOCATION operation instances=mul limit=CONFIG_T::multiplier_limit

Particles:
    for (unsigned i = 0; i < CONFIG_T::n_particles; i++) {
        res[i] = spurion_product<res_T, CONFIG_T>(c0, c1, c2, c3, s0, s1, s2, s3, i);
    }
}

} // namespace nnet

#endif
