// Memory that is there, handed out in whole cache lines, one piece after the other.
#pragma once

#include "hourglass/core/view.hpp"
#include "hourglass/core/workers.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

/// `values`, rounded up to whole cache lines.
template <class T>
constexpr Index whole_lines(Index values) {
    return (values + line_values<T> - 1) / line_values<T> * line_values<T>;
}

/// Hands out consecutive arrays of a tape's memory, each beginning on a cache line.
template <class T>
class Arena {
  public:
    explicit Arena(T* memory, Team* team_ = nullptr, const TeamPasses* passes_ = nullptr)
        : team(team_), passes(passes_), next_(memory) {}
    T* take(Index values) {
        T* const taken = next_;
        next_ += whole_lines<T>(values);
        return taken;
    }

    Team* const team;  ///< who works on what lies here, and how
    const TeamPasses* const passes;

  private:
    T* next_;
};

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
