// The running averages an optimiser keeps.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include "hourglass/core/huge_pages.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace optim {

/// One kind of moment: what the optimiser's formula calls it, and whether it averages squares and so is never negative.
struct MomentKind {
    const char* name;
    bool square = false;
};

/// A matrix of one row per parameter and one column per kind of moment, in the scalar type of the first step.
class Moments {
  public:
    Moments() = default;
    Moments(const Moments&) = default;
    Moments& operator=(const Moments&) = default;
    ~Moments() = default;
    // What was moved from is as before the first step: Eigen's matrices are emptied or exchanged, a number is not.
    Moments(Moments&& other) noexcept { *this = std::move(other); }
    Moments& operator=(Moments&& other) noexcept {
        if (this == &other) return *this;
        clear();
        floats_.swap(other.floats_);
        doubles_.swap(other.doubles_);
        scalar_size_ = std::exchange(other.scalar_size_, 0);
        return *this;
    }

    /// Whether a first step has fixed size and scalar type.
    bool empty() const { return scalar_size_ == 0; }
    /// Number of parameters.
    Index size() const { return std::max(floats_.rows(), doubles_.rows()); }
    /// Whether they are kept in `T`.
    template <class T>
    bool holds() const {
        return scalar_size_ == sizeof(T);
    }

    /// Fixes scalar type, number of parameters and kinds of moments; every moment becomes `start`. When there is no
    /// memory everything stays as it was.
    template <class T>
    void allocate(Index parameters, Index kinds, double start) {
        Matrix<T> all(parameters, kinds);
        prefer_huge_pages(all.data(), all.size());
        std::fill_n(all.data(), all.size(), static_cast<T>(start));
        clear();
        values<T>().swap(all);
        scalar_size_ = sizeof(T);
    }

    /// The same with the moments of earlier steps.
    template <class T>
    void allocate(const Input<T>& earlier) {
        Moments copy;
        copy.allocate<T>(earlier.rows(), earlier.cols(), 0);
        for (Index kind = 0; kind < earlier.cols(); ++kind)
            std::copy_n(earlier.data() + kind * earlier.outerStride(), earlier.rows(),
                        copy.values<T>().data() + kind * earlier.rows());
        clear();
        values<T>().swap(copy.values<T>());
        scalar_size_ = sizeof(T);
    }

    /// Every kind of moment of these parameters becomes `value`.
    void assign(std::span<const Index> parameters, double value) {
        const auto in = [&]<class T>(Matrix<T>& all) {
            for (Index kind = 0; kind < all.cols(); ++kind)
                for (const Index i : parameters) all(i, kind) = static_cast<T>(value);
        };
        holds<float>() ? in(floats_) : in(doubles_);
    }

    /// As before the first step.
    void clear() {
        floats_.resize(0, 0);
        doubles_.resize(0, 0);
        scalar_size_ = 0;
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

}  // namespace optim
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
