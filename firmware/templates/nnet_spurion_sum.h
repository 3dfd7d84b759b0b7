#ifndef NNET_SPURION_SUM_H_
#define NNET_SPURION_SUM_H_

#include "nnet_common.h"

namespace nnet {

struct spurion_sum_config {
    static const unsigned n_particles = 8;
    static const unsigned n_channels = 2;
    // symmetric: z holds every unordered pair once, and it counts twice; else all (i, j), then all (j, i), i < j
    static const bool symmetric = true;
    static const unsigned n_pairs = 28;
    static const unsigned n_entries = n_pairs;

    static const unsigned reuse_factor = 1;
};

// sum over valid j != 0 of z_0j + z_j0, one value a channel; res_T holds every partial sum. The pairs of particle 0, the
// spurion, head the condensed order. Order: j ascending, (j, 0) right after (0, j).
template <class data_T, class mask_T, class res_T, typename CONFIG_T>
void spurion_sum(data_T z[CONFIG_T::n_entries * CONFIG_T::n_channels], mask_T mask[CONFIG_T::n_particles],
                 res_T res[CONFIG_T::n_channels]) {
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor

    const unsigned C = CONFIG_T::n_channels;
Channels:
    for (unsigned c = 0; c < C; c++) {
        res_T sum = 0;
    Others:
        for (unsigned j = 1; j < CONFIG_T::n_particles; j++) {
            if (mask[j] == 0)
                continue;
            sum += z[(j - 1) * C + c];
            if (!CONFIG_T::symmetric)
                sum += z[(CONFIG_T::n_pairs + j - 1) * C + c];
        }
        // doubling the sum is wiring, and no bit falls off: res_T has room for the doubled sum
        res[c] = CONFIG_T::symmetric ? res_T(sum << 1) : sum;
    }
}

} // namespace nnet

#endif
