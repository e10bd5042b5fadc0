// Categorical cross-entropy: which of several classes a sample, or each position of a sequence, belongs to.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <string_view>

#include "hourglass/core/term.hpp"
#include "hourglass/kernels/pack.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// −Σᵢ tᵢ ln pᵢ over the channels, which are the classes, mean over the positions and the batch, in nats. The target is
/// a class for each position, as one-hot values (`one_hot`) or probabilities. `Error` when a target lies outside [0, 1]
/// or when those of a position do not sum to 1 (within 1e-3).
///
/// Under a decoder that ends in `Softmax` it is computed from the logits, and its gradient with respect to them is
/// p − t (Bridle 1990). Used on its own it takes probabilities, one position in each column, divides them by their sum
/// and keeps them at least at ε = 1e-7, as in Keras.
struct CategoricalCrossEntropy {
    static constexpr std::string_view name = "CategoricalCrossEntropy";
    static constexpr Slot slot = Slot::Loss;
    static constexpr bool needs_unit_range = true;
    static constexpr bool rebuilds_input = false;
    static constexpr std::string_view fuses_with = "Softmax";

    constexpr void check() const {}

    template <class T>
    T value(ConstView<T> p, ConstView<T> target) const {
        return each_position<T>(p.rows(), p, target, from_probabilities<T>, nullptr);
    }
    template <class T>
    T gradient(ConstView<T> p, ConstView<T> target, View<T> d) const {
        return each_position<T>(p.rows(), p, target, from_probabilities<T>, d.data());
    }
    template <class T>
    void samples(ConstView<T> p, ConstView<T> target, Eigen::Map<Vector<T>> each) const {
        for (Index j = 0; j < p.cols(); ++j)
            each[j] = value<T>({p.data() + j * p.rows(), p.rows(), 1}, {target.data() + j * p.rows(), p.rows(), 1});
    }

    /// The same loss with z, p = softmax(z) over `Channels` values, in the prediction's place.
    template <Index Channels>
    struct FromLogits {
        template <class T>
        T value(ConstView<T> logits, ConstView<T> target) const {
            return each_position<T>(Channels, logits, target, from_scores<T>, nullptr);
        }
        template <class T>
        T gradient(ConstView<T> logits, ConstView<T> target, View<T> d) const {
            return each_position<T>(Channels, logits, target, from_scores<T>, d.data());
        }
        template <class T>
        void samples(ConstView<T> logits, ConstView<T> target, Eigen::Map<Vector<T>> each) const {
            const Index rows = logits.rows();
            for (Index j = 0; j < logits.cols(); ++j)
                each[j] = value<T>({logits.data() + j * rows, rows, 1}, {target.data() + j * rows, rows, 1});
        }
    };
    template <Shape Output>
    static constexpr FromLogits<Output.channels> from_logits() {
        return {};
    }

  private:
    // The loss of one position of `classes` values, whose targets sum to `total`; where d is not null, scale times its
    // gradient is written there, perhaps over the prediction itself.
    template <class T>
    using Position = T (*)(Index classes, const T* prediction, const T* target, T total, T scale, T* d);

    // total · ln Σ e^z − Σ t z, both with the largest z taken off.
    template <class T>
    static T from_scores(Index classes, const T* z, const T* t, T total, T scale, T* d) {
        using std::log;
        const T most = *std::max_element(z, z + classes);
        const T sum = kernels::sum_packs<T>(
            classes, [&](const kernels::Pack<T>& score) { return exp(score - kernels::Pack<T>(most)); }, z);
        const T cost = total * log(sum) - kernels::sum_packs<T>(
                                              classes,
                                              [&](const kernels::Pack<T>& score, const kernels::Pack<T>& wanted) {
                                                  return wanted * (score - kernels::Pack<T>(most));
                                              },
                                              z, t);
        const T factor = total / sum;
        if (d)
            kernels::map_packs(
                classes, d,
                [&](const kernels::Pack<T>& score, const kernels::Pack<T>& wanted) {
                    return kernels::Pack<T>(scale) *
                           (kernels::Pack<T>(factor) * exp(score - kernels::Pack<T>(most)) - wanted);
                },
                z, t);
        return cost;
    }

    // total · ln Σ p − Σ t ln p.
    template <class T>
    static T from_probabilities(Index classes, const T* p, const T* t, T total, T scale, T* d) {
        using std::log;
        const auto inside = [](const kernels::Pack<T>& value) { return max(value, kernels::Pack<T>(1e-7)); };
        const T sum = kernels::sum_packs<T>(classes, inside, p);
        const T cost = total * log(sum) - kernels::sum_packs<T>(
                                              classes,
                                              [&](const kernels::Pack<T>& value, const kernels::Pack<T>& wanted) {
                                                  return wanted * log(inside(value));
                                              },
                                              p, t);
        const T factor = total / sum;
        if (d)
            kernels::map_packs(
                classes, d,
                [&](const kernels::Pack<T>& value, const kernels::Pack<T>& wanted) {
                    return kernels::Pack<T>(scale) * (kernels::Pack<T>(factor) - wanted / inside(value));
                },
                p, t);
        return cost;
    }

    template <class T>
    static T each_position(Index classes, ConstView<T> prediction, ConstView<T> target, Position<T> position, T* d) {
        const Index positions = target.size() / classes;
        const T scale = T(1 / static_cast<double>(positions));
        // All targets are looked at before the first gradient is written.
        for (Index i = 0; i < target.size(); ++i)
            if (target.data()[i] < T(0) || target.data()[i] > T(1))
                fail(name, ": targets must lie in [0, 1]; feature ", i % target.rows(), " of sample ",
                     i / target.rows(), " lies outside");
        for (Index k = 0; k < positions; ++k) {
            const T total = sum_of(target.data() + k * classes, classes);
            if (total < T(1 - 1e-3) || total > T(1 + 1e-3))
                fail(name, ": the targets of each position must sum to 1; those of position ",
                     k * classes % target.rows() / classes, " of sample ", k * classes / target.rows(), " do not");
        }
        Accumulator<T> sum(0);
        for (Index k = 0; k < positions; ++k) {
            const T* const t = target.data() + k * classes;
            sum += Accumulator<T>(position(classes, prediction.data() + k * classes, t, sum_of(t, classes), scale,
                                           d ? d + k * classes : nullptr));
        }
        return T(sum / Accumulator<T>(static_cast<double>(positions)));
    }
    template <class T>
    static T sum_of(const T* values, Index count) {
        return kernels::sum_packs<T>(
            count, [](const kernels::Pack<T>& value) { return value; }, values);
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
