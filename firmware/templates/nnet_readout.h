#ifndef NNET_READOUT_H_
#define NNET_READOUT_H_

#include "nnet_absent.h"
#include "nnet_common.h"
#include "nnet_multiplicity.h"

namespace nnet {

struct readout_config {
    static const unsigned n_channels = 2;
    // 1, or n_particles + 1: the bias is a table over the number of valid particles; or bins of the multiplicity
    static const unsigned n_bias_rows = 1;
    // the same of k_pair and k_diagonal
    static const unsigned n_weight_rows = 1;
    static const unsigned n_particles = 8;

    static const unsigned reuse_factor = 1;
    static const unsigned n_multiplications = 4;
    static const unsigned multiplier_limit = DIV_ROUNDUP(n_multiplications, reuse_factor);
};

// bias + sum_h (k_pair_h T_h + k_diagonal_h D_h), in the order of h, with both weights from `weight_row` of their tables;
// res_T holds every partial sum.
template <class pair_T, class diagonal_T, class k_pair_T, class k_diagonal_T, class res_T, typename CONFIG_T>
res_T readout_sum(pair_T pair_sum[CONFIG_T::n_channels], diagonal_T diagonal_sum[CONFIG_T::n_channels],
                  k_pair_T k_pair[CONFIG_T::n_weight_rows * CONFIG_T::n_channels],
                  k_diagonal_T k_diagonal[CONFIG_T::n_weight_rows * CONFIG_T::n_channels], unsigned weight_row,
                  res_T bias) {
    #pragma HLS INLINE
    #pragma HLS ARRAY_PARTITION variable=k_pair complete
    #pragma HLS ARRAY_PARTITION variable=k_diagonal complete

    res_T sum = bias;
Channels:
    for (unsigned c = 0; c < CONFIG_T::n_channels; c++) {
        sum += pair_sum[c] * k_pair[weight_row * CONFIG_T::n_channels + c];
        sum += diagonal_sum[c] * k_diagonal[weight_row * CONFIG_T::n_channels + c];
    }
    return sum;
}

// Extra weight of the pairs with the spurion, summed in the order of h.
template <typename CONFIG_T, class res_T, class spurion_T, class k_T>
res_T readout_spurion(spurion_T spurion_sum[CONFIG_T::n_channels], k_T k_spurion[CONFIG_T::n_channels]) {
    #pragma HLS INLINE
    #pragma HLS ARRAY_PARTITION variable=k_spurion complete

    res_T sum = 0;
Channels:
    for (unsigned c = 0; c < CONFIG_T::n_channels; c++) {
        sum += spurion_sum[c] * k_spurion[c];
    }
    return sum;
}

template <typename CONFIG_T, class res_T> res_T readout_spurion(absent, absent) {
    #pragma HLS INLINE
    return 0;
}

// The output, with the bias for the multiplicity and the extra weight of the spurion's pairs.
template <class pair_T, class diagonal_T, class k_pair_T, class k_diagonal_T, class bias_T, class mask_T, class bin_T,
          class spurion_T, class k_spurion_T, class res_T, typename CONFIG_T>
void readout(pair_T pair_sum[CONFIG_T::n_channels], diagonal_T diagonal_sum[CONFIG_T::n_channels],
             k_pair_T k_pair[CONFIG_T::n_weight_rows * CONFIG_T::n_channels],
             k_diagonal_T k_diagonal[CONFIG_T::n_weight_rows * CONFIG_T::n_channels],
             bias_T bias[CONFIG_T::n_bias_rows], optional<mask_T, CONFIG_T::n_particles> mask,
             optional<bin_T, 1> multiplicity_bin, optional<spurion_T, CONFIG_T::n_channels> spurion_sum,
             optional<k_spurion_T, CONFIG_T::n_channels> k_spurion, res_T res[1]) {
    // one event every reuse_factor cycles, so each multiplier serves reuse_factor multiplications
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor
    #pragma HLS ALLOCATION operation instances=mul limit=CONFIG_T::multiplier_limit
    #pragma HLS ARRAY_PARTITION variable=bias complete

    const unsigned row = table_row<CONFIG_T, CONFIG_T::n_bias_rows>(mask, multiplicity_bin);
    const unsigned weight_row = table_row<CONFIG_T, CONFIG_T::n_weight_rows>(mask, multiplicity_bin);
    const res_T more = readout_spurion<CONFIG_T, res_T>(spurion_sum, k_spurion);
    res[0] = more + readout_sum<pair_T, diagonal_T, k_pair_T, k_diagonal_T, res_T, CONFIG_T>(
                        pair_sum, diagonal_sum, k_pair, k_diagonal, weight_row, bias[row]);
}

} // namespace nnet

#endif
