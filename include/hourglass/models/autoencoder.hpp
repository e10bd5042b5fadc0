// The autoencoder: encoder, decoder, loss and terms put together at compile time.
#pragma once

#include <Eigen/Core>
#include <array>
#include <ostream>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "hourglass/core/chain.hpp"
#include "hourglass/core/mirror.hpp"
#include "hourglass/core/slice.hpp"
#include "hourglass/core/term.hpp"
#include "hourglass/models/requirements.hpp"

namespace hourglass::inline HOURGLASS_ABI {

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
class BasicAutoencoder {
    using Model = ModelOf<Encoder, Decoder, Loss, Terms...>;
    using Bottleneck = typename Model::Bottleneck;
    using CodeTerm = typename Model::CodeTerm;

    static constexpr std::size_t trained_depth = Model::trained_depth;
    static constexpr bool corrupts = Model::corrupts, has_bottleneck = Bottleneck::depth > 0;
    // Where the parameters of each part begin.
    static constexpr Index bottleneck_offset = Encoder::parameters,
                           decoder_offset = bottleneck_offset + Bottleneck::parameters,
                           loss_offset = decoder_offset + Decoder::parameters,
                           parameter_count = loss_offset + Model::loss_parameters,
                           state_count = Encoder::state + Decoder::state;
    // Samples worked at a time in evaluation: enough for full products, few enough to stay in the nearer caches.
    static constexpr Index block = 256;
    // Who asks for random numbers within a step: terms from 1, the encoder's layers from 4096, the decoder's from 8192,
    // the code's from 12288.
    static constexpr std::uint16_t encoder_purpose = 4096, decoder_purpose = 8192, bottleneck_purpose = 12288;

  public:
    using Scalar = T;

    /// Draws the first parameters from `rng`. Encoder and decoder are given as values when their layers have knobs.
    BasicAutoencoder(const Encoder& encoder, const Decoder& decoder, Rng& rng, const Loss& loss, const Terms&... terms)
        : encoder_(encoder),
          decoder_(decoder),
          loss_(loss),
          terms_(terms...),
          theta_(parameter_count),
          state_(state_count) {
        check_knobs();
        encoder_.initialize(theta_.data(), rng);
        bottleneck().initialize(theta_.data() + bottleneck_offset, rng);
        decoder_.initialize(theta_.data() + decoder_offset, rng);
        clear<T>({theta_.data() + loss_offset, Model::loss_parameters, 1});
        encoder_.initialize_state(state_.data());
        decoder_.initialize_state(state_.data() + Encoder::state);
    }
    explicit BasicAutoencoder(Rng& rng, const Loss& loss = Loss{}, const Terms&... terms)
        : BasicAutoencoder(Encoder{}, Decoder{}, rng, loss, terms...) {}

    /// θ, all parameters as one vector.
    Eigen::Map<Vector<T>> parameters() { return {theta_.data(), theta_.size()}; }
    Eigen::Map<const Vector<T>> parameters() const { return {theta_.data(), theta_.size()}; }

    /// The parts of θ that belong to the encoder and to the decoder: to carry weights from one model to another, or to
    /// train one part and leave the other as it is (step with `tape.gradient().segment(…)` of the same place).
    Eigen::Map<Vector<T>> encoder_parameters() { return {theta_.data(), Encoder::parameters}; }
    Eigen::Map<const Vector<T>> encoder_parameters() const { return {theta_.data(), Encoder::parameters}; }
    Eigen::Map<Vector<T>> decoder_parameters() { return {theta_.data() + decoder_offset, Decoder::parameters}; }
    Eigen::Map<const Vector<T>> decoder_parameters() const {
        return {theta_.data() + decoder_offset, Decoder::parameters};
    }
    /// The same places in any vector of θ's layout, such as a tape's gradient.
    static constexpr Slice encoder_slice() { return {0, Encoder::parameters}; }
    static constexpr Slice decoder_slice() { return {decoder_offset, Decoder::parameters}; }

