// How a pass is divided among threads: who runs the parts, and which samples are in which. Threads themselves are in
// hourglass/workers.hpp, so that programs without them do not pay for their headers.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "hourglass/core/flush_denormals.hpp"
#include "hourglass/core/shape.hpp"
#include "hourglass/core/slice.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

/// Threads that run tasks by their number: `Workers`, or something else that a program has threads from.
class Team {
  public:
    /// The number of threads, the calling one included.
    virtual int size() const = 0;
    /// Calls task(what, i) once for each i = 0 … tasks − 1, on any thread and in any order, and returns when all are
    /// done. Of what they throw, that of the lowest i is thrown; others may then not have been called. Called from
    /// within a task it must run all of its own on the thread that it comes from: the others may be at work until that
    /// one returns.
    virtual void run(Index tasks, void (*task)(void* what, Index i), void* what) = 0;

  protected:
    ~Team() = default;
};

/// How a team runs the passes of one kind of network: functions that are compiled only where such a network's tape is
/// made with a team, as they take a compiler a tenth of the time of a small program. `network` tells kinds of networks
/// apart.
struct TeamPasses {
    const void* network;
    void (*forward)(const void* runner, const void* buffers, std::size_t begin, std::size_t end);
    void (*backward)(const void* runner, void* buffers, std::size_t begin, std::size_t end, void* d,
                     const bool* accumulate, bool to_input);
};

/// use(i) for i = 0 … tasks − 1: on a team's threads, which then compute in this one's mode (denormals, rounding), or
/// without a team in order on this one.
template <class Use>
void each_task(Team* team, Index tasks, Use&& use) {
    if (team && tasks > 1) {
        struct Work {
            std::remove_reference_t<Use>& use;
            FlushDenormals::Register mode;
        } all{use, FlushDenormals::read()};
        return team->run(
            tasks,
            [](void* what, Index i) {
                const Work& work = *static_cast<const Work*>(what);
                const FlushDenormals scope(work.mode);
                work.use(i);
            },
            &all);
    }
    for (Index i = 0; i < tasks; ++i) use(i);
}

// Number i of `count` nearly equal parts of [0, size), whose ends are multiples of `unit` but for the last one's.
constexpr Slice part_of(Index size, Index count, Index i, Index unit) {
    const auto end = [&](Index k) { return k == count ? size : size * k / count / unit * unit; };
    return {end(i), end(i + 1) - end(i)};
}

// Parts of θ end at multiples of so many values.
inline constexpr Index parameters_unit = 1024;

// A part of a batch has at least so many samples: enough to fill a product's registers. Of samples that are much work
// each, two will do.
inline constexpr Index samples_unit = 16, large_samples_unit = 2;

/// Parts for what is computed sample by sample: one for each thread, as what a sample gets does not depend on its
/// neighbours.
inline Index slices_of(const Team* team, Index samples, Index unit = samples_unit) {
    return team ? std::clamp<Index>(samples / unit, 1, team->size()) : 1;
}
/// use(part) for these parts of a batch, on the team's threads.
template <class Use>
void each_slice(Team* team, Index samples, const Use& use, Index unit = samples_unit) {
    const Index slices = slices_of(team, samples, unit);
    each_task(team, slices, [&](Index s) { use(part_of(samples, slices, s, unit)); });
}
/// Parts for what is summed over samples: as many with any number of threads, since they decide how sums are rounded.
inline constexpr Index most_shards = 8;
constexpr Index shards_of(Index samples) { return std::clamp<Index>(samples / samples_unit, 1, most_shards); }
/// use(shard, part) for these parts, of samples or whatever else is summed over, on the team's threads.
template <class Use>
void each_shard(Team* team, Index size, const Use& use) {
    const Index shards = shards_of(size);
    each_task(team, shards, [&](Index s) { use(s, part_of(size, shards, s, samples_unit)); });
}
/// Σ share(part) over them, added up in their order.
template <class Sum, class Share>
Sum sum_of_shards(Team* team, Index size, const Share& share) {
    std::array<Sum, static_cast<std::size_t>(most_shards)> shares;
    each_shard(team, size, [&](Index s, const Slice& part) { shares[static_cast<std::size_t>(s)] = share(part); });
    Sum sum = shares[0];
    for (Index s = 1; s < shards_of(size); ++s) sum += shares[static_cast<std::size_t>(s)];
    return sum;
}

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
