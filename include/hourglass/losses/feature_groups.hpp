// A loss for each group of features: numbers, categories and binary values in one table.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "hourglass/losses/masked.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Some features that stand next to each other, their loss, and what its value is multiplied by: a part of
/// `FeatureGroups`.
template <Index Features, class Of>
struct Group {
    static_assert(Features > 0, "hourglass: a Group has at least one feature");
    static constexpr Index features = Features;
    using Loss = Of;

    Loss loss{};        ///< of this group's features
    double weight = 1;  ///< what its value is multiplied by
};

namespace losses {

/// The losses of groups as they are computed, a tuple of them, for as many features each.
template <class Each, Index... Features>
struct Grouped : SampleBySample<Grouped<Each, Features...>> {
    Each each;
    std::array<double, sizeof...(Features)> weight;

    template <class T>
    T mean(ConstView<T> p, ConstView<T> target, T* d, Index samples, const Place& place) const {
        constexpr Index all_features = (0 + ... + Features);
        const Index positions = p.rows() / all_features;
        core::Accumulator<T> all(0);
        for (Index j = 0; j < p.cols(); ++j) {
            Index begin = 0;
            std::size_t group = 0;
            const auto add = [&](const auto& loss, Index size) {
                const Index at = j * p.rows() + begin;
                all += mean_over_terms(loss, {size, positions, all_features}, p.data() + at, target.data() + at,
                                       d ? d + at : nullptr, weight[group++] / static_cast<double>(samples),
                                       {place.feature + begin, place.sample + j, place.position});
                begin += size;
            };
            std::apply([&](const auto&... loss) { (add(loss, Features), ...); }, each);
        }
        return T(all);
    }
};

}  // namespace losses

/// A loss for each group of features, in the order of the rows: numbers under one, a category's rows of 0 and 1 under
/// another. Σ weight · the group's loss, which has its own reduction: a mean over the group's features and the batch,
/// or of a likelihood the sum over features. With the weights left at 1 a number of features and one category so count
/// alike. Of likelihoods all together it is one, in nats, where all weights are 1.
///
///     using Loss = hg::FeatureGroups<hg::Group<5, hg::MeanSquaredError>,          // five numbers,
///                                    hg::Group<3, hg::CategoricalCrossEntropy>,   // a category of three values,
///                                    hg::Group<1, hg::BinaryCrossEntropy>>;       // yes or no
///     using Encoder = hg::Chain<hg::Shape{9}, hg::Dense<16>, hg::ReLU, hg::Dense<4>>;
///     using Decoder = hg::Chain<hg::Shape{4}, hg::Dense<16>, hg::ReLU, hg::Dense<9>, hg::OutputActivation<Loss>>;
///     auto model = hg::autoencoder<Encoder, Decoder>(rng, Loss{});                // Loss{{}, {.weight = 0.5}, {}}
///
/// The decoder ends in `OutputActivation<Loss>`: `reconstruct` then gives numbers and probabilities, and each group's
/// loss is computed from what goes into it, as if its part ended in Softmax or Sigmoid. Without a group that compares
/// probabilities it may end in anything; all of it may end in `Sigmoid`, where numbers lie in (0, 1). Of a series or
/// picture the groups are of the channels, and a loss is a mean over the positions, too. Groups may be `Masked`.
/// `loss_function().group<1>()` is the second of a model's.
///
/// Errors: those of the groups, which name the feature's row in the whole table; a weight that is negative or not
/// finite.
template <class... Groups>
struct FeatureGroups {
    static constexpr Slot slot = Slot::Loss;
    static constexpr bool is_likelihood = (core::is_likelihood<typename Groups::Loss> && ...);
    static constexpr bool needs_unit_range = (core::needs_unit_range<typename Groups::Loss> || ...);
    static constexpr Link link = Link::EachGroup;
    static constexpr std::array groups{
        core::LinkedChannels{Groups::features, core::link_of<typename Groups::Loss>()}...};
    static constexpr Index features = (0 + ... + Groups::features);

