// What all optimisers share: moments, the step count, the checks before a step, weight decay and the walk in blocks.
// An optimiser sees the flat parameter vector and its gradient and nothing else; each is one formula on top of this.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/core/huge_pages.hpp"
#include "hourglass/core/non_finite.hpp"
#include "hourglass/core/slice.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/kernels/pack.hpp"
#include "hourglass/optim/checks.hpp"
#include "hourglass/optim/contiguous.hpp"
#include "hourglass/optim/flush_denormals.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The running averages an optimiser keeps: a matrix of one row per parameter and one column per kind of moment, in the
/// scalar type of the first step.
class Moments {
  public:
    /// Whether a first step has fixed size and scalar type.
    bool empty() const { return scalar_size_ == 0; }
    /// Number of parameters.
    Index size() const { return std::max(floats_.rows(), doubles_.rows()); }
    /// Whether they are kept in `T`.
    template <class T>
    bool holds() const {
        return scalar_size_ == sizeof(T);
    }

    /// Fixes scalar type, number of parameters and kinds of moments; every moment becomes `start`.
    template <class T>
    void allocate(Index parameters, Index kinds, double start) {
        Matrix<T>& all = values<T>();
        all.resize(parameters, kinds);
        prefer_huge_pages(all.data(), all.size());
        std::fill_n(all.data(), all.size(), static_cast<T>(start));
        scalar_size_ = sizeof(T);
    }

    /// The matrix, without rows or columns while there is nothing in `T`.
    template <class T>
    Matrix<T>& values() {
        if constexpr (std::is_same_v<T, float>) {
            return floats_;
        } else {
            return doubles_;
        }
    }
    template <class T>
    const Matrix<T>& values() const {
        return const_cast<Moments&>(*this).values<T>();
    }

  private:
    Matrix<float> floats_;
    Matrix<double> doubles_;
    std::size_t scalar_size_ = 0;
};

/// Base of all optimisers. Copies are independent of each other. Not for use on its own.
class Optimizer {
  public:
    /// How many parameters are worked on at a time.
    static constexpr Index block = 1024;

    /// Learning rate of the next step.
    double learning_rate() const { return learning_rate_; }

    /// Sets it, from a schedule for example: `adam.learning_rate(schedule(adam.steps()))`. `Error` for a rate that is
    /// NaN, infinite or negative.
    void learning_rate(double rate) {
        require_not_negative(name_, "learning_rate", rate);
        learning_rate_ = rate;
    }

    /// Steps taken. Skipped ones do not count.
    Index steps() const { return steps_; }

    /// Leaves these parts of the parameter vector out of weight decay, usually the biases; replaces what was left out
    /// before. `Error` for a negative begin or size; `step` throws when a part ends behind the parameters.
    void exclude_from_weight_decay(std::span<const Slice> parts) {
        for (const Slice& part : parts)
            if (part.begin < 0 || part.size < 0 || part.size > std::numeric_limits<Index>::max() - part.begin)
                fail(name_, "::exclude_from_weight_decay: begin and size must be at least 0, got begin ", part.begin,
                     " and size ", part.size);
        std::vector<Slice> sorted(parts.begin(), parts.end());
        std::sort(sorted.begin(), sorted.end(), [](const Slice& a, const Slice& b) { return a.begin < b.begin; });
        excluded_ = std::move(sorted);
    }

    /// The moments as parameters × kinds, in the order in which the optimiser's formula names them; without rows before
    /// the first step and for the scalar type that is not in use.
    template <class T>
    ConstView<T> moments() const {
        const Matrix<T>& values = moments_.values<T>();
        return {values.data(), values.rows(), values.cols()};
    }

  protected:
    /// `name` must outlive the optimiser (a literal). `Error` for rates that are NaN, infinite or negative.
    Optimizer(const char* name, double learning_rate, double weight_decay, NonFinite non_finite)
        : name_(name), learning_rate_(learning_rate), weight_decay_(weight_decay), non_finite_(non_finite) {
        require_not_negative(name, "learning_rate", learning_rate);
        require_not_negative(name, "weight_decay", weight_decay);
    }

