// The autoencoder: encoder, decoder, loss and terms put together at compile time, and their training pass.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <tuple>

#include "hourglass/core/mirror.hpp"
#include "hourglass/models/evaluation.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Encoder and decoder, a loss and any number of terms, trained by a loop of the caller's:
///
///     hg::Rng rng{42};
///     auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BinaryCrossEntropy{});
///     hg::Adam adam{{.learning_rate = 1e-3f}};
///     auto tape = model.tape();
///     for (const auto& batch : hg::minibatches(images, 256, rng)) {
///         const float loss = model.gradient(batch, tape, rng);
///         adam.step(model.parameters(), tape.gradient());
///     }
///
/// Batches are matrices of one column per sample. All parameters are one flat vector: the encoder's layers in order,
/// then the decoder's. Every method that takes a batch throws `Error`, before it changes anything, for a batch without
/// samples or with another number of features. Const methods may run on several threads, each with its own tape.
///
/// Write the type as `Autoencoder<Encoder, Decoder, Loss, Terms…>` (float), or let `autoencoder(…)` find it.
template <class T, class Encoder, class Decoder, class Loss, class... Terms>
class BasicAutoencoder : public Evaluation<T, Encoder, Decoder, Loss, Terms...> {
    using Base = Evaluation<T, Encoder, Decoder, Loss, Terms...>;
    using Base::encoder_, Base::decoder_, Base::terms_, Base::theta_, Base::bottleneck, Base::encoder_weights,
        Base::bottleneck_weights, Base::decoder_weights, Base::comparison, Base::check_knobs, Base::scratch_size,
        Base::packed, Base::on, Base::require_pair;
    using Base::trained_depth, Base::corrupts, Base::has_bottleneck, Base::last, Base::bottleneck_offset,
        Base::decoder_offset, Base::state_count;
    using typename Base::Bottleneck, typename Base::CodeTerm, typename Base::Model;

    // Who asks for random numbers within a step: terms from 1, the encoder's layers from 4096, the decoder's from 8192,
    // the code's from 12288.
    static constexpr std::uint16_t encoder_purpose = 4096, decoder_purpose = 8192, bottleneck_purpose = 12288;

    // Whether others add to the gradient of the encoder's weights before the way back through it.
    static constexpr bool encoder_gathers = Decoder::shares_weights || (over_encoder<Terms> || ...);

  public:
    /// Draws the first parameters from `rng`. Encoder and decoder are given as values when their layers have knobs.
    BasicAutoencoder(const Encoder& encoder, const Decoder& decoder, Rng& rng, const Loss& loss, const Terms&... terms)
        : Base(encoder, decoder, rng, loss, terms...) {}
    explicit BasicAutoencoder(Rng& rng, const Loss& loss = Loss{}, const Terms&... terms)
        : BasicAutoencoder(Encoder{}, Decoder{}, rng, loss, terms...) {}

    /// The objective on a batch (loss plus code terms, with corruption and dropout acting), and its gradient with
    /// respect to θ on the tape. `x` and `target` are features × n; without a target the input itself is rebuilt. `rng`
    /// gives the step's noise. `Error` when the objective is not finite, unless `tape.non_finite` says otherwise.
    T gradient(const Input<T>& x, Tape<T>& tape, Rng& rng) const { return differentiate(x, x, tape, rng, nullptr); }
    T gradient(const Input<T>& x, const Input<T>& target, Tape<T>& tape, Rng& rng) const {
        return differentiate(x, target, tape, rng, nullptr);
    }
    /// The same, with the gradient with respect to the encoder's input (the target held fixed) written to `dx`.
    T gradient(const Input<T>& x, const Input<T>& target, Tape<T>& tape, Rng& rng, Matrix<T>& dx) const {
        dx.resize(x.rows(), x.cols());
        clear<T>({dx.data(), dx.rows(), dx.cols()});
        return differentiate(x, target, tape, rng, dx.data());
    }

