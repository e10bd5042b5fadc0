// Greedy layer-wise training: a deep autoencoder trained one layer at a time, each as a small autoencoder on the codes
// of those before it (Hinton and Salakhutdinov 2006; Bengio et al. 2007), perhaps a denoising one (Vincent et al.
// 2010).
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/core/chain.hpp"
#include "hourglass/core/mirror.hpp"
#include "hourglass/losses/mean_squared_error.hpp"
#include "hourglass/models/autoencoder.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace models {

// Whether a stage begins with this layer: it has a kernel, of its own or shared. Scales and shifts, as normalisations
// have them, belong to the stage they stand in.
template <class L>
constexpr bool has_kernel(Shape in) {
    bool kernel = core::is_tied<L>;
    for (const Weight& w : core::weights_of<L>(in)) kernel = kernel || w.decays;
    return kernel;
}
// The numbers of the layers that begin a stage, then the chain's depth; `count` of them. A residual block is never cut:
// it begins a stage as a whole.
template <class C>
struct StageLayers {
    std::array<std::size_t, C::depth + 1> layers{};
    std::size_t count = 0;

    constexpr StageLayers() {
        C::each([&]<std::size_t I>() {
            const bool begun = count > 0 && layers[count - 1] == begin_of(I);  // by a layer of the same residual block
            if (has_kernel<typename C::template Layer<I>>(C::plan.shapes[I]) && !begun) layers[count++] = begin_of(I);
        });
        layers[count] = C::depth;
    }
    // The first layer of the outermost residual block that layer i stands in, or i.
    static constexpr std::size_t begin_of(std::size_t i) {
        std::size_t begin = i;
        for (std::size_t k = i; k < C::depth; ++k)
            if (C::plan.joins(k) && C::plan.branch[k] <= i && C::plan.branch[k] < begin) begin = C::plan.branch[k];
        return begin;
    }
};

}  // namespace models

/// How many stages an encoder has: each begins with a layer that has a kernel (dense or a convolution), or a residual
/// block with one, and ends before the next. What stands before the first belongs to it.
template <class Encoder>
inline constexpr std::size_t stages = models::StageLayers<Encoder>{}.count;

namespace models {

// Where the encoder is cut into stages: stage i has the layers from cut[i] to before cut[i + 1].
template <class Encoder>
struct EncoderStages {
    static constexpr std::size_t count = stages<Encoder>;
    static_assert(count > 0, "hourglass: stages are of layers with weights, and this encoder has none");

    static constexpr auto cut = [] {
        std::array<std::size_t, count + 1> cuts{};
        for (std::size_t i = 1; i <= count; ++i) cuts[i] = StageLayers<Encoder>{}.layers[i];
        return cuts;
    }();
};

// Where the decoder is cut, so that each block of layers undoes one stage: between two kernels, as late as the shape is
// the one that the encoder has there. Stage i is undone by the layers from cut[i + 1] to before cut[i].
template <class Encoder, class Decoder>
struct DecoderStages {
    static constexpr std::size_t count = EncoderStages<Encoder>::count;
    static_assert(stages<Decoder> == count,
                  "hourglass: each_stage needs as many layers with a kernel in the decoder as in the encoder");

