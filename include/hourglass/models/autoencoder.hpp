// The autoencoder: a network of encoder, code and decoder, with a loss and terms; its training pass, and what a trained
// one is asked for.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/core/mirror.hpp"
#include "hourglass/models/network.hpp"
#include "hourglass/models/pipeline.hpp"
#include "hourglass/models/training.hpp"

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
///         adam.step(model, tape);
///     }
///
/// Batches are matrices of one column per sample; with a `Condition` in a chain, `given(x, condition)`. All parameters
/// are one flat vector: the encoder's layers in order, what makes the code, the decoder's, the loss's. Every method
/// that takes a batch throws `Error`, before it changes anything, for one that does not fit. Const methods may run on
/// several threads, each with its own tape.
///
/// Losses and errors throw when they are not finite (`tape.non_finite` can say otherwise), naming where that began;
/// `encode`, `decode` and their like pass on what is not finite. With a tape a result is a view of its memory, valid
/// until the tape's next use, of which it may be an argument.
///
/// Write the type as `Autoencoder<Encoder, Decoder, Loss, Terms…>` (float), or let `autoencoder(…)` find it.
template <class T, class Encoder, class Decoder, class Loss, class... Terms>
class BasicAutoencoder : public core::Trainable<BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>, T> {
    using Base = core::Trainable<BasicAutoencoder, T>;
    using Pipeline = models::Pipeline<Encoder, Decoder, Loss, Terms...>;
    using Layers = typename Pipeline::Layers;
    using CodeTerm = typename Pipeline::CodeTerm;
    using Net = Network<T, Layers, Pipeline::code_begin, Pipeline::code_end>;
    using Passes = typename Net::Passes;
    using Buffers = typename Net::Buffers;
    using Objective = models::Objective<T, Pipeline, Encoder, Loss, Terms...>;

    static constexpr const auto& plan = Passes::plan;
    static constexpr std::size_t depth = Layers::depth, code_begin = Pipeline::code_begin,
                                 code_end = Pipeline::code_end, compared = Pipeline::compared;
    static constexpr Index decoder_offset = plan.offsets[code_end];

  public:
    /// Draws the first parameters from `rng`. Encoder and decoder are given as values when their layers have
    /// hyperparameters.
    BasicAutoencoder(const Encoder& encoder, const Decoder& decoder, Rng& rng, const Loss& loss, const Terms&... terms)
        : network_(typename Net::ForModel{}, joined(encoder, decoder, terms...), rng, core::learned_by<Loss>()),
          objective_(loss, terms...) {
        objective_.check(passes());
    }
    explicit BasicAutoencoder(Rng& rng, const Loss& loss = Loss{}, const Terms&... terms)
        : BasicAutoencoder(Encoder{}, Decoder{}, rng, loss, terms...) {}

    /// The slices of θ that belong to the encoder and to the decoder: to carry weights from one model to another, or to
    /// train one and leave the other as it is (step with `tape.gradient().segment(…)` of the same place).
    /// `Error` for a model that has been moved from.
    Eigen::Map<Vector<T>> encoder_parameters() { return {theta("encoder_parameters"), Encoder::parameters}; }
    Eigen::Map<const Vector<T>> encoder_parameters() const {
        return {theta("encoder_parameters"), Encoder::parameters};
    }
    Eigen::Map<Vector<T>> decoder_parameters() { return {decoder_theta(), Decoder::parameters}; }
    Eigen::Map<const Vector<T>> decoder_parameters() const { return {decoder_theta(), Decoder::parameters}; }
    /// The same places in any vector of θ's layout, such as a tape's gradient.
    static constexpr Slice encoder_slice() { return {0, Encoder::parameters}; }
    static constexpr Slice decoder_slice() { return {decoder_offset, Decoder::parameters}; }

    /// The number of the decoder's first layer, as `each_layer` counts.
    static constexpr std::size_t first_decoder_layer = code_end;

    /// Encoder and decoder, with their layers' hyperparameters.
    Encoder encoder() const { return subchain<Encoder, 0>(); }
    Decoder decoder() const { return subchain<Decoder, code_end>(); }
    /// The loss and the terms, whose hyperparameters a loop may change: `model.template term<L1>().weight = 1e-3`.
    Loss& loss_function() { return objective_.loss; }
    template <class Term>
    Term& term() {
        if constexpr (core::makes_code<Term>)
            return network_.passes_.layers_.template layer<code_begin>();
        else
            return objective_.template term<Term>();
    }

