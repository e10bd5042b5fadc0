// How far a code lies from those nearest to it.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/kernels/product.hpp"
#include "hourglass/metrics/samples.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The k nearest of the codes that it was fitted on, by Euclidean distance, found exactly by looking at all of them:
/// scikit-learn's `NearestNeighbors` with `algorithm="brute"`. Their mean distance is an anomaly score (Angiulli and
/// Pizzuti 2002) that follows normal codes of any shape, in groups too, where `MahalanobisDistance` sees one cloud.
///
///     hg::NearestNeighbors neighbors{5};                       // of float; hg::NearestNeighbors<double> for double
///     neighbors.fit(model.encode(images));
///     const Eigen::VectorXf far = neighbors.mean_distance(model.encode(x));
///     const double threshold = hg::quantile_threshold(neighbors.mean_distance(), 0.99);  // of `images` alone
///
/// Keeps a copy of the codes. A query takes code · n multiplications. To keep it in a file, save `codes()` under a
/// name, and fit it on them again.
template <std::floating_point T = float>
class NearestNeighbors {
  public:
    /// What is found for m queries, one column each, nearest first; of equally near ones the first.
    struct Neighbors {
        Matrix<T> distances;    ///< k × m
        Matrix<Index> indices;  ///< k × m: columns of what `fit` was given
    };

    /// `n_neighbors`: k, scikit-learn's default. `Error` when it is below 1.
    explicit NearestNeighbors(Index n_neighbors = 5) : k_(n_neighbors) {
        if (n_neighbors < 1) fail("NearestNeighbors: the number of neighbours must be at least 1, got ", n_neighbors);
    }

    /// Copies `codes`, code × n. Errors, with nothing changed: fewer than k samples, no values, a value that is not
    /// finite or whose square overflows.
    NearestNeighbors& fit(const Input<T>& codes) {
        constexpr const char* name = "NearestNeighbors::fit";
        metrics::check_codes<T>(name, codes);
        if (codes.cols() < k_)
            fail(name, ": there are ", codes.cols(), " samples, expected at least ", k_, ", one for each neighbour");
        Vector<T> squares = squared_lengths(name, codes);
        Matrix<T> copy = codes;  // which may be a part of codes()
        codes_ = std::move(copy);
        squares_ = std::move(squares);
        return *this;
    }

    /// The k nearest of the fitted codes to each of `codes`, code × m. Errors: not fitted, no codes, another number of
    /// values, a value that is not finite or whose square overflows.
    Neighbors kneighbors(const Input<T>& codes) const {
        constexpr const char* name = "NearestNeighbors::kneighbors";
        require_fitted(name);
        metrics::check_codes<T>(name, codes, codes_.rows());
        return nearest(codes, squared_lengths(name, codes), false);
    }
    /// The same for the fitted codes themselves, none of which is its own neighbour. `Error` unless there are more than
    /// k.
    Neighbors kneighbors() const {
        constexpr const char* name = "NearestNeighbors::kneighbors";
        require_fitted(name);
        if (codes_.cols() <= k_)
            fail(name, ": fitted on ", codes_.cols(), " samples, expected more than ", k_,
                 ": a sample is no neighbour of its own");
        return nearest(codes_, squares_, true);
    }

    /// The mean distance of each of `codes` from its k nearest, m values. Errors: as for `kneighbors`.
    Vector<T> mean_distance(const Input<T>& codes) const { return means(kneighbors(codes)); }
    /// The same for the fitted codes, each without itself.
    Vector<T> mean_distance() const { return means(kneighbors()); }

    /// k.
    Index n_neighbors() const { return k_; }
    /// What was fitted, code × n; empty before `fit`.
    const Matrix<T>& codes() const { return codes_; }

  private:
    void require_fitted(const char* function) const {
        if (codes_.size() == 0) fail(function, ": it is not fitted; call fit first");
    }

