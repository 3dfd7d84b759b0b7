#ifndef NNET_MULTIPLICITY_H_
#define NNET_MULTIPLICITY_H_

#include "nnet_common.h"

namespace nnet {

// Number of valid particles: the index of the tables over the multiplicity. Order: particle 0 first.
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

} // namespace nnet

#endif