    /// What it is made of: a line a layer, then the loss and the terms.
    std::string architecture() const { return passes().layers_.architecture(&Pipeline::name) + Objective::names(); }

    /// A table: one row a layer (name, output shape, parameters, hyperparameters), then the loss, the terms and the
    /// total.
    friend std::ostream& operator<<(std::ostream& out, const BasicAutoencoder& model) {
        const Layers& layers = model.passes().layers_;
        core::print_row(out, "layer", "output", "parameters");
        core::print_row(out, "encoder", text(Encoder::input), "");
        layers.print(out, 0, code_begin);
        if (Pipeline::has_code_term) {
            core::print_row(out, "code", text(plan.shapes[code_end]), "");
            layers.print(out, code_begin, code_end);
        }
        core::print_row(out, "decoder", text(Decoder::input), "");
        layers.print(out, code_end, depth);
        Objective::print(out);
        core::print_row(out, "total", "", text(model.parameters().size()));
        return out;
    }

    /// The objective on a batch (loss plus code terms, with corruption and dropout acting), and its gradient with
    /// respect to θ on the tape. `x` and `target` are features × n; without a target the input itself is rebuilt. `rng`
    /// gives the step's noise. `Error` when the objective is not finite, unless `tape.non_finite` says otherwise.
    ///
    /// Of a batch that is computed in parts, each part says which number its first sample has in the whole: it draws
    /// the noise that the whole batch would draw for these samples. The gradient of the whole is the mean of the
    /// parts', weighted by their samples, but for what looks across the batch.
    T gradient(const Batch<T>& x, Tape<T>& tape, Rng& rng, Index first_sample = 0) const {
        return train(x, x.x, tape, rng, nullptr, first_sample);
    }
    T gradient(const Batch<T>& x, const Input<T>& target, Tape<T>& tape, Rng& rng, Index first_sample = 0) const {
        return train(x, target, tape, rng, nullptr, first_sample);
    }
    // Where the generator was forgotten: a sentence instead of a list of candidates.
    template <class Generator = void>
    T gradient(const Batch<T>&, Tape<T>&) const {
        static_assert(!std::is_void_v<Generator>,
                      "hourglass: gradient(x, tape, rng) takes a generator, too: it gives the step's noise");
        return {};
    }
    /// The same, with the gradient with respect to the encoder's input (the target held fixed) assigned to `dx`, which
    /// may be x or the target itself.
    T gradient(const Batch<T>& x, const Input<T>& target, Tape<T>& tape, Rng& rng, Matrix<T>& dx,
               Index first_sample = 0) const {
        return train(x, target, tape, rng, &dx, first_sample);
    }

    /// The objective as `gradient` defines it, in evaluation: no corruption, no dropout, no sampling. Code terms are
    /// those of the whole batch; `MaximumMeanDiscrepancy` compares every pair of its samples.
    T loss(const Batch<T>& x, const Input<T>& target, Tape<T>& tape) const {
        check("Autoencoder::loss", x, target, 0, tape);
        return objective_.value(passes(), x, target, tape);
    }
    T loss(const Batch<T>& x, Tape<T>& tape) const { return loss(x, x.x, tape); }
    T loss(const Batch<T>& x) const { return loss(x, x.x); }
    T loss(const Batch<T>& x, const Input<T>& target) const {
        Tape<T> scratch(0);
        return loss(x, target, scratch);
    }

    /// The objective of a variational model with a code drawn for each sample, otherwise in evaluation: one code, also
    /// where training draws several; where it draws one, with the noise that `gradient` would draw. `loss` alone takes
    /// the means for codes, is lower, and may go on falling when the bound rises: early stopping is to watch this one.
    T loss(const Batch<T>& x, const Input<T>& target, Tape<T>& tape, Rng& rng) const
        requires(Pipeline::is_variational) {
        check("Autoencoder::loss", x, target, 0, tape);
        const Stream noise = rng.stream().substream(static_cast<std::uint16_t>(code_begin));
        return objective_.value(passes(), x, target, tape, &noise);
    }
    T loss(const Batch<T>& x, Tape<T>& tape, Rng& rng) const requires(Pipeline::is_variational) {
        return loss(x, x.x, tape, rng);
    }

