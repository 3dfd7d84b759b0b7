#ifndef NNET_PARTICLE_MIX_H_
#define NNET_PARTICLE_MIX_H_

#include "nnet_absent.h"
#include "nnet_common.h"
#include "nnet_multiplicity.h"

namespace nnet {

struct particle_mix_config {
    static const unsigned n_particles = 8;
    static const unsigned n_channels = 2;
    // 1, or n_particles + 1: the bias is a table over the number of valid particles; or bins of the multiplicity
    static const unsigned n_bias_rows = 1;
    // the same of w_r and w_s
    static const unsigned n_weight_rows = 1;

    static const unsigned reuse_factor = 1;
    static const unsigned n_multiplications = 18;
    static const unsigned multiplier_limit = DIV_ROUNDUP(n_multiplications, reuse_factor);
};

// w_r r_i + w_s S + b, [particle][channel], with b from `row` of the bias table, and w_r and w_s from `weight_row` of
// theirs. The part that all particles share, w_s S + b, is computed once per channel.
template <typename CONFIG_T, class r_T, class s_T, class w_r_T, class w_s_T, class bias_T, class res_T>
void particle_mix_all(r_T r[CONFIG_T::n_particles], s_T s[1],
                      w_r_T w_r[CONFIG_T::n_weight_rows * CONFIG_T::n_channels],
                      w_s_T w_s[CONFIG_T::n_weight_rows * CONFIG_T::n_channels],
                      bias_T bias[CONFIG_T::n_bias_rows * CONFIG_T::n_channels], unsigned row, unsigned weight_row,
                      res_T res[CONFIG_T::n_particles * CONFIG_T::n_channels]) {
    #pragma HLS INLINE
    #pragma HLS ARRAY_PARTITION variable=w_r complete
    #pragma HLS ARRAY_PARTITION variable=w_s complete
    #pragma HLS ARRAY_PARTITION variable=bias complete

    res_T offset[CONFIG_T::n_channels];
    #pragma HLS ARRAY_PARTITION variable=offset complete
Offset:
    for (unsigned c = 0; c < CONFIG_T::n_channels; c++) {
        offset[c] = s[0] * w_s[weight_row * CONFIG_T::n_channels + c] + bias[row * CONFIG_T::n_channels + c];
    }
Particles:
    for (unsigned i = 0; i < CONFIG_T::n_particles; i++) {
    Channels:
        for (unsigned c = 0; c < CONFIG_T::n_channels; c++) {
            res[i * CONFIG_T::n_channels + c] = r[i] * w_r[weight_row * CONFIG_T::n_channels + c] + offset[c];
        }
    }
}

// w_r r_i: the column term of the untied form.
template <typename CONFIG_T, class r_T, class w_r_T, class res_T>
void particle_mix_all(r_T r[CONFIG_T::n_particles], absent,
                      w_r_T w_r[CONFIG_T::n_weight_rows * CONFIG_T::n_channels], absent, absent, unsigned,
                      unsigned weight_row, res_T res[CONFIG_T::n_particles * CONFIG_T::n_channels]) {
    #pragma HLS INLINE
    #pragma HLS ARRAY_PARTITION variable=w_r complete

Particles:
    for (unsigned i = 0; i < CONFIG_T::n_particles; i++) {
    Channels:
        for (unsigned c = 0; c < CONFIG_T::n_channels; c++) {
            res[i * CONFIG_T::n_channels + c] = r[i] * w_r[weight_row * CONFIG_T::n_channels + c];
        }
    }
}

// Adds the jet's own product d_JJ to the diagonal entry of the jet, particle 0.
template <typename CONFIG_T, class d_jj_T, class w_jj_T, class res_T>
void particle_mix_jet(d_jj_T d_jj[1], w_jj_T w_jj[CONFIG_T::n_channels],
                      res_T res[CONFIG_T::n_particles * CONFIG_T::n_channels]) {
    #pragma HLS INLINE
    #pragma HLS ARRAY_PARTITION variable=w_jj complete

Jet:
    for (unsigned c = 0; c < CONFIG_T::n_channels; c++) {
        res[c] += d_jj[0] * w_jj[c];
    }
}

template <typename CONFIG_T, class res_T>
void particle_mix_jet(absent, absent, res_T[CONFIG_T::n_particles * CONFIG_T::n_channels]) {
    #pragma HLS INLINE
}

// w_r r_i [+ w_s S + b(n)] [+ w_jj d_JJ for the jet], n the number of valid particles; res_T holds every partial sum.
template <class r_T, class s_T, class w_r_T, class w_s_T, class bias_T, class mask_T, class d_jj_T, class w_jj_T,
          class bin_T, class res_T, typename CONFIG_T>
void particle_mix(r_T r[CONFIG_T::n_particles], optional<s_T, 1> s,
                  w_r_T w_r[CONFIG_T::n_weight_rows * CONFIG_T::n_channels],
                  optional<w_s_T, CONFIG_T::n_weight_rows * CONFIG_T::n_channels> w_s,
                  optional<bias_T, CONFIG_T::n_bias_rows * CONFIG_T::n_channels> bias,
                  optional<mask_T, CONFIG_T::n_particles> mask, optional<d_jj_T, 1> d_jj,
                  optional<w_jj_T, CONFIG_T::n_channels> w_jj, optional<bin_T, 1> multiplicity_bin,
                  res_T res[CONFIG_T::n_particles * CONFIG_T::n_channels]) {
    // one event every reuse_factor cycles, so each multiplier serves reuse_factor multiplications
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor
    #pragma HLS ALLOCATION operation instances=mul limit=CONFIG_T::multiplier_limit

    const unsigned row = table_row<CONFIG_T, CONFIG_T::n_bias_rows>(mask, multiplicity_bin);
    const unsigned weight_row = table_row<CONFIG_T, CONFIG_T::n_weight_rows>(mask, multiplicity_bin);
    particle_mix_all<CONFIG_T>(r, s, w_r, w_s, bias, row, weight_row, res);
    particle_mix_jet<CONFIG_T>(d_jj, w_jj, res);
}

} // namespace nnet

#endif
