// Writes every layer, and whole models, as ONNX graphs into the folder it is started in, and beside each, as a model
// file, a batch and what the library makes of it. compare.py has another program compute the same.
#include <Eigen/Core>
#include <hourglass/hourglass.hpp>
#include <hourglass/io/onnx.hpp>
#include <hourglass/io/safetensors.hpp>
#include <string>

namespace hg = hourglass;

namespace {

using hg::Padding;
using hg::Shape;

constexpr hg::Index samples = 5;

hg::Rng rng{7};

/// y = s ∘ x, with nodes of its own.
struct Scale {
    static constexpr std::string_view name = "Scale";
    static constexpr Shape output(Shape in) { return in; }
    static constexpr hg::Index parameters(Shape in) { return in.channels; }
    template <Shape In, class T>
    void forward(std::span<const T, static_cast<std::size_t>(parameters(In))> w, hg::ConstView<T> x,
                 hg::View<T> y) const {
        for (hg::Index i = 0; i < x.size(); ++i)
            y.data()[i] = w[static_cast<std::size_t>(i % In.channels)] * x.data()[i];
    }
    template <Shape In, class T>
    void backward(std::span<const T, static_cast<std::size_t>(parameters(In))>, hg::ConstView<T>, hg::ConstView<T>,
                  hg::ConstView<T>, hg::View<T>) const {}
    template <Shape In, class T>
    void gradient(std::span<const T, static_cast<std::size_t>(parameters(In))>, hg::ConstView<T>, hg::ConstView<T>,
                  hg::ConstView<T>, std::span<T, static_cast<std::size_t>(parameters(In))>) const {}
    template <class Nodes>
    std::string onnx(Nodes& nodes, const std::string& x) const {
        return nodes.node("Mul", {x, nodes.array("weights")});
    }
};

template <class T>
hg::Matrix<T> random(hg::Index rows, double size) {
    return hg::Matrix<T>::NullaryExpr(rows, samples, [&] { return static_cast<T>(size * rng.normal()); });
}
// Nothing is left at a first value that would hide it: no bias is 0, no average 0 or 1.
template <class Model>
void disturb(Model& model) {
    using T = typename Model::Scalar;
    for (T& value : model.parameters()) value = static_cast<T>(0.4 * rng.normal());
    for (T& value : model.state()) value = static_cast<T>(0.5 + rng.uniform());
}

/// The graph of one layer or a few.
template <class T, class Layers>
void network(const std::string& name, const Layers& layers, double size = 1, bool rounded = false) {
    auto model = hg::network<T>(layers, rng);
    disturb(model);
    hg::Matrix<T> x = random<T>(Layers::input.size(), size);
    if (rounded) x = x.array().round();
    const hg::Matrix<T> condition = random<T>(Layers::condition, 1);
    hg::export_onnx(name + ".onnx", model);
    if constexpr (Layers::condition > 0)
        hg::save(name + ".safetensors", hg::named("x", x), hg::named("condition", condition),
                 hg::named("y", model.evaluate(hg::given(x, condition))));
    else
        hg::save(name + ".safetensors", hg::named("x", x), hg::named("y", model.evaluate(x)));
}
template <Shape In, class... Layers>
void layers(const std::string& name, const Layers&... all) {
    network<float>(name, hg::chain<In>(all...));
}
template <class Layer>
void activation(const std::string& name, const Layer& layer) {
    network<float>(name, hg::chain<Shape{40}>(layer), 4);
    network<float>(name + "_series", hg::chain<Shape{3, 7}>(layer));
}

/// The three graphs of a model.
template <class Model>
void model(const std::string& name, Model made, const hg::Matrix<float>& x, const hg::Matrix<float>& condition = {}) {
    disturb(made);
    const auto write = [&](const std::string& part, hg::OnnxPart of, const auto& in, const auto& out,
                           const std::string& in_name, const std::string& out_name) {
        hg::export_onnx(name + part + ".onnx", made, of);
        if (condition.size() > 0)
            hg::save(name + part + ".safetensors", hg::named(in_name, in), hg::named("condition", condition),
                     hg::named(out_name, out));
        else
            hg::save(name + part + ".safetensors", hg::named(in_name, in), hg::named(out_name, out));
    };
    const auto with = [&](const hg::Matrix<float>& batch) {
        return condition.size() > 0 ? hg::Batch<float>{hg::given(batch, condition)} : hg::Batch<float>{batch};
    };
    const hg::Matrix<float> code = made.encode(with(x));
    write("_encoder", hg::OnnxPart::Encoder, x, code, "x", "code");
    write("_decoder", hg::OnnxPart::Decoder, code, made.decode(with(code)), "code", "reconstruction");
    write("", hg::OnnxPart::Reconstruction, x, made.reconstruct(with(x)), "x", "reconstruction");
}

void dense_and_shapes() {
    layers<Shape{6}>("dense", hg::Dense<4>{});
    layers<Shape{6}>("dense_without_bias", hg::Dense<4, false>{});
    layers<Shape{3, 5}>("dense_series", hg::Dense<4>{});
    layers<Shape{3, 4, 5}>("dense_picture", hg::Dense<2>{});
    layers<Shape{6}>("dropout", hg::Dropout{0.5});
    layers<Shape{3, 5}>("flatten", hg::Flatten{});
    layers<Shape{2, 3, 4}>("reshape", hg::Reshape<4, 6>{}, hg::Tanh{}, hg::Reshape<2, 4, 3>{}, hg::Reshape<24>{},
                           hg::Reshape<1, 24>{});
    layers<Shape{5}>("residual", hg::Residual{hg::Dense<5>{}, hg::Residual{hg::Tanh{}, hg::Dense<5>{}}, hg::ReLU{}},
                     hg::Residual{hg::Tanh{}});
    layers<Shape{2, 6}>("residual_series", hg::Residual{hg::Conv1D<2, 3, 1, Padding::Same>{}, hg::ReLU{}});
    layers<Shape{6}>("condition", hg::Dense<3>{}, hg::Condition<2>{}, hg::Dense<4>{}, hg::Condition<2>{});
    layers<Shape{3, 5}>("condition_series", hg::Condition<2>{});
    layers<Shape{3, 2, 4}>("condition_picture", hg::Condition<3>{});
    layers<Shape{3, 4}>("own_layer", Scale{}, hg::Dense<2>{}, Scale{});
}

void convolutions() {
    layers<Shape{3, 11}>("conv", hg::Conv1D<4, 3>{});
    layers<Shape{3, 11}>("conv_strided_same", hg::Conv1D<4, 4, 2, Padding::Same>{});
    layers<Shape{3, 11}>("conv_strided", hg::Conv1D<4, 3, 2>{});
    layers<Shape{3, 11}>("conv_dilated", hg::Conv1D<4, 3, 1, Padding::Same, 2>{});
    layers<Shape{3, 11}>("conv_long_stride_same", hg::Conv1D<2, 2, 4, Padding::Same>{});
    layers<Shape{3, 11}>("conv_without_bias", hg::Conv1D<4, 5, 1, Padding::Same, 1, false>{});
    layers<Shape{3, 11}>("conv_causal", hg::Conv1D<4, 3, 1, Padding::Causal>{});
    layers<Shape{3, 11}>("conv_causal_strided", hg::Conv1D<4, 4, 2, Padding::Causal>{});
    layers<Shape{3, 11}>("conv_causal_dilated", hg::Conv1D<4, 3, 1, Padding::Causal, 2>{});
    layers<Shape{6, 11}>("conv_causal_groups", hg::Conv1D<4, 3, 1, Padding::Causal, 2, true, 2>{});
    layers<Shape{4}>("conv_causal_one_position", hg::Conv1D<3, 3, 1, Padding::Causal>{});
    layers<Shape{1, 8}>("conv_one_channel", hg::Conv1D<16, 3, 1, Padding::Same>{}, hg::Conv1D<1, 8>{});
    layers<Shape{4}>("conv_one_position", hg::Conv1D<3, 3, 1, Padding::Same>{});
    layers<Shape{3, 5}>("conv_transpose", hg::Conv1DTranspose<4, 3>{});
    layers<Shape{3, 5}>("conv_transpose_strided", hg::Conv1DTranspose<4, 4, 3>{});
    layers<Shape{3, 5}>("conv_transpose_strided_same", hg::Conv1DTranspose<4, 5, 2, Padding::Same>{});
    layers<Shape{3, 5}>("conv_transpose_dilated_same", hg::Conv1DTranspose<4, 3, 2, Padding::Same, 2>{});
    layers<Shape{3, 5}>("conv_transpose_dilated", hg::Conv1DTranspose<4, 3, 1, Padding::Valid, 3>{});
    layers<Shape{3, 5}>("conv_transpose_long_stride", hg::Conv1DTranspose<2, 2, 4>{});
    layers<Shape{3, 5}>("conv_transpose_without_bias", hg::Conv1DTranspose<4, 3, 1, Padding::Same, 1, false>{});
    layers<Shape{6}>("conv_transpose_one_position", hg::Conv1DTranspose<2, 3, 3>{});
    layers<Shape{3, 9}>("max_pooling", hg::MaxPooling1D<2>{});
    layers<Shape{3, 9}>("max_pooling_same", hg::MaxPooling1D<4, 3, Padding::Same>{});
    layers<Shape{3, 9}>("average_pooling", hg::AveragePooling1D<3, 2>{});
    layers<Shape{3, 9}>("average_pooling_same", hg::AveragePooling1D<4, 2, Padding::Same>{});
    layers<Shape{3, 4}>("pooling_to_one", hg::MaxPooling1D<4>{}, hg::UpSampling1D<3>{}, hg::AveragePooling1D<3>{});
    layers<Shape{3, 4}>("up_sampling", hg::UpSampling1D<3>{});
}

// Rows and columns differ in everything.
void pictures() {
    using hg::Conv2D, hg::Conv2DTranspose, hg::Extent;
    constexpr Shape shape{3, 5, 7};
    layers<shape>("conv2d", Conv2D<4, Extent{3, 2}, Extent{2, 1}>{});
    layers<shape>("conv2d_same", Conv2D<4, Extent{3, 2}, Extent{2, 1}, Padding::Same>{});
    layers<shape>("conv2d_dilated", Conv2D<4, Extent{2, 3}, 1, Padding::Same, Extent{2, 3}>{});
    layers<shape>("conv2d_long_stride_same", Conv2D<2, Extent{2, 1}, Extent{3, 4}, Padding::Same>{});
    layers<shape>("conv2d_without_bias", Conv2D<4, 3, 2, Padding::Same, 1, false>{});
    layers<Shape{6, 5, 7}>("conv2d_groups", Conv2D<4, Extent{3, 2}, Extent{2, 1}, Padding::Same, 1, true, 2>{});
    layers<Shape{6, 5, 7}>("conv2d_depthwise", Conv2D<12, 3, 2, Padding::Valid, 1, true, 6>{});
    layers<Shape{3}>("conv2d_one_position", Conv2D<4, Extent{3, 2}, 1, Padding::Same>{});
    layers<Shape{3, 5}>("conv2d_one_column", Conv2D<4, Extent{3, 1}>{}, Conv2D<2, Extent{3, 1}>{});
    layers<Shape{3, 1, 5}>("conv2d_one_row", Conv2D<4, Extent{1, 3}>{});
    layers<shape>("conv2d_transpose", Conv2DTranspose<4, Extent{3, 2}, Extent{2, 1}>{});
    layers<shape>("conv2d_transpose_same", Conv2DTranspose<4, Extent{3, 4}, Extent{2, 3}, Padding::Same>{});
    layers<shape>("conv2d_transpose_dilated", Conv2DTranspose<4, Extent{2, 3}, 1, Padding::Same, Extent{3, 2}>{});
    layers<shape>("conv2d_transpose_long_stride", Conv2DTranspose<2, Extent{2, 1}, Extent{3, 4}>{});
    layers<Shape{6, 5, 7}>("conv2d_transpose_groups",
                           Conv2DTranspose<4, Extent{3, 2}, Extent{2, 1}, Padding::Same, 1, true, 2>{});
    layers<Shape{3}>("conv2d_transpose_one_position", Conv2DTranspose<2, Extent{2, 3}>{});
    layers<Shape{6, 11}>("conv_groups", hg::Conv1D<4, 3, 2, Padding::Same, 1, true, 2>{});
    layers<Shape{6, 5}>("conv_transpose_groups", hg::Conv1DTranspose<4, 3, 2, Padding::Same, 1, true, 2>{});
    layers<shape>("max_pooling2d", hg::MaxPooling2D<Extent{3, 2}, Extent{2, 1}>{});
    layers<shape>("max_pooling2d_same", hg::MaxPooling2D<2, 2, Padding::Same>{});
    layers<shape>("average_pooling2d", hg::AveragePooling2D<Extent{3, 2}, Extent{1, 3}>{});
    layers<shape>("average_pooling2d_same", hg::AveragePooling2D<Extent{2, 4}, Extent{2, 3}, Padding::Same>{});
    layers<shape>("global_average_pooling2d", hg::GlobalAveragePooling2D{});
    layers<Shape{3, 5}>("global_average_pooling2d_series", hg::GlobalAveragePooling2D{});
    layers<Shape{3}>("global_average_pooling2d_vector", hg::GlobalAveragePooling2D{});
    layers<shape>("pooling2d_to_one", hg::MaxPooling2D<Extent{5, 7}>{}, hg::UpSampling2D<Extent{2, 3}>{});
    layers<shape>("up_sampling2d", hg::UpSampling2D<Extent{2, 3}>{});
    layers<shape>("up_sampling2d_bilinear", hg::UpSampling2D<Extent{2, 3}, hg::Interpolation::Bilinear>{});
    layers<Shape{3, 5}>("up_sampling2d_one_column", hg::UpSampling2D<Extent{2, 1}, hg::Interpolation::Bilinear>{});
    layers<shape>("zero_padding2d", hg::ZeroPadding2D<Extent{1, 2}, Extent{3, 0}>{});
    layers<Shape{3}>("zero_padding2d_one_position", hg::ZeroPadding2D<Extent{1, 2}, Extent{3, 0}>{});
    layers<shape>("cropping2d", hg::Cropping2D<Extent{1, 2}, Extent{3, 0}>{});
    layers<shape>("cropping2d_to_one", hg::Cropping2D<Extent{1, 2}, Extent{3, 4}>{});
    layers<Shape{3, 5}>("borders", hg::ZeroPadding1D<2, 1>{}, hg::Tanh{}, hg::Cropping1D<1, 3>{});
    layers<shape>("spatial_dropout", hg::SpatialDropout{0.5});
}

void normalisations_and_activations() {
    layers<Shape{6}>("batch_normalization", hg::BatchNormalization{});
    layers<Shape{3, 5}>("batch_normalization_series", hg::BatchNormalization{0.9, 0.1});
    layers<Shape{3, 2, 5}>("batch_normalization_picture", hg::BatchNormalization{});
    layers<Shape{6}>("layer_normalization", hg::LayerNormalization{});
    layers<Shape{3, 5}>("layer_normalization_series", hg::LayerNormalization{0.1});
    layers<Shape{3, 2, 5}>("layer_normalization_picture", hg::LayerNormalization{});
    activation("relu", hg::ReLU{});
    activation("leaky_relu", hg::LeakyReLU{0.07});
    activation("elu", hg::ELU{1.3});
    activation("selu", hg::SELU{});
    activation("gelu", hg::GELU{});
    activation("gelu_approximate", hg::GELU{true});
    activation("silu", hg::SiLU{});
    activation("mish", hg::Mish{});
    activation("hard_swish", hg::HardSwish{});
    layers<Shape{6}>("prelu", hg::PReLU{0.25});
    layers<Shape{3, 2, 5}>("prelu_picture", hg::PReLU{-0.5});
    layers<Shape{6}>("group_normalization", hg::GroupNormalization<3>{});
    layers<Shape{6, 5}>("group_normalization_series", hg::GroupNormalization<2>{0.1});
    layers<Shape{4, 2, 5}>("group_normalization_picture", hg::GroupNormalization<4>{});
    activation("sigmoid", hg::Sigmoid{});
    activation("tanh", hg::Tanh{});
    activation("softplus", hg::Softplus{});
    activation("softmax", hg::Softmax{});
    layers<Shape{3, 2, 4}>("softmax_picture", hg::Softmax{});
    using Groups = hg::FeatureGroups<hg::Group<2, hg::BinaryCrossEntropy>, hg::Group<3, hg::CategoricalCrossEntropy>,
                                     hg::Group<1, hg::MeanSquaredError>>;
    layers<Shape{6}>("output_activation", hg::OutputActivation<Groups>{});
    layers<Shape{6, 4}>("output_activation_series", hg::OutputActivation<Groups>{});
    activation("zero_imputation", hg::ZeroImputation{});
}

void codes() {
    layers<Shape{6}>("gaussian_latent", hg::GaussianLatent{});
    layers<Shape{6, 4}>("gaussian_latent_series", hg::GaussianLatent{});
    layers<Shape{4, 2, 3}>("gaussian_latent_picture", hg::GaussianLatent{});
    layers<Shape{9}>("top_k", hg::TopK<3>{});
    network<float>("top_k_of_equals", hg::chain<Shape{30}>(hg::TopK<8>{}), 1, true);
    layers<Shape{3, 5}>("top_k_series", hg::TopK<4>{});
    layers<Shape{3, 5}>("batch_top_k", hg::BatchTopK<4>{});
    layers<Shape{3, 5}>("batch_top_k_threshold", hg::BatchTopK<4>{.threshold = 0.25});
    layers<Shape{9}>("jump_relu", hg::JumpReLU{.weight = 0.1});
    layers<Shape{3, 5}>("jump_relu_series", hg::JumpReLU{.weight = 0.1});
    layers<Shape{3, 2, 5}>("jump_relu_picture", hg::JumpReLU{.weight = 0.1});
}

void models() {
    using Wide = hg::Chain<Shape{20}, hg::Dense<16>, hg::BatchNormalization, hg::GELU, hg::Dropout, hg::Dense<6>>;
    const hg::Matrix<float> x = random<float>(20, 1);
    model("model_dense", hg::autoencoder<Wide, hg::Mirror<Wide, hg::Sigmoid>>(rng, hg::BinaryCrossEntropy{}), x);
    model("model_tied", hg::autoencoder<Wide, hg::Tied<Wide>>(rng, hg::MeanSquaredError{}, hg::TopK<3>{}), x);

    using Series = hg::Chain<Shape{2, 32}, hg::Conv1D<8, 5, 2, Padding::Same>, hg::ReLU,
                             hg::Conv1D<6, 3, 2, Padding::Same>, hg::BatchNormalization, hg::SiLU, hg::Dense<4>>;
    const hg::Matrix<float> series = random<float>(64, 1);
    model("model_convolutional", hg::autoencoder<Series, hg::Mirror<Series>>(rng, hg::MeanSquaredError{}), series);
    model("model_convolutional_tied", hg::autoencoder<Series, hg::Tied<Series>>(rng, hg::MeanSquaredError{}), series);

    using Picture =
        hg::Chain<Shape{1, 8, 12}, hg::Conv2D<8, hg::Extent{3, 2}, 2, Padding::Same>, hg::BatchNormalization, hg::ReLU,
                  hg::Conv2D<6, 3, 2, Padding::Same, 1, true, 2>, hg::SiLU, hg::Flatten, hg::Dense<4>>;
    const hg::Matrix<float> picture = random<float>(96, 1);
    model("model_of_pictures", hg::autoencoder<Picture, hg::Mirror<Picture>>(rng, hg::MeanSquaredError{}), picture);
    model("model_of_pictures_tied", hg::autoencoder<Picture, hg::Tied<Picture>>(rng, hg::MeanSquaredError{}), picture);

    using Encoder =
        hg::Chain<Shape{20}, hg::Condition<3>, hg::Dense<16>, hg::Residual<hg::Tanh, hg::Dense<16>>, hg::Dense<8>>;
    using Decoder = hg::Chain<Shape{4}, hg::Condition<3>, hg::Dense<16>, hg::ReLU, hg::Dense<20>, hg::Sigmoid>;
    model("model_conditional", hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{}),
          x, random<float>(3, 1));
    // Thresholds are drawn, too: of this many values of the code some are above theirs.
    using Many = hg::Chain<Shape{20}, hg::Dense<24>>;
    model("model_jump", hg::autoencoder<Many, hg::Mirror<Many>>(rng, hg::MeanSquaredError{}, hg::JumpReLU{0.1}), x);
    // Of a chain without layers comes what goes in.
    model("model_empty",
          hg::autoencoder<hg::Chain<Shape{20}>, hg::Chain<Shape{20}, hg::Dense<20>>>(rng, hg::MeanSquaredError{}), x);

    network<double>("double", hg::chain<Shape{12}>(hg::Dense<9>{}, hg::BatchNormalization{}, hg::Sigmoid{},
                                                   hg::LayerNormalization{}, hg::Dense<6>{}, hg::TopK<4>{}));
}

}  // namespace

int main() {
    dense_and_shapes();
    convolutions();
    pictures();
    normalisations_and_activations();
    codes();
    models();
}