    /// The loss of each sample alone (code terms left out), n values: the anomaly score. Their mean is the loss.
    Vector<T> reconstruction_error(const Batch<T>& x) const { return reconstruction_error(x, x.x); }
    Vector<T> reconstruction_error(const Batch<T>& x, Tape<T>& tape) const {
        return errors("Autoencoder::reconstruction_error", x, x.x, 0, tape);
    }
    Vector<T> reconstruction_error(const Batch<T>& x, const Input<T>& target) const {
        Tape<T> scratch(0);
        return errors("Autoencoder::reconstruction_error", x, target, 0, scratch);
    }
    Vector<T> reconstruction_error(const Batch<T>& x, const Input<T>& target, Tape<T>& tape) const {
        return errors("Autoencoder::reconstruction_error", x, target, 0, tape);
    }
    /// The loss of each sample when the decoder is given `code` and should give `target`, n values.
    Vector<T> decoding_error(const Batch<T>& code, const Input<T>& target) const {
        Tape<T> scratch(0);
        return errors("Autoencoder::decoding_error", code, target, code_end, scratch);
    }
    Vector<T> decoding_error(const Batch<T>& code, const Input<T>& target, Tape<T>& tape) const {
        return errors("Autoencoder::decoding_error", code, target, code_end, tape);
    }

    /// Codes of a batch, code × n (a variational model's: the means).
    Matrix<T> encode(const Batch<T>& x) const { return between("Autoencoder::encode", x, 0, code_end); }
    ConstView<T> encode(const Batch<T>& x, Tape<T>& tape) const {
        return between("Autoencoder::encode", x, 0, code_end, tape);
    }
    /// The decoder's output for codes, features × n.
    Matrix<T> decode(const Batch<T>& code) const { return between("Autoencoder::decode", code, code_end, depth); }
    ConstView<T> decode(const Batch<T>& code, Tape<T>& tape) const {
        return between("Autoencoder::decode", code, code_end, depth, tape);
    }
    /// decode(encode(x)), features × n.
    Matrix<T> reconstruct(const Batch<T>& x) const { return between("Autoencoder::reconstruct", x, 0, depth); }
    ConstView<T> reconstruct(const Batch<T>& x, Tape<T>& tape) const {
        return between("Autoencoder::reconstruct", x, 0, depth, tape);
    }
    /// What the encoder has made of a batch after its first `layers` layers (those of a `Residual` and its sum count
    /// one by one; all of them, if it has no more), values × n; what makes the code of its output is left out.
    Matrix<T> activation(const Batch<T>& x, std::size_t layers) const {
        return between("Autoencoder::activation", x, 0, std::min(layers, code_begin));
    }

    /// A walk through the code: `steps` pictures decoded from codes that lie evenly on the line from the code of `from`
    /// to that of `to` (a sample each), both ends included; features × steps. With a `Condition` that of `from` holds
    /// all the way. `Error` below two steps, and for more or less than one sample at an end.
    Matrix<T> interpolate(const Batch<T>& from, const Batch<T>& to, Index steps) const {
        if (from.cols() != 1 || to.cols() != 1)
            fail("Autoencoder::interpolate: expected one sample at each end, got ", from.cols(), " and ", to.cols());
        if (steps < 2) fail("Autoencoder::interpolate: expected at least 2 steps, got ", steps);
        // A condition that only the decoder reads is no business of the encoder's.
        const auto code_of = [&](const Batch<T>& x) {
            return between("Autoencoder::interpolate", x, 0, code_end, true);
        };
        const Matrix<T> begin = code_of(from), end = code_of(to);
        Matrix<T> codes(begin.rows(), steps), conditions(from.condition.rows(), steps);
        for (Index j = 0; j < steps; ++j) {
            const T share = T(static_cast<double>(j)) / T(static_cast<double>(steps - 1));
            for (Index i = 0; i < begin.rows(); ++i) codes(i, j) = begin(i, 0) + (end(i, 0) - begin(i, 0)) * share;
            std::copy_n(from.condition.data(), conditions.rows(), conditions.data() + j * conditions.rows());
        }
        return plan.condition_between(code_end, depth) > 0 && from.is_given ? decode(given(codes, conditions))
                                                                            : decode(codes);
    }

