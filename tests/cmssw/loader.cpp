// What CMSSW does with models: loads several libraries into one process, and runs them in several threads.
//
//     loader FOLDER THREADS LIBRARY...
//
// For each library, FOLDER/<library>.ports has rows of doubles, one for each jet: all ports. They go in as the own types
// of the model (ports.out) and as real numbers (reals.out). FOLDER/<library>.common, if it is there, has rows for the
// common struct: its candidates, then its jet (common.out). models.h has the types of the ports of all libraries.

#include "models.h"

#include "emulator.h"
#include "producer.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using Model = hls4mlEmulator::Model;
const std::size_t JETS_OF_EVENT = 16;
const int JET_INPUTS = 5;

std::vector<double> read(const std::string &path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    std::vector<double> numbers(file ? static_cast<std::size_t>(file.tellg()) / sizeof(double) : 0);
    file.seekg(0);
    file.read(reinterpret_cast<char *>(numbers.data()), static_cast<std::streamsize>(numbers.size() * sizeof(double)));
    return numbers;
}

void write(const std::string &path, const std::vector<double> &numbers) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char *>(numbers.data()), static_cast<std::streamsize>(numbers.size() * sizeof(double)));
}

template <class Array> void fill(const double *&from, Array &array) {
    for (auto &number : array) {
        number = *from++;
    }
}

template <class Array> void save(const Array &array, double *&to) {
    for (const auto &number : array) {
        *to++ = number.to_double();
    }
}

// The older interface: arrays of the model's own types, or of real numbers.
template <class Inputs, class Outputs, class Result> void run_ports(Model &model, const double *row, double *result) {
    Inputs inputs;
    std::apply([&row](auto &...port) { (fill(row, port), ...); }, inputs);
    Outputs outputs;
    model.prepare_input(&inputs);
    model.predict();
    if constexpr (std::tuple_size<Outputs>::value == 1) {
        Result *first = std::get<0>(outputs).data();
        model.read_result(first);
    } else {
        model.read_result(&outputs);
    }
    std::apply([&result](const auto &...output) { (save(output, result), ...); }, outputs);
}

// The common struct. The array is as long as it says and no longer, so that sanitisers see who reads on.
void run_common(Model &model, const double *row, int candidates, std::size_t n, double *result) {
    std::vector<inputtype> candidate(row, row + candidates), jet(row + candidates, row + candidates + JET_INPUTS);
    std::vector<inputtype> classes(n);
    ModelInputs inputs = {candidate.data(), jet.data(), candidates, JET_INPUTS};
    ModelOutputs outputs = {classes.data(), nullptr};
    model.prepare_input(inputs);
    model.predict();
    model.read_result(&outputs);
    for (std::size_t i = 0; i < n; i++) {
        result[i] = classes[i].to_double();
    }
}

struct Types {
    void (*run_ports)(Model &, const double *, double *);
    void (*run_reals)(Model &, const double *, double *);
    std::size_t elements, results;
};
template <class Inputs> std::size_t elements() {
    return std::apply([](const auto &...port) { return (port.size() + ...); }, Inputs());
}
const std::map<std::string, Types> TYPES = {
#define TYPES_OF(library)                                                                                              \
    {#library,                                                                                                         \
     {&run_ports<hls4ml_##library::inputs_t, hls4ml_##library::outputs_t, hls4ml_##library::result_t>,                 \
      &run_ports<hls4ml_##library::real_inputs_t, hls4ml_##library::outputs_t, hls4ml_##library::result_t>,            \
      elements<hls4ml_##library::inputs_t>(), hls4ml_##library::N_RESULTS}},
    MODELS(TYPES_OF)};

struct Library {
    void *handle;
    hls4mlEmulator::create_model_cls *create;
    hls4mlEmulator::destroy_model_cls *destroy;

    explicit Library(const std::string &path) : handle(dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL)) {
        if (!handle) {
            throw std::runtime_error(dlerror());
        }
        create = reinterpret_cast<hls4mlEmulator::create_model_cls *>(dlsym(handle, "create_model"));
        destroy = reinterpret_cast<hls4mlEmulator::destroy_model_cls *>(dlsym(handle, "destroy_model"));
    }
    std::unique_ptr<Model, hls4mlEmulator::destroy_model_cls *> model() const { return {create(), destroy}; }
};

// One way to run the jets of a library.
struct Run {
    const Library *library;
    std::size_t results, jets;
    std::vector<double> rows, found;
    std::function<void(Model &, std::size_t, double *)> run;
    std::string path;
};

int main(int count, char **arguments) {
    const std::string folder = arguments[1];
    const std::size_t threads = std::strtoul(arguments[2], nullptr, 10);
    std::vector<std::unique_ptr<Library>> libraries;
    std::vector<std::unique_ptr<Run>> runs;
    for (int i = 3; i < count; i++) {
        const std::string name = arguments[i];
        const Types &types = TYPES.at(name);
        libraries.push_back(std::make_unique<Library>(folder + "/" + name + ".so"));
        for (const std::string kind : {".ports", ".reals", ".common"}) {
            auto run = std::make_unique<Run>();
            run->rows = read(folder + "/" + name + (kind == ".reals" ? ".ports" : kind));
            if (run->rows.empty()) {
                continue;
            }
            run->library = libraries.back().get();
            run->results = types.results;
            run->path = folder + "/" + name + kind + ".out";
            const double *rows = run->rows.data();
            const std::size_t candidates = std::strtoul(std::getenv("CANDIDATES"), nullptr, 10) * 3;
            const std::size_t width = kind == ".common" ? candidates + JET_INPUTS : types.elements;
            if (run->rows.size() % width) {
                throw std::runtime_error(run->path + ": rows of another width");
            }
            run->jets = run->rows.size() / width;
            if (kind == ".common") {
                run->run = [rows, width, candidates, types](Model &model, std::size_t jet, double *found) {
                    run_common(model, rows + jet * width, static_cast<int>(candidates), types.results, found);
                };
            } else {
                run->run = [rows, width, act = kind == ".ports" ? types.run_ports : types.run_reals](
                               Model &model, std::size_t jet, double *found) { act(model, rows + jet * width, found); };
            }
            run->found.resize(run->jets * run->results);
            runs.push_back(std::move(run));
        }
    }
    std::vector<std::thread> pool;
    for (std::size_t thread = 0; thread < threads; thread++) {
        pool.emplace_back([thread, threads, &runs] {
            std::vector<std::unique_ptr<Model, hls4mlEmulator::destroy_model_cls *>> models;
            for (const auto &run : runs) {
                models.push_back(run->library->model());
            }
            // the models of all libraries take turns at each jet
            for (std::size_t first = thread * JETS_OF_EVENT; first < runs[0]->jets; first += threads * JETS_OF_EVENT) {
                for (std::size_t jet = first; jet < first + JETS_OF_EVENT; jet++) {
                    for (std::size_t i = 0; i < runs.size(); i++) {
                        if (jet < runs[i]->jets) {
                            runs[i]->run(*models[i], jet, &runs[i]->found[jet * runs[i]->results]);
                        }
                    }
                }
            }
        });
    }
    for (std::thread &thread : pool) {
        thread.join();
    }
    for (const auto &run : runs) {
        write(run->path, run->found);
    }
    runs.clear();
    for (const auto &library : libraries) {
        dlclose(library->handle);
    }
    std::printf("%zu libraries, %zu threads\n", libraries.size(), threads);
}
