#ifndef NNET_PARTICLE_SUM_H_
#define NNET_PARTICLE_SUM_H_

#include "nnet_common.h"

namespace nnet {

struct particle_sum_config {
    static const unsigned n_particles = 8;
    static const unsigned n_channels = 2;

    static const unsigned reuse_factor = 1;
};

// sum over valid i of z_ii, one value per channel, in the order of i; res_T holds every partial sum.
template <class data_T, class mask_T, class res_T, typename CONFIG_T>
void particle_sum(data_T z[CONFIG_T::n_particles * CONFIG_T::n_channels], mask_T mask[CONFIG_T::n_particles],
                  res_T res[CONFIG_T::n_channels]) {
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor

Channels:
    for (unsigned c = 0; c < CONFIG_T::n_channels; c++) {
        res_T sum = 0;
    Particles:
        for (unsigned i = 0; i < CONFIG_T::n_particles; i++) {
            if (mask[i] != 0)
                sum += z[i * CONFIG_T::n_channels + c];
        }
        res[c] = sum;
    }
}

} // namespace nnet

#endif
