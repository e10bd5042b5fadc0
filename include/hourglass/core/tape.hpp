// The memory of one training loop: activations, gradients, scratch. The model stays const; each thread has its own
// tape.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>

#include "hourglass/core/huge_pages.hpp"
#include "hourglass/core/non_finite.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Everything `Autoencoder::gradient` writes. Belongs to the caller; made by `model.tape()`; grows with the largest
/// batch seen and is then reused, so that no later step allocates. One thread at a time.
template <class T>
class Tape {
  public:
    explicit Tape(Index parameters, Index statistics = 0) : gradient_(parameters), statistics_(statistics) {
        prefer_huge_pages(gradient_.data(), parameters);
        std::fill_n(gradient_.data(), parameters, T(0));
        std::fill_n(statistics_.data(), statistics, T(0));
    }

    /// ∂objective/∂θ of the last `gradient` call, in the layout of `model.parameters()`. Writable, so that it can be
    /// clipped.
    Eigen::Map<Vector<T>> gradient() { return {gradient_.data(), gradient_.size()}; }
    Eigen::Map<const Vector<T>> gradient() const { return {gradient_.data(), gradient_.size()}; }

    /// The last objective's two parts: the loss of the reconstruction, and the sum of all code terms.
    T reconstruction() const { return reconstruction_; }
    T penalty() const { return penalty_; }

    /// What the last `gradient` call's batch adds to the model's running values (`Autoencoder::fold`).
    Eigen::Map<const Vector<T>> statistics() const { return {statistics_.data(), statistics_.size()}; }

    /// What `gradient` does when the objective is not finite (by default it throws).
    NonFinite non_finite = NonFinite::Throw;

    // For models, not for loops.

    /// Scratch memory for `values` values, beginning on a cache line; its contents are not kept when it grows.
    T* memory(Index values) { return room(memory_, values); }
    /// The same, apart from the scratch: where a result lies that is handed out as a view.
    T* result(Index values) { return room(result_, values); }
    T* statistics_memory() { return statistics_.data(); }
    void record(T reconstruction, T penalty) { reconstruction_ = reconstruction, penalty_ = penalty; }

  private:
    static T* room(Vector<T>& storage, Index values) {
        constexpr Index line = line_values<T>;
        if (storage.size() < values + line) {
            storage.resize(values + line);
            prefer_huge_pages(storage.data(), values + line);
        }
        const auto past = reinterpret_cast<std::uintptr_t>(storage.data()) % 64;
        return storage.data() + static_cast<Index>(past == 0 ? 0 : (64 - past) / sizeof(T));
    }

    Vector<T> gradient_, statistics_, memory_, result_;
    T reconstruction_{}, penalty_{};
};

/// Cuts a tape's memory into consecutive arrays that each begin on a cache line. Run once with a null pointer it
/// measures what is needed, run again it hands it out.
template <class T>
class Arena {
  public:
    explicit Arena(T* memory = nullptr) : memory_(memory) {}

    T* take(Index values) {
        T* const taken = memory_ ? memory_ + used_ : nullptr;
        constexpr Index line = line_values<T>;
        used_ += (values + line - 1) / line * line;
        return taken;
    }
    Index used() const { return used_; }

  private:
    T* memory_;
    Index used_ = 0;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
