// The loss of pictures that look alike.
#pragma once

#include <Eigen/Core>
#include <string_view>

#include "hourglass/core/term.hpp"
#include "hourglass/kernels/structural_similarity.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// 1 − SSIM, the structural similarity (Wang, Bovik, Sheikh and Simoncelli 2004) of prediction and target, mean over
/// windows, channels and the batch: 0 of equal pictures, at most 2. `kernels::StructuralSimilarityMap` has the formula:
/// windows of 11 × 11 Gaussian weights, all inside the picture, as in TensorFlow's `tf.image.ssim`.
///
/// `range` is what lies between the smallest and the largest value that pictures can have. The model's output has to be
/// a picture of at least 11 rows and columns. `Error` for a range outside [1e-15, 1e15].
struct StructuralSimilarity {
    static constexpr std::string_view name = "StructuralSimilarity";
    static constexpr Slot slot = Slot::Loss;
    double range;  ///< largest minus smallest value of a picture

    constexpr explicit StructuralSimilarity(double range_ = 1.0) : range(range_) { check(); }
    constexpr void check() const {
        if (!kernels::takes_similarity_range(range))
            fail("StructuralSimilarity: the range must lie in [1e-15, 1e15], got ", range);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("range", self.range);
    }

    /// The loss of outputs of this shape.
    template <Shape Output>
    struct Methods {
        static_assert(Output.length >= kernels::similarity_window && Output.columns >= kernels::similarity_window,
                      "hourglass: StructuralSimilarity compares pictures of at least 11 rows and 11 columns");
        double range;

        template <class T>
        T value(ConstView<T> prediction, ConstView<T> target) const {
            return mean<T>(prediction, target, nullptr);
        }
        template <class T>
        T gradient(ConstView<T> prediction, ConstView<T> target, View<T> d) const {
            return mean<T>(prediction, target, d.data());
        }
        template <class T>
        void samples(ConstView<T> prediction, ConstView<T> target, Eigen::Map<Vector<T>> each) const {
            kernels::StructuralSimilarityMap<T>& map = similarity<T>();
            for (Index j = 0; j < prediction.cols(); ++j)
                each[j] =
                    T(1) - map(prediction.data() + j * Output.size(), target.data() + j * Output.size(), T(0), nullptr);
        }

      private:
        // Kept from one batch to the next: a step in a loop allocates nothing.
        template <class T>
        kernels::StructuralSimilarityMap<T>& similarity() const {
            thread_local kernels::StructuralSimilarityMap<T> map(Output, range);
            map.range(range);  // that of this model, of those that the thread works at
            return map;
        }
        template <class T>
        T mean(ConstView<T> prediction, ConstView<T> target, T* d) const {
            kernels::StructuralSimilarityMap<T>& map = similarity<T>();
            const double share = 1 / static_cast<double>(prediction.cols());
            core::Accumulator<T> sum(0);
            for (Index j = 0; j < prediction.cols(); ++j)
                sum += core::Accumulator<T>(T(1) - map(prediction.data() + j * Output.size(),
                                                       target.data() + j * Output.size(), T(-share),
                                                       d ? d + j * Output.size() : nullptr));
            return T(sum * core::Accumulator<T>(share));
        }
    };
    template <Shape Output>
    constexpr Methods<Output> from_output(const core::Caller&) const {
        return {range};
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