    /// Running values that are no parameters, such as the moving averages of `BatchNormalization`: what evaluation uses
    /// in place of a batch's own. To be kept with the parameters when a model is stored or averaged.
    Eigen::Map<Vector<T>> state() { return {state_.data(), state_.size()}; }
    Eigen::Map<const Vector<T>> state() const { return {state_.data(), state_.size()}; }
    /// Folds the statistics of the batch of the last `gradient` call into the running values; a loop over a model with
    /// `BatchNormalization` calls it after each step. `Error` when the tape is not of this model's.
    void fold(const Tape<T>& tape) {
        if (tape.statistics().size() != state_.size())
            fail("Autoencoder::fold: the tape holds ", tape.statistics().size(), " statistics, the model has ",
                 state_.size());
        encoder_.fold(state_.data(), tape.statistics().data());
        decoder_.fold(state_.data() + Encoder::state, tape.statistics().data() + Encoder::state);
    }

    /// The slices of θ that weight decay usually leaves out: biases, scales and shifts.
    std::vector<Slice> biases() const {
        std::vector<Slice> slices;
        const auto collect = [&]<class C>(const C&, Index begin) {
            C::each([&]<std::size_t I>() {
                Index at = begin + C::plan.offsets[I];
                for (const Weight& w : weights_of<typename C::template Layer<I>>(C::plan.shapes[I])) {
                    if (!w.decays) slices.push_back({at, w.size()});
                    at += w.size();
                }
            });
        };
        collect(encoder_, 0);
        collect(bottleneck(), bottleneck_offset);
        collect(decoder_, decoder_offset);
        if (Model::loss_parameters > 0) slices.push_back({loss_offset, Model::loss_parameters});
        return slices;
    }

    /// Memory for one training loop; see `Tape`.
    Tape<T> tape() const { return Tape<T>(theta_.size(), state_count); }

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

    /// The objective as `gradient` defines it, in evaluation: no corruption, no dropout, no sampling.
    T loss(const Input<T>& x, Tape<T>& tape) const { return loss(x, x, tape); }
    T loss(const Input<T>& x) const { return loss(x, x); }
    T loss(const Input<T>& x, const Input<T>& target) const {
        Tape<T> scratch(0);
        return loss(x, target, scratch);
    }
    T loss(const Input<T>& x, const Input<T>& target, Tape<T>& tape) const {
        Accumulator<T> sum(0);
        compare("loss", x, target, tape, [&](const auto& loss, const Evaluated& e) {
            T value = loss.template value<T>(e.prediction, e.target);
            each_term<Slot::Code>([&](const auto& term, std::uint16_t number) { value += penalty(term, number, e); });
            sum += Accumulator<T>(value) * Accumulator<T>(static_cast<double>(e.prediction.cols()));
        });
        return T(sum / Accumulator<T>(static_cast<double>(x.cols())));
    }

    /// The loss of each sample alone (code terms left out), n values: the anomaly score. Their mean is the loss.
    Vector<T> reconstruction_error(const Input<T>& x) const { return reconstruction_error(x, x); }
    Vector<T> reconstruction_error(const Input<T>& x, const Input<T>& target) const {
        Tape<T> scratch(0);
        Vector<T> errors(x.cols());
        compare("reconstruction_error", x, target, scratch, [&](const auto& loss, const Evaluated& e) {
            loss.template samples<T>(e.prediction, e.target,
                                     Eigen::Map<Vector<T>>{errors.data() + e.first, e.prediction.cols()});
        });
        return errors;
    }
    /// The loss of each sample when the decoder is given `code` and should give `target`, n values.
    Vector<T> decoding_error(const Input<T>& code, const Input<T>& target) const {
        require_batch("decoding_error", "the code", code, Decoder::input);
        require_batch("decoding_error", "the target", target, Decoder::output);
        require_same_columns("decoding_error", code, target);
        Tape<T> scratch(0);
        Vector<T> errors(code.cols());
        each_block(
            code, scratch,
            [&](Arena<T>& arena, Index first, Index n, bool copy) {
                const T* const t = packed(target, first, n, arena, copy);
                return std::pair{
                    t, Decoder::template evaluation<T>(arena, packed(code, first, n, arena, copy), n, nullptr)};
            },
            [&](const auto& memory, Index first, Index n) {
                const auto& [t, d] = memory;
                decoder_.template forward<0, trained_depth, T>(decoder_weights(), d, nullptr, 0);
                comparison(nullptr).template samples<T>(
                    ConstView<T>{d.activation[trained_depth], Decoder::output.size(), n},
                    ConstView<T>{t, Decoder::output.size(), n}, Eigen::Map<Vector<T>>{errors.data() + first, n});
            });
        return errors;
    }

