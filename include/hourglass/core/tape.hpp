// The memory of one training loop: activations, gradients, scratch. The model stays const; each thread has its own
// tape.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>

#include "hourglass/core/arena.hpp"
#include "hourglass/core/huge_pages.hpp"
#include "hourglass/core/non_finite.hpp"
#include "hourglass/core/random.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/core/workers.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

/// Storage that grows and is then reused, beginning on a cache line. Contents are not kept when it grows; where that
/// fails it is empty.
template <class T>
class Storage {
  public:
    T* room(Index values) {
        constexpr Index line = line_values<T>;
        if (values_.size() < values + line) {
            values_.resize(0);  // Eigen frees before it asks for more: were it not empty then, it would dangle
            values_.resize(values + line);
            prefer_huge_pages(values_.data(), values + line);
        }
        const auto past = reinterpret_cast<std::uintptr_t>(values_.data()) % 64;
        return values_.data() + static_cast<Index>(past == 0 ? 0 : (64 - past) / sizeof(T));
    }
    bool holds(const T* value) const {
        const auto at = reinterpret_cast<std::uintptr_t>(value),
                   begin = reinterpret_cast<std::uintptr_t>(values_.data());
        return at >= begin && at < begin + static_cast<std::uintptr_t>(values_.size()) * sizeof(T);
    }

  private:
    Vector<T> values_;
};

/// A network's forward pass that backward has not used yet. It belongs to one tape: neither a copy of that tape nor the
/// one that it is moved to has it.
struct PendingPass {
    const void *network = nullptr, *plan = nullptr;
    Index samples = 0, first = 0;
    Stream random{0, 0};

    PendingPass() = default;
    PendingPass(const PendingPass&) {}
    PendingPass(PendingPass&& other) noexcept { other.network = nullptr; }
    PendingPass& operator=(const PendingPass& other) {
        if (this != &other) network = plan = nullptr;
        return *this;
    }
    PendingPass& operator=(PendingPass&& other) noexcept {
        network = plan = other.network = nullptr;
        return *this;
    }
};

}  // namespace core

/// Everything a training step writes. Belongs to the caller; made by `model.tape()`; grows with the largest batch seen
/// and is then reused, so that no later step allocates. A tape whose growth fails (`std::bad_alloc`) is empty and can
/// be used again. One thread at a time.
template <class T>
class Tape {
  public:
    explicit Tape(Index parameters, Index statistics = 0)
        : parameters_(parameters), statistics_(statistics), sums_(parameters + statistics + 4) {
        prefer_huge_pages(sums_.data(), sums_.size());
        std::fill_n(sums_.data(), sums_.size(), T(0));
    }

    /// ∂objective/∂θ of the last `gradient` call, in the layout of `model.parameters()`. Writable, so that it can be
    /// clipped.
    Eigen::Map<Vector<T>> gradient() { return {sums_.data(), std::min(parameters_, sums_.size())}; }
    Eigen::Map<const Vector<T>> gradient() const { return {sums_.data(), std::min(parameters_, sums_.size())}; }

    /// The last objective's two parts: the loss of the reconstruction, and the sum of all code terms.
    T reconstruction() const { return reconstruction_; }
    T penalty() const { return penalty_; }

    /// What the last training pass's batch adds to the model's running values (`fold`).
    Eigen::Map<const Vector<T>> statistics() const {
        return {sums_.data() + gradient().size(), std::min(statistics_, sums_.size())};
    }

    /// What happens when an objective, or in evaluation a loss, is not finite (by default it throws).
    NonFinite non_finite = NonFinite::Throw;

    // For models, not for loops.

    // Scratch memory for `values` values, beginning on a cache line; its contents are not kept when it grows. A
    // forward pass that backward has not used yet is void from now on.
    T* memory(Index values) {
        pending_.network = nullptr;
        return memory_.room(values);
    }
    // The same, to be handed out piece by piece.
    core::Arena<T> arena(Index values) { return core::Arena<T>{memory(values), team_, passes_}; }
    // The threads that passes with this tape run on; null for the calling one alone.
    core::Team* team() const { return team_; }
    // Sets them.
    void run_on(core::Team* team, const core::TeamPasses* passes) { team_ = team, passes_ = passes; }
    // Where a result lies that is handed out as a view: not in the memory of any of the arguments, so that views of
    // results can be arguments.
    T* result(Index values, const T* x = nullptr, const T* y = nullptr, const T* z = nullptr) {
        core::Storage<T>* free = results_;
        while (free->holds(x) || free->holds(y) || free->holds(z)) ++free;
        return free->room(values);
    }
    // Whether this value lies in the scratch memory, which any pass writes over.
    bool holds(const T* value) const { return memory_.holds(value); }
    // Where `statistics` lie.
    T* statistics_memory() { return sums_.data() + gradient().size(); }
    // The gradient, behind it the statistics, and room for four values more: a single message where they are averaged.
    Eigen::Map<Vector<T>> sums() { return {sums_.data(), sums_.size()}; }
    // Keeps the two parts of an objective.
    void record(T reconstruction, T penalty) { reconstruction_ = reconstruction, penalty_ = penalty; }
    // Whether threads have computed the gradient's parts, which a step on them then finds in their caches.
    bool gradient_on_team() const { return gradient_on_team_; }
    // Notes it.
    void note_gradient_on_team(bool on_team) { gradient_on_team_ = on_team; }
    // Notes a forward pass, until the memory is used again …
    void pend(const void* network, const void* plan, Index samples, const Stream& random, Index first) {
        pending_.network = network, pending_.plan = plan, pending_.samples = samples, pending_.first = first;
        pending_.random = random;
    }
    // … and gives it to its way back.
    const core::PendingPass& pending() const { return pending_; }

  private:
    core::PendingPass pending_;
    core::Team* team_ = nullptr;
    const core::TeamPasses* passes_ = nullptr;
    bool gradient_on_team_ = false;
    Index parameters_, statistics_;
    Vector<T> sums_;                        // never null: where a gradient is null none is asked for
    core::Storage<T> memory_, results_[4];  // one result more than `result` takes arguments
    T reconstruction_{}, penalty_{};
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
