// The common structs as a producer of CMSSW has them, which includes no header of a model.

#ifndef PRODUCER_H
#define PRODUCER_H

#include "ap_fixed.h"

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

#endif