    /// Codes of a batch, code × n (a variational model's: the means). With a tape the result is a view of its memory,
    /// valid until the tape's next use.
    Matrix<T> encode(const Input<T>& x) const {
        require_batch("encode", "x", x, Encoder::input);
        Tape<T> scratch(0);
        Matrix<T> code(Bottleneck::output.size(), x.cols());
        encode_into(x, code.data(), scratch);
        return code;
    }
    ConstView<T> encode(const Input<T>& x, Tape<T>& tape) const {
        require_batch("encode", "x", x, Encoder::input);
        T* const code = tape.result(Bottleneck::output.size() * x.cols());
        encode_into(x, code, tape);
        return {code, Bottleneck::output.size(), x.cols()};
    }

    /// The decoder's output for codes, features × n.
    Matrix<T> decode(const Input<T>& code) const {
        require_batch("decode", "the code", code, Decoder::input);
        Tape<T> scratch(0);
        Matrix<T> y(Decoder::output.size(), code.cols());
        decode_into(code, y.data(), scratch);
        return y;
    }
    ConstView<T> decode(const Input<T>& code, Tape<T>& tape) const {
        require_batch("decode", "the code", code, Decoder::input);
        T* const y = tape.result(Decoder::output.size() * code.cols());
        decode_into(code, y, tape);
        return {y, Decoder::output.size(), code.cols()};
    }

    /// decode(encode(x)), features × n.
    Matrix<T> reconstruct(const Input<T>& x) const {
        require_batch("reconstruct", "x", x, Encoder::input);
        Tape<T> scratch(0);
        Matrix<T> y(Decoder::output.size(), x.cols());
        reconstruct_into(x, y.data(), scratch);
        return y;
    }
    ConstView<T> reconstruct(const Input<T>& x, Tape<T>& tape) const {
        require_batch("reconstruct", "x", x, Encoder::input);
        T* const y = tape.result(Decoder::output.size() * x.cols());
        reconstruct_into(x, y, tape);
        return {y, Decoder::output.size(), x.cols()};
    }

    /// A walk through the code: `steps` pictures decoded from codes that lie evenly on the line from the code of `from`
    /// to that of `to` (a sample each), both ends included; features × steps. `Error` below two steps.
    Matrix<T> interpolate(const Input<T>& from, const Input<T>& to, Index steps) const {
        require_same_columns("interpolate", from, to);
        if (from.cols() != 1) fail("Autoencoder::interpolate: expected one sample at each end, got ", from.cols());
        if (steps < 2) fail("Autoencoder::interpolate: expected at least 2 steps, got ", steps);
        const Matrix<T> begin = encode(from), end = encode(to);
        Matrix<T> codes(begin.rows(), steps);
        for (Index j = 0; j < steps; ++j)
            for (Index i = 0; i < begin.rows(); ++i)
                codes(i, j) = begin(i, 0) +
                              (end(i, 0) - begin(i, 0)) * T(static_cast<double>(j)) / T(static_cast<double>(steps - 1));
        return decode(codes);
    }

    /// The encoder's distribution of the code of each sample: `mean` and `variance`, code × n each (variational
    /// models).
    auto posterior(const Input<T>& x) const requires(Model::is_variational) {
        require_batch("posterior", "x", x, Encoder::input);
        Tape<T> scratch(0);
        Matrix<T> raw(Encoder::output.size(), x.cols());
        run(encoder_, x, encoder_weights(), raw.data(), scratch);
        return CodeTerm::template posterior<Encoder::output, T>(raw);
    }
    /// `n` new samples: codes drawn from the prior N(0, 1), decoded; features × n (variational models).
    Matrix<T> sample(Index n, Rng& rng) const requires(Model::is_variational) {
        if (n < 1) fail("Autoencoder::sample: expected at least one sample, got ", n);
        const Stream random = rng.stream();
        Matrix<T> codes(Decoder::input.size(), n);
        for (Index j = 0; j < n; ++j)
            random.normal(j, std::span<T>{codes.data() + j * codes.rows(), static_cast<std::size_t>(codes.rows())});
        return decode(codes);
    }

    const Encoder& encoder() const { return encoder_; }
    const Decoder& decoder() const { return decoder_; }
    /// The loss and the terms, whose knobs a loop may change: `model.template term<L1>().weight = 1e-3`.
    Loss& loss_function() { return loss_; }
    template <class Term>
    Term& term() {
        return std::get<Term>(terms_);
    }

