#ifndef NNET_CONDENSED_H_
#define NNET_CONDENSED_H_

namespace nnet {

// Unordered pairs of n particles are in condensed order, that of scipy.spatial.distance.pdist:
// (0,1), (0,2), ..., (0,n-1), (1,2), ..., (n-2,n-1). With one value per pair, HLS need not rediscover the symmetry.

constexpr unsigned pair_count(unsigned n) { return n * (n - 1) / 2; }

// Position of the pair (i, j), i < j. The arguments are counters of unrolled loops, so this takes no hardware.
constexpr unsigned pair_index(unsigned n, unsigned i, unsigned j) { return i * (2 * n - i - 1) / 2 + j - i - 1; }

} // namespace nnet

#endif
