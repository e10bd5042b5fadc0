// A series as it comes: a network of causal convolutions that takes one new position a call and computes nothing twice.
#pragma once

#include <cstddef>
#include <type_traits>

#include "hourglass/core/trainable.hpp"
#include "hourglass/frozen/layers.hpp"
#include "hourglass/frozen/one_position.hpp"
#include "hourglass/frozen/sample_values.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/models/network.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace frozen {

/// The layers that a model streams.
template <class Model>
struct Streamed;
template <class T, class Encoder, class Decoder, class Loss, class... Terms>
struct Streamed<BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>> {
    using Layers = typename models::Pipeline<Encoder, Decoder, Loss, Terms...>::Layers;
};
template <class T, class All, std::size_t... Marks>
struct Streamed<Network<T, All, Marks...>> {
    using Layers = All;
};

}  // namespace frozen

/// A network over series for inference, position by position, as `streaming` makes it: its layers and their weights,
/// which change no more, and of each causal convolution the positions that it looks back at. `push` gives what
/// `Network::evaluate`, or `Autoencoder::reconstruct`, gives at that position of the whole series, to rounding: the
/// first pushes see the zeros of the padding, and a series may be longer than the shape that the network was made for.
///
/// A push computes every layer at one position: (taps · channels) · filters multiplications for a convolution. It does
/// not allocate, lock or throw, and denormal numbers count as zero. What is not finite passes on, in a convolution in
/// groups to the other groups too. The positions lie in the object, of each convolution (taps − 1) · dilation + 1 times
/// its channels: `sizeof` tells. One stream is for one thread at a time; a copy goes on by itself from where the stream
/// is.
template <class Model>
class StreamingNetwork {
    using Layers = typename frozen::Streamed<Model>::Layers;
    using T = typename Model::Scalar;
    static_assert(
        frozen::all_streamable<Layers>(),
        "hourglass: this network cannot be streamed: a layer needs more than the positions so far. Convolutions "
        "must be Conv1D of stride 1 with Padding::Causal; beside them activations, Dense, normalisations by "
        "channel or position, Dropout and Residual work on one position; Flatten, poolings and the like do not");
    using All = frozen::FrozenLayers<T, Layers, frozen::OnePosition>;

  public:
    using Scalar = T;
    static constexpr std::size_t input_size = frozen::count(Layers::input.channels),  ///< values of a position
        output_size = frozen::count(Layers::output.channels);                         ///< and of what comes out of it

    /// A copy of the model's layers and weights, before the first position of a series. The model must have its
    /// parameters: `streaming` looks.
    explicit StreamingNetwork(const Model& model) : layers_(core::Inside::of(model)) {}

    /// y = the network's output at the next position of a series, whose channels are x. They may be the same memory.
    void push(frozen::SampleValues<const T, input_size, frozen::push_call> x,
              frozen::SampleValues<T, output_size, frozen::push_call> y) noexcept {
        layers_.template run<0, Layers::depth>(x.data(), history_, y.data());
    }
    /// Forgets all positions: the next one is the first of a series.
    void reset() noexcept {
        history_.values.fill(T(0));
        history_.next.fill(0);
    }

  private:
    All layers_;
    typename All::History history_;
};

/// `model`, a network or an autoencoder over series, as it is now, for inference position by position: a copy of its
/// weights, in the object itself up to 1 MB and above in one allocation made here. Does not compile where a layer needs
/// more than the positions so far. `Error` when the model has been moved from.
///
///     using Net = hg::Chain<hg::Shape{1, 512}, hg::Conv1D<16, 3, 1, hg::Padding::Causal>, hg::ReLU, hg::Dense<1>>;
///     auto stream = hg::streaming(hg::network<Net>(rng));
///     std::array<float, 1> x{}, y{};
///     stream.push(x, y);
template <class T, class Encoder, class Decoder, class Loss, class... Terms>
auto streaming(const BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>& model) {
    core::Inside::of(model).require_values("streaming", "model");
    return StreamingNetwork<BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>>(model);
}
template <class T, class Layers, std::size_t... Marks>
auto streaming(const Network<T, Layers, Marks...>& network) {
    core::Inside::of(network).require_values("streaming", "network");
    return StreamingNetwork<Network<T, Layers, Marks...>>(network);
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