    /// A table: one row a layer (name, output shape, parameters), then the loss, the terms and the total.
    friend std::ostream& operator<<(std::ostream& out, const BasicAutoencoder& model) {
        print_row(out, "layer", "output", "parameters");
        print_row(out, "encoder", text(Encoder::input), "");
        model.encoder_.print(out);
        if (has_bottleneck) {
            print_row(out, "code", text(Bottleneck::output), "");
            model.bottleneck().print(out);
        }
        print_row(out, "decoder", text(Decoder::input), "");
        model.decoder_.print(out);
        out << "loss: " << name_of<Loss>();
        ((out << ", " << name_of<Terms>()), ...);
        out << '\n';
        print_row(out, "total", "", text(model.theta_.size()));
        return out;
    }

  private:
    static void require_batch(std::string_view method, std::string_view what, const Input<T>& x, Shape shape) {
        if (x.rows() != shape.size())
            fail("Autoencoder::", method, ": ", what, " has ", x.rows(), " rows, expected ", shape.size(), " (",
                 text(shape), ", one column per sample)");
        if (x.cols() == 0) fail("Autoencoder::", method, ": ", what, " has no columns, expected one per sample");
    }
    static void require_same_columns(std::string_view method, const Input<T>& x, const Input<T>& target) {
        if (x.cols() != target.cols())
            fail("Autoencoder::", method, ": the target has ", target.cols(), " columns, expected ", x.cols(),
                 " as x has");
    }
    static void require_pair(std::string_view method, const Input<T>& x, const Input<T>& target) {
        require_batch(method, "x", x, Encoder::input);
        require_batch(method, "the target", target, Decoder::output);
        require_same_columns(method, x, target);
    }

    void check_knobs() const {
        loss_.check();
        std::apply([](const auto&... terms) { (terms.check(), ...); }, terms_);
    }

    // Calls use(term, number) for the terms that act in one slot, in their order.
    template <Slot Where, class Use>
    void each_term(Use use) const {
        std::uint16_t number = 0;
        const auto one = [&](const auto& term) {
            ++number;
            if constexpr (acts_in<std::remove_cvref_t<decltype(term)>, Where>) use(term, number);
        };
        std::apply([&](const auto&... terms) { (one(terms), ...); }, terms_);
    }

    Slices<const T> encoder_weights() const { return {theta_.data(), theta_.data(), state_.data()}; }
    Slices<const T> bottleneck_weights() const { return {theta_.data() + bottleneck_offset, theta_.data()}; }
    Slices<const T> decoder_weights() const {
        return {theta_.data() + decoder_offset, theta_.data(), state_.data() + Encoder::state};
    }

    // Made anew for each pass: the term's knobs may have changed.
    Bottleneck bottleneck() const {
        if constexpr (has_bottleneck)
            return Bottleneck(std::get<CodeTerm>(terms_));
        else
            return Bottleneck{};
    }

    // The loss as it is computed; `gradient`, when not null, is θ's, for a loss that learns.
    decltype(auto) comparison(T* gradient) const {
        if constexpr (Model::fused)
            return Loss::template from_logits<Decoder::output>();
        else if constexpr (Model::loss_parameters > 0)
            return loss_.template bind<T>(theta_.data() + loss_offset, gradient ? gradient + loss_offset : nullptr);
        else
            return static_cast<const Loss&>(loss_);
    }

    // Columns first … first + n − 1 of a batch without gaps: its own memory, or a copy in the arena.
    static const T* packed(const Input<T>& x, Index first, Index n, Arena<T>& arena, bool copy) {
        if (x.outerStride() == x.rows() || x.cols() == 1) return x.data() + first * x.rows();
        T* const columns = arena.take(x.rows() * n);
        for (Index j = 0; copy && j < n; ++j)
            std::copy_n(x.data() + (first + j) * x.outerStride(), x.rows(), columns + j * x.rows());
        return columns;
    }

    // Runs `lay_out` twice: to measure, and then on memory of that size.
    template <class LayOut>
    static auto on(Tape<T>& tape, LayOut lay_out) {
        Arena<T> arena;
        for (bool placed = false;; placed = true) {
            auto memory = lay_out(arena, placed);
            if (placed) return memory;
            arena = Arena<T>{tape.memory(arena.used())};
        }
    }

    static constexpr std::size_t last = Encoder::depth;  // the encoder's output among its activations