    static Vector<T> squared_lengths(const char* function, const Input<T>& codes) {
        Vector<T> squares(codes.cols());
        for (Index j = 0; j < codes.cols(); ++j) {
            squares[j] = codes.col(j).squaredNorm();
            if (!is_finite(4 * squares[j]))
                fail(function, ": the squares of the values of sample ", j, " are beyond the numbers of ",
                     sizeof(T) == 4 ? "float" : "double");
        }
        return squares;
    }

    // ‖a − b‖² = ‖a‖² + ‖b‖² − 2 aᵀb is fast, as a product of matrices, but where a and b lie close together it has
    // lost their difference to rounding. So it only says which codes cannot be among the nearest; the others are
    // measured.
    Neighbors nearest(const Input<T>& queries, const Vector<T>& squares, bool without_itself) const {
        constexpr Index block = 128;
        const Index code = codes_.rows(), n = codes_.cols(), m = queries.cols();
        // Each of the three sums is off by at most code · ε/2 times ‖a‖² + ‖b‖²; this is twice what they come to, and
        // what may have been too small to be counted.
        const T slack = static_cast<T>(2 * code + 8) * std::numeric_limits<T>::epsilon();
        const T uncounted = static_cast<T>(2 * code + 8) * std::numeric_limits<T>::min();
        Neighbors found{Matrix<T>(k_, m), Matrix<Index>(k_, m)};
        std::vector<double> distances(static_cast<std::size_t>(k_ * std::min(block, m)));
        Matrix<T> products(block, std::min(block, m));
        for (Index first = 0; first < m; first += block) {
            const Index columns = std::min(block, m - first);
            std::fill(distances.begin(), distances.end(), std::numeric_limits<double>::max());
            for (Index begin = 0; begin < n; begin += block) {
                const Index rows = std::min(block, n - begin);
                kernels::add_transposed_product<T>(rows, columns, code, codes_.data() + begin * code, code,
                                                   queries.data() + first * queries.outerStride(),
                                                   queries.outerStride(), products.data(), block,
                                                   {.accumulate = false});
                for (Index j = 0; j < columns; ++j) {
                    double* const kept = distances.data() + j * k_;
                    for (Index i = 0; i < rows; ++i) {
                        if (without_itself && begin + i == first + j) continue;
                        const T sum = squares_[begin + i] + squares[first + j];
                        const T least = sum - 2 * products(i, j) - slack * sum - uncounted;
                        if (static_cast<double>(least) >= kept[k_ - 1]) continue;
                        const double square = squared_distance(codes_.col(begin + i), queries.col(first + j));
                        if (square < kept[k_ - 1]) insert(square, begin + i, kept, found.indices.col(first + j).data());
                    }
                }
            }
            for (Index j = 0; j < columns; ++j)
                for (Index i = 0; i < k_; ++i)
                    found.distances(i, first + j) =
                        static_cast<T>(std::sqrt(distances[static_cast<std::size_t>(j * k_ + i)]));
        }
        return found;
    }

    template <class A, class B>
    static double squared_distance(const A& a, const B& b) {
        double sum = 0;
        for (Index i = 0; i < a.size(); ++i) {
            const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
            sum += difference * difference;
        }
        return sum;
    }

    // Into the k that are kept in order, the last of which is dropped.
    void insert(double square, Index index, double* kept, Index* indices) const {
        Index place = k_ - 1;
        for (; place > 0 && kept[place - 1] > square; --place) {
            kept[place] = kept[place - 1];
            indices[place] = indices[place - 1];
        }
        kept[place] = square;
        indices[place] = index;
    }

    static Vector<T> means(const Neighbors& found) {
        Vector<T> means(found.distances.cols());
        // Not by Eigen's mean: in which order that adds depends on where the column lies.
        for (Index j = 0; j < means.size(); ++j) {
            double sum = 0;
            for (Index i = 0; i < found.distances.rows(); ++i) sum += static_cast<double>(found.distances(i, j));
            means[j] = static_cast<T>(sum / static_cast<double>(found.distances.rows()));
        }
        return means;
    }

    Index k_;
    Matrix<T> codes_;
    Vector<T> squares_;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