    const char* name() const { return name_; }

    /// One step: checks everything, then θ ← θ − η λ θ where weight decay applies, then the formula for every
    /// parameter: formula(θ, g, moments…) on packs of values, which assigns to θ and to `Kinds` moments. They start as
    /// `start`. Returns whether a step was taken.
    template <std::size_t Kinds, class Parameters, class Gradient, class Formula>
    bool advance(Parameters& parameters, const Gradient& gradient_, double start, const Formula& formula) {
        auto theta = contiguous_writable(parameters);
        const auto gradient = contiguous(gradient_);
        using T = typename Parameters::Scalar;
        static_assert(std::is_same_v<T, typename Gradient::Scalar>,
                      "hourglass: parameters and gradient must be of the same scalar type");
        check<T>(theta.size(), gradient.size());
        if (non_finite_ != NonFinite::Continue) {
            const Index bad = first_non_finite(gradient.data(), gradient.size());
            if (bad >= 0 && non_finite_ == NonFinite::Skip) return false;
            if (bad >= 0)
                fail(name_, "::step: the gradient is not finite, value ", bad, " of ", gradient.size(), " is ",
                     gradient.data()[bad]);
        }
        if (moments_.empty()) moments_.allocate<T>(theta.size(), static_cast<Index>(Kinds), start);

        const FlushDenormals scope;
        walk<T>(theta.size(), theta.data(), gradient.data(), moments_.values<T>().data(), formula,
                std::make_index_sequence<Kinds>{});
        ++steps_;
        return true;
    }

  private:
    template <class T>
    void check(Index theta, Index gradient) const {
        if (theta != gradient)
            fail(name_, "::step: parameters and gradient must have the same size, got ", theta, " and ", gradient);
        if (!moments_.empty() && !moments_.holds<T>())
            fail(name_, "::step: earlier steps were in ", sizeof(T) == 4 ? "double" : "float", ", this one is in ",
                 sizeof(T) == 4 ? "float" : "double");
        if (!moments_.empty() && moments_.size() != theta)
            fail(name_, "::step: earlier steps were on ", moments_.size(), " parameters, this one is on ", theta);
        for (const Slice& part : excluded_)
            if (part.end() > theta)
                fail(name_, "::step: the part [", part.begin, ", ", part.end(),
                     ") excluded from weight decay ends behind the ", theta, " parameters");
    }

    // In blocks, so that what weight decay has changed is still in the nearest cache for the formula. Not inlined, so
    // that no arithmetic leaves the scope in which denormals are flushed.
    template <class T, class Formula, std::size_t... Kind>
    EIGEN_DONT_INLINE void walk(Index size, T* theta, const T* gradient, [[maybe_unused]] T* moments,
                                const Formula& formula, std::index_sequence<Kind...>) const {
        for (Index begin = 0; begin < size; begin += block) {
            const Index count = std::min(block, size - begin);
            if (weight_decay_ != 0) decay(theta + begin, begin, count);
            kernels::each_pack(count, formula, theta + begin, gradient + begin,
                               (moments + static_cast<Index>(Kind) * size + begin)...);
        }
    }

    // θ ← θ − η λ θ between the excluded parts of `count` parameters from number `begin` on.
    template <class T>
    void decay(T* theta, Index begin, Index count) const {
        const T rate = static_cast<T>(learning_rate_ * weight_decay_);
        const auto shrink = [&](Index from, Index to) {
            kernels::each_pack(
                to - from, [&](kernels::Pack<T>& x) { x -= rate * x; }, theta + from);
        };
        Index done = 0;
        for (const Slice& part : excluded_) {
            const Index stop = std::clamp(part.begin - begin, done, count);
            shrink(done, stop);
            done = std::clamp(part.end() - begin, stop, count);
        }
        shrink(done, count);
    }

    const char* name_;
    double learning_rate_, weight_decay_;
    NonFinite non_finite_;
    Index steps_ = 0;
    std::vector<Slice> excluded_;
    Moments moments_;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
