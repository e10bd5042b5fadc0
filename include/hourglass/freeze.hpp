// Inference without the heap: a trained model's weights laid out for reading, one sample at a time.
#pragma once

#include <cstddef>

#include "hourglass/core/trainable.hpp"
#include "hourglass/frozen/layers.hpp"
#include "hourglass/frozen/sample_values.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/models/network.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// A trained model or network for inference, one sample a call, as `freeze` makes it: its layers and their weights,
/// which change no more. No method allocates, locks or throws, and several threads may use one at once. The result is
/// that of `Autoencoder::encode` and its like, or `Network::evaluate`, to rounding: dense layers' weights are laid out
/// for reading, a `BatchNormalization` behind one is multiplied into it, and denormal weights have become zero.
/// Activations lie on the stack, `stack_size` bytes; `Dense` over positions takes up to 120 KiB more, convolutions up
/// to 180. x and the result may be the same memory.
///
/// Arguments are spans or arrays, whose size the compiler knows, or vectors and columns, whose size is looked at when
/// they are handed over (`Error` for another one).
template <class Model>
class Frozen;

template <class T, class Encoder, class Decoder, class Loss, class... Terms>
class Frozen<BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>> {
    using Pipeline = models::Pipeline<Encoder, Decoder, Loss, Terms...>;
    using Layers = typename Pipeline::Layers;
    using All = frozen::FrozenLayers<T, Layers, frozen::WholeSample, Pipeline::code_begin, Pipeline::code_end>;
    static constexpr std::size_t code_at = Pipeline::code_end, depth = Layers::depth;
    template <std::size_t Begin, std::size_t End>
    static constexpr bool is_conditional = Layers::plan.condition_between(Begin, End) > 0;
    template <std::size_t N, const char* Call>
    using Given = frozen::SampleValues<const T, N, Call>;
    template <std::size_t N, const char* Call>
    using Result = frozen::SampleValues<T, N, Call>;

  public:
    using Scalar = T;
    static constexpr std::size_t input_size = frozen::count(Encoder::input.size()),  ///< values of a sample
        code_size = frozen::count(Decoder::input.size()),                            ///< of its code
        output_size = frozen::count(Decoder::output.size()),  ///< of what the decoder makes of it
        condition_size = frozen::count(Layers::condition),    ///< of what is given with it (`Condition`)
        stack_size = frozen::count(All::room) * sizeof(T);    ///< bytes of the stack for activations

    /// A copy of the model's layers and weights. It must have its parameters: `freeze` looks.
    explicit Frozen(const BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>& model)
        : layers_(core::Inside::of(model)) {}

    /// The code of a sample (of a variational model its mean); where the encoder reads a condition, with that.
    void encode(Given<input_size, frozen::encode_call> x, Result<code_size, frozen::encode_call> code) const noexcept
        requires(!is_conditional<0, code_at>) {
        layers_.template run<0, code_at>(x.data(), nullptr, code.data());
    }
    void encode(Given<input_size, frozen::encode_call> x, Given<condition_size, frozen::encode_call> condition,
                Result<code_size, frozen::encode_call> code) const noexcept requires(is_conditional<0, code_at>) {
        layers_.template run<0, code_at>(x.data(), condition.data(), code.data());
    }
    /// The decoder's output for a code.
    void decode(Given<code_size, frozen::decode_call> code, Result<output_size, frozen::decode_call> y) const noexcept
        requires(!is_conditional<code_at, depth>) {
        layers_.template run<code_at, depth>(code.data(), nullptr, y.data());
    }
    void decode(Given<code_size, frozen::decode_call> code, Given<condition_size, frozen::decode_call> condition,
                Result<output_size, frozen::decode_call> y) const noexcept requires(is_conditional<code_at, depth>) {
        layers_.template run<code_at, depth>(code.data(), condition.data(), y.data());
    }
    /// The decoder's output for the code of a sample.
    void reconstruct(Given<input_size, frozen::reconstruct_call> x,
                     Result<output_size, frozen::reconstruct_call> y) const noexcept
        requires(!is_conditional<0, depth>) {
        layers_.template run<0, depth>(x.data(), nullptr, y.data());
    }
    void reconstruct(Given<input_size, frozen::reconstruct_call> x,
                     Given<condition_size, frozen::reconstruct_call> condition,
                     Result<output_size, frozen::reconstruct_call> y) const noexcept
        requires(is_conditional<0, depth>) {
        layers_.template run<0, depth>(x.data(), condition.data(), y.data());
    }

  private:
    All layers_;
};

template <class T, class Layers, std::size_t... Marks>
class Frozen<Network<T, Layers, Marks...>> {
    using All = frozen::FrozenLayers<T, Layers, frozen::WholeSample, Marks...>;
    static constexpr bool is_conditional = Layers::condition > 0;
    template <std::size_t N>
    using Given = frozen::SampleValues<const T, N, frozen::evaluate_call>;
    template <std::size_t N>
    using Result = frozen::SampleValues<T, N, frozen::evaluate_call>;

  public:
    using Scalar = T;
    static constexpr std::size_t input_size = frozen::count(Layers::input.size()),  ///< values of a sample
        output_size = frozen::count(Layers::output.size()),                         ///< of what comes out
        condition_size = frozen::count(Layers::condition),  ///< of what is given with a sample (`Condition`)
        stack_size = frozen::count(All::room) * sizeof(T);  ///< bytes of the stack for activations

    /// A copy of the network's layers and weights. It must have its parameters: `freeze` looks.
    explicit Frozen(const Network<T, Layers, Marks...>& network) : layers_(core::Inside::of(network)) {}

    /// The chain's output for a sample; where it reads a condition, with that.
    void evaluate(Given<input_size> x, Result<output_size> y) const noexcept requires(!is_conditional) {
        layers_.template run<0, Layers::depth>(x.data(), nullptr, y.data());
    }
    void evaluate(Given<input_size> x, Given<condition_size> condition, Result<output_size> y) const noexcept
        requires(is_conditional) {
        layers_.template run<0, Layers::depth>(x.data(), condition.data(), y.data());
    }

  private:
    All layers_;
};

/// `model`, or a network, as it is now, for inference: a copy of its weights, in the object itself up to 1 MB and above
/// in one allocation made here. `Error` when the model has been moved from.
///
///     const auto frozen = hg::freeze(model);
///     std::array<float, 784> sample{};
///     std::array<float, 64> code;
///     frozen.encode(sample, code);
template <class T, class Encoder, class Decoder, class Loss, class... Terms>
auto freeze(const BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>& model) {
    core::Inside::of(model).require_values("freeze", "model");
    return Frozen<BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>>(model);
}
template <class T, class Layers, std::size_t... Marks>
auto freeze(const Network<T, Layers, Marks...>& network) {
    core::Inside::of(network).require_values("freeze", "network");
    return Frozen<Network<T, Layers, Marks...>>(network);
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
