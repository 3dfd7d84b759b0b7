#ifndef NNET_ABSENT_H_
#define NNET_ABSENT_H_

namespace nnet {

// Stands for an optional input that the graph does not give: `absent` as its type, `absent()` as the argument. So an
// operator is one function for all its forms. What differs between them stands in helpers with an overload for `absent`:
// the form is chosen at compile time, and pragmas name arrays alone.
struct absent {};

template <class T, unsigned N> struct optional_array {
    typedef T type[N];
};
template <unsigned N> struct optional_array<absent, N> { typedef absent type; };

// A parameter for an optional input of N values: `T x[N]`, the length kept for the synthesis, or `absent x`.
template <class T, unsigned N> using optional = typename optional_array<T, N>::type;

// 1 for the type of an input that is there, else 0: for lengths of arrays.
template <class T> constexpr unsigned given() { return 1; }
template <> constexpr unsigned given<absent>() { return 0; }

} // namespace nnet

#endif
