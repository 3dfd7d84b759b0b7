// An emulator's functions for ctypes: pointers to arrays, in the order of the header.

#include "${name}.h"

#include <cstring>

namespace {

// The structures of the header hold nothing but pointers to arrays.
template <class T> T structure(const void *const *arrays) {
    T result;
    static_assert(sizeof(T) % sizeof(void *) == 0, "");
    std::memcpy(&result, arrays, sizeof(T));
    return result;
}

template <class Inputs>
void run(std::size_t jets, const void *const *inputs, const void *const *outputs, const void *const *tensors) {
    const auto all = tensors ? structure<${name}::Tensors>(tensors) : ${name}::Tensors();
    ${name}::run(jets, structure<Inputs>(inputs), structure<${name}::Outputs>(outputs), tensors ? &all : nullptr);
}

} // namespace

extern "C" {

void run_integers(std::size_t jets, const void *const *inputs, const void *const *outputs, const void *const *tensors) {
    run<${name}::Inputs>(jets, inputs, outputs, tensors);
}

void run_reals(std::size_t jets, const void *const *inputs, const void *const *outputs, const void *const *tensors) {
    run<${name}::RealInputs>(jets, inputs, outputs, tensors);
}
}
