// What an autoencoder is made of: its chains, loss and terms, its parameters and their places.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <ostream>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "hourglass/core/chain.hpp"
#include "hourglass/core/huge_pages.hpp"
#include "hourglass/core/slice.hpp"
#include "hourglass/core/term.hpp"
#include "hourglass/models/requirements.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The part of `BasicAutoencoder` that does not compute. Not for use on its own.
template <class T, class Encoder, class Decoder, class Loss, class... Terms>
class ModelParts {
  protected:
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

  public:
    using Scalar = T;

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

    const Encoder& encoder() const { return encoder_; }
    const Decoder& decoder() const { return decoder_; }
    /// The loss and the terms, whose knobs a loop may change: `model.template term<L1>().weight = 1e-3`.
    Loss& loss_function() { return loss_; }
    template <class Term>
    Term& term() {
        return std::get<Term>(terms_);
    }

    /// A table: one row a layer (name, output shape, parameters), then the loss, the terms and the total.
    friend std::ostream& operator<<(std::ostream& out, const ModelParts& model) {
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

  protected:
    /// Draws the first parameters from `rng`. Encoder and decoder are given as values when their layers have knobs.
    ModelParts(const Encoder& encoder, const Decoder& decoder, Rng& rng, const Loss& loss, const Terms&... terms)
        : encoder_(encoder),
          decoder_(decoder),
          loss_(loss),
          terms_(terms...),
          theta_(parameter_count),
          state_(state_count) {
        check_knobs();
        prefer_huge_pages(theta_.data(), theta_.size());
        encoder_.initialize(theta_.data(), rng);
        bottleneck().initialize(theta_.data() + bottleneck_offset, rng);
        decoder_.initialize(theta_.data() + decoder_offset, rng);
        clear<T>({theta_.data() + loss_offset, Model::loss_parameters, 1});
        encoder_.initialize_state(state_.data());
        decoder_.initialize_state(state_.data() + Encoder::state);
    }

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
            return Loss::template from_logits<Decoder::plan.shapes[trained_depth]>();
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

    // Scratch that the terms need.
    static Index scratch_size(Index n) {
        Index size = 0;
        [[maybe_unused]] const auto add = [&]<class Term>(std::type_identity<Term>) {
            if constexpr (over_encoder<Term>) size = std::max(size, Term::template scratch<Encoder, T>(n));
        };
        (add(std::type_identity<Terms>{}), ...);
        return size;
    }

    // Lays out block after block of the batch in the tape's memory and shows each to use(layout, first column,
    // columns).
    // Samples worked at a time in evaluation: enough for full products, few enough to stay in the nearer caches.
    static constexpr Index block = 256;
    template <class LayOut, class Use>
    static void each_block(const Input<T>& x, Tape<T>& tape, LayOut lay_out, Use use) {
        for (Index first = 0; first < x.cols(); first += block) {
            const Index n = std::min(block, x.cols() - first);
            use(on(tape, [&](Arena<T>& arena, bool copy) { return lay_out(arena, first, n, copy); }), first, n);
        }
    }

    Encoder encoder_;
    Decoder decoder_;
    Loss loss_;
    std::tuple<Terms...> terms_;
    Vector<T> theta_, state_;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
