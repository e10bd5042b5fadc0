// What all optimisers share: moments, the step count, the checks before a step, weight decay and the walk in blocks.
// An optimiser sees the flat parameter vector and its gradient and nothing else; each is one formula on top of this.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/core/flush_denormals.hpp"
#include "hourglass/core/non_finite.hpp"
#include "hourglass/core/slice.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/core/workers.hpp"
#include "hourglass/kernels/pack.hpp"
#include "hourglass/kernels/prefetch.hpp"
#include "hourglass/optim/checks.hpp"
#include "hourglass/optim/contiguous.hpp"
#include "hourglass/optim/magnitude.hpp"
#include "hourglass/optim/moments.hpp"
#include "hourglass/optim/trainable.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Base of all optimisers. Copies are independent of each other. Not for use on its own.
///
/// No step makes a value that is not finite out of finite ones, unless `NonFinite::Continue` says not to look: if the
/// gradient holds an infinity or a NaN, or if a parameter or a moment would become one (the square of 1e20 overflows
/// float), the step is refused as `NonFinite` says, and parameters, moments and step count stay as they were. Gradients
/// up to 2²⁰ in float (2¹⁶⁰ in double) with moments and hyperparameters to match cannot overflow whatever the
/// parameters are, and cost one look at the gradient; beyond, a step is first calculated aside and looked at, which
/// takes twice the time.
class Optimizer {
  public:
    /// How many parameters are worked on at a time.
    static constexpr Index block = 1024;

    /// What messages call it: "Adam".
    const char* name() const { return name_; }

    /// Learning rate of the next step.
    double learning_rate() const { return learning_rate_; }

    /// Sets it, from a schedule for example: `adam.learning_rate(schedule(adam.steps()))`. `Error` for a rate that is
    /// NaN, infinite or negative; `step` throws when it is infinite in the parameters' scalar type.
    void learning_rate(double rate) {
        optim::require_not_negative(name_, "learning_rate", rate);
        learning_rate_ = rate;
    }

    /// Steps taken. Skipped ones do not count.
    Index steps() const { return steps_; }

    /// Leaves these slices of the parameter vector out of weight decay, usually the biases; replaces what was left out
    /// before. `Error` for a negative begin or size; `step` throws when a slice ends behind the parameters.
    void exclude_from_weight_decay(std::span<const Slice> slices) {
        for (const Slice& slice : slices)
            if (slice.begin < 0 || slice.size < 0 || slice.size > std::numeric_limits<Index>::max() - slice.begin)
                fail(name_, "::exclude_from_weight_decay: begin and size must be at least 0, got begin ", slice.begin,
                     " and size ", slice.size);
        std::vector<Slice> sorted(slices.begin(), slices.end());
        // An insertion sort, of a few that are mostly in order: std::sort would be compiled by every program.
        for (std::size_t i = 1; i < sorted.size(); ++i)
            for (std::size_t k = i; k > 0 && sorted[k].begin < sorted[k - 1].begin; --k)
                std::swap(sorted[k], sorted[k - 1]);
        excluded_ = std::move(sorted);
    }
    /// Those slices, in their order.
    std::span<const Slice> excluded_from_weight_decay() const { return {excluded_.data(), excluded_.size()}; }

    /// The moments as parameters × kinds, in the order in which the optimiser's formula names them; without rows before
    /// the first step and for the scalar type that is not in use.
    template <class T>
    ConstView<T> moments() const {
        const Matrix<T>& values = moments_.values<T>();
        return {values.data(), values.rows(), values.cols()};
    }

    /// Puts back what `moments` and `steps` said of an optimiser with the same options: the steps that follow are those
    /// it would have taken, bit for bit. `moments` is parameters × kinds, in float or double, and fixes size and scalar
    /// type as a first step does; without rows, with 0 steps, it puts the optimiser before its first step. Options, the
    /// learning rate and what is excluded from weight decay stay as they are. Errors, with nothing changed: another
    /// number of kinds, no rows after steps were taken, negative steps, a moment that is not finite, a negative average
    /// of squares.
    template <class M>
    void restore(const Eigen::MatrixBase<M>& moments, Index steps) {
        using T = typename M::Scalar;
        static_assert(std::same_as<T, float> || std::same_as<T, double>,
                      "hourglass: the moments of an optimiser are in float or double");
        const Input<T> values(moments.derived());
        if (steps < 0 || steps == std::numeric_limits<Index>::max())
            fail(name_, "::restore: the number of steps must be at least 0 and leave room for another, got ", steps);
        if (values.rows() == 0) {
            if (steps > 0) fail(name_, "::restore: there are no moments, but ", steps, " steps were taken");
            moments_.clear();
        } else {
            check_moments<T>(values);
            moments_.template allocate<T>(values);
        }
        steps_ = steps;
        trusted_ = 0;
    }

