#ifndef NNET_TOTAL_SUM_H_
#define NNET_TOTAL_SUM_H_

#include "nnet_common.h"

namespace nnet {

struct total_sum_config {
    static const unsigned n_particles = 8;

    static const unsigned reuse_factor = 1;
};

// sum_i r_i, in the order of i; res_T holds every partial sum.
template <class data_T, class res_T, typename CONFIG_T> void total_sum(data_T r[CONFIG_T::n_particles], res_T res[1]) {
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor

    res_T sum = 0;
Particles:
    for (unsigned i = 0; i < CONFIG_T::n_particles; i++) {
        sum += r[i];
    }
    res[0] = sum;
}

} // namespace nnet

#endif
