#ifndef NNET_PAIR_MIX_H_
#define NNET_PAIR_MIX_H_

#include "nnet_absent.h"
#include "nnet_common.h"
#include "nnet_condensed.h"

namespace nnet {

struct pair_mix_config {
    static const unsigned n_particles = 8;
    static const unsigned n_channels = 2;
    // symmetric: column = row, with one entry per unordered pair; otherwise all (i, j), then all (j, i), i < j
    static const bool symmetric = true;
    static const unsigned n_pairs = pair_count(n_particles);
    static const unsigned n_entries = n_pairs;

    static const unsigned reuse_factor = 1;
    static const unsigned n_multiplications = 56;
    static const unsigned multiplier_limit = DIV_ROUNDUP(n_multiplications, reuse_factor);
};

// z_ij = w_d d_ij + row_i + column_j, [entry][channel], from w_d d_ij, which (i, j) and (j, i) share. res_T holds every
// partial sum. Order of the sum: product, row, column.
template <typename CONFIG_T, class row_T, class column_T, class res_T>
void pair_mix_add(res_T scaled[CONFIG_T::n_pairs * CONFIG_T::n_channels],
                  row_T row[CONFIG_T::n_particles * CONFIG_T::n_channels],
                  column_T column[CONFIG_T::n_particles * CONFIG_T::n_channels],
                  res_T res[CONFIG_T::n_entries * CONFIG_T::n_channels]) {
    #pragma HLS INLINE

    const unsigned C = CONFIG_T::n_channels;
Rows:
    for (unsigned i = 0; i < CONFIG_T::n_particles; i++) {
    Columns:
        for (unsigned j = 0; j < CONFIG_T::n_particles; j++) {
            if (j <= i)
                continue;
            const unsigned k = pair_index(CONFIG_T::n_particles, i, j);
        Channels:
            for (unsigned c = 0; c < C; c++) {
                res[k * C + c] = scaled[k * C + c] + row[i * C + c] + column[j * C + c];
                if (!CONFIG_T::symmetric)
                    res[(CONFIG_T::n_pairs + k) * C + c] = scaled[k * C + c] + row[j * C + c] + column[i * C + c];
            }
        }
    }
}

// The symmetric form: column = row.
template <typename CONFIG_T, class row_T, class res_T>
void pair_mix_add(res_T scaled[CONFIG_T::n_pairs * CONFIG_T::n_channels],
                  row_T row[CONFIG_T::n_particles * CONFIG_T::n_channels], absent,
                  res_T res[CONFIG_T::n_entries * CONFIG_T::n_channels]) {
    #pragma HLS INLINE
    static_assert(CONFIG_T::symmetric, "the untied form needs the column");

    pair_mix_add<CONFIG_T>(scaled, row, row, res);
}

// w_d d for the products in d, which are the pairs `first`, `first` + 1, ...
template <unsigned N, typename CONFIG_T, class d_T, class w_d_T, class res_T>
void pair_mix_scale(d_T d[N], w_d_T w_d[CONFIG_T::n_channels], unsigned first,
                    res_T scaled[CONFIG_T::n_pairs * CONFIG_T::n_channels]) {
    #pragma HLS INLINE
    #pragma HLS ARRAY_PARTITION variable=w_d complete

Products:
    for (unsigned k = 0; k < N; k++) {
    Weights:
        for (unsigned c = 0; c < CONFIG_T::n_channels; c++) {
            scaled[(first + k) * CONFIG_T::n_channels + c] = d[k] * w_d[c];
        }
    }
}

template <unsigned N, typename CONFIG_T, class w_d_T, class res_T>
void pair_mix_scale(absent, w_d_T[CONFIG_T::n_channels], unsigned, res_T[CONFIG_T::n_pairs * CONFIG_T::n_channels]) {
    #pragma HLS INLINE
}

// If the jet is particle 0, d_jet holds its products, and d those of the others. Otherwise d holds all pairs.
template <class d_T, class row_T, class w_d_T, class column_T, class d_jet_T, class res_T, typename CONFIG_T>
void pair_mix(d_T d[pair_count(CONFIG_T::n_particles - given<d_jet_T>())],
              row_T row[CONFIG_T::n_particles * CONFIG_T::n_channels], w_d_T w_d[CONFIG_T::n_channels],
              optional<column_T, CONFIG_T::n_particles * CONFIG_T::n_channels> column,
              optional<d_jet_T, CONFIG_T::n_particles - 1> d_jet,
              res_T res[CONFIG_T::n_entries * CONFIG_T::n_channels]) {
    // one event every reuse_factor cycles, so each multiplier serves reuse_factor multiplications
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor
    #pragma HLS ALLOCATION operation instances=mul limit=CONFIG_T::multiplier_limit

    // the jet's products come first in condensed order
    const unsigned K = given<d_jet_T>() * (CONFIG_T::n_particles - 1);
    res_T scaled[CONFIG_T::n_pairs * CONFIG_T::n_channels];
    #pragma HLS ARRAY_PARTITION variable=scaled complete
    pair_mix_scale<K, CONFIG_T>(d_jet, w_d, 0, scaled);
    pair_mix_scale<CONFIG_T::n_pairs - K, CONFIG_T>(d, w_d, K, scaled);
    pair_mix_add<CONFIG_T>(scaled, row, column, res);
}

} // namespace nnet

#endif
