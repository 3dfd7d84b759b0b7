// What models refuse: each case prints its name, the kind of exception, and its sentence.
//
//     trouble FOLDER WORDS COMPONENTS
//
// with the names of a library that takes Level-1 words, of eight candidates, and of one that takes components. Compiled
// with WORDS defined as the first.

#include "models.h"

#include "emulator.h"
#include "producer.h"

#include <cmath>
#include <cstdio>
#include <dlfcn.h>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

using Model = hls4mlEmulator::Model;
namespace types = WORDS;

void say(const char *name, const std::function<void()> &act) {
    try {
        act();
        std::printf("%s\tnothing\t\n", name);
    } catch (const std::invalid_argument &error) {
        std::printf("%s\tinvalid_argument\t%s\n", name, error.what());
    } catch (const std::runtime_error &error) {
        std::printf("%s\truntime_error\t%s\n", name, error.what());
    }
}

Model *load(const std::string &path) {
    void *handle = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL);
    return reinterpret_cast<hls4mlEmulator::create_model_cls *>(dlsym(handle, "create_model"))();
}

int main(int, char **arguments) {
    const std::string folder = arguments[1];
    Model *words = load(folder + "/" + arguments[2] + ".so"), *components = load(folder + "/" + arguments[3] + ".so");
    std::vector<inputtype> candidates(24), jet(5), classes(1);
    ModelInputs good = {candidates.data(), jet.data(), 24, 5};
    ModelOutputs results = {classes.data(), nullptr};
    const auto with = [&good](const std::function<void(ModelInputs &)> &change) {
        ModelInputs changed = good;
        change(changed);
        return changed;
    };
    say("predict first", [&] { words->predict(); });
    say("good", [&] { words->prepare_input(good), words->predict(), words->read_result(&results); });
    say("few candidates", [&] { words->prepare_input(with([](ModelInputs &i) { i.total_candidate_inputs = 21; })); });
    say("predict after an error", [&] { words->predict(); });
    say("one candidate", [&] { words->prepare_input(with([](ModelInputs &i) { i.total_candidate_inputs = 3; })); });
    say("negative", [&] { words->prepare_input(with([](ModelInputs &i) { i.total_candidate_inputs = -24; })); });
    say("ragged", [&] { words->prepare_input(with([](ModelInputs &i) { i.total_candidate_inputs = 25; })); });
    say("short jet", [&] { words->prepare_input(with([](ModelInputs &i) { i.total_jet_inputs = 2; })); });
    say("null", [&] { words->prepare_input(with([](ModelInputs &i) { i.jet_inputs = nullptr; })); });
    say("wrong type", [&] { words->prepare_input(candidates.data()); });
    say("empty", [&] { words->prepare_input(std::any()); });
    say("null pointer", [&] { words->prepare_input(static_cast<types::inputs_t *>(nullptr)); });
    say("read first", [&] { words->prepare_input(good), words->read_result(&results); });
    words->predict();
    say("wrong result", [&] { words->read_result(results); });
    say("null result", [&] { results.jet_class_output = nullptr, words->read_result(&results); });
    types::real_inputs_t numbers = {};
    std::get<1>(numbers)[3] = std::nan("");
    say("nan", [&] { words->prepare_input(&numbers); });
    std::get<1>(numbers)[3] = -std::numeric_limits<double>::infinity();
    say("infinity", [&] { words->prepare_input(&numbers); });
    say("components", [&] { components->prepare_input(good); });
}
