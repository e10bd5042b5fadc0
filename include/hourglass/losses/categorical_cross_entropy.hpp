// Categorical cross-entropy: which of several classes a sample, or each position of a sequence, belongs to.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>
#include <vector>

#include "hourglass/core/term.hpp"
#include "hourglass/kernels/pack.hpp"
#include "hourglass/losses/cross_entropy.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// −Σᵢ tᵢ ln pᵢ over the channels, which are the classes, mean over the positions and the batch, in nats. The target is
/// a class for each position, as one-hot values (`one_hot`) or probabilities. `Error` when a target lies outside [0, 1]
/// or when those of a position do not sum to 1 (within 1e-3).
///
/// Under a decoder that ends in `Softmax` it is computed from the logits, and its gradient with respect to them is
/// p − t (Bridle 1990). Of any other probabilities those of a position are divided by their sum and then kept within
/// [ε, 1 − ε], ε = 1e-7, beyond which the gradient is 0, as in Keras. Used by itself it takes one position in each
/// column.
///
/// With label smoothing α of k classes (Szegedy et al. 2016; Keras's) every target t counts as (1 − α) t + α/k, in all
/// values and in `reconstruction_error` too. `Error` unless 0 ≤ α < 1.
///
/// With class weights, one for each class, it is −Σᵢ wᵢ tᵢ ln pᵢ (tᵢ smoothed), still the mean over the positions and
/// the batch: what class weights do in Keras, and in PyTorch for probabilities, where for class numbers it
/// divides by the sum of the weights met. To give rare classes their say: n / (k · number of samples of the class).
/// `Error` for weights that are negative or not finite and, where the loss is computed, for another number of them than
/// of classes.
///
///     hg::CategoricalCrossEntropy{.class_weights = {0.5, 5}}
struct CategoricalCrossEntropy {
    static constexpr std::string_view name = "CategoricalCrossEntropy";
    static constexpr Slot slot = Slot::Loss;
    static constexpr bool needs_unit_range = true;
    static constexpr bool rebuilds_input = false;
    static constexpr Link link = Link::Softmax;

    double label_smoothing = 0;              ///< α in [0, 1)
    std::vector<double> class_weights = {};  ///< wᵢ ≥ 0; none: all 1

    void check() const {
        if (!(is_finite(label_smoothing) && label_smoothing >= 0 && label_smoothing < 1))
            fail("CategoricalCrossEntropy: the label smoothing must be at least 0 and below 1, got ", label_smoothing);
        for (std::size_t i = 0; i < class_weights.size(); ++i)
            if (!is_finite(class_weights[i]) || class_weights[i] < 0)
                fail("CategoricalCrossEntropy: the weight of class ", i, " must be finite and at least 0, got ",
                     class_weights[i]);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("label_smoothing", self.label_smoothing);
        for (std::size_t i = 0; i < self.class_weights.size(); ++i)
            use("class_weight." + text(i), self.class_weights[i]);
    }

  private:
    // What a target t of class i counts as: weight of i · (keep · t + share).
    template <class T>
    struct Wanted {
        T keep, share;
        const double* weights;  // null: all 1

        T operator()(const T& t, Index i) const {
            const T smoothed = keep * t + share;
            return weights ? T(T(weights[i]) * smoothed) : smoothed;
        }
    };
    // The loss of one position of `classes` values, whose targets sum to `total`; where d is not null, scale times its
    // gradient is written there, perhaps over the prediction itself.
    template <class T>
    using Position = T (*)(Index classes, const T* prediction, const T* target, T total, const Wanted<T>& wanted,
                           T scale, T* d);

    // With v what is wanted: Σ v · ln Σ e^z − Σ v z, both with the largest z taken off.
    template <class T>
    static T from_scores(Index classes, const T* z, const T* t, T total, const Wanted<T>& wanted, T scale, T* d) {
        using Pack = kernels::Pack<T>;
        using std::log;
        const T most = *std::max_element(z, z + classes);
        const T sum = kernels::sum_packs<T>(
            classes, [&](const Pack& score) { return exp(score - Pack(most)); }, z);
        if (wanted.weights) return from_weighted_scores(classes, z, t, most, sum, wanted, scale, d);
        const T keep = wanted.keep, share = wanted.share;
        const T all = keep * total + share * T(static_cast<double>(classes));
        const T cost = all * log(sum) - kernels::sum_packs<T>(
                                            classes,
                                            [&](const Pack& score, const Pack& one) {
                                                return (Pack(keep) * one + Pack(share)) * (score - Pack(most));
                                            },
                                            z, t);
        const T factor = all / sum;
        if (d)
            kernels::map_packs(
                classes, d,
                [&](const Pack& score, const Pack& one) {
                    return Pack(scale) * (Pack(factor) * exp(score - Pack(most)) - (Pack(keep) * one + Pack(share)));
                },
                z, t);
        return cost;
    }
    template <class T>
    static T from_weighted_scores(Index classes, const T* z, const T* t, T most, T sum, const Wanted<T>& wanted,
                                  T scale, T* d) {
        using std::exp, std::log;
        T all(0), along(0);
        for (Index i = 0; i < classes; ++i) {
            const T v = wanted(t[i], i);
            all += v;
            along += v * (z[i] - most);
        }
        const T factor = all / sum;
        for (Index i = 0; d && i < classes; ++i) d[i] = scale * (factor * exp(T(z[i] - most)) - wanted(t[i], i));
        return all * log(sum) - along;
    }