    // One block of an evaluation.
    struct Evaluated {
        Trace<T, Encoder::depth> encoder;
        Trace<T, Bottleneck::depth> bottleneck;
        ConstView<T> prediction, target;
        T* scratch;
        Index first;

        ConstView<T> raw() const { return {encoder.activation[last], Encoder::output.size(), encoder.samples}; }
        ConstView<T> code() const {
            return {bottleneck.activation[Bottleneck::depth], Bottleneck::output.size(), bottleneck.samples};
        }
    };

    // What a code term adds to the objective.
    template <class Term>
    T penalty(const Term& term, std::uint16_t number, const Evaluated& e) const {
        if constexpr (over_encoder<Term>)
            return term.template value<Encoder, T>(encoder_, encoder_weights(), e.encoder, e.scratch,
                                                   Stream{0, 0, number});
        else if constexpr (!makes_code<Term>)
            return term.template value<T>(e.code());
        else if constexpr (has_penalty<Term>)
            return term.template penalty<Encoder::output, T>(slice_of<Term, Encoder::output>(bottleneck_weights()),
                                                             e.raw(), e.code());
        else
            return T(0);
    }

    // Scratch that the terms need.
    static Index scratch_size(Index n) {
        Index size = 0;
        [[maybe_unused]] const auto add = [&]<class Term>(std::type_identity<Term>) {
            if constexpr (over_encoder<Term>) size = std::max(size, Term::template scratch<Encoder, T>(n));
        };
        (add(std::type_identity<Terms>{}), ...);
        return size;
    }

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
            each_term<Slot::Corruption>([&](const auto& term, std::uint16_t number) {
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
        clear<T>({d, theta_.size(), 1});
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
        each_term<Slot::Code>([&]<class Term>(const Term& term, std::uint16_t number) {
            if constexpr (over_encoder<Term>)
                penalty += term.template gradient<Encoder, T>(encoder_, encoder_weights(), {d, d}, m.encoder, m.scratch,
                                                              random.purpose(number));
            else if constexpr (!makes_code<Term>)
                penalty += term.template gradient<T>(code, dcode);
            else if constexpr (has_penalty<Term>)
                if (k == 1)
                    penalty += term.template penalty_gradient<Encoder::output, T>(
                        slice_of<Term, Encoder::output>(bottleneck_weights()), raw, code,
                        slice_of<Term, Encoder::output>(Slices<T>{d + bottleneck_offset, d}), draw);
        });
        tape.record(reconstruction, penalty);
        if constexpr (std::floating_point<T>)
            if (tape.non_finite == NonFinite::Throw && !is_finite(reconstruction + penalty))
                fail("Autoencoder::gradient: the objective is not finite: ", name_of<Loss>(), " is ", reconstruction,
                     ", the code terms add ", penalty);

        decoder_.template backward<trained_depth>(decoder_weights(), {d + decoder_offset, d}, m.decoder, random,
                                                  decoder_purpose);
        middle.backward(bottleneck_weights(), {d + bottleneck_offset, d}, b, random, bottleneck_purpose);
        if (k > 1) {
            clear<T>({m.encoder.gradient[last], Encoder::output.size(), n});
            for (Index j = 0; j < n * k; ++j)
                for (Index i = 0; i < Encoder::output.size(); ++i)
                    m.encoder.gradient[last][j / k * Encoder::output.size() + i] += draw(i, j);
        }
        encoder_.backward(encoder_weights(), {d, d}, m.encoder, random, encoder_purpose);
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

    // Lays out block after block of the batch in the tape's memory and shows each to use(layout, first column,
    // columns).
    template <class LayOut, class Use>
    static void each_block(const Input<T>& x, Tape<T>& tape, LayOut lay_out, Use use) {
        for (Index first = 0; first < x.cols(); first += block) {
            const Index n = std::min(block, x.cols() - first);
            use(on(tape, [&](Arena<T>& arena, bool copy) { return lay_out(arena, first, n, copy); }), first, n);
        }
    }

    // Evaluates block after block and shows each to use(loss, Evaluated).
    template <class Use>
    void compare(std::string_view method, const Input<T>& x, const Input<T>& target, Tape<T>& tape, Use use) const {
        require_pair(method, x, target);
        check_knobs();
        struct Layout {
            const T* target;
            T* scratch;
            Trace<T, Encoder::depth> e;
            Trace<T, Bottleneck::depth> b;
            Trace<T, Decoder::depth> d;
        };
        each_block(
            x, tape,
            [&](Arena<T>& arena, Index first, Index n, bool copy) {
                Layout l{};
                const T* const in = packed(x, first, n, arena, copy);
                l.target = packed(target, first, n, arena, copy);
                if (const Index size = scratch_size(n); size > 0) l.scratch = arena.take(size);
                l.e = Encoder::template evaluation<T>(arena, in, n, nullptr);
                l.b = Bottleneck::template evaluation<T>(arena, l.e.activation[last], n, nullptr);
                l.d = Decoder::template evaluation<T>(arena, l.b.activation[Bottleneck::depth], n, nullptr);
                return l;
            },
            [&](const Layout& l, Index first, Index n) {
                encode_block(l.e, l.b);
                decoder_.template forward<0, trained_depth, T>(decoder_weights(), l.d, nullptr, 0);
                use(comparison(nullptr),
                    Evaluated{l.e, l.b, ConstView<T>{l.d.activation[trained_depth], Decoder::output.size(), n},
                              ConstView<T>{l.target, target.rows(), n}, l.scratch, first});
            });
    }

    void encode_block(const Trace<T, Encoder::depth>& e, const Trace<T, Bottleneck::depth>& b) const {
        encoder_.template forward<0, Encoder::depth, T>(encoder_weights(), e, nullptr, 0);
        bottleneck().template forward<0, Bottleneck::depth, T>(bottleneck_weights(), b, nullptr, 0);
    }
    // The decoder in the two pieces of which training has already made the compiler write one.
    void decode_block(const Trace<T, Decoder::depth>& d) const {
        decoder_.template forward<0, trained_depth, T>(decoder_weights(), d, nullptr, 0);
        decoder_.template forward<trained_depth, Decoder::depth, T>(decoder_weights(), d, nullptr, 0);
    }

    template <class C>
    void run(const C& chain, const Input<T>& x, Slices<const T> weights, T* y, Tape<T>& tape) const {
        each_block(
            x, tape,
            [&](Arena<T>& arena, Index first, Index n, bool copy) {
                return C::template evaluation<T>(arena, packed(x, first, n, arena, copy), n,
                                                 y + first * C::output.size());
            },
            [&](const Trace<T, C::depth>& t, Index first, Index n) {
                if constexpr (std::is_same_v<C, Decoder>)
                    decode_block(t);
                else
                    chain.template forward<0, C::depth, T>(weights, t, nullptr, 0);
                if (C::depth == 0) std::copy_n(t.activation[0], x.rows() * n, y + first * x.rows());
            });
    }
    void encode_into(const Input<T>& x, T* code, Tape<T>& tape) const {
        if constexpr (!has_bottleneck)
            run(encoder_, x, encoder_weights(), code, tape);
        else
            each_block(
                x, tape,
                [&](Arena<T>& arena, Index first, Index n, bool copy) {
                    const auto e = Encoder::template evaluation<T>(arena, packed(x, first, n, arena, copy), n, nullptr);
                    return std::pair{e, Bottleneck::template evaluation<T>(arena, e.activation[last], n,
                                                                           code + first * Bottleneck::output.size())};
                },
                [&](const auto& traces, Index, Index) { encode_block(traces.first, traces.second); });
    }
    void decode_into(const Input<T>& code, T* y, Tape<T>& tape) const {
        run(decoder_, code, decoder_weights(), y, tape);
    }
    void reconstruct_into(const Input<T>& x, T* y, Tape<T>& tape) const {
        each_block(
            x, tape,
            [&](Arena<T>& arena, Index first, Index n, bool copy) {
                const auto e = Encoder::template evaluation<T>(arena, packed(x, first, n, arena, copy), n, nullptr);
                const auto b = Bottleneck::template evaluation<T>(arena, e.activation[last], n, nullptr);
                return std::tuple{e, b,
                                  Decoder::template evaluation<T>(arena, b.activation[Bottleneck::depth], n,
                                                                  y + first * Decoder::output.size())};
            },
            [&](const auto& traces, Index, Index) {
                encode_block(std::get<0>(traces), std::get<1>(traces));
                decode_block(std::get<2>(traces));
            });
    }

    Encoder encoder_;
    Decoder decoder_;
    Loss loss_;
    std::tuple<Terms...> terms_;
    Vector<T> theta_, state_;
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

}  // namespace hourglass::inline HOURGLASS_ABI
