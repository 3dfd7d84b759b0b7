// Emulator of a firmware: the same integers, bit for bit, for many jets in a call.
// Written by nanopelican-hls ${version}; C++17, no other library. docs/emulator.md explains it.
//
// All arrays are rows of jets: [jets][elements]. An integer is a value in units of a power of two, its grid.

#ifndef ${guard}
#define ${guard}

#include <cstddef>
#include <cstdint>

namespace ${name} {

// Inputs as integers. Those outside of the given ranges saturate.
struct Inputs {
${inputs}
};

// Inputs as real numbers, which are rounded to the grids above and saturate. NaN becomes the lowest integer.
struct RealInputs {
${real_inputs}
};

struct Outputs {
${outputs}
};

// Every tensor of the network, to compare with other executors; null where it is not wanted.
struct Tensors {
${tensors}
};

// Compute the outputs of jets and, if asked for, their tensors. Reentrant.
void run(std::size_t jets, const Inputs &inputs, const Outputs &outputs, const Tensors *tensors = nullptr);
void run(std::size_t jets, const RealInputs &inputs, const Outputs &outputs, const Tensors *tensors = nullptr);

} // namespace ${name}

#endif