    /// Makes the moments of these parameters what they are before the first step: of weights that begin anew
    /// (`revive`). The step count and all other moments stay; before the first step nothing happens. `parameters`:
    /// their numbers in the parameter vector. `Error`, with nothing changed, for a number that is none of the
    /// parameters'.
    void reset_moments(std::span<const Index> parameters) {
        if (moments_.empty()) return;
        for (const Index i : parameters)
            if (i < 0 || i >= moments_.size())
                fail(name_, "::reset_moments: there is no parameter ", i, ": earlier steps were on ", moments_.size());
        moments_.assign(parameters, start_);
        trusted_ = 0;
    }

    // While it lives, steps run on a team's threads (`step(model, tape)`), which may have the gradient in their caches.
    class OnTeam {
      public:
        OnTeam(Optimizer& optimizer, core::Team* team, bool gradient_on_team) : optimizer_(optimizer) {
            optimizer_.team_ = team, optimizer_.gradient_on_team_ = gradient_on_team;
        }
        ~OnTeam() { optimizer_.team_ = nullptr, optimizer_.gradient_on_team_ = false; }
        OnTeam(const OnTeam&) = delete;
        OnTeam& operator=(const OnTeam&) = delete;

      private:
        Optimizer& optimizer_;
    };
    // The scope in which they do.
    OnTeam on_team(core::Team* team, bool gradient_on_team) { return {*this, team, gradient_on_team}; }

  protected:
    /// `name` must outlive the optimiser (a literal). `Error` for rates that are NaN, infinite or negative.
    Optimizer(const char* name, double learning_rate, double weight_decay, NonFinite non_finite)
        : name_(name), learning_rate_(learning_rate), weight_decay_(weight_decay), non_finite_(non_finite) {
        optim::require_not_negative(name, "learning_rate", learning_rate);
        optim::require_not_negative(name, "weight_decay", weight_decay);
    }

    /// `options` with the learning rate of the next step.
    template <class Options>
    Options as_now(Options options) const {
        options.learning_rate = learning_rate_;
        return options;
    }

    /// Says, for each kind of moment in the order of the formula, that it is kept.
    void keeps(const optim::MomentKind& kind) { kinds_[kind_count_++] = kind; }

    /// Says what moments are before the first step, where that is not 0.
    void starts_from(double value) { start_ = value; }

    /// The numbers of a step: the rate that its formula multiplies with, and ε.
    struct Numbers {
        double rate, epsilon = 0;
    };

    /// One step: checks everything, then θ ← θ − η λ θ where weight decay applies, then the formula for every
    /// parameter: formula(θ, g, moments…) on packs of values, which assigns to θ and to `Kinds` moments. Returns
    /// whether a step was taken.
    ///
    /// reach(g, m) bounds what the formula calculates on the way and takes from θ, when for the last
    /// `optim::trusted_steps` steps gradients were at most g and the moments before were at most m. Within these steps
    /// the moments must stay finite, too.
    template <std::size_t Kinds, class Parameters, class Gradient, class Reach, class Formula>
    bool advance(Parameters& parameters, const Gradient& gradient_, const Numbers& numbers, const Reach& reach,
                 const Formula& formula) {
        auto theta = optim::contiguous_writable(parameters);
        const auto gradient = optim::contiguous(gradient_);
        using T = typename Parameters::Scalar;
        static_assert(std::is_same_v<T, typename Gradient::Scalar>,
                      "hourglass: parameters and gradient must be of the same scalar type");
        const Index size = theta.size();
        check<T>(size, gradient.size(), numbers);
        const Walk<T, Formula, Kinds> walk{*this, formula, parts_of(size) > 1};
        if (non_finite_ == NonFinite::Continue) {
            trusted_ = 0;
        } else {
            using Quiet = optim::Quiet<T>;
            const bool small = all_within(gradient.data(), size, Quiet::gradient);
            const Index bad = small ? -1 : first_non_finite(gradient.data(), size);
            if (bad >= 0 && non_finite_ == NonFinite::Skip) return false;
            if (bad >= 0)
                fail(name_, "::step: the gradient is not finite, value ", bad, " of ", size, " is ",
                     gradient.data()[bad]);
            const double change = reach(std::ldexp(1.0, Quiet::gradient), std::ldexp(1.0, Quiet::moment));
            const bool quiet = small && is_finite(change) && change < std::ldexp(1.0, Quiet::change) &&
                               start_ < std::ldexp(1.0, Quiet::moment) && learning_rate_ * weight_decay_ <= 1 &&
                               moments_are_small<T>();
            trusted_ = quiet ? trusted_ - 1 : 0;
            if (!quiet && !stays_finite(walk, theta.data(), gradient.data(), size)) return false;
        }
        if (moments_.empty()) moments_.allocate<T>(size, kinds_kept(), start_);
        T* const moments = moments_.values<T>().data();
        each_part(size, [&](const Slice& some) {
            const core::FlushDenormals scope;
            T* const of_part = Kinds > 0 ? moments + some.begin : moments;
            walk(some.begin, some.size, theta.data() + some.begin, gradient.data() + some.begin, of_part, size);
        });
        ++steps_;
        return true;
    }