    /// The encoder's distribution of the code of each sample: `mean` and `variance`, code × n each (variational
    /// models).
    auto posterior(const Batch<T>& x) const requires(Pipeline::is_variational) {
        return CodeTerm::template posterior<Encoder::output, T>(
            between("Autoencoder::posterior", x, 0, code_begin, true));
    }
    /// `n` new samples: codes drawn from the prior N(0, 1), decoded; features × n (variational models). A decoder with
    /// a `Condition` is given one for each sample: `sample(labels, rng)`, values × n.
    Matrix<T> sample(Index n, Rng& rng) const requires(Pipeline::is_variational) {
        if (plan.condition_between(code_end, depth) > 0)
            fail("Autoencoder::sample: the decoder has a Condition: sample(condition, rng) draws one for each column");
        return decode(CodeTerm::template draw_prior<T>(Decoder::input.size(), n, rng));
    }
    Matrix<T> sample(const Input<T>& condition, Rng& rng) const requires(Pipeline::is_variational) {
        constexpr Index values = plan.condition_between(code_end, depth);
        if (values == 0) fail("Autoencoder::sample: the decoder has no Condition: sample(n, rng) draws n samples");
        if (condition.rows() != values)
            fail("Autoencoder::sample: the condition has ", condition.rows(), " rows, the decoder's Condition reads ",
                 values, core::if_transposed(condition.cols(), values));
        return decode(given(CodeTerm::template draw_prior<T>(Decoder::input.size(), condition.cols(), rng), condition));
    }
    // Where the generator was forgotten, or there is no prior to draw from: a sentence instead of a list of candidates.
    template <class... Arguments>
        requires(sizeof...(Arguments) > 0 && (!Pipeline::is_variational || sizeof...(Arguments) == 1))
    Matrix<T> sample(const Arguments&...)
    const {
        constexpr bool called = sizeof...(Arguments) > 0;
        static_assert(!called || Pipeline::is_variational,
                      "hourglass: sample draws codes from the prior of a variational model, one with a GaussianLatent; "
                      "of another, decode(codes) decodes codes of your own");
        static_assert(!called || !Pipeline::is_variational,
                      "hourglass: sample(n, rng) takes a generator, too: it draws the codes");
        return {};
    }

  private:
    T* theta(std::string_view method) const {
        this->require_values(method);
        return const_cast<T*>(this->parameters().data());
    }
    T* decoder_theta() const { return theta("decoder_parameters") + decoder_offset; }
    T train(const Batch<T>& x, const Input<T>& target, Tape<T>& tape, Rng& rng, Matrix<T>* dx, Index first) const {
        check("Autoencoder::gradient", x, target, 0, tape);
        this->require_tape("Autoencoder::gradient", tape);
        models::TrainingStep<T, Pipeline, Objective> step(passes(), objective_, x, target, tape, first);
        const Stream random = rng.stream();
        step.corrupt(random);
        step.forward();
        const T value = step.objective();
        step.backward(dx);
        return value;
    }
    Vector<T> errors(std::string_view function, const Batch<T>& x, const Input<T>& target, std::size_t begin,
                     Tape<T>& tape) const {
        check(function, x, target, begin, tape);
        return objective_.samples(function, passes(), x, target, begin, tape);
    }
    Matrix<T> between(std::string_view function, const Batch<T>& x, std::size_t begin, std::size_t end,
                      bool other = false) const {
        check(function, x, begin, end, nullptr, other);
        return passes().evaluate(x, begin, end);
    }
    ConstView<T> between(std::string_view function, const Batch<T>& x, std::size_t begin, std::size_t end,
                         Tape<T>& tape) const {
        check(function, x, begin, end, &tape);
        return passes().evaluate(x, begin, end, tape);
    }

