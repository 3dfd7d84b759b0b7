// The interface of emulators in CMSSW, for builds without hls4mlEmulatorExtras, whose header is taken where it is there.
// Models and CMSSW are compiled apart: the order of these functions is the layout of the virtual table.

#ifndef HLS4ML_EMULATOR_H_
#define HLS4ML_EMULATOR_H_

#include <any>

namespace hls4mlEmulator {

class Model {
  public:
    virtual void prepare_input(std::any input) = 0;
    virtual void predict() = 0;
    virtual void read_result(std::any result) = 0;
    virtual ~Model() = default;
};

// What a library exports, in C: create_model and destroy_model.
typedef Model *create_model_cls();
typedef void destroy_model_cls(Model *);

} // namespace hls4mlEmulator

#endif
