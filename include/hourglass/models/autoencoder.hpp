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

namespace hourglass::inline HOURGLASS_ABI {

// The compiler's sentences. Each stands in a template of its own, whose arguments put the two shapes into the message.
template <Shape EncoderInput, Shape DecoderOutput>
struct DecoderRebuildsTheInput {
    static_assert(EncoderInput == DecoderOutput,
                  "hourglass: the decoder's output must have the shape of the encoder's input");
};
template <Shape Code, Shape DecoderInput>
struct DecoderTakesTheCode {
    static_assert(Code == DecoderInput, "hourglass: the decoder's input must have the shape of the encoder's output");
};

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
    static constexpr DecoderTakesTheCode<Encoder::output, Decoder::input> code_fits{};
    static constexpr DecoderRebuildsTheInput<Encoder::input, Decoder::output> output_fits{};
    static_assert(acts_in<Loss, Slot::Loss>, "hourglass: the first argument after the generator must be a loss");
    static_assert(
        ((acts_in<Terms, Slot::Corruption> || acts_in<Terms, Slot::Code> || acts_in<Terms, Slot::Loss>)&&...),
        "hourglass: a term must say where it acts: static constexpr Slot slot = Slot::Corruption or Slot::Code");
    static_assert((!acts_in<Terms, Slot::Loss> && ...),
                  "hourglass: a model has exactly one loss; what follows it must be a corruption or a code term");

    static constexpr bool loss_needs_unit_range = requires { requires Loss::needs_unit_range; };

    // The decoder's last layer that computes something: a Flatten or Reshape behind it moves nothing.
    static constexpr std::size_t decoder_end = [] {
        constexpr std::size_t n = Decoder::depth;
        std::size_t last = n;
        Decoder::each([&]<std::size_t I>() {
            if (!keeps_values<typename Decoder::template Layer<I>>()) last = I;
        });
        return last;
    }();
    static constexpr Range output_range = [] {
        if constexpr (decoder_end < Decoder::depth)
            return range_of<typename Decoder::template Layer<decoder_end>>();
        else
            return Range::Real;
    }();
    static_assert(
        !loss_needs_unit_range || output_range == Range::Unit,
        "hourglass: this loss compares probabilities, so the decoder's output must lie in (0, 1): end it in Sigmoid");

    // Sigmoid and cross-entropy as one: the loss reads the logits and the Sigmoid is left out of training.
    static constexpr bool fused = [] {
        if constexpr (loss_needs_unit_range && decoder_end > 0 && decoder_end < Decoder::depth)
            return name_of<typename Decoder::template Layer<decoder_end>>() == "Sigmoid";
        else
            return false;
    }();
    static constexpr std::size_t trained_depth = fused ? decoder_end : Decoder::depth;

    static constexpr bool corrupts = (acts_in<Terms, Slot::Corruption> || ...);
    // Samples worked at a time in evaluation: enough for full products, few enough to stay in the nearer caches.
    static constexpr Index block = 256;
    // Who asks for random numbers within a step: terms from 1, the encoder's layers from 4096, the decoder's from 8192.
    static constexpr std::uint16_t encoder_purpose = 4096, decoder_purpose = 8192;

  public:
    using Scalar = T;

    /// Draws the first parameters from `rng`. Encoder and decoder are given as values when their layers have knobs.
    BasicAutoencoder(const Encoder& encoder, const Decoder& decoder, Rng& rng, const Loss& loss, const Terms&... terms)
        : encoder_(encoder),
          decoder_(decoder),
          loss_(loss),
          terms_(terms...),
          theta_(Encoder::parameters + Decoder::parameters) {
        check_knobs();
        encoder_.initialize(theta_.data(), rng);
        decoder_.initialize(theta_.data() + Encoder::parameters, rng);
    }
    explicit BasicAutoencoder(Rng& rng, const Loss& loss = Loss{}, const Terms&... terms)
        : BasicAutoencoder(Encoder{}, Decoder{}, rng, loss, terms...) {}

