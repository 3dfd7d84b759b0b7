#ifndef NNET_LIGHT_CONE_FROM_L1_H_
#define NNET_LIGHT_CONE_FROM_L1_H_

#include "nnet_absent.h"
#include "nnet_common.h"

namespace nnet {

struct light_cone_from_l1_config {
    static const unsigned n_constituents = 8;
    // length of the longest table
    static const unsigned n_entries = 128;
    // whether the tables are odd functions of the angle
    static const bool odd = false;

    static const unsigned reuse_factor = 1;
    static const unsigned n_multiplications = 8;
    static const unsigned multiplier_limit = DIV_ROUNDUP(n_multiplications, reuse_factor);
};

// The entry at |d|, with the sign of d if the function is odd; one more bit than in the table, for the negation.
template <class d_T, class table_T, bool odd>
ap_fixed<table_T::width + 1, table_T::iwidth + 1> table_entry(d_T d, table_T table[]) {
    #pragma HLS INLINE
    const int angle = d.to_int();
    const ap_fixed<table_T::width + 1, table_T::iwidth + 1> entry = table[angle < 0 ? -angle : angle];
    if (odd && angle < 0)
        return -entry;
    return entry;
}

// pt_i (f(d_eta_i) + g(d_phi_i)), with f and g from tables. These are partitioned into constants in logic, since all
// constituents read them in parallel.
template <typename CONFIG_T, class pt_T, class d_eta_T, class eta_table_T, class d_phi_T, class phi_table_T, class res_T>
void light_cone_sum(pt_T pt[CONFIG_T::n_constituents], d_eta_T d_eta[CONFIG_T::n_constituents],
                    eta_table_T eta_table[CONFIG_T::n_entries], d_phi_T d_phi[CONFIG_T::n_constituents],
                    phi_table_T phi_table[CONFIG_T::n_entries], res_T res[CONFIG_T::n_constituents]) {
    #pragma HLS INLINE
    #pragma HLS ARRAY_PARTITION variable=eta_table complete
    #pragma HLS ARRAY_PARTITION variable=phi_table complete

Constituents:
    for (unsigned i = 0; i < CONFIG_T::n_constituents; i++) {
        res[i] = pt[i] * (table_entry<d_eta_T, eta_table_T, CONFIG_T::odd>(d_eta[i], eta_table) +
                          table_entry<d_phi_T, phi_table_T, CONFIG_T::odd>(d_phi[i], phi_table));
    }
}

// pt_i f(d_eta_i).
template <typename CONFIG_T, class pt_T, class d_T, class table_T, class res_T>
void light_cone_sum(pt_T pt[CONFIG_T::n_constituents], d_T d[CONFIG_T::n_constituents], table_T table[CONFIG_T::n_entries],
                    absent, absent, res_T res[CONFIG_T::n_constituents]) {
    #pragma HLS INLINE
    #pragma HLS ARRAY_PARTITION variable=table complete

Constituents:
    for (unsigned i = 0; i < CONFIG_T::n_constituents; i++) {
        res[i] = pt[i] * table_entry<d_T, table_T, CONFIG_T::odd>(d[i], table);
    }
}

// pt_i g(d_phi_i).
template <typename CONFIG_T, class pt_T, class d_T, class table_T, class res_T>
void light_cone_sum(pt_T pt[CONFIG_T::n_constituents], absent, absent, d_T d[CONFIG_T::n_constituents],
                    table_T table[CONFIG_T::n_entries], res_T res[CONFIG_T::n_constituents]) {
    #pragma HLS INLINE
    light_cone_sum<CONFIG_T>(pt, d, table, absent(), absent(), res);
}

// One component of all constituents: pt_i times a function of eta, of phi, or the sum of both.
template <class pt_T, class d_eta_T, class eta_table_T, class d_phi_T, class phi_table_T, class res_T, typename CONFIG_T>
void light_cone_from_l1(pt_T pt[CONFIG_T::n_constituents], optional<d_eta_T, CONFIG_T::n_constituents> d_eta,
                        optional<eta_table_T, CONFIG_T::n_entries> eta_table,
                        optional<d_phi_T, CONFIG_T::n_constituents> d_phi,
                        optional<phi_table_T, CONFIG_T::n_entries> phi_table, res_T res[CONFIG_T::n_constituents]) {
    // one event every reuse_factor cycles, so each multiplier serves reuse_factor multiplications
    #pragma HLS PIPELINE II=CONFIG_T::reuse_factor
    #pragma HLS ALLOCATION operation instances=mul limit=CONFIG_T::multiplier_limit

    light_cone_sum<CONFIG_T>(pt, d_eta, eta_table, d_phi, phi_table, res);
}

} // namespace nnet

#endif