  private:
    // How many codes are drawn of each sample in a step of training.
    Index copies() const {
        Index k = 1;
        if constexpr (Model::is_variational) k = std::get<CodeTerm>(terms_).samples;
        if (k > 1 && !Model::importance_weighted)
            fail("Autoencoder::gradient: ", name_of<CodeTerm>(), " with ", k,
                 " samples needs a loss that learns nothing, ", "not ", name_of<Loss>());
        return k;
    }

    // Where a step of training finds everything.
    struct Memory {
        const T *x, *target;
        T *corrupted, *scratch, *weighted;
        Trace<T, Encoder::depth> encoder;
        Trace<T, Bottleneck::depth> bottleneck;
        Trace<T, Decoder::depth> decoder;
    };

    T differentiate(const Input<T>& x, const Input<T>& target, Tape<T>& tape, Rng& rng, T* dx) const {
        require_pair("gradient", x, target);
        check_knobs();
        if (tape.gradient().size() != theta_.size() || tape.statistics().size() != state_count)
            fail("Autoencoder::gradient: the tape holds ", tape.gradient().size(), " parameters and ",
                 tape.statistics().size(), " statistics, the model has ", theta_.size(), " and ", state_count);

        const Index n = x.cols(), k = copies();
        const bool rebuilds_itself = x.data() == target.data();
        const Memory m = on(tape, [&](Arena<T>& arena, bool copy) {
            Memory memory{};
            memory.x = packed(x, 0, n, arena, copy);
            memory.target = rebuilds_itself ? memory.x : packed(target, 0, n, arena, copy);
            if constexpr (corrupts) memory.corrupted = arena.take(x.rows() * n);
            if (const Index size = scratch_size(n); size > 0) memory.scratch = arena.take(size);
            // An encoder without layers has the input's gradient for the code's. The code is read again after its
            // gradient has begun to gather, so the two never share memory.
            T* const encoder_dx = Encoder::depth == 0 && !dx ? arena.take(x.rows() * n) : dx;
            memory.encoder = Encoder::template training<T>(arena, corrupts ? memory.corrupted : memory.x, n, encoder_dx,
                                                           Encoder::depth, false);
            T *raw = memory.encoder.activation[last], *draw = memory.encoder.gradient[last];
            if (k > 1) {
                raw = arena.take(Encoder::output.size() * n * k);
                draw = arena.take(Encoder::output.size() * n * k);
                memory.weighted = arena.take((target.rows() + 2) * n * k);
            }
            memory.bottleneck = Bottleneck::template training<T>(arena, raw, n * k, draw, Bottleneck::depth, false);
            memory.decoder =
                Decoder::template training<T>(arena, memory.bottleneck.activation[Bottleneck::depth], n * k,
                                              memory.bottleneck.gradient[Bottleneck::depth], trained_depth, true);
            memory.encoder.statistics = tape.statistics_memory();
            memory.decoder.statistics = tape.statistics_memory() + Encoder::state;
            return memory;
        });
        const Trace<T, Bottleneck::depth>& b = m.bottleneck;

        const Stream random = rng.stream();
        if constexpr (corrupts) {
            ConstView<T> clean{m.x, x.rows(), n};
            const View<T> corrupted{m.corrupted, x.rows(), n};
            this->template each_term<Slot::Corruption>([&](const auto& term, std::uint16_t number) {
                term.template corrupt<T>(clean, corrupted, random.purpose(number));
                new (&clean) ConstView<T>{m.corrupted, x.rows(), n};  // the next one goes on from here
            });
        }
        const Bottleneck middle = bottleneck();
        encoder_.template forward<0, Encoder::depth>(encoder_weights(), m.encoder, &random, encoder_purpose);
        if (k > 1)
            for (Index j = 0; j < n * k; ++j)
                std::copy_n(m.encoder.activation[last] + j / k * Encoder::output.size(), Encoder::output.size(),
                            b.activation[0] + j * Encoder::output.size());
        middle.template forward<0, Bottleneck::depth>(bottleneck_weights(), b, &random, bottleneck_purpose);
        decoder_.template forward<0, trained_depth>(decoder_weights(), m.decoder, &random, decoder_purpose);

        T* const d = tape.gradient().data();
        // The way back assigns the decoder's and mostly the encoder's; here is what others add to.
        clear<T>({d + bottleneck_offset, Bottleneck::parameters, 1});
        clear<T>({d + Base::loss_offset, Model::loss_parameters, 1});
        if (encoder_gathers) clear<T>({d, Encoder::parameters, 1});
        const ConstView<T> raw{b.activation[0], Encoder::output.size(), n * k};
        const ConstView<T> code{b.activation[Bottleneck::depth], Bottleneck::output.size(), n * k};
        const View<T> draw{b.gradient[0], Encoder::output.size(), n * k};
        const View<T> dcode{b.gradient[Bottleneck::depth], Bottleneck::output.size(), n * k};
        clear(dcode);
        if (has_bottleneck) clear(draw);

        const ConstView<T> prediction{m.decoder.activation[trained_depth], Decoder::output.size(), n * k};
        const View<T> dprediction{m.decoder.gradient[trained_depth], Decoder::output.size(), n * k};
        T reconstruction(0), penalty(0);
        if (k > 1) {
            if constexpr (Model::importance_weighted)
                reconstruction = weigh(m, prediction, target.rows(), dprediction, raw, code, draw, dcode, penalty, d);
        } else {
            reconstruction = comparison(d).template gradient<T>(prediction, {m.target, target.rows(), n}, dprediction);
        }
        this->template each_term<Slot::Code>([&]<class Term>(const Term& term, std::uint16_t number) {
            if constexpr (over_encoder<Term>)
                penalty += term.template gradient<Encoder, T>(this->encoder_, this->encoder_weights(), {d, d},
                                                              m.encoder, m.scratch, random.purpose(number));
            else if constexpr (on_encoder_output<Term>)
                penalty += term.template gradient<T>(raw, code, draw);
            else if constexpr (!makes_code<Term>)
                penalty += term.template gradient<T>(code, dcode);
            else if constexpr (has_penalty<Term>)
                if (k == 1)
                    penalty += term.template penalty_gradient<Encoder::output, T>(
                        slice_of<Term, Encoder::output>(this->bottleneck_weights()), raw, code,
                        slice_of<Term, Encoder::output>(Slices<T>{d + Base::bottleneck_offset, d}), draw);
        });
        tape.record(reconstruction, penalty);
        if constexpr (std::floating_point<T>)
            if (tape.non_finite == NonFinite::Throw && !is_finite(reconstruction + penalty))
                fail("Autoencoder::gradient: the objective is not finite: ", name_of<Loss>(), " is ", reconstruction,
                     ", the code terms add ", penalty);

        decoder_.template backward<trained_depth>(decoder_weights(), {d + decoder_offset, d}, false, m.decoder, random,
                                                  decoder_purpose);
        middle.backward(bottleneck_weights(), {d + bottleneck_offset, d}, true, b, random, bottleneck_purpose);
        if (k > 1) {
            clear<T>({m.encoder.gradient[last], Encoder::output.size(), n});
            for (Index j = 0; j < n * k; ++j)
                for (Index i = 0; i < Encoder::output.size(); ++i)
                    m.encoder.gradient[last][j / k * Encoder::output.size() + i] += draw(i, j);
        }
        encoder_.backward(encoder_weights(), {d, d}, encoder_gathers, m.encoder, random, encoder_purpose);
        return reconstruction + penalty;
    }

