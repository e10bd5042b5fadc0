// How long work takes, by the clock on the wall.
#pragma once

#include <algorithm>
#include <chrono>

namespace support {

template <class Work>
double seconds(Work work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Seconds of one call of `work`: the best round's mean, a round lasting about `round_seconds`.
template <class Work>
double best_seconds(double round_seconds, Work work, int rounds = 5) {
    work();
    const int calls = std::max(1, static_cast<int>(round_seconds / seconds(work)));
    double best = 1e30;
    for (int round = 0; round < rounds; ++round)
        best = std::min(best, seconds([&] {
                                  for (int i = 0; i < calls; ++i) work();
                              }) / calls);
    return best;
}

}  // namespace support