    static constexpr auto cut = [] {
        std::array<std::size_t, count + 1> cuts{};
        cuts[0] = Decoder::depth;
        for (std::size_t i = 1; i < count; ++i) {
            const auto& kernels = StageLayers<Decoder>{}.layers;
            const Shape wanted = Encoder::plan.shapes[EncoderStages<Encoder>::cut[i]];
            for (std::size_t at = kernels[count - i - 1] + 1; at <= kernels[count - i]; ++at)
                if (Decoder::plan.shapes[at] == wanted && StageLayers<Decoder>::begin_of(at) == at) cuts[i] = at;
        }
        return cuts;
    }();
    static_assert(std::count(cut.begin(), cut.end(), std::size_t{0}) == 1 && Decoder::output == Encoder::input &&
                      Decoder::input == Encoder::output,
                  "hourglass: each_stage needs a decoder that goes through the shapes of the encoder's stages, in "
                  "reverse");
};

// A layer of the decoder as it stands in the stage whose encoder is the layers from Begin to before End: shared weights
// are now found there.
template <std::size_t Begin, std::size_t End, class Encoder, class L>
constexpr auto in_stage(const Encoder& encoder, const L& layer) {
    if constexpr (core::is_tied<L>) {
        constexpr std::size_t owner = Encoder::plan.layer_at(L::shared_offset);
        static_assert(Begin <= owner && owner < End,
                      "hourglass: each_stage needs a tied layer to share the weights of the stage it undoes");
        return core::tied_of<typename Encoder::template Layer<owner>, Encoder::plan.shapes[owner],
                             Encoder::plan.offsets[owner] - Encoder::plan.offsets[Begin]>(
            encoder.template layer<owner>());
    } else {
        return layer;
    }
}

template <std::size_t I, class Encoder>
constexpr auto stage_encoder(const Encoder& encoder) {
    return core::subchain<EncoderStages<Encoder>::cut[I], EncoderStages<Encoder>::cut[I + 1]>(encoder);
}
template <std::size_t I, class Encoder, class Decoder>
constexpr auto stage_decoder(const Encoder& encoder, const Decoder& decoder) {
    constexpr auto& from = EncoderStages<Encoder>::cut;
    constexpr auto& cut = DecoderStages<Encoder, Decoder>::cut;
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
        return chain<Decoder::plan.shapes[cut[I + 1]]>(
            in_stage<from[I], from[I + 1]>(encoder, decoder.template layer<cut[I + 1] + K>())...);
    }
    (std::make_index_sequence<cut[I] - cut[I + 1]>{});
}

// Stage I of a model: trains it as an autoencoder of its own, and leaves in `codes` what it makes of them.
template <std::size_t I, class Model, class Codes, class Train, class Loss, class... Terms>
void train_stage(Model& model, const Codes& x, Codes& codes, Train& train, const Loss& loss, const Terms&... terms) {
    using T = typename Model::Scalar;
    const auto encoder = model.encoder();
    const auto decoder = model.decoder();
    using Encoder = std::remove_const_t<decltype(encoder)>;
    using Decoder = std::remove_const_t<decltype(decoder)>;
    using From = decltype(stage_encoder<I>(encoder));
    using To = decltype(stage_decoder<I>(encoder, decoder));
    constexpr std::size_t begin = EncoderStages<Encoder>::cut[I], end = DecoderStages<Encoder, Decoder>::cut[I + 1];

    Rng unused{0};  // all values are overwritten by the model's
    BasicAutoencoder<T, From, To, Loss, Terms...> stage(stage_encoder<I>(encoder), stage_decoder<I>(encoder, decoder),
                                                        unused, loss, terms...);
    struct Common {
        T *model, *stage;
        Index count;
    };
    // What a loss has learned stands behind the decoder; the first stage's loss is the model's own.
    const Index learned = I == 0 ? core::learned_by<Loss>() : 0;
    const std::array<Common, 5> all{
        Common{model.encoder_parameters().data() + Encoder::plan.offsets[begin], stage.encoder_parameters().data(),
               From::parameters},
        Common{model.decoder_parameters().data() + Decoder::plan.offsets[end], stage.decoder_parameters().data(),
               To::parameters},
        Common{model.state().data() + Encoder::plan.states[begin], stage.state().data(), From::state},
        Common{model.state().data() + (model.state().size() - Decoder::state) + Decoder::plan.states[end],
               stage.state().data() + From::state, To::state},
        Common{model.parameters().data() + (model.parameters().size() - learned),
               stage.parameters().data() + (stage.parameters().size() - learned), learned}};
    for (const Common& c : all) std::copy_n(c.model, c.count, c.stage);
    train(stage, x);
    for (const Common& c : all) std::copy_n(c.stage, c.count, c.model);
    if (I + 1 < stages<Encoder>) codes = stage.encode(x);
}

}  // namespace models

