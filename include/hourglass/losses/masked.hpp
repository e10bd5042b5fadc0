// Losses of what is there: missing targets are left out.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <string_view>
#include <type_traits>
#include <utility>

#include "hourglass/losses/additive_loss.hpp"
#include "hourglass/losses/composed_name.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

namespace losses {

/// Whether a loss, as it is computed, is an `AdditiveLoss`.
template <class Computed>
inline constexpr bool is_additive = requires {
    std::remove_cvref_t<Computed>::values_per_term(Index{1});
};

/// An additive loss, as it is computed, of the terms whose targets are all there.
template <class Computed>
struct Present : SampleBySample<Present<Computed>> {
    using Loss = std::remove_cvref_t<Computed>;
    static constexpr bool is_likelihood = core::is_likelihood<Loss>;
    static constexpr Index values_per_term(Index rows) { return Loss::values_per_term(rows); }
    Computed loss;

    /// Of one column: how many terms are there, and the sum of them. Where one is missing the gradient is 0.
    template <class T>
    Index terms(ConstView<T> target) const {
        const Index width = values_per_term(target.rows());
        Index count = 0;
        for (Index i = 0; i < target.rows(); i += width) count += is_missing(target.data() + i, width) ? 0 : 1;
        return count;
    }
    template <class T>
    core::Accumulator<T> sum(ConstView<T> p, ConstView<T> target, T* d, T scale, const Place& place) const {
        const Index rows = target.rows(), width = values_per_term(rows);
        core::Accumulator<T> all(0);
        for (Index from = 0, end; from < rows; from = end) {
            const bool missing = is_missing(target.data() + from, width);
            for (end = from + width; end < rows && is_missing(target.data() + end, width) == missing;) end += width;
            if (!missing)
                all += loss.template sum<T>({p.data() + from, end - from, 1}, {target.data() + from, end - from, 1},
                                            d ? d + from : nullptr, scale,
                                            {place.feature + from, place.sample, place.position + from / width});
            else if (d)
                std::fill_n(d + from, end - from, T(0));
        }
        return all;
    }
    template <class T>
    T mean(ConstView<T> p, ConstView<T> target, T* d, Index samples, const Place& place) const {
        core::Accumulator<T> all(0);
        for (Index j = 0; j < p.cols(); ++j) {
            const Index at = j * p.rows();
            all += mean_over_terms(*this, {p.rows()}, p.data() + at, target.data() + at, d ? d + at : nullptr,
                                   1 / static_cast<double>(samples), place.from_sample(j));
        }
        return T(all);
    }

  private:
    template <class T>
    static bool is_missing(const T* target, Index width) {
        return std::any_of(target, target + width, [](const T& value) { return core::is_nan(value); });
    }
};

}  // namespace losses

/// `Loss` of the targets that are there: each sample's is the mean (of a likelihood the sum) over its features whose
/// target is not NaN, 0 without one; mean over all samples of the batch. A missing target costs nothing, and its
/// prediction has the gradient 0; under `CategoricalCrossEntropy` that goes for a position with any target missing. A
/// sample with few values so counts as much as a complete one, and `reconstruction_error` of the two can be compared;
/// for a likelihood it is exactly that of the values that are there (Mattei and Frellsen 2019).
///
/// Where the input is the target, the encoder has to be told what to see of a missing value: it begins with
/// `ZeroImputation`. Infinite values are errors, as without a mask.
///
///     using Encoder = hg::Chain<hg::Shape{6}, hg::ZeroImputation, hg::Dense<16>, hg::ReLU, hg::Dense<3>>;
///     hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::Masked<hg::MeanSquaredError>{});
///
/// `Loss` is any that is a sum over values or positions (`AdditiveLoss`), with its hyperparameters:
/// `hg::Masked{hg::Huber{0.5}}`.
template <class Loss>
struct Masked {
    static_assert(
        !requires { Loss::groups; },
        "hourglass: of FeatureGroups each group is masked: Group<2, Masked<MeanSquaredError>>");
    static constexpr Slot slot = Slot::Loss;
    static constexpr bool is_likelihood = core::is_likelihood<Loss>;
    static constexpr bool needs_unit_range = core::needs_unit_range<Loss>;
    static constexpr bool rebuilds_input = core::rebuilds_input<Loss>;
    static constexpr Link link = core::link_of<Loss>();
    static constexpr bool may_be_missing(Index) { return true; }

  private:
    static constexpr auto composed_name = [] {
        losses::ComposedName<core::name_of<Loss>().size() + 8> words;
        words.add("Masked<");
        words.add(core::name_of<Loss>());
        words.add(">");
        return words;
    }();

  public:
    static constexpr std::string_view name = composed_name.view();
    Loss loss{};  ///< of what is present

    Masked() = default;
    explicit Masked(Loss loss_) : loss(std::move(loss_)) {}
    void check() const { loss.check(); }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        if constexpr (requires { Loss::each_hyperparameter(self.loss, use); })
            Loss::each_hyperparameter(self.loss, use);
    }

    template <Shape Output>
    static constexpr bool accepts() {
        static_assert(
            losses::is_additive<decltype(core::computed<false, Output>(std::declval<const Loss&>(), core::Caller{}))>,
            "hourglass: Masked leaves out values or positions of a loss that is a sum over them, as neither "
            "StructuralSimilarity nor LearnedGaussianLikelihood is");
        return true;
    }
    template <Shape Output>
    auto from_logits(const core::Caller& caller = {}) const {
        return computed<true, Output>(caller);
    }
    template <Shape Output>
    auto from_output(const core::Caller& caller = {}) const {
        return computed<false, Output>(caller);
    }

    template <class T>
    T value(ConstView<T> p, ConstView<T> target) const {
        return from_output<Shape{0}>().template value<T>(p, target);
    }
    template <class T>
    T gradient(ConstView<T> p, ConstView<T> target, View<T> d) const {
        return from_output<Shape{0}>().template gradient<T>(p, target, d);
    }
    template <class T>
    void samples(ConstView<T> p, ConstView<T> target, Eigen::Map<Vector<T>> each) const {
        from_output<Shape{0}>().template samples<T>(p, target, each);
    }

  private:
    template <bool FromLogits, Shape Output>
    auto computed(const core::Caller& caller) const {
        using Computed = decltype(core::computed<FromLogits, Output>(loss, caller));
        return losses::Present<Computed>{{}, core::computed<FromLogits, Output>(loss, caller)};
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
