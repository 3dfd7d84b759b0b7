#ifndef NNET_MULTIPLICITY_H_
#define NNET_MULTIPLICITY_H_

#include "nnet_absent.h"
#include "nnet_common.h"

namespace nnet {

// Number of valid particles, the index of multiplicity tables. Order of the sum: particle 0 first.
template <class mask_T, unsigned N> ap_uint<floorlog2(N) + 1> multiplicity(mask_T mask[N]) {
    #pragma HLS INLINE
    ap_uint<floorlog2(N) + 1> n = 0;
Count:
    for (unsigned i = 0; i < N; i++) {
        if (mask[i] != 0)
            n += 1;
    }
    return n;
}

// Row of a multiplicity table of ROWS rows: row 0 if there is only one, otherwise the number of valid particles, from the
// mask, or the bin. The partitioned table becomes a multiplexer of constants.
template <typename CONFIG_T, unsigned ROWS, class mask_T>
unsigned table_row(mask_T mask[CONFIG_T::n_particles], absent) {
    #pragma HLS INLINE
    return ROWS == 1 ? 0 : (unsigned)multiplicity<mask_T, CONFIG_T::n_particles>(mask);
}

template <typename CONFIG_T, unsigned ROWS, class bin_T>
unsigned table_row(absent, bin_T multiplicity_bin[1]) {
    #pragma HLS INLINE
    return ROWS == 1 ? 0 : (unsigned)multiplicity_bin[0];
}

template <typename CONFIG_T, unsigned ROWS> unsigned table_row(absent, absent) {
    #pragma HLS INLINE
    static_assert(ROWS == 1, "a table needs the mask or a bin");
    return 0;
}

} // namespace nnet

#endif
