#ifndef NNET_PAIR_SUM_H_
#define NNET_PAIR_SUM_H_

#include "nnet_common.h"
#include "nnet_condensed.h"

namespace nnet {

struct pair_sum_config {
    static const unsigned n_particles = 8;
    static const unsigned n_channels = 2;
    // symmetric: one entry per unordered pair, which counts twice; otherwise all (i, j), then all (j, i), i < j
    static const bool symmetric = true;
    static const unsigned n_pairs = pair_count(n_particles);
    static const unsigned n_entries = n_pairs;

    static const unsigned reuse_factor = 1;
};

// sum over i != j of z_ij, for valid i and j, one value per channel; res_T holds every partial sum.
// Order of the sum: pairs in condensed order, (j, i) right after (i, j).
template <class data_T, class mask_T, class res_T, typename CONFIG_T>
void pair_sum(data_T z[CONFIG_T::n_entries * CONFIG_T::n_channels], mask_T mask[CONFIG_T::n_particles],
              res_T res[CONFIG_T::n_channels]) {
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor

    const unsigned C = CONFIG_T::n_channels;
Channels:
    for (unsigned c = 0; c < C; c++) {
        res_T sum = 0;
    Rows:
        for (unsigned i = 0; i < CONFIG_T::n_particles; i++) {
        Columns:
            for (unsigned j = 0; j < CONFIG_T::n_particles; j++) {
                if (j <= i || mask[i] == 0 || mask[j] == 0)
                    continue;
                const unsigned k = pair_index(CONFIG_T::n_particles, i, j);
                sum += z[k * C + c];
                if (!CONFIG_T::symmetric)
                    sum += z[(CONFIG_T::n_pairs + k) * C + c];
            }
        }
        // doubling is only wiring; no bit is lost, since res_T is wide enough for the doubled sum
        res[c] = CONFIG_T::symmetric ? res_T(sum << 1) : sum;
    }
}

} // namespace nnet

#endif
