// Gradients that are too large, made smaller before the optimiser sees them.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <type_traits>

#include "hourglass/optim/checks.hpp"
#include "hourglass/optim/contiguous.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

// What is not for users.
namespace optim {

/// Euclidean norm of `values` without overflow or underflow on the way.
template <class T>
double safe_norm(const ConstFlat<T>& values) {
    if constexpr (std::is_same_v<T, double>) {
        return values.matrix().stableNorm();
    } else {
        // The squares of floats fit into doubles. Many sums side by side: a single one would not be vectorised.
        constexpr Index side_by_side = 64;
        double sums[side_by_side] = {};
        Index i = 0;
        for (; i + side_by_side <= values.size(); i += side_by_side)
            for (Index k = 0; k < side_by_side; ++k) {
                const auto value = static_cast<double>(values.data()[i + k]);
                sums[k] += value * value;
            }
        double sum = 0;
        for (; i < values.size(); ++i)
            sum += static_cast<double>(values.data()[i]) * static_cast<double>(values.data()[i]);
        for (const double one : sums) sum += one;
        return std::sqrt(sum);
    }
}

}  // namespace optim

/// Scales the whole gradient to Euclidean norm `max_norm` if its norm is larger (Pascanu, Mikolov and Bengio 2013; the
/// global norm, over all parameters). `gradient` is a contiguous vector or map, which may be a temporary. One that
/// holds an infinity or a NaN is left as it is, for the optimiser to find the place. Returns the norm before clipping,
/// infinite or NaN for such a gradient. `Error` unless `max_norm` is larger than 0 and
/// finite in the gradient's scalar type.
template <class Gradient>
double clip_by_norm(Gradient&& gradient, double max_norm) {
    optim::require_positive("clip_by_norm", "max_norm", max_norm);
    auto g = optim::contiguous_writable(gradient);
    using T = typename std::remove_cvref_t<Gradient>::Scalar;
    optim::require_finite_in<T>("clip_by_norm", "max_norm", max_norm);
    if (const Index bad = first_non_finite(g.data(), g.size()); bad >= 0) return std::abs(static_cast<double>(g[bad]));
    const double norm = optim::safe_norm<T>(optim::contiguous(gradient));
    if (!is_finite(norm) || norm <= max_norm) return norm;
    if (const double scale = max_norm / norm; scale >= double{std::numeric_limits<T>::min()}) {
        g *= static_cast<T>(scale);
    } else {  // too small a number to be exact: divide first
        g = (g.template cast<double>() / norm * max_norm).template cast<T>();
    }
    return norm;
}

/// Moves every value of `gradient`, a contiguous vector or map that may be a temporary, into [-limit, limit]. NaN stays
/// NaN, infinities become ±limit. `Error` unless `limit` is larger than 0 and finite in
/// the gradient's scalar type.
template <class Gradient>
void clip_by_value(Gradient&& gradient, double limit) {
    optim::require_positive("clip_by_value", "limit", limit);
    auto g = optim::contiguous_writable(gradient);
    using T = typename std::remove_cvref_t<Gradient>::Scalar;
    optim::require_finite_in<T>("clip_by_value", "limit", limit);
    const auto bound = static_cast<T>(limit);
    g = g.max(-bound).min(bound);  // g first: in this order they keep NaN
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
