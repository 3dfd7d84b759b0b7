#ifndef NNET_DECISION_H_
#define NNET_DECISION_H_

#include "nnet_common.h"

namespace nnet {

struct decision_config {
    static const unsigned reuse_factor = 1;
};

// 1 if the logit reaches the threshold, else 0.
template <class logit_T, class threshold_T, class res_T, typename CONFIG_T>
void decision(logit_T logit[1], threshold_T threshold[1], res_T res[1]) {
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor
    #pragma HLS ARRAY_PARTITION variable=threshold complete

    res[0] = logit[0] >= threshold[0] ? 1 : 0;
}

} // namespace nnet

#endif
