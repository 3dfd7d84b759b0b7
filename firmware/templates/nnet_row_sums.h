#ifndef NNET_ROW_SUMS_H_
#define NNET_ROW_SUMS_H_

#include "nnet_absent.h"
#include "nnet_common.h"
#include "nnet_condensed.h"

namespace nnet {

struct row_sums_config {
    // number of particles in d, without the jet
    static const unsigned n_particles = 8;

    static const unsigned reuse_factor = 1;
};

// sum over j != i of d_ij, in the order of j; res_T holds every partial sum.
template <class d_T, class res_T, typename CONFIG_T>
res_T row_sum(d_T d[pair_count(CONFIG_T::n_particles)], unsigned i) {
    #pragma HLS INLINE
    res_T sum = 0;
Columns:
    for (unsigned j = 0; j < CONFIG_T::n_particles; j++) {
        if (j < i)
            sum += d[pair_index(CONFIG_T::n_particles, j, i)];
        else if (j > i)
            sum += d[pair_index(CONFIG_T::n_particles, i, j)];
    }
    return sum;
}

// The jet as particle 0: its products d_jet are added to the rows of the others. Its own row is the sum of d_jj, which
// comes first, and all d_jet.
template <typename CONFIG_T, class d_jet_T, class d_jj_T, class res_T>
void row_sums_jet(d_jet_T d_jet[CONFIG_T::n_particles], d_jj_T d_jj[1], res_T res[CONFIG_T::n_particles + 1]) {
    #pragma HLS INLINE

    res_T jet = d_jj[0];
Jet:
    for (unsigned i = 0; i < CONFIG_T::n_particles; i++) {
        res[i + 1] += d_jet[i];
        jet += d_jet[i];
    }
    res[0] = jet;
}

template <typename CONFIG_T, class res_T> void row_sums_jet(absent, absent, res_T[CONFIG_T::n_particles]) {
    #pragma HLS INLINE
}

// r_i = sum_j d_ij; the jet comes first, if there is one.
template <class d_T, class d_jet_T, class d_jj_T, class res_T, typename CONFIG_T>
void row_sums(d_T d[pair_count(CONFIG_T::n_particles)], optional<d_jet_T, CONFIG_T::n_particles> d_jet,
              optional<d_jj_T, 1> d_jj, res_T res[CONFIG_T::n_particles + given<d_jet_T>()]) {
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor

Rows:
    for (unsigned i = 0; i < CONFIG_T::n_particles; i++) {
        res[i + given<d_jet_T>()] = row_sum<d_T, res_T, CONFIG_T>(d, i);
    }
    row_sums_jet<CONFIG_T>(d_jet, d_jj, res);
}

} // namespace nnet

#endif
