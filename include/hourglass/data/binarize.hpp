// Pictures of 0 and 1.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <span>

#include "hourglass/core/error.hpp"
#include "hourglass/core/random.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Draws pictures of 0 and 1 of grey ones: a pixel of `drawn` is 1 with the probability that `x` says, else 0. Drawn
/// anew for every batch, as the binarised data of Burda, Grosse and Salakhutdinov 2016 ("Importance weighted
/// autoencoders") are, it is both what the encoder sees and what the loss compares with:
///
///     Eigen::MatrixXf drawn;
///     for (const auto& batch : hg::minibatches(images, 100, rng)) {
///         hg::binarize(batch, rng, drawn);  // `drawn` grows once, then no memory is asked for
///         model.gradient(drawn, tape, rng);
///         adam.step(model, tape);
///     }
///
/// A corruption would change the input alone. Drawn once, before training, the pictures are a data set of a fixed
/// binarisation, to which a model fits itself more closely; nats of the one are not to be compared with nats of the
/// other.
///
/// `x`: features × n, in [0, 1]. `drawn`: becomes features × n; may be what x is made of. Takes one step from `rng`, of
/// which each sample has numbers of its own. `Error`, with nothing drawn, for a value outside of [0, 1].
template <class X>
void binarize(const Eigen::MatrixBase<X>& x, Rng& rng, Matrix<typename X::Scalar>& drawn) {
    using T = typename X::Scalar;
    const Input<T> grey(x.derived());
    for (Index j = 0; j < grey.cols(); ++j)
        for (Index i = 0; i < grey.rows(); ++i)
            if (const T value = grey(i, j); !is_finite(value) || value < 0 || value > 1)
                fail("binarize: value ", i, " of sample ", j, " is ", value, ", expected a probability, from 0 to 1");
    // What `grey` lies in stays until all is read.
    const bool fits = drawn.rows() == grey.rows() && drawn.cols() == grey.cols();
    Matrix<T> other;
    if (!fits) other.resize(grey.rows(), grey.cols());
    Matrix<T>& binary = fits ? drawn : other;
    const Stream random = rng.stream();
    constexpr Index block = 256;
    std::array<T, block> uniform;
    for (Index j = 0; j < grey.cols(); ++j)
        for (Index from = 0; from < grey.rows(); from += block) {
            const Index count = std::min(block, grey.rows() - from);
            random.uniform(j, std::span<T>{uniform.data(), static_cast<std::size_t>(count)}, from);
            for (Index i = 0; i < count; ++i)
                binary(from + i, j) = uniform[static_cast<std::size_t>(i)] < grey(from + i, j) ? T(1) : T(0);
        }
    if (!fits) drawn.swap(other);
}
/// The same, returned: `model.gradient(hg::binarize(batch, rng), tape, rng)`.
template <class X>
Matrix<typename X::Scalar> binarize(const Eigen::MatrixBase<X>& x, Rng& rng) {
    Matrix<typename X::Scalar> drawn;
    binarize(x, rng, drawn);
    return drawn;
}

/// Pictures of 0 and 1 without chance: 1 where `x` is above the threshold, else 0, as in scikit-learn (whose threshold
/// is 0 where none is given), the threshold taken in the pixels' type: 0.2f is not above 0.2. `x`: features × n.
/// `Error` for a value or threshold that is not finite.
template <class X>
Matrix<typename X::Scalar> binarize(const Eigen::MatrixBase<X>& x, double threshold = 0.5) {
    using T = typename X::Scalar;
    if (!is_finite(threshold)) fail("binarize: the threshold is ", threshold);
    const auto bound = static_cast<T>(threshold);
    Matrix<T> binary = x;
    for (Index j = 0; j < binary.cols(); ++j)
        for (Index i = 0; i < binary.rows(); ++i) {
            T& value = binary(i, j);
            if (!is_finite(value)) fail("binarize: value ", i, " of sample ", j, " is ", value);
            value = value > bound ? T(1) : T(0);
        }
    return binary;
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