    // The importance-weighted bound (Burda, Grosse and Salakhutdinov 2016) of k codes z drawn for each sample:
    // −ln (1/k) Σ wⱼ, ln wⱼ = ln p(x|zⱼ) + ln p(zⱼ) − ln q(zⱼ|x), mean over the batch. Its gradient is that of every
    // −ln wⱼ, weighted by wⱼ/Σw. Returns the weighted reconstruction; `rest` receives what else the bound holds.
    T weigh(const Memory& m, ConstView<T> prediction, Index rows, View<T> dprediction, ConstView<T> raw,
            ConstView<T> code, View<T> draw, View<T> dcode, T& rest, T* d) const {
        using std::exp, std::log;
        const CodeTerm& term = std::get<CodeTerm>(terms_);
        const Index k = term.samples, n = raw.cols() / k;
        T *const repeated = m.weighted, *const loss = repeated + rows * n * k, *const weight = loss + n * k;
        for (Index j = 0; j < n * k; ++j) std::copy_n(m.target + j / k * rows, rows, repeated + j * rows);
        comparison(nullptr).template samples<T>(prediction, {repeated, rows, n * k},
                                                Eigen::Map<Vector<T>>{loss, n * k});
        term.template log_ratio<Encoder::output, T>(raw, code, weight);
        T bound(0), reconstruction(0);
        for (Index i = 0; i < n; ++i) {
            T *const l = loss + i * k, *const w = weight + i * k;
            T least = l[0] + w[0], sum(0);
            for (Index j = 0; j < k; ++j) {
                w[j] = l[j] + w[j];
                if (w[j] < least) least = w[j];
            }
            for (Index j = 0; j < k; ++j) {
                w[j] = exp(T(least - w[j]));
                sum += w[j];
            }
            bound += least - log(T(sum / T(static_cast<double>(k))));
            for (Index j = 0; j < k; ++j) {
                w[j] = w[j] / sum;
                reconstruction += w[j] * l[j];
            }
        }
        comparison(d).template gradient<T>(prediction, {repeated, rows, n * k}, dprediction);
        for (Index j = 0; j < n * k; ++j) {  // the loss is a mean over n·k samples, this a weighted one over n
            for (Index i = 0; i < rows; ++i) dprediction(i, j) *= T(static_cast<double>(k)) * weight[j];
            weight[j] = weight[j] / T(static_cast<double>(n));
        }
        term.template log_ratio_gradient<Encoder::output, T>(raw, code, weight, draw, dcode);
        const T samples = T(static_cast<double>(n));
        rest = (bound - reconstruction) / samples;
        return reconstruction / samples;
    }
};

