// What the compiler knows of a model before it runs: which of its parts fit together, and its sentences where they do
// not.
#pragma once

#include <type_traits>

#include "hourglass/core/chain.hpp"
#include "hourglass/core/term.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The chain between encoder and decoder: the one term that turns the encoder's output into the code (see term.hpp), or
/// nothing.
template <Shape Input, class... Terms>
struct BottleneckOf {
    using type = Chain<Input>;
    using Term = void;
};
template <Shape Input, class First, class... Rest>
struct BottleneckOf<Input, First, Rest...> : BottleneckOf<Input, Rest...> {};
template <Shape Input, class First, class... Rest>
    requires makes_code<First>
struct BottleneckOf<Input, First, Rest...> {
    using type = Chain<Input, First>;
    using Term = First;
};

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
        EncoderOutput.channels == 2 * DecoderInput.channels && EncoderOutput.length == DecoderInput.length,
        "hourglass: GaussianLatent takes a mean and a log-variance for each value of the code, so the encoder "
        "must end in twice the decoder's input");
};

// The last layer of a chain that computes something: a Flatten or Reshape behind it moves nothing. `depth` without one.
template <class C>
constexpr std::size_t last_working_layer() {
    std::size_t last = C::depth;
    C::each([&]<std::size_t I>() {
        if (!keeps_values<typename C::template Layer<I>>()) last = I;
    });
    return last;
}
template <class C>
constexpr Range range_of_output() {
    if constexpr (constexpr std::size_t last = last_working_layer<C>(); last < C::depth)
        return range_of<typename C::template Layer<last>>();
    else
        return Range::Real;
}

// Whether a term that acts on the encoder as a whole can act on this one; it brings its own sentence where it cannot.
template <class Term, class Encoder>
constexpr bool accepts_encoder() {
    if constexpr (over_encoder<Term>)
        return Term::template accepts<Encoder>();
    else
        return true;
}

/// The terms of a model checked against each other and against its chains; and what follows from them.
template <class Encoder, class Decoder, class Loss, class... Terms>
struct ModelOf {
    static_assert(acts_in<Loss, Slot::Loss>, "hourglass: the first argument after the generator must be a loss");
    static_assert(
        ((acts_in<Terms, Slot::Corruption> || acts_in<Terms, Slot::Code> || acts_in<Terms, Slot::Loss>)&&...),
        "hourglass: a term must say where it acts: static constexpr Slot slot = Slot::Corruption or Slot::Code");
    static_assert((!acts_in<Terms, Slot::Loss> && ...),
                  "hourglass: a model has exactly one loss; what follows it must be a corruption or a code term");
    static_assert((0 + ... + (makes_code<Terms> ? 1 : 0)) <= 1,
                  "hourglass: only one term can turn the encoder's output into the code (GaussianLatent, TopK, "
                  "BatchTopK or JumpReLU)");

    using Bottleneck = typename BottleneckOf<Encoder::output, Terms...>::type;
    using CodeTerm = typename BottleneckOf<Encoder::output, Terms...>::Term;

    static constexpr bool is_variational = (needs_likelihood<Terms> || ...);
    static_assert(!is_variational || is_likelihood<Loss>,
                  "hourglass: GaussianLatent adds a divergence in nats, so the loss must be a likelihood: "
                  "BernoulliLikelihood or GaussianLikelihood");
    static_assert([] {
        if constexpr (is_variational)
            return EncoderGivesTwiceTheCode<Encoder::output, Decoder::input>::fits;
        else
            return DecoderTakesTheCode<Bottleneck::output, Decoder::input>::fits;
    }());
    static_assert([] {
        // What is not to be the input again, such as the classes of a classifier, has a shape of its own.
        if constexpr (requires { requires !Loss::rebuilds_input; })
            return true;
        else
            return DecoderRebuildsTheInput<Encoder::input, Decoder::output>::fits;
    }());

    static constexpr bool loss_needs_unit_range = requires { requires Loss::needs_unit_range; };
    static_assert(
        !loss_needs_unit_range || range_of_output<Decoder>() == Range::Unit,
        "hourglass: this loss compares probabilities, so the decoder's output must lie in (0, 1): end it in Sigmoid");
    static constexpr Range code_range = Bottleneck::depth > 0 ? range_of_output<Bottleneck>()
                                                              : range_of_output<Encoder>();
    static_assert(((code_range == Range::Unit || !needs_unit_code<Terms>)&&...),
                  "hourglass: KlSparsity compares mean activations with a probability, so the code must lie in (0, 1): "
                  "end the encoder in Sigmoid");

    // The loss and the decoder's last layer as one: the loss reads what goes into it, and it is left out of training.
    static constexpr std::size_t decoder_end = last_working_layer<Decoder>();
    static constexpr bool fused = [] {
        if constexpr (loss_needs_unit_range && decoder_end > 0 && decoder_end < Decoder::depth)
            return name_of<typename Decoder::template Layer<decoder_end>>() == Loss::fuses_with;
        else
            return false;
    }();
    static constexpr std::size_t trained_depth = fused ? decoder_end : Decoder::depth;

    static_assert((accepts_encoder<Terms, Encoder>() && ...));

    static constexpr bool corrupts = (acts_in<Terms, Slot::Corruption> || ...);

    // How many parameters the loss itself learns.
    static constexpr Index loss_parameters = [] {
        if constexpr (requires { Loss::parameters; })
            return Loss::parameters;
        else
            return Index{0};
    }();
    // Several codes for a sample, each weighted: the weights are for losses whose gradient falls into samples.
    static constexpr bool importance_weighted = is_variational && loss_parameters == 0;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