    /// θ, all parameters as one vector.
    Eigen::Map<Vector<T>> parameters() { return {theta_.data(), theta_.size()}; }
    Eigen::Map<const Vector<T>> parameters() const { return {theta_.data(), theta_.size()}; }

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
        collect(decoder_, Encoder::parameters);
        return slices;
    }

    /// Memory for one training loop; see `Tape`.
    Tape<T> tape() const { return Tape<T>(theta_.size()); }

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
        compare(
            "loss", x, target, tape, [&](const auto& loss, ConstView<T> code, ConstView<T> y, ConstView<T> t, Index) {
                T value = loss.template value<T>(y, t);
                each_term<Slot::Code>([&](const auto& term, std::uint16_t) { value += term.template value<T>(code); });
                sum += Accumulator<T>(value) * Accumulator<T>(static_cast<double>(y.cols()));
            });
        return T(sum / Accumulator<T>(static_cast<double>(x.cols())));
    }

    /// The loss of each sample alone (code terms left out), n values: the anomaly score. Their mean is the loss.
    Vector<T> reconstruction_error(const Input<T>& x) const { return reconstruction_error(x, x); }
    Vector<T> reconstruction_error(const Input<T>& x, const Input<T>& target) const {
        Tape<T> scratch(0);
        Vector<T> errors(x.cols());
        compare("reconstruction_error", x, target, scratch,
                [&](const auto& loss, ConstView<T>, ConstView<T> y, ConstView<T> t, Index first) {
                    loss.template samples<T>(y, t, Eigen::Map<Vector<T>>{errors.data() + first, y.cols()});
                });
        return errors;
    }

    /// Codes of a batch, code × n. With a tape the result is a view of its memory, valid until the tape's next use.
    Matrix<T> encode(const Input<T>& x) const { return fresh("encode", "x", encoder_, x, encoder_weights()); }
    ConstView<T> encode(const Input<T>& x, Tape<T>& tape) const {
        return on_tape("encode", "x", encoder_, x, encoder_weights(), tape);
    }

    /// The decoder's output for codes, features × n.
    Matrix<T> decode(const Input<T>& code) const {
        return fresh("decode", "the code", decoder_, code, decoder_weights());
    }
    ConstView<T> decode(const Input<T>& code, Tape<T>& tape) const {
        return on_tape("decode", "the code", decoder_, code, decoder_weights(), tape);
    }

    /// decode(encode(x)), features × n.
    Matrix<T> reconstruct(const Input<T>& x) const {
        Tape<T> scratch(0);
        require_batch("reconstruct", "x", x, Encoder::input);
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
    static void require_pair(std::string_view method, const Input<T>& x, const Input<T>& target) {
        require_batch(method, "x", x, Encoder::input);
        require_batch(method, "the target", target, Decoder::output);
        if (x.cols() != target.cols())
            fail("Autoencoder::", method, ": the target has ", target.cols(), " columns, expected ", x.cols(),
                 " as x has");
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

    Slices<const T> encoder_weights() const { return {theta_.data(), theta_.data()}; }
    Slices<const T> decoder_weights() const { return {theta_.data() + Encoder::parameters, theta_.data()}; }

    static const auto& comparison(const Loss& loss) {
        if constexpr (fused) {
            static constexpr auto from_logits = Loss::from_logits();
            return from_logits;
        } else {
            return loss;
        }
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

    T differentiate(const Input<T>& x, const Input<T>& target, Tape<T>& tape, Rng& rng, T* dx) const {
        require_pair("gradient", x, target);
        check_knobs();
        if (tape.gradient().size() != theta_.size())
            fail("Autoencoder::gradient: the tape holds ", tape.gradient().size(), " parameters, the model has ",
                 theta_.size());

        const Index n = x.cols();
        struct Memory {
            const T *x, *target;
            T* corrupted;
            Trace<T, Encoder::depth> encoder;
            Trace<T, Decoder::depth> decoder;
        };
        const bool rebuilds_itself = x.data() == target.data();
        const Memory m = on(tape, [&](Arena<T>& arena, bool copy) {
            Memory memory{};
            memory.x = packed(x, 0, n, arena, copy);
            memory.target = rebuilds_itself ? memory.x : packed(target, 0, n, arena, copy);
            if constexpr (corrupts) memory.corrupted = arena.take(x.rows() * n);
            // An encoder without layers has the input's gradient for the code's. The code is read again after its
            // gradient has begun to gather, so the two never share memory.
            T* const encoder_dx = Encoder::depth == 0 && !dx ? arena.take(x.rows() * n) : dx;
            memory.encoder = Encoder::template training<T>(arena, corrupts ? memory.corrupted : memory.x, n, encoder_dx,
                                                           Encoder::depth, false);
            memory.decoder =
                Decoder::template training<T>(arena, memory.encoder.activation[Encoder::depth], n,
                                              memory.encoder.gradient[Encoder::depth], trained_depth, true);
            return memory;
        });

        const Stream random = rng.stream();
        if constexpr (corrupts) {
            ConstView<T> clean{m.x, x.rows(), n};
            const View<T> corrupted{m.corrupted, x.rows(), n};
            each_term<Slot::Corruption>([&](const auto& term, std::uint16_t number) {
                term.template corrupt<T>(clean, corrupted, random.purpose(number));
                new (&clean) ConstView<T>{m.corrupted, x.rows(), n};  // the next one goes on from here
            });
        }
        encoder_.template forward<0, Encoder::depth>(encoder_weights(), m.encoder, &random, encoder_purpose);
        decoder_.template forward<0, trained_depth>(decoder_weights(), m.decoder, &random, decoder_purpose);

        const ConstView<T> code{m.encoder.activation[Encoder::depth], Encoder::output.size(), n};
        const View<T> dcode{m.encoder.gradient[Encoder::depth], Encoder::output.size(), n};
        clear(dcode);
        const T reconstruction = comparison(loss_).template gradient<T>(
            {m.decoder.activation[trained_depth], Decoder::output.size(), n}, {m.target, target.rows(), n},
            View<T>{m.decoder.gradient[trained_depth], Decoder::output.size(), n});
        T penalty(0);
        each_term<Slot::Code>(
            [&](const auto& term, std::uint16_t) { penalty += term.template gradient<T>(code, dcode); });
        tape.record(reconstruction, penalty);
        if constexpr (std::floating_point<T>)
            if (tape.non_finite == NonFinite::Throw && !is_finite(reconstruction + penalty))
                fail("Autoencoder::gradient: the objective is not finite: ", name_of<Loss>(), " is ", reconstruction,
                     ", the code terms add ", penalty);

        T* const d = tape.gradient().data();
        clear<T>({d, theta_.size(), 1});
        decoder_.template backward<trained_depth>(decoder_weights(), {d + Encoder::parameters, d}, m.decoder, random,
                                                  decoder_purpose);
        encoder_.backward(encoder_weights(), {d, d}, m.encoder, random, encoder_purpose);
        return reconstruction + penalty;
    }

    // Evaluates block after block and shows each to use(loss, code, prediction, target, first column).
    template <class Use>
    void compare(std::string_view method, const Input<T>& x, const Input<T>& target, Tape<T>& tape, Use use) const {
        require_pair(method, x, target);
        check_knobs();
        for (Index first = 0; first < x.cols(); first += block) {
            const Index n = std::min(block, x.cols() - first);
            const auto m = on(tape, [&](Arena<T>& arena, bool copy) {
                const T* const in = packed(x, first, n, arena, copy);
                const T* const t = packed(target, first, n, arena, copy);
                const auto e = Encoder::template evaluation<T>(arena, in, n, nullptr);
                return std::tuple{t, e,
                                  Decoder::template evaluation<T>(arena, e.activation[Encoder::depth], n, nullptr)};
            });
            const auto& [t, e, d] = m;
            encoder_.template forward<0, Encoder::depth, T>(encoder_weights(), e, nullptr, 0);
            decoder_.template forward<0, trained_depth, T>(decoder_weights(), d, nullptr, 0);
            use(comparison(loss_), ConstView<T>{e.activation[Encoder::depth], Encoder::output.size(), n},
                ConstView<T>{d.activation[trained_depth], Decoder::output.size(), n}, ConstView<T>{t, target.rows(), n},
                first);
        }
    }

    // A whole chain in evaluation; the decoder in the two pieces that training has already made the compiler write.
    template <class C>
    static void finish(const C& chain, Slices<const T> weights, const Trace<T, C::depth>& trace) {
        constexpr std::size_t end = std::is_same_v<C, Decoder> ? trained_depth : C::depth;
        chain.template forward<0, end, T>(weights, trace, nullptr, 0);
        chain.template forward<end, C::depth, T>(weights, trace, nullptr, 0);
    }

    template <class C>
    void run(const C& chain, const Input<T>& x, Slices<const T> weights, T* y, Tape<T>& tape) const {
        for (Index first = 0; first < x.cols(); first += block) {
            const Index n = std::min(block, x.cols() - first);
            const auto trace = on(tape, [&](Arena<T>& arena, bool copy) {
                return C::template evaluation<T>(arena, packed(x, first, n, arena, copy), n,
                                                 y + first * C::output.size());
            });
            finish(chain, weights, trace);
        }
    }
    template <class C>
    Matrix<T> fresh(std::string_view method, std::string_view what, const C& chain, const Input<T>& x,
                    Slices<const T> weights) const {
        Tape<T> scratch(0);
        require_batch(method, what, x, C::input);
        Matrix<T> y(C::output.size(), x.cols());
        run(chain, x, weights, y.data(), scratch);
        return y;
    }
    template <class C>
    ConstView<T> on_tape(std::string_view method, std::string_view what, const C& chain, const Input<T>& x,
                         Slices<const T> weights, Tape<T>& tape) const {
        require_batch(method, what, x, C::input);
        T* const y = tape.result(C::output.size() * x.cols());
        run(chain, x, weights, y, tape);
        return {y, C::output.size(), x.cols()};
    }
    void reconstruct_into(const Input<T>& x, T* y, Tape<T>& tape) const {
        for (Index first = 0; first < x.cols(); first += block) {
            const Index n = std::min(block, x.cols() - first);
            const auto [e, d] = on(tape, [&](Arena<T>& arena, bool copy) {
                const auto e_ = Encoder::template evaluation<T>(arena, packed(x, first, n, arena, copy), n, nullptr);
                return std::pair{e_, Decoder::template evaluation<T>(arena, e_.activation[Encoder::depth], n,
                                                                     y + first * Decoder::output.size())};
            });
            encoder_.template forward<0, Encoder::depth, T>(encoder_weights(), e, nullptr, 0);
            finish(decoder_, decoder_weights(), d);
        }
    }

    Encoder encoder_;
    Decoder decoder_;
    Loss loss_;
    std::tuple<Terms...> terms_;
    Vector<T> theta_;
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