    // −Σ v ln q for q = p / Σ p, kept within [ε, 1 − ε].
    template <class T>
    static T from_probabilities(Index classes, const T* p, const T* t, T, const Wanted<T>& wanted, T scale, T* d) {
        using std::log;
        T sum(0), cost(0), along(0);
        for (Index i = 0; i < classes; ++i) sum += p[i];
        const auto inside = [&](Index i) { return p[i] / sum >= T(epsilon) && p[i] / sum <= T(1 - epsilon); };
        for (Index i = 0; i < classes; ++i) {
            const T q = p[i] / sum;
            cost -= wanted(t[i], i) * log(kernels::smaller<T>(kernels::larger<T>(q, T(epsilon)), T(1 - epsilon)));
            if (inside(i)) along += wanted(t[i], i);  // −Σ q ∂ℓ/∂q
        }
        for (Index i = 0; d && i < classes; ++i)
            d[i] = scale * (along / sum - (inside(i) ? T(wanted(t[i], i) / p[i]) : T(0)));
        return cost;
    }

    static constexpr double epsilon = 1e-7;

    template <class T>
    static T sum_of(const T* values, Index count) {
        return kernels::sum_packs<T>(
            count, [](const kernels::Pack<T>& value) { return value; }, values);
    }

    // The loss of scores or probabilities of `Channels` classes; 0 stands for a column of one position.
    template <Index Channels, bool Scores>
    struct Methods : AdditiveLoss<Methods<Channels, Scores>> {
        static constexpr Index values_per_term(Index rows) { return Channels > 0 ? Channels : rows; }
        core::Caller caller;
        double label_smoothing;
        std::span<const double> class_weights;

        template <class T>
        core::Accumulator<T> sum(ConstView<T> prediction, ConstView<T> target, T* d, T scale,
                                 const losses::Place& place) const {
            const Index classes = values_per_term(target.rows()), positions = target.size() / classes;
            if (!class_weights.empty() && class_weights.size() != static_cast<std::size_t>(classes))
                fail(caller.prefix(), name, ": there are ", class_weights.size(), " class weights for ", classes,
                     " classes");
            // All targets are looked at before the first gradient is written.
            for (Index i = 0; i < target.size(); ++i)
                if (target.data()[i] < T(0) || target.data()[i] > T(1))
                    losses::fail_target(caller, name, target, i, place);
            for (Index k = 0; k < positions; ++k) {
                const T total = sum_of(target.data() + k * classes, classes);
                if (total < T(1 - 1e-3) || total > T(1 + 1e-3)) {
                    const Index feature = place.feature + k * classes % target.rows();
                    fail(caller.prefix(), name, ": the targets of each position must sum to 1; those of position ",
                         place.position + k * classes % target.rows() / classes, " of sample ",
                         caller.sample(place.sample + k * classes / target.rows()), " do not (features ", feature,
                         " to ", feature + classes - 1, ")");
                }
            }
            const Wanted<T> wanted{T(1 - label_smoothing), T(label_smoothing / static_cast<double>(classes)),
                                   class_weights.empty() ? nullptr : class_weights.data()};
            constexpr Position<T> position = Scores ? from_scores<T> : from_probabilities<T>;
            core::Accumulator<T> all(0);
            for (Index k = 0; k < positions; ++k) {
                const T* const t = target.data() + k * classes;
                all += core::Accumulator<T>(position(classes, prediction.data() + k * classes, t, sum_of(t, classes),
                                                     wanted, scale, d ? d + k * classes : nullptr));
            }
            return all;
        }
    };

  public:
    /// The same loss with z, p = softmax(z), in the prediction's place.
    template <Shape Output>
    Methods<Output.channels, true> from_logits(const core::Caller& caller = {}) const {
        return {{}, caller, label_smoothing, class_weights};
    }
    template <Shape Output>
    Methods<Output.channels, false> from_output(const core::Caller& caller = {}) const {
        return {{}, caller, label_smoothing, class_weights};
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
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
