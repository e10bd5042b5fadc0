// How likely a variational model finds data.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "hourglass/core/batch.hpp"
#include "hourglass/core/random.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// An estimate of ln p(x) for each sample of x (features × n), in nats, n values: the importance-weighted bound
///
///     ln (1/k) Σⱼ p(x|zⱼ) p(zⱼ) / q(zⱼ|x),   zⱼ ~ q(z|x),   k = samples
///
/// (Burda, Grosse and Salakhutdinov 2016). Its expectation is below ln p(x) and rises with k; with k = 1 it is the
/// evidence lower bound with one draw. Thousands of draws a sample are usual for a number to report. `Model` is a
/// variational autoencoder whose loss is a likelihood; of a conditional one, ln p(x|c) with x as `given(x, c)`. `Error`
/// for less than one draw, and as `posterior` says. In nats only where the weights of a `FeatureGroups` are 1: with
/// others p(x|z) stands for what is no density.
template <class Model>
Vector<typename Model::Scalar> importance_weighted_bound(const Model& model, const Batch<typename Model::Scalar>& x,
                                                         Index samples, Rng& rng) {
    using T = typename Model::Scalar;
    if (samples < 1) fail("importance_weighted_bound: expected at least one draw of each sample, got ", samples);
    const auto posterior = model.posterior(x);
    const Index n = x.cols(), size = posterior.mean.rows();
    Matrix<T> code(size, n);
    Vector<T> prior(n), noise(size), largest(n), sum(n);
    for (Index k = 0; k < samples; ++k) {
        const Stream random = rng.stream();
        for (Index j = 0; j < n; ++j) {
            random.normal(j, std::span<T>{noise.data(), static_cast<std::size_t>(size)});
            T log_ratio(0);  // ln p(z) − ln q(z|x): the constants of the two normal densities cancel
            for (Index i = 0; i < size; ++i) {
                const T variance = posterior.variance(i, j);
                const T z = posterior.mean(i, j) + std::sqrt(variance) * noise[i];
                code(i, j) = z;
                log_ratio += T(0.5) * (noise[i] * noise[i] + std::log(variance) - z * z);
            }
            prior[j] = log_ratio;
        }
        const Vector<T> error =
            x.is_given ? model.decoding_error(given(code, x.condition), x.x) : model.decoding_error(code, x.x);
        for (Index j = 0; j < n; ++j) {
            const T weight = prior[j] - error[j];
            if (k == 0 || weight > largest[j]) {
                sum[j] = k == 0 ? T(1) : sum[j] * std::exp(largest[j] - weight) + T(1);
                largest[j] = weight;
            } else {
                sum[j] += std::exp(weight - largest[j]);
            }
        }
    }
    for (Index j = 0; j < n; ++j) sum[j] = largest[j] + std::log(sum[j] / static_cast<T>(samples));
    return sum;
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
