// What all models share: the common structs of CMSSW's jet taggers, and the form of errors.

#ifndef NANOPELICAN_COMMON_H
#define NANOPELICAN_COMMON_H

#include "ap_fixed.h"

#include <stdexcept>
#include <string>

// std::any tells types by their names, so these must have the names that CMSSW gives them, in no namespace. They are
// of this library only: nothing of it is exported.
typedef ap_fixed<64, 32, AP_RND, AP_SAT, 0> inputtype;

struct ModelInputs {
    inputtype *candidate_inputs;
    inputtype *jet_inputs;
    int total_candidate_inputs;
    int total_jet_inputs;
};

struct ModelOutputs {
    inputtype *jet_class_output;
    inputtype *jet_regression_output;
};

namespace hls4ml_${library} {

// Inputs or results that cannot be used: where, what, and what to do.
inline std::invalid_argument wrong(const std::string &where, const std::string &what, const std::string &remedy) {
    return std::invalid_argument("${library}: " + where + ": " + what + "; " + remedy);
}

// Calls in the wrong order.
inline std::runtime_error too_early(const std::string &where, const std::string &before) {
    return std::runtime_error("${library}: " + where + ": called before " + before + "; call " + before + " first");
}

} // namespace hls4ml_${library}

#endif
