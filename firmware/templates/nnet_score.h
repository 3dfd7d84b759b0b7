#ifndef NNET_SCORE_H_
#define NNET_SCORE_H_

#include "nnet_common.h"

namespace nnet {

struct score_config {
    static const unsigned fraction_bits = 5;
    // a power of two
    static const unsigned n_entries = 512;

    static const unsigned reuse_factor = 1;
};

// table[min(max(floor(logit 2^fraction_bits), -n_entries / 2), n_entries / 2 - 1) + n_entries / 2]
template <class logit_T, class table_T, class res_T, typename CONFIG_T>
void score(logit_T logit[1], table_T table[CONFIG_T::n_entries], res_T res[1]) {
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor

    // bits of the index
    static const int width = floorlog2(CONFIG_T::n_entries);
    static const int whole = width - (int)CONFIG_T::fraction_bits;
    // dropping bits rounds down, and what the type cannot hold saturates
    const ap_fixed<width, whole, AP_TRN, AP_SAT> held = logit[0];
    // the sign inverted: the lowest logit has index 0
    ap_uint<width> index = held.range(width - 1, 0);
    index[width - 1] = !index[width - 1];
    res[0] = table[index];
}

} // namespace nnet

#endif
