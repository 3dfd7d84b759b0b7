// Reads cases from a file, gives each to two libraries of one model, and says what became of it.
//
//     common_struct FOLDER LIBRARY LIBRARY < cases
//
// A case is four bytes of flags, the two counts, and a seed and kind of numbers. Arrays have exactly the length that the
// struct says, so that the address sanitizer sees every read beyond them. One line of output per case: the exception's
// type and sentence, or the results of both libraries in units of 2^-32.

#include "emulator.h"
#include "producer.h"

#include <cstdint>
#include <cstdio>
#include <dlfcn.h>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>

using Model = hls4mlEmulator::Model;

struct Case {
    std::uint8_t flags, kind, results, again;
    std::int32_t candidates, jet;
    std::uint32_t seed;
};

constexpr int RESULTS = 16, MOST = 4096;

using Loaded = std::unique_ptr<Model, hls4mlEmulator::destroy_model_cls *>;

Loaded load(const std::string &path) {
    void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        std::fprintf(stderr, "%s\n", dlerror());
        std::exit(3);
    }
    return {reinterpret_cast<hls4mlEmulator::create_model_cls *>(dlsym(handle, "create_model"))(),
            reinterpret_cast<hls4mlEmulator::destroy_model_cls *>(dlsym(handle, "destroy_model"))};
}

// Numbers of all sizes: whole words, halves between them, the ends of the type, and any bits.
std::unique_ptr<inputtype[]> numbers(int length, std::uint8_t kind, std::mt19937_64 &draw) {
    std::unique_ptr<inputtype[]> result(new inputtype[length]);
    for (int i = 0; i < length; i++) {
        const std::uint64_t bits = draw();
        std::int64_t value = static_cast<std::int64_t>(bits);
        switch (kind % 5) {
        case 0: value = static_cast<std::int64_t>(bits % 4096) << 32; break;
        case 1: value >>= bits % 40; break;
        case 2: value = (static_cast<std::int64_t>(bits % 8192) - 4096) << 31; break;
        case 3: value = bits & 1 ? INT64_MAX : INT64_MIN; break;
        default: break;
        }
        result[i].range(63, 0) = value;
    }
    return result;
}

std::string run(Model *model, const Case &one) {
    std::mt19937_64 draw(one.seed);
    const auto length = [](std::int32_t n) { return n < 0 ? 0 : n > MOST ? MOST : n; };
    const auto candidates = numbers(length(one.candidates), one.kind, draw);
    const auto jet = numbers(length(one.jet), one.kind / 5, draw);
    std::unique_ptr<inputtype[]> results(new inputtype[RESULTS]);
    ModelInputs inputs = {candidates.get(), jet.get(), length(one.candidates), length(one.jet)};
    if (one.candidates < 0 || one.jet < 0) {
        inputs.total_candidate_inputs = one.candidates, inputs.total_jet_inputs = one.jet;
    }
    if (one.flags & 1) inputs.candidate_inputs = nullptr;
    if (one.flags & 2) inputs.jet_inputs = nullptr;
    ModelOutputs outputs = {one.flags & 4 ? nullptr : results.get(), nullptr};
    try {
        if (!(one.flags & 8)) {
            switch (one.results % 4) {
            case 0: model->prepare_input(inputs); break;
            case 1: model->prepare_input(one.flags & 64 ? std::any() : std::any(&inputs)); break;
            case 2: model->prepare_input(std::string("words")); break;
            default: model->prepare_input(inputs); break;
            }
        }
        if (!(one.flags & 16)) model->predict();
        if (!(one.flags & 32)) {
            if (one.again % 8 == 1) model->read_result(outputs);
            else if (one.again % 8 == 2) model->read_result(static_cast<ModelOutputs *>(nullptr));
            else model->read_result(&outputs);
        }
    } catch (const std::invalid_argument &error) {
        return std::string("invalid_argument ") + error.what();
    } catch (const std::runtime_error &error) {
        return std::string("runtime_error ") + error.what();
    }
    std::string said = "works";
    for (int i = 0; i < RESULTS && !(one.flags & 32); i++) {
        said += " " + std::to_string(static_cast<std::int64_t>(results[i].range(63, 0).to_uint64()));
    }
    return said;
}

int main(int, char **arguments) {
    const Loaded models[] = {load(std::string(arguments[1]) + "/" + arguments[2] + ".so"),
                             load(std::string(arguments[1]) + "/" + arguments[3] + ".so")};
    Case one;
    while (std::fread(&one, sizeof one, 1, stdin) == 1) {
        for (const Loaded &model : models) {
            std::printf("%s\n", run(model.get(), one).c_str());
        }
        std::fflush(stdout);
    }
    return 0;
}
