#ifndef NNET_ABSENT_H_
#define NNET_ABSENT_H_

namespace nnet {

// Placeholder for an absent optional input: `absent` is its type, `absent()` the argument. So an operator is one
// function for all its forms. Where these differ, helpers have an overload for `absent`: the form is selected at
// compile time, and pragmas are applied to arrays only.
struct absent {};

template <class T, unsigned N> struct optional_array {
    typedef T type[N];
};
template <unsigned N> struct optional_array<absent, N> { typedef absent type; };

// Parameter type of an optional input of N values: `T x[N]`, which keeps the length for synthesis, or `absent x`.
template <class T, unsigned N> using optional = typename optional_array<T, N>::type;

// 1 if an input of this type is present, otherwise 0; used in array lengths.
template <class T> constexpr unsigned given() { return 1; }
template <> constexpr unsigned given<absent>() { return 0; }

} // namespace nnet

#endif