/// Trains a model stage by stage, in a loop of the caller's:
///
///     hg::each_stage(model, images, [&](auto& stage, const Eigen::MatrixXf& codes) {
///         hg::Adam adam;
///         auto tape = stage.tape();
///         for (int epoch = 0; epoch < 10; ++epoch)
///             for (const auto& batch : hg::minibatches(codes, 256, rng)) {
///                 stage.gradient(batch, tape, rng);
///                 adam.step(stage, tape);
///             }
///     }, hg::MaskingNoise{0.25});
///
/// A stage is a layer of the encoder with a kernel and all that follows it up to the next one. `train(stage, codes)` is
/// called for each, the first one first. `stage` is an autoencoder of those layers and the part of the decoder that
/// undoes them; it begins with the model's weights, and what they are afterwards is written back into the model.
/// `codes` are what the stages before, as they then are, make of `x` (for the first, `x` itself), features × n.
///
/// The first stage has the model's own loss, and goes on from what that has learned; the others mean squared error, or
/// the loss that stands before the terms: `each_stage(model, images, train, hg::BinaryCrossEntropy{},
/// hg::MaskingNoise{0.25})`. All stages have the `terms` given here and none of the model's. The decoder may be a
/// `Mirror`, a `Tied` or any that has a layer with a kernel for each of the encoder's and goes through the same shapes
/// in reverse.
///
/// `x`: features × n. Errors: another number of features, no samples. What `train` throws passes through; the stages
/// before are then already written.
template <class T, class Encoder, class Decoder, class Loss, class... ModelTerms, class Train, class StageLoss,
          class... Terms>
    requires core::acts_in<StageLoss, Slot::Loss>
void each_stage(BasicAutoencoder<T, Encoder, Decoder, Loss, ModelTerms...>& model,
                const std::type_identity_t<Matrix<T>>& x, Train train, const StageLoss& loss, const Terms&... terms) {
    static_assert(Encoder::condition == 0 && Decoder::condition == 0,
                  "hourglass: each_stage gives its stages samples alone, and a Condition wants values with each");
    if (x.rows() != Encoder::input.size() || x.cols() == 0)
        fail("each_stage: x is ", x.rows(), " x ", x.cols(), ", expected ", Encoder::input.size(),
             " rows and at least one column", core::if_transposed(x.cols(), Encoder::input.size()));
    Matrix<T> codes;
    models::train_stage<0>(model, x, codes, train, model.loss_function(), terms...);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (models::train_stage<I + 1>(model, codes, codes, train, loss, terms...), ...);
    }
    (std::make_index_sequence<models::EncoderStages<Encoder>::count - 1>{});
}
template <class T, class Encoder, class Decoder, class Loss, class... ModelTerms, class Train, class... Terms>
void each_stage(BasicAutoencoder<T, Encoder, Decoder, Loss, ModelTerms...>& model,
                const std::type_identity_t<Matrix<T>>& x, Train train, const Terms&... terms) {
    each_stage(model, x, train, MeanSquaredError{}, terms...);
}

/// The code of every stage: what the encoder has made of `x` (features × n) after each, the last being its output (what
/// a code term makes of that is left out). One matrix a stage, code × n. `Error` for another number of features.
template <class T, class Encoder, class Decoder, class Loss, class... Terms>
std::vector<Matrix<T>> codes(const BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>& model,
                             const std::type_identity_t<Batch<T>>& x) {
    using Stages = models::EncoderStages<Encoder>;
    core::require_samples("codes", "x", x.x, Encoder::input);
    std::vector<Matrix<T>> all;
    for (std::size_t i = 1; i <= Stages::count; ++i) all.push_back(model.activation(x, Stages::cut[i]));
    return all;
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
