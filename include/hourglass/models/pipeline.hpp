// What the compiler knows of a model before it runs: encoder, code and decoder as one sequence of layers, what fits
// together, and its sentences where something does not.
#pragma once

#include <string>
#include <type_traits>

#include "hourglass/core/chain.hpp"
#include "hourglass/core/code_term.hpp"
#include "hourglass/core/loss_at.hpp"
#include "hourglass/core/term.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace models {

// The one term that turns the encoder's output into the code (see term.hpp), or void.
template <class... Terms>
struct CodeTermOf {
    using type = void;
};
template <class First, class... Rest>
struct CodeTermOf<First, Rest...>
    : std::conditional_t<core::makes_code<First>, std::type_identity<First>, CodeTermOf<Rest...>> {};

// Sentences with two shapes stand in templates of their own, whose arguments put the shapes into the message.
template <Shape EncoderInput, Shape DecoderOutput>
struct DecoderRebuildsTheInput {
    static constexpr bool fits = true;
    static_assert(EncoderInput == DecoderOutput,
                  "hourglass: the decoder's output must have the shape of the encoder's input");
};
template <Shape Code, Shape DecoderInput>
struct DecoderTakesTheCode {
    static constexpr bool fits = true;
    static_assert(Code == DecoderInput, "hourglass: the decoder's input must have the shape of the encoder's output");
};
template <Shape EncoderOutput, Shape DecoderInput>
struct EncoderGivesTwiceTheCode {
    static constexpr bool fits = true;
    static_assert(
        EncoderOutput.channels == 2 * DecoderInput.channels && EncoderOutput.positions() == DecoderInput.positions(),
        "hourglass: GaussianLatent takes a mean and a log-variance for each value of the code, so the encoder "
        "must end in twice the decoder's input");
};

/// The terms of a model checked against each other and against its chains; and what follows from them.
template <class Encoder, class Decoder, class Loss, class... Terms>
struct Pipeline {
    static_assert(core::acts_in<Loss, Slot::Loss>, "hourglass: the first argument after the generator must be a loss");
    static_assert(
        ((core::acts_in<Terms, Slot::Corruption> || core::acts_in<Terms, Slot::Code> ||
          core::acts_in<Terms, Slot::Loss>)&&...),
        "hourglass: a term must say where it acts: static constexpr Slot slot = Slot::Corruption or Slot::Code");
    static_assert((!core::acts_in<Terms, Slot::Loss> && ...),
                  "hourglass: a model has exactly one loss; what follows it must be a corruption or a code term");
    static_assert((0 + ... + (core::makes_code<Terms> ? 1 : 0)) <= 1,
                  "hourglass: only one term can turn the encoder's output into the code (GaussianLatent, TopK, "
                  "BatchTopK or JumpReLU)");

    using CodeTerm = typename CodeTermOf<Terms...>::type;
    static constexpr bool has_code_term = !std::is_void_v<CodeTerm>;

    static constexpr bool is_variational = (core::needs_likelihood<Terms> || ...);
    static_assert(!is_variational || core::is_likelihood<Loss>,
                  "hourglass: GaussianLatent adds a divergence in nats, so the loss must be a likelihood: "
                  "BernoulliLikelihood, GaussianLikelihood or LearnedGaussianLikelihood");
    static constexpr Shape code = [] {
        if constexpr (has_code_term)
            return CodeTerm::output(Encoder::output);
        else
            return Encoder::output;
    }();
    static_assert([] {
        if constexpr (is_variational)
            return EncoderGivesTwiceTheCode<Encoder::output, Decoder::input>::fits;
        else
            return DecoderTakesTheCode<code, Decoder::input>::fits;
    }());
    static_assert([] {
        // What is not to be the input again, such as the classes of a classifier, has a shape of its own.
        if constexpr (core::rebuilds_input<Loss>)
            return DecoderRebuildsTheInput<Encoder::input, Decoder::output>::fits;
        else
            return true;
    }());

    using Layers = typename decltype(core::joined_type<CodeTerm>(std::declval<typename Encoder::Flat>(),
                                                                 std::declval<typename Decoder::Flat>()))::type;

    static_assert(core::plan_is_sound<Layers, false>());

    // The marks: the encoder's output, the code, and what the loss reads.
    static constexpr std::size_t code_begin = Encoder::depth, code_end = code_begin + (has_code_term ? 1 : 0);
    using LossAtEnd = core::LossAt<Layers, Loss>;
    static_assert(LossAtEnd::fits);
    static constexpr bool fused = LossAtEnd::fused_from(code_end);
    static constexpr std::size_t compared = LossAtEnd::activation(code_end);

    static_assert(((core::range_at<Layers, code_end>() == Range::Unit || !core::needs_unit_code<Terms>)&&...),
                  "hourglass: KlSparsity compares mean activations with a probability, so the code must lie in (0, 1): "
                  "end the encoder in Sigmoid");
    static_assert((core::accepts_encoder<Terms, Encoder>() && ...));

    static constexpr bool corrupts = (core::acts_in<Terms, Slot::Corruption> || ...);
    // Terms that add to the gradient of all of the encoder's weights, of its output and of the code.
    static constexpr bool on_weights = (core::over_encoder<Terms> || ...);
    static constexpr bool on_output = (core::on_encoder_output<Terms> || ...) || (core::has_penalty<Terms> || ...);
    static constexpr bool on_code = ((core::acts_in<Terms, Slot::Code> && !core::makes_code<Terms> &&
                                      !core::over_encoder<Terms> && !core::on_encoder_output<Terms>) ||
                                     ...);
    // Several codes for a sample, each weighted: the weights are for losses whose gradient falls into samples.
    static constexpr bool replicates = (core::replicates<Terms> || ...) && core::learned_by<Loss>() == 0;

    // What messages and files call layer i.
    HOURGLASS_COLD static std::string name(std::size_t i) {
        if (i >= code_begin && i < code_end) return "code";
        const bool encodes = i < code_begin;
        return core::message_of(encodes ? "encoder." : "decoder.", encodes
                                                                       ? Layers::plan.path(i, 0, code_begin)
                                                                       : Layers::plan.path(i, code_end, Layers::depth));
    }
};

}  // namespace models
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
