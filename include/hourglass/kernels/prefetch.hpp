// Memory asked for before it is read or written.
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

/// Asks for a cache line that will be written, to have it alone: where other cores hold it, too, a store waits for each
/// of them to let go of it, one store after the other, while lines asked for come many at a time. A processor that
/// knows no such request takes it for nothing.
template <class T>
void prefetch_to_write([[maybe_unused]] const T* at) {
#if defined(__GNUC__) && defined(__x86_64__)
    asm volatile("prefetchw %0" : : "m"(*at));  // the compiler's own is one to read, unless told of the processor
#elif defined(__GNUC__)
    __builtin_prefetch(at, 1);
#endif
}

// The next block of A, asked for a few cache lines at a time while the present one is worked on: its columns lie too
// far apart for the processor to guess, and fetching them on first use costs the product of large layers a few percent.
template <class T>
class Prefetch {
  public:
    Prefetch() = default;
    /// `runs` runs of `values` values each, `step` apart.
    Prefetch(const T* from, Index step, Index runs, Index values)
        : run_(from), step_(step), runs_(runs), values_(values) {}

    /// Asks for the next `share` of `whole`.
    void fetch(Index share, Index whole) {
        if (done_ < runs_)
            ask(share, whole);  // most products have nothing to ask for: a call each took 2 % of small ones
    }

  private:
    EIGEN_DONT_INLINE void ask(Index share, Index whole) {
        constexpr Index line = core::line_values<T>;
        // A run that begins within a cache line ends in one more.
        const Index lines_of_run = (values_ + line - 1) / line + 1;
        for (Index lines = (runs_ * lines_of_run * share + whole - 1) / whole; lines > 0 && done_ < runs_; --lines) {
            Eigen::internal::prefetch(run_ + std::min(at_, values_ - 1));
            at_ += line;
            if (at_ < values_ + line) continue;
            at_ = 0;
            run_ += step_;
            ++done_;
        }
    }

    const T* run_ = nullptr;
    Index step_ = 0, runs_ = 0, values_ = 0, at_ = 0, done_ = 0;
};

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