  private:
    template <class T>
    void check(Index theta, Index gradient, const Numbers& numbers) const {
        if (theta != gradient)
            fail(name_, "::step: parameters and gradient must have the same size, got ", theta, " and ", gradient);
        if (!moments_.empty() && !moments_.holds<T>())
            fail(name_, "::step: earlier steps were in ", sizeof(T) == 4 ? "double" : "float", ", this one is in ",
                 sizeof(T) == 4 ? "float" : "double");
        if (!moments_.empty() && moments_.size() != theta)
            fail(name_, "::step: earlier steps were on ", moments_.size(), " parameters, this one is on ", theta);
        for (const Slice& slice : excluded_)
            if (slice.end() > theta)
                fail(name_, "::step: the slice [", slice.begin, ", ", slice.end(),
                     ") excluded from weight decay ends behind the ", theta, " parameters");
        const auto finite = [this](const char* what, double value) {
            if (!optim::finite_in<T>(value))
                fail(name_, "::step: ", what, " is ", value, ", not a finite number in ",
                     sizeof(T) == 4 ? "float" : "double");
        };
        finite("learning_rate", learning_rate_);
        finite("the rate of this step", numbers.rate);
        finite("learning_rate * weight_decay", learning_rate_ * weight_decay_);
        finite("epsilon", numbers.epsilon);
        finite("initial_accumulator_value", start_);
    }

    template <class T>
    void check_moments(const Input<T>& values) const {
        if (values.cols() != static_cast<Index>(kind_count_))
            fail(name_, "::restore: these options have ", kind_count_, " kinds of moments (columns), got ",
                 values.cols());
        for (std::size_t kind = 0; kind < kind_count_; ++kind) {
            const auto column = static_cast<Index>(kind);
            for (Index i = 0; i < values.rows(); ++i)
                if (const T value = values(i, column); !is_finite(value) || (kinds_[kind].square && value < 0))
                    fail(name_, "::restore: moment ", kinds_[kind].name, " of parameter ", i, " must be ",
                         kinds_[kind].square ? "finite and at least 0" : "finite", ", got ", value);
        }
    }

    // How many parts of so many values are walked at once: several where a team's threads are worth waking, for fewer
    // values where they have computed the gradient, which this thread would have to fetch from their caches.
    Index parts_of(Index size) const {
        const Index worth = (gradient_on_team_ ? 16 : 64) * block;
        return team_ && size >= worth ? team_->size() : 1;
    }
    // Calls use(part) for these parts of [0, size), which end with blocks, on the team's threads.
    template <class Use>
    void each_part(Index size, const Use& use) const {
        static_assert(core::parameters_unit % block == 0);
        const Index parts = parts_of(size);
        core::each_task(team_, parts, [&](Index i) { use(core::part_of(size, parts, i, core::parameters_unit)); });
    }
    template <class T>
    bool all_within(const T* values, Index size, int exponent) const {
        std::atomic_flag beyond;
        each_part(size, [&](const Slice& some) {
            if (!optim::all_within(values + some.begin, some.size, exponent)) beyond.test_and_set();
        });
        return !beyond.test();
    }

    // Looks at the moments where it is not known from the steps before.
    template <class T>
    bool moments_are_small() {
        const Matrix<T>& all = moments_.values<T>();
        if (trusted_ == 0 && all_within(all.data(), all.size(), optim::Quiet<T>::moment))
            trusted_ = optim::trusted_steps;
        return trusted_ > 0;
    }

    // The arithmetic of a step.
    template <class T, class Formula, std::size_t Kinds>
    struct Walk {
        const Optimizer& optimizer;
        const Formula& formula;
        bool is_divided;  // among a team's threads

