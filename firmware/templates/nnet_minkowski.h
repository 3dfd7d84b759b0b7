#ifndef NNET_MINKOWSKI_H_
#define NNET_MINKOWSKI_H_

#include "nnet_common.h"

namespace nnet {

// x / 2 without loss: the product has one more fractional bit than x, and multiplying by 0.5 is only wiring.
typedef ap_ufixed<1, 0> half_t;
inline half_t one_half() {
    #pragma HLS INLINE
    return 0.5;
}

// a . b with the metric + - - -. Operands keep their own types: products and sums are exact until assigned to res_T.
//   cartesian (E, px, py, pz):    E E' - px px' - py py' - pz pz'
//   light cone (q+, q-, y, z):    (q+ q-' + q- q+') / 2 - y y' - z z'
template <class res_T, bool light_cone, class a0_T, class a1_T, class a2_T, class a3_T, class b0_T, class b1_T, class b2_T,
          class b3_T>
res_T minkowski_dot(a0_T a0, a1_T a1, a2_T a2, a3_T a3, b0_T b0, b1_T b1, b2_T b2, b3_T b3) {
    #pragma HLS INLINE
    if (light_cone)
        return (a0 * b1 + a1 * b0) * one_half() - a2 * b2 - a3 * b3;
    return a0 * b0 - a1 * b1 - a2 * b2 - a3 * b3;
}

} // namespace nnet

#endif
