// See ${name}.h. Jets go through in blocks of LANES: the innermost loops are over the jets of a block, so that the
// compiler makes them vector instructions. All types are wide enough for every value, so no arithmetic overflows.

#include "${name}.h"

#include <algorithm>
#include <memory>

#ifdef __FAST_MATH__
#error "-ffast-math changes how inputs are rounded: compile without it"
#endif

#define INLINE inline __attribute__((always_inline))

// A loop over the jets of a block, which do not depend on each other: this lets the compiler work on several at once.
#define JETS_OF_BLOCK for (int jet = 0; jet < LANES; jet++)
#if defined(__clang__)
#define FOR_EACH_JET _Pragma("clang loop vectorize(assume_safety)") JETS_OF_BLOCK
#elif defined(__GNUC__)
#define FOR_EACH_JET _Pragma("GCC ivdep") JETS_OF_BLOCK
#else
#define FOR_EACH_JET JETS_OF_BLOCK
#endif

namespace ${name} {
namespace {

using std::int16_t;
using std::int32_t;
using std::int64_t;

static_assert((-1 >> 1) == -1, "the right shift of a negative number must keep its sign");

constexpr int LANES = ${lanes};

template <class T> INLINE T at_least(T x, T low) { return x < low ? low : x; }
template <class T> INLINE T at_most(T x, T high) { return x > high ? high : x; }
template <class T> INLINE T clip(T x, T low, T high) { return at_most<T>(at_least<T>(x, low), high); }

// x / 2^shift, rounded to the nearest integer, and halves to even ones
template <class T, int shift> INLINE T rounded(T x) {
    return (x + ((T(1) << (shift - 1)) - 1) + ((x >> shift) & 1)) >> shift;
}

// The integer nearest to x, halves to even ones, or with `down` the largest that is not above x; |x| < 2^31. Doubles
// beyond 2^52 have no fraction, so adding such a number rounds.
template <bool down> INLINE int32_t to_integer(double x) {
    const double nearest = (x + 0x1.8p52) - 0x1.8p52;
    return static_cast<int32_t>(down && nearest > x ? nearest - 1 : nearest);
}

${tables}

// Tensors of a block that no later loop reads; they are stored if all tensors are asked for.
struct Passing {
${passing}
    char none;
};

struct alignas(64) Block {
${arrays}

    template <bool traced> INLINE void compute(Passing *passing);
};

template <bool traced> INLINE void Block::compute([[maybe_unused]] Passing *passing) {
${body}
}

// Rows of integers to elements of a block.
template <int elements, class T> INLINE void load(const T *rows, std::size_t jets, T (*lanes)[LANES]) {
    for (std::size_t jet = 0; jet < jets; jet++) {
        for (int i = 0; i < elements; i++) {
            lanes[i][jet] = rows[jet * elements + i];
        }
    }
}
template <int elements, class T>
INLINE void load_integers(const T *rows, std::size_t jets, T (*lanes)[LANES], int32_t low, int32_t high) {
    T integers[elements * LANES];
    for (std::size_t k = 0; k < jets * elements; k++) {
        integers[k] = clip<int32_t>(rows[k], low, high);
    }
    load<elements>(integers, jets, lanes);
}

// Rows of real numbers in units of 1 / `scale`.
template <int elements, bool down, class T>
INLINE void load_real(const double *rows, std::size_t jets, T (*lanes)[LANES], double scale, double low, double high) {
    T integers[elements * LANES];
    for (std::size_t k = 0; k < jets * elements; k++) {
        const double x = rows[k] * scale;
        integers[k] = to_integer<down>(at_most(x > low ? x : low, high));
    }
    load<elements>(integers, jets, lanes);
}

// Elements of a block to rows.
template <int elements, class T> INLINE void save(const T (*lanes)[LANES], std::size_t jets, T *rows) {
    for (std::size_t jet = 0; rows && jet < jets; jet++) {
        for (int i = 0; i < elements; i++) {
            rows[jet * elements + i] = lanes[i][jet];
        }
    }
}

INLINE void load_block(Block &block, const Inputs &inputs, std::size_t first, std::size_t jets) {
${load}
}

INLINE void load_block(Block &block, const RealInputs &inputs, std::size_t first, std::size_t jets) {
${load_real}
}

void save_block(const Block &block, const Outputs &outputs, std::size_t first, std::size_t jets) {
${save}
}

void save_all(const Block &block, const Passing &passing, const Tensors &tensors, std::size_t first, std::size_t jets) {
${save_all}
}

// What a processor with certain vector instructions runs.
struct Kernels {
    void (*compute)(Block &);
    void (*load)(Block &, const Inputs &, std::size_t, std::size_t);
    void (*load_real)(Block &, const RealInputs &, std::size_t, std::size_t);
};

#define KERNELS(name, target)                                                                                          \
    target void compute_##name(Block &block) { block.compute<false>(nullptr); }                                        \
    target void load_##name(Block &block, const Inputs &inputs, std::size_t first, std::size_t jets) {                 \
        load_block(block, inputs, first, jets);                                                                        \
    }                                                                                                                  \
    target void load_real_##name(Block &block, const RealInputs &inputs, std::size_t first, std::size_t jets) {        \
        load_block(block, inputs, first, jets);                                                                        \
    }                                                                                                                  \
    constexpr Kernels name = {compute_##name, load_##name, load_real_##name};

KERNELS(any, )
#if defined(__x86_64__) && defined(__GNUC__)
KERNELS(avx2, __attribute__((target("avx2"))))
KERNELS(avx512, __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))))
#endif

const Kernels &kernels() {
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        return avx512;
    }
    if (__builtin_cpu_supports("avx2")) {
        return avx2;
    }
#endif
    return any;
}

void load(Block &block, const Inputs &inputs, std::size_t first, std::size_t jets) {
    kernels().load(block, inputs, first, jets);
}

void load(Block &block, const RealInputs &inputs, std::size_t first, std::size_t jets) {
    kernels().load_real(block, inputs, first, jets);
}

template <class AnyInputs>
void run_blocks(std::size_t jets, const AnyInputs &inputs, const Outputs &outputs, const Tensors *tensors) {
    const auto block = std::make_unique<Block>();
    const auto passing = tensors ? std::make_unique<Passing>() : nullptr;
    for (std::size_t first = 0; first < jets; first += LANES) {
        const std::size_t count = std::min<std::size_t>(LANES, jets - first);
        load(*block, inputs, first, count);
        if (tensors) {
            block->compute<true>(passing.get());
            save_all(*block, *passing, *tensors, first, count);
        } else {
            kernels().compute(*block);
        }
        save_block(*block, outputs, first, count);
    }
}

} // namespace

void run(std::size_t jets, const Inputs &inputs, const Outputs &outputs, const Tensors *tensors) {
    run_blocks(jets, inputs, outputs, tensors);
}

void run(std::size_t jets, const RealInputs &inputs, const Outputs &outputs, const Tensors *tensors) {
    run_blocks(jets, inputs, outputs, tensors);
}

} // namespace ${name}