    /// Whether missing values of a feature are left out.
    static constexpr bool may_be_missing(Index feature) {
        feature %= features;
        Index end = 0;
        bool may = false, found = false;
        const auto look = [&](Index size, core::MayBeMissing in_group) {
            end += size;
            if (!found && feature < end) found = true, may = in_group && in_group(feature - (end - size));
        };
        (look(Groups::features, core::may_be_missing<typename Groups::Loss>()), ...);
        return may;
    }

  private:
    static constexpr auto composed_name = [] {
        losses::ComposedName<16 + (0 + ... + (core::name_of<typename Groups::Loss>().size() + 24))> words;
        words.add("FeatureGroups<");
        bool first = true;
        const auto add = [&](Index size, std::string_view loss) {
            words.add(first ? "" : ", ");
            words.add(size);
            words.add(" ");
            words.add(loss);
            first = false;
        };
        (add(Groups::features, core::name_of<typename Groups::Loss>()), ...);
        words.add(">");
        return words;
    }();

  public:
    static constexpr std::string_view name = composed_name.view();

    FeatureGroups() = default;
    explicit FeatureGroups(Groups... groups_) requires(sizeof...(Groups) > 0) : parts_(std::move(groups_)...) {}

    template <std::size_t I>
    auto& group() {
        return std::get<I>(parts_);
    }
    template <std::size_t I>
    const auto& group() const {
        return std::get<I>(parts_);
    }

    void check() const {
        each_part(*this, [](std::size_t i, const auto& part) {
            if (!is_finite(part.weight) || part.weight < 0)
                fail("FeatureGroups: the weight of group ", i, " must be finite and at least 0, got ", part.weight);
            part.loss.check();
        });
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        each_part(self, [&]<class Part>(std::size_t i, Part& part) {
            const std::string group = text(i) + ".";
            use(std::string_view{group + "weight"}, part.weight);
            const auto of_loss = [&](std::string_view own, auto& value) { use(group + std::string{own}, value); };
            if constexpr (requires { Part::Loss::each_hyperparameter(part.loss, of_loss); })
                Part::Loss::each_hyperparameter(part.loss, of_loss);
        });
    }

    template <Shape Output>
    static constexpr bool accepts() {
        static_assert(Output.channels == features,
                      "hourglass: the groups of FeatureGroups must have together as many features as the decoder's "
                      "output has channels");
        static_assert(
            (losses::is_additive<decltype(computed_part<false>(std::declval<const Groups&>(), core::Caller{}))> && ...),
            "hourglass: FeatureGroups takes losses that are a sum over values or positions, as neither "
            "StructuralSimilarity nor LearnedGaussianLikelihood nor another FeatureGroups is");
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
        return from_output<Shape{features}>().template value<T>(p, target);
    }
    template <class T>
    T gradient(ConstView<T> p, ConstView<T> target, View<T> d) const {
        return from_output<Shape{features}>().template gradient<T>(p, target, d);
    }
    template <class T>
    void samples(ConstView<T> p, ConstView<T> target, Eigen::Map<Vector<T>> each) const {
        from_output<Shape{features}>().template samples<T>(p, target, each);
    }

  private:
    template <class Self, class Use>
    static void each_part(Self& self, const Use& use) {
        std::apply([&, i = std::size_t{0}](auto&... part) mutable { (use(i++, part), ...); }, self.parts_);
    }
    template <bool FromLogits, class Part>
    static decltype(auto) computed_part(const Part& part, const core::Caller& caller) {
        constexpr bool from_logits = FromLogits && core::needs_unit_range<typename Part::Loss>;
        return core::computed<from_logits, Shape{Part::features}>(part.loss, caller);
    }
    template <bool FromLogits, Shape Output>
    auto computed(const core::Caller& caller) const {
        using Each = std::tuple<decltype(computed_part<FromLogits>(std::declval<const Groups&>(), caller))...>;
        return std::apply(
            [&](const Groups&... part) {
                return losses::Grouped<Each, Groups::features...>{
                    {}, Each{computed_part<FromLogits>(part, caller)...}, {part.weight...}};
            },
            parts_);
    }

    std::tuple<Groups...> parts_;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
