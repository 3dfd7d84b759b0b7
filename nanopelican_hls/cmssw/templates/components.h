// The common struct cannot be read: this model takes components, which something ahead of the firmware computes.

#ifndef NANOPELICAN_READ_COMMON_H
#define NANOPELICAN_READ_COMMON_H

#include "${library}.h"
#include "common.h"

namespace hls4ml_${library} {

[[noreturn]] inline void read_common(const ModelInputs &, inputs_t &) {
    throw wrong("ModelInputs", "has pt, eta and phi, but this model takes ${components}",
                "pass a pointer to inputs_t of ${library}.h, or use a model that was trained with `input: l1`");
}

} // namespace hls4ml_${library}

#endif
