// The structural similarity of two pictures, and its gradient.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "hourglass/core/shape.hpp"
#include "hourglass/kernels/pack.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

/// Rows and columns that a structural similarity compares at a time.
inline constexpr Index similarity_window = 11;

/// Whether every type can hold the square of this range of values.
constexpr bool takes_similarity_range(double range) { return range >= 1e-15 && range <= 1e15; }

/// SSIM of pictures of one shape (Wang, Bovik, Sheikh and Simoncelli 2004): with means μ, variances σ² and the
/// covariance σ_xy under a window of 11 × 11 Gaussian weights of deviation 1.5, all of it inside the picture,
///
///     (2 μ_x μ_y + c₁)(2 σ_xy + c₂) / ((μ_x² + μ_y² + c₁)(σ_x² + σ_y² + c₂)),   c₁ = (0.01 L)², c₂ = (0.03 L)²,
///
/// mean over the windows and the channels; L is the range of the values.
template <class T>
class StructuralSimilarityMap {
  public:
    static constexpr Index window = similarity_window;

    /// Of pictures that have at least `window` rows and columns.
    StructuralSimilarityMap(Shape shape, double range) : shape_(shape) {
        this->range(range);
        double sum = 0;
        constexpr Index middle = window / 2;
        std::array<double, window> weights;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            const auto at = static_cast<double>(static_cast<Index>(i) - middle);
            sum += weights[i] = std::exp(-at * at / (2 * 1.5 * 1.5));
        }
        for (std::size_t i = 0; i < weights.size(); ++i) weights_[i] = T(weights[i] / sum);
        memory_.resize(static_cast<std::size_t>(3 * shape.size() + rows() * row_values() + 5 * windows()));
    }

    void range(double range) {
        c1_ = T(0.01 * range * 0.01 * range);
        c2_ = T(0.03 * range * 0.03 * range);
    }

    /// The similarity of `x` and `y`; where `gradient` is not null, `scale` times its gradient for x is written
    /// there, perhaps over x itself.
    T operator()(const T* x, const T* y, T scale, T* gradient) {
        const Index n = shape_.size(), count = windows();
        T* const product = memory_.data();
        T* const along_rows = product + 3 * n;
        T* const mean_x = along_rows + rows() * row_values();
        T *const mean_y = mean_x + count, *const square_x = mean_y + count, *const square_y = square_x + count,
                 *const mixed = square_y + count;
        const auto of_product = [&](const T* a, const T* b, T* to) {
            map_packs(
                n, product, [](const Pack<T>& p, const Pack<T>& q) { return p * q; }, a, b);
            filter(product, along_rows, to);
        };
        filter(x, along_rows, mean_x);
        filter(y, along_rows, mean_y);
        of_product(x, x, square_x);
        of_product(y, y, square_y);
        of_product(x, y, mixed);
        // In each map's place what the similarity changes by with it; the similarities themselves in mean_y's.
        const Pack<T> c1(c1_), c2(c2_), two(T(2));
        each_pack(
            count,
            [&](Pack<T>& m, Pack<T>& v, Pack<T>& q, Pack<T>& u, Pack<T>& r) {
                // Divided one after the other: a product of both denominators could leave the type's range.
                const Pack<T> b1 = m * m + v * v + c1, b2 = (q - m * m) + (u - v * v) + c2,
                              luminance = (two * m * v + c1) / b1, structure = (two * (r - m * v) + c2) / b2,
                              similarity = luminance * structure;
                m = two * (v * (structure / b1 - luminance / b2) - m * (similarity / b1 - similarity / b2));
                q = -(similarity / b2);
                r = two * luminance / b2;
                v = similarity;
            },
            mean_x, mean_y, square_x, square_y, mixed);
        const T share = T(1 / static_cast<double>(count));
        const T mean = share * sum_packs<T>(
                                   count, [](const Pack<T>& s) { return s; }, mean_y);
        if (gradient) {
            T *const by_square = product + n, *const by_mixed = by_square + n;
            const Pack<T> factor(scale * share);
            spread_out(mean_x, along_rows, product);
            spread_out(square_x, along_rows, by_square);
            spread_out(mixed, along_rows, by_mixed);
            map_packs(
                n, gradient,
                [&](const Pack<T>& d, const Pack<T>& square, const Pack<T>& both, const Pack<T>& p, const Pack<T>& t) {
                    return factor * (d + two * p * square + t * both);
                },
                product, by_square, by_mixed, x, y);
        }
        return mean;
    }

  private:
    Index rows() const { return shape_.length - window + 1; }
    Index row_values() const { return shape_.columns * shape_.channels; }                    // of a picture
    Index window_values() const { return (shape_.columns - window + 1) * shape_.channels; }  // of a row of windows
    Index windows() const { return rows() * window_values(); }

    // to += weight · from.
    static void add(Index n, T weight, const T* from, T* to) {
        const Pack<T> factor(weight);
        each_pack(
            n, [&](Pack<T>& sum, const Pack<T>& value) { sum += factor * value; }, to, from);
    }
    // The weighted means of a picture under all windows, rows first.
    void filter(const T* picture, T* along_rows, T* to) const {
        const Index wide = row_values(), narrow = window_values();
        std::fill_n(along_rows, rows() * wide, T(0));
        std::fill_n(to, windows(), T(0));
        for (Index k = 0; k < window; ++k)
            add(rows() * wide, weights_[static_cast<std::size_t>(k)], picture + k * wide, along_rows);
        for (Index row = 0; row < rows(); ++row)
            for (Index k = 0; k < window; ++k)
                add(narrow, weights_[static_cast<std::size_t>(k)], along_rows + row * wide + k * shape_.channels,
                    to + row * narrow);
    }
    // Its transpose.
    void spread_out(const T* from, T* along_rows, T* picture) const {
        const Index wide = row_values(), narrow = window_values();
        std::fill_n(along_rows, rows() * wide, T(0));
        std::fill_n(picture, shape_.size(), T(0));
        for (Index row = 0; row < rows(); ++row)
            for (Index k = 0; k < window; ++k)
                add(narrow, weights_[static_cast<std::size_t>(k)], from + row * narrow,
                    along_rows + row * wide + k * shape_.channels);
        for (Index k = 0; k < window; ++k)
            add(rows() * wide, weights_[static_cast<std::size_t>(k)], along_rows, picture + k * wide);
    }

    Shape shape_;
    T c1_{}, c2_{};
    std::array<T, window> weights_;
    std::vector<T> memory_;
};

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