    // Layers begin … end − 1 want a condition exactly where they read one; where `other` layers may, they ignore it.
    void check(std::string_view function, const Batch<T>& x, std::size_t begin, std::size_t end, const Tape<T>* tape,
               bool other = false) const {
        const Index read = plan.condition_between(begin, end);
        core::require_batch(function, begin == 0 ? "x" : "the code", x, plan.shapes[begin],
                            other && read == 0 && x.is_given ? plan.condition : read, tape);
        passes().require_values(function, "model");
    }
    void check(std::string_view function, const Batch<T>& x, const Input<T>& target, std::size_t begin,
               const Tape<T>& tape) const {
        check(function, x, begin, depth, &tape, begin > 0);
        core::require_target(function, target, Decoder::output, x.cols(), tape);
        objective_.check(passes());
    }
    friend Base;
    static constexpr std::string_view kind = "model", type_name = "Autoencoder";
    static constexpr auto learned() { return core::weights_learned_by<Loss>(); }
    template <class Self, class Use>
    static void each_part_of(Self& self, Use& use) {
        Base::each_layer_of(self.passes(), &Pipeline::name, use);
        Objective::each_part_of(self.objective_, use);
    }
    static std::string name(std::size_t i) { return Pipeline::name(i); }
    template <class Half, std::size_t Begin>
    Half subchain() const {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return Half(typename Half::Flat{passes().layers_.template layer<Begin + I>()...});
        }
        (std::make_index_sequence<Half::depth>{});
    }
    static Layers joined(const Encoder& encoder, const Decoder& decoder, const Terms&... terms) {
        const auto with = [&](const auto&... term) { return core::join<Layers>(encoder, decoder, term...); };
        if constexpr (Pipeline::has_code_term)
            return with(std::get<const CodeTerm&>(std::tie(terms...)));
        else
            return with();
    }
    Passes& passes() { return network_.passes_; }
    const Passes& passes() const { return network_.passes_; }

    Net network_;
    Objective objective_;
};

/// `BasicAutoencoder` in float.
template <class Encoder, class Decoder, class Loss, class... Terms>
using Autoencoder = BasicAutoencoder<float, Encoder, Decoder, Loss, Terms...>;

/// A model from types: `autoencoder<Encoder, Decoder>(rng, loss, terms…)`, or with `double` as a third type.
template <class Encoder, class Decoder, class T = float, class Loss, class... Terms>
BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...> autoencoder(Rng& rng, const Loss& loss, const Terms&... terms) {
    return BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>(rng, loss, terms...);
}

/// A model from values, for layers with hyperparameters: `autoencoder(encoder, decoder, rng, loss, terms…)`; in double
/// with `autoencoder<double>(…)`.
template <class T = float, class Encoder, class Decoder, class Loss, class... Terms>
BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...> autoencoder(const Encoder& encoder, const Decoder& decoder,
                                                                  Rng& rng, const Loss& loss, const Terms&... terms) {
    return BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>(encoder, decoder, rng, loss, terms...);
}

namespace models {

template <class Encoder, class Decoder>
concept Chains = requires {
    Encoder::depth;
    Decoder::depth;
};
template <class... Arguments>
inline constexpr bool are_generator_and_loss = false;
template <class Generator, class Loss, class... Terms>
inline constexpr bool are_generator_and_loss<Generator, Loss, Terms...> = std::is_convertible_v<Generator, Rng&>;

template <class... Arguments>
constexpr int say_what_builds_a_model() {
    static_assert(are_generator_and_loss<Arguments...>,
                  "hourglass: behind the chains a model takes a generator, which is a variable, and then a loss: "
                  "hg::Rng rng{42}; auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});");
    return 0;
}

}  // namespace models

// Where generator or loss is missing or in the other's place: a sentence instead of a list of candidates.
template <class Encoder, class Decoder, class T = float, class... Arguments>
    requires(models::Chains<Encoder, Decoder> && !models::are_generator_and_loss<Arguments...>)
int autoencoder(Arguments&&...) { return models::say_what_builds_a_model<Arguments...>(); }
template <class T = float, class Encoder, class Decoder, class... Arguments>
    requires(models::Chains<Encoder, Decoder> && !models::are_generator_and_loss<Arguments...>)
int autoencoder(const Encoder&, const Decoder&, Arguments&&...) {
    return models::say_what_builds_a_model<Arguments...>();
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