/// `BasicAutoencoder` in float.
template <class Encoder, class Decoder, class Loss, class... Terms>
using Autoencoder = BasicAutoencoder<float, Encoder, Decoder, Loss, Terms...>;

/// A model from types: `autoencoder<Encoder, Decoder>(rng, loss, terms…)`, or with `double` as a third type.
template <class Encoder, class Decoder, class T = float, class Loss, class... Terms>
BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...> autoencoder(Rng& rng, const Loss& loss, const Terms&... terms) {
    return BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>(rng, loss, terms...);
}

/// A model from values, for layers with knobs: `autoencoder(encoder, decoder, rng, loss, terms…)`; in double with
/// `autoencoder<double>(…)`.
template <class Encoder, class Decoder, class Loss, class... Terms>
Autoencoder<Encoder, Decoder, Loss, Terms...> autoencoder(const Encoder& encoder, const Decoder& decoder, Rng& rng,
                                                          const Loss& loss, const Terms&... terms) {
    return Autoencoder<Encoder, Decoder, Loss, Terms...>(encoder, decoder, rng, loss, terms...);
}
template <class T, class Encoder, class Decoder, class Loss, class... Terms>
BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...> autoencoder(const Encoder& encoder, const Decoder& decoder,
                                                                  Rng& rng, const Loss& loss, const Terms&... terms) {
    return BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>(encoder, decoder, rng, loss, terms...);
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
