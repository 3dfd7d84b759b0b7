#ifndef NNET_ANGLE_DIFFERENCE_H_
#define NNET_ANGLE_DIFFERENCE_H_

#include "nnet_common.h"

namespace nnet {

struct angle_difference_config {
    static const unsigned n_constituents = 8;
    static const unsigned limit = 127;
    // period in codes, or 0 if the angle is not periodic
    static const unsigned turn = 0;

    static const unsigned reuse_factor = 1;
};

// angle_i - axis, wrapped to at most half a turn, then saturated at +-limit. All values are integers.
template <class angle_T, class axis_T, class res_T, typename CONFIG_T>
void angle_difference(angle_T angle[CONFIG_T::n_constituents], axis_T axis[1], res_T res[CONFIG_T::n_constituents]) {
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor

    const int limit = CONFIG_T::limit, turn = CONFIG_T::turn, half_turn = turn / 2;
Constituents:
    for (unsigned i = 0; i < CONFIG_T::n_constituents; i++) {
        // wide enough for the difference before and after wrapping
        ap_int<AP_MAX(angle_T::iwidth, axis_T::iwidth) + 3> d = angle[i] - axis[0];
        if (turn > 0) {
            if (d >= half_turn)
                d -= turn;
            else if (d < -half_turn)
                d += turn;
        }
        if (d > limit)
            d = limit;
        else if (d < -limit)
            d = -limit;
        res[i] = d;
    }
}

} // namespace nnet

#endif
