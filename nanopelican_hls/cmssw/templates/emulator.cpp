// ${library} as a model of CMSSW: ${network}. Written by nanopelican-hls ${release}; docs/cmssw.md there
// explains it. Nothing but create_model and destroy_model is exported (exports.map).

#include "${library}.h"

#include "common.h"
#include "network.h"
#include "read_common.h"

#include "emulator.h"

#include <any>
#include <cmath>
#include <cstdlib>
#include <cxxabi.h>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>

#ifdef __FAST_MATH__
#error "-ffast-math hides NaN and infinity: compile without it"
#endif

namespace hls4ml_${library} {
namespace {

// The type that a std::any holds, for messages.
std::string held(const std::any &any) {
    if (!any.has_value()) {
        return "nothing";
    }
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> name(
        abi::__cxa_demangle(any.type().name(), nullptr, nullptr, &status), &std::free);
    return status == 0 ? name.get() : any.type().name();
}

// Whether a std::any holds a pointer to T, which may not be null.
template <class T> bool points_to(const std::any &any, T *&found, const char *where) {
    if (const auto *pointer = std::any_cast<T *>(&any)) {
        found = *pointer;
        if (!found) {
            throw wrong(where, "std::any holds a null pointer", "pass the address of an object");
        }
        return true;
    }
    return false;
}

template <class T, std::size_t n>
void round_port(const char *port, const std::array<double, n> &from, std::array<T, n> &to) {
    for (std::size_t i = 0; i < n; i++) {
        if (!std::isfinite(from[i])) {
            throw wrong(std::string(port) + "[" + std::to_string(i) + "]", "is " + std::to_string(from[i]),
                        "pass finite numbers, 0 where there is no constituent");
        }
        to[i] = from[i];
    }
}

template <std::size_t... k> void round_ports(const real_inputs_t &from, inputs_t &to, std::index_sequence<k...>) {
    (round_port(PORTS[k], std::get<k>(from), std::get<k>(to)), ...);
}

// Act on each number of the results, in the order of the outputs.
template <class Act> void for_each_result(const outputs_t &outputs, Act act) {
    const auto each = [&act](const auto &output) {
        for (const auto &number : output) {
            act(number);
        }
    };
    std::apply([&each](const auto &...output) { (each(output), ...); }, outputs);
}

// One jet at a time. An object may be used by one thread at a time, several objects by as many threads.
class Emulator final : public hls4mlEmulator::Model {
  public:
    void prepare_input(std::any input) override {
        state_ = State::empty;
        inputs_t *ports = nullptr;
        real_inputs_t *numbers = nullptr;
        const inputs_t *const_ports = nullptr;
        const real_inputs_t *const_numbers = nullptr;
        if (points_to(input, ports, "prepare_input") || points_to(input, const_ports, "prepare_input")) {
            inputs_ = ports ? *ports : *const_ports;
        } else if (points_to(input, numbers, "prepare_input") || points_to(input, const_numbers, "prepare_input")) {
            round_ports(numbers ? *numbers : *const_numbers, inputs_,
                        std::make_index_sequence<std::tuple_size<inputs_t>::value>());
        } else if (const auto *common = std::any_cast<ModelInputs>(&input)) {
            read_common(*common, inputs_);
        } else {
            throw wrong("prepare_input", "std::any holds " + held(input),
                        "pass ModelInputs, or a pointer to inputs_t or real_inputs_t of ${library}.h");
        }
        state_ = State::prepared;
    }

    void predict() override {
        if (state_ == State::empty) {
            throw too_early("predict", "prepare_input");
        }
        compute(inputs_, outputs_);
        state_ = State::predicted;
    }

    void read_result(std::any result) override {
        if (state_ != State::predicted) {
            throw too_early("read_result", "predict");
        }
        [[maybe_unused]] result_t *numbers = nullptr;
        outputs_t *outputs = nullptr;
        ModelOutputs *common = nullptr;
        if constexpr (std::tuple_size<outputs_t>::value == 1) {
            if (points_to(result, numbers, "read_result")) {
                for_each_result(outputs_, [&numbers](const result_t &number) { *numbers++ = number; });
                return;
            }
        }
        if (points_to(result, outputs, "read_result")) {
            *outputs = outputs_;
        } else if (points_to(result, common, "read_result")) {
            if (!common->jet_class_output) {
                throw wrong("ModelOutputs", "jet_class_output is null",
                            "point it to as many numbers as there are results, ${n_results}");
            }
            for_each_result(outputs_, [to = common->jet_class_output](const auto &number) mutable { *to++ = number; });
        } else {
            throw wrong("read_result", "std::any holds " + held(result),
                        "pass a pointer to ModelOutputs, or to outputs_t or, of one output, result_t of ${library}.h");
        }
    }

  private:
    enum class State { empty, prepared, predicted };

    State state_ = State::empty;
    inputs_t inputs_;
    outputs_t outputs_;
};

} // namespace
} // namespace hls4ml_${library}

extern "C" __attribute__((visibility("default"))) hls4mlEmulator::Model *create_model() {
    return new hls4ml_${library}::Emulator;
}

extern "C" __attribute__((visibility("default"))) void destroy_model(hls4mlEmulator::Model *model) {
    delete model;
}
