// How far the code of each sample moves when the sample does.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <string_view>
#include <type_traits>

#include "hourglass/core/checks.hpp"
#include "hourglass/core/trainable.hpp"
#include "hourglass/terms/contractive.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// ‖∂code/∂x‖_F of each sample, the Frobenius norm of the encoder's Jacobian there: the root of what `Contractive`
/// punishes (Rifai et al. 2011), of any model whose encoder's layers have a second derivative.
///
///     const double mean = hg::jacobian_norm(model, validation).mean();
///
/// `model`: an autoencoder, in evaluation. As for `Contractive`, J is that of the encoder's own output, before a term
/// makes the code of it (`TopK`; a variational model's is mean and log-variance), and at the kink of a ReLU that of the
/// lower side. `x`: features × n, or `given(x, condition)`; J is with respect to x. `probes` = 0: exact. `probes` = k >
/// 0: the root of an unbiased estimate of the square over k vectors of random signs (Hutchinson 1990), those of a
/// column the same at each call, so that a sample's estimate depends on its place in the batch: for wide codes behind
/// several layers, where the exact one takes a pass for each value of the code; where `Contractive` takes its closed
/// form whatever the probes, it is exact. With a tape no other memory is asked for but the result's.
///
/// Returns n values, not averaged. Errors: a batch that does not fit, fewer than 0 probes; a value of x or the
/// condition that is not finite (NaN where the encoder begins with `ZeroImputation` is none), and a code or norm that
/// is not, for which `tape.non_finite` can say to return NaN instead.
template <class Model>
Vector<double> jacobian_norm(const Model& model, const Batch<typename Model::Scalar>& x,
                             Tape<typename Model::Scalar>& tape, Index probes = 0) {
    using T = typename Model::Scalar;
    using Encoder = std::remove_cvref_t<decltype(model.encoder())>;
    constexpr std::string_view name = "jacobian_norm";
    const auto& passes = core::Inside::of(model);
    passes.require_values(name, "model");
    core::require_batch(name, "x", x, Encoder::input, Encoder::condition, &tape);
    if (probes < 0) fail(name, ": the number of probes must be at least 0 (0: exact), got ", probes);

    constexpr bool takes_missing = std::remove_cvref_t<decltype(passes)>::takes_missing;
    const auto wrong = [](const Input<T>& values, Index sample, bool may_be_missing) {
        for (Index i = 0; i < values.rows(); ++i)
            if (const T value = values(i, sample); !is_finite(value) && !(may_be_missing && core::is_nan(value)))
                return i;
        return Index{-1};
    };
    const auto is_given_finite = [&](Index j, bool refuse) {
        const Index of_x = wrong(x.x, j, takes_missing), of_condition = x.is_given ? wrong(x.condition, j, false) : -1;
        if (refuse && of_x >= 0)
            fail(name, ": x is not finite: feature ", of_x, " of sample ", j, " is ", x.x(of_x, j));
        if (refuse && of_condition >= 0)
            fail(name, ": the condition is not finite: value ", of_condition, " of sample ", j, " is ",
                 x.condition(of_condition, j));
        return of_x < 0 && of_condition < 0;
    };
    const bool refuse = tape.non_finite == NonFinite::Throw;
    for (Index j = 0; refuse && j < x.cols(); ++j) is_given_finite(j, true);

    const Contractive penalty{.weight = 1, .probes = probes};
    const auto layers = passes.layers_.layers();
    const auto room = [](Index n) { return core::whole_lines<T>(Contractive::scratch<Encoder, T>(n)); };
    constexpr Index code = Encoder::output.size();
    Vector<double> norms(x.cols());
    passes.run(x, 0, Encoder::depth, nullptr, tape, room, [&](const auto& buffers, Index first, core::Arena<T>& arena) {
        penalty.squared_norms<Encoder, T>(
            passes.encoder_pass(layers, buffers, arena.take(room(buffers.samples)), Stream{0, 0}.from_sample(first)),
            norms.data() + first);
        for (Index j = 0; j < buffers.samples; ++j)
            if (first_non_finite(buffers.activation[Encoder::depth] + j * code, code) >= 0) norms[first + j] = -1;
    });
    for (Index j = 0; j < x.cols(); ++j) {
        const bool finite = is_finite(norms[j]);  // looked at first: -ffast-math compares NaN as it likes
        // Of what is not finite a ReLU may have made a derivative of 0.
        const bool known = (!finite || norms[j] >= 0) && (refuse || is_given_finite(j, false));
        norms[j] = std::sqrt(norms[j]);
        if (known && finite) continue;
        if (refuse) fail(name, ": the ", known ? "norm" : "code", " of sample ", j, " is not finite, though x is");
        norms[j] = std::numeric_limits<double>::quiet_NaN();
    }
    return norms;
}
/// The same with a tape of its own.
template <class Model>
Vector<double> jacobian_norm(const Model& model, const Batch<typename Model::Scalar>& x, Index probes = 0) {
    Tape<typename Model::Scalar> scratch(0);
    return jacobian_norm(model, x, scratch, probes);
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
