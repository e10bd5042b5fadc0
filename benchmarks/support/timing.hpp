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

/// Seconds of one call of `work`: the mean of the best round of those in `total_seconds`, of which there are at least
/// three. A round is long beside the clock's resolution and short beside what else the host does: a core whose other
/// half another machine uses loses a third of its speed for some hundredths of a second, and two cores are seldom both
/// whole for long.
template <class Work>
double best_seconds(double total_seconds, Work work) {
    constexpr double round_seconds = 0.005;
    work();
    const int calls = std::max(1, static_cast<int>(round_seconds / seconds(work)));
    double best = 1e30, spent = 0;
    for (int round = 0; round < 3 || spent < total_seconds; ++round) {
        const double took = seconds([&] {
            for (int i = 0; i < calls; ++i) work();
        });
        best = std::min(best, took / calls), spent += took;
    }
    return best;
}

}  // namespace support