        // Steps `count` parameters from number `first` on: `theta`, `gradient` and moments, those of one kind `stride`
        // values behind those of another. In blocks, so that what weight decay has changed is still in the nearest
        // cache for the formula. Not inlined, so that no arithmetic leaves the scope in which denormals are flushed,
        // and so that what is calculated aside is rounded as the step itself.
        EIGEN_DONT_INLINE void operator()(Index first, Index count, T* theta, const T* gradient, T* moments,
                                          Index stride) const {
            for (Index begin = 0; begin < count; begin += block) {
                const Index some = std::min(block, count - begin);
                // What other threads may have read in their passes is asked for ahead, to have it alone.
                if (is_divided)
                    for (Index i = begin + block; i < std::min(begin + 2 * block, count); i += core::line_values<T>)
                        kernels::prefetch_to_write(theta + i);
                if (optimizer.weight_decay_ != 0) optimizer.decay(theta + begin, first + begin, some);
                // Without moments there is no memory to point into.
                T* const of_block = Kinds > 0 ? moments + begin : moments;
                apply(some, theta + begin, gradient + begin, of_block, stride, std::make_index_sequence<Kinds>{});
            }
        }

      private:
        template <std::size_t... Kind>
        void apply(Index some, T* theta, const T* gradient, [[maybe_unused]] T* moments, [[maybe_unused]] Index stride,
                   std::index_sequence<Kind...>) const {
            if constexpr (Kinds < 3) {
                kernels::each_pack(some, formula, theta, gradient, (moments + static_cast<Index>(Kind) * stride)...);
            } else {
                // A formula may have a kind of moment that only an option keeps; what it writes there is lost.
                std::array<T, static_cast<std::size_t>(block)> lost{};
                const auto kind = [&](Index number) {
                    return number < optimizer.kinds_kept() ? moments + number * stride : lost.data();
                };
                kernels::each_pack(some, formula, theta, gradient, kind(static_cast<Index>(Kind))...);
            }
        }
    };

    // Whether all parameters and moments are finite after a step, which is calculated aside, block by block. If not,
    // acts as `NonFinite` says.
    template <class T, class Formula, std::size_t Kinds>
    bool stays_finite(const Walk<T, Formula, Kinds>& walk, const T* theta, const T* gradient, Index size) const {
        const core::FlushDenormals scope;
        const Matrix<T>& moments = moments_.values<T>();
        std::array<T, (Kinds + 1) * static_cast<std::size_t>(block)> after;
        for (Index begin = 0; begin < size; begin += block) {
            const Index count = std::min(block, size - begin);
            T* const kinds = std::copy_n(theta + begin, count, after.data());
            for (Index kind = 0; kind < kinds_kept(); ++kind)
                if (moments_.empty())
                    std::fill_n(kinds + kind * count, count, static_cast<T>(start_));
                else
                    std::copy_n(moments.data() + kind * size + begin, count, kinds + kind * count);
            walk(begin, count, after.data(), gradient + begin, kinds, count);
            // Moments first: what an infinite one makes of a parameter depends on the processor's square root.
            Index bad = first_non_finite(kinds, kinds_kept() * count);
            bad = bad >= 0 ? bad + count : first_non_finite(after.data(), count);
            if (bad < 0) continue;
            if (non_finite_ == NonFinite::Skip) return false;
            const Index value = begin + bad % count, kind = bad / count;
            fail(name_, "::step: ", kind == 0 ? "" : "moment ",
                 kind == 0 ? "" : kinds_[static_cast<std::size_t>(kind - 1)].name,
                 kind == 0 ? "parameter " : " of parameter ", value, " of ", size,
                 " would not stay finite: it would become ", after[static_cast<std::size_t>(bad)], " by the gradient ",
                 gradient[value]);
        }
        return true;
    }

    Index kinds_kept() const { return static_cast<Index>(kind_count_); }

    // θ ← θ − η λ θ between the excluded slices of `count` parameters from number `begin` on.
    template <class T>
    void decay(T* theta, Index begin, Index count) const {
        const T rate = static_cast<T>(learning_rate_ * weight_decay_);
        const auto shrink = [&](Index from, Index to) {
            kernels::each_pack(
                to - from, [&](kernels::Pack<T>& x) { x -= rate * x; }, theta + from);
        };
        Index done = 0;
        for (const Slice& slice : excluded_) {
            const Index stop = std::clamp(slice.begin - begin, done, count);
            shrink(done, stop);
            done = std::clamp(slice.end() - begin, stop, count);
        }
        shrink(done, count);
    }

    const char* name_;
    double learning_rate_, weight_decay_;
    NonFinite non_finite_;
    Index steps_ = 0;
    int trusted_ = 0;  // how many more steps the moments are known to be small, if those are quiet
    std::array<optim::MomentKind, 3> kinds_{};
    std::size_t kind_count_ = 0;
    double start_ = 0;  // of every moment
    std::vector<Slice> excluded_;
    optim::Moments moments_;
    core::Team* team_ = nullptr;     // during a step on one
    bool gradient_on_team_ = false;  // whose threads have computed the gradient
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
