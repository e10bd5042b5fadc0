// What a trained autoencoder is asked for: losses, codes, reconstructions, samples.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include "hourglass/models/parts.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The part of `BasicAutoencoder` that evaluates: without corruption, dropout or sampling, a block of samples at a
/// time. Not for use on its own.
template <class T, class Encoder, class Decoder, class Loss, class... Terms>
class Evaluation : public ModelParts<T, Encoder, Decoder, Loss, Terms...> {
    using Base = ModelParts<T, Encoder, Decoder, Loss, Terms...>;

  protected:
    using Base::encoder_, Base::decoder_, Base::bottleneck, Base::encoder_weights, Base::bottleneck_weights,
        Base::decoder_weights, Base::comparison, Base::check_knobs, Base::scratch_size, Base::packed, Base::each_block,
        Base::require_batch, Base::require_same_columns, Base::require_pair;
    using Base::trained_depth, Base::has_bottleneck;
    using typename Base::Bottleneck, typename Base::CodeTerm, typename Base::Model;

  public:
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
            this->template each_term<Slot::Code>(
                [&](const auto& term, std::uint16_t number) { value += penalty(term, number, e); });
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

  protected:
    using Base::Base;
    static constexpr std::size_t last = Encoder::depth;  // the encoder's output among its activations

  private:
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
        else if constexpr (on_encoder_output<Term>)
            return term.template value<T>(e.raw(), e.code());
        else if constexpr (!makes_code<Term>)
            return term.template value<T>(e.code());
        else if constexpr (has_penalty<Term>)
            return term.template penalty<Encoder::output, T>(slice_of<Term, Encoder::output>(bottleneck_weights()),
                                                             e.raw(), e.code());
        else
            return T(0);
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
            [&](const auto& traces, Index first, Index n) {
                encode_block(std::get<0>(traces), std::get<1>(traces));
                decode_block(std::get<2>(traces));
                if (Decoder::depth == 0)
                    std::copy_n(std::get<2>(traces).activation[0], x.rows() * n, y + first * x.rows());
            });
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
