// Models with weights from PyTorch, Keras and Flax compute what they computed there; what does not fit changes nothing.
#include <Eigen/Core>
#include <cmath>
#include <hourglass/hourglass.hpp>
#include <hourglass/io/python.hpp>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/reference.hpp"
#include "support/safetensors_bytes.hpp"

namespace hg = hourglass;

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

/// The file that holds the weights of one net of python_weights.py, in single precision, `change`d where a test wants
/// another.
template <class T = float, class Change>
Bytes file_of(const reference::Numbers& numbers, const std::string& net, Change change) {
    std::map<std::string, reference::Tensor> tensors;
    for (const auto& [name, tensor] : numbers.tensors())
        if (name.starts_with(net + ":")) tensors[name.substr(net.size() + 1)] = tensor;
    change(tensors);
    std::map<std::string, Eigen::VectorX<T>> values;
    hg::io::Contents contents;
    contents.describe("format", "pt");  // as safetensors.torch writes it
    for (const auto& [name, tensor] : tensors)
        if (name.ends_with("num_batches_tracked"))
            contents.add_number(name, static_cast<std::int64_t>(tensor.number()), hg::io::Use::Record);
        else
            contents.add(name, {tensor.shape.begin(), tensor.shape.end()},
                         (values[name] = tensor.template vector<T>()).data(), hg::io::Use::Record);
    Bytes bytes;
    contents.write([&](std::span<const std::byte> block) { bytes.insert(bytes.end(), block.begin(), block.end()); });
    return bytes;
}
template <class T = float>
Bytes file_of(const reference::Numbers& numbers, const std::string& net) {
    return file_of<T>(numbers, net, [](auto&) {});
}

/// Output, and code where the file has it, agree to 1e-5.
template <class Model>
void check_values(const reference::Numbers& numbers, const std::string& net, const Model& model) {
    using T = typename Model::Scalar;
    const auto x = numbers[net + "/x"].template matrix<T>();
    const double off = (model.reconstruct(x) - numbers[net + "/y"].template matrix<T>()).cwiseAbs().maxCoeff();
    INFO(net << ": largest deviation " << off);
    CHECK(off < 1e-5);
    if (numbers.contains(net + "/code"))
        CHECK((model.encode(x) - numbers[net + "/code"].template matrix<T>()).norm() < 1e-5);
}

template <class T = float, class E, class D>
auto model_of(const E& encoder, const D& decoder) {
    hg::Rng rng{1};
    return hg::autoencoder<T>(encoder, decoder, rng, hg::MeanSquaredError{});
}
auto dense(double epsilon) {
    return model_of(
        hg::chain<hg::Shape{8}>(hg::Dense<5>{}, hg::LayerNormalization{epsilon}, hg::ReLU{}, hg::Dense<3>{}),
        hg::chain<hg::Shape{3}>(hg::Dense<5>{}, hg::ReLU{}, hg::Dense<8>{}, hg::Sigmoid{}));
}
// PyTorch pads by one position at both ends, which at a stride of 2 is Keras's padding for windows of 4.
template <hg::Index Window>
auto conv() {
    constexpr auto same = hg::Padding::Same;
    return model_of(
        hg::chain<hg::Shape{2, 16}>(hg::Conv1D<3, Window, 2, same>{}, hg::ReLU{}, hg::Flatten{}, hg::Dense<5>{}),
        hg::chain<hg::Shape{5}>(hg::Dense<24>{}, hg::ReLU{}, hg::Reshape<3, 8>{},
                                hg::Conv1DTranspose<2, Window, 2, same>{}));
}
auto normalised(double epsilon) {
    const hg::BatchNormalization normal{0.9, epsilon};
    return model_of(
        hg::chain<hg::Shape{2, 8}>(hg::Conv1D<3, 3>{}, normal, hg::ReLU{}, hg::Flatten{}, normal, hg::Dense<4>{}),
        hg::chain<hg::Shape{4}>(hg::Dense<18>{}, normal, hg::ReLU{}, hg::Reshape<3, 6>{}, hg::Conv1DTranspose<2, 3>{}));
}
auto vae() {
    using Encoder = hg::Chain<hg::Shape{8}, hg::Dense<5>, hg::ReLU, hg::Dense<6>>;
    using Decoder = hg::Chain<hg::Shape{3}, hg::Dense<5>, hg::ReLU, hg::Dense<8>, hg::Sigmoid>;
    hg::Rng rng{1};
    return hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
}
const hg::io::LayerModules pytorch_vae{{"encoder.0", "hidden.0"},
                                       {"encoder.2", {"mean", "log_variance"}},
                                       {"decoder.0", "decoder.0"},
                                       {"decoder.2", "decoder.2"}};

}  // namespace

TEST_CASE("models compute with PyTorch's weights what they did there") {
    const reference::Numbers numbers("python_weights_pytorch.txt");
    auto a = dense(1e-5);
    hg::load(file_of(numbers, "dense"), hg::from_pytorch(a, {{"encoder.0", "encoder.0"},
                                                             {"encoder.1", "encoder.1"},
                                                             {"encoder.3", "encoder.3"},
                                                             {"decoder.0", "decoder.0"},
                                                             {"decoder.2", "decoder.2"}}));
    check_values(numbers, "dense", a);
    auto b = conv<4>();
    hg::load(file_of(numbers, "conv"), hg::from_pytorch(b, {{"encoder.0", "encoder.0"},
                                                            {"encoder.3", "encoder.3"},
                                                            {"decoder.0", "decoder.0"},
                                                            {"decoder.3", "decoder.3"}}));
    check_values(numbers, "conv", b);
    auto c = normalised(1e-5);
    hg::load(file_of(numbers, "normalised"), hg::from_pytorch(c, {{"encoder.0", "encoder.0"},
                                                                  {"encoder.1", "encoder.1"},
                                                                  {"encoder.4", "encoder.4"},
                                                                  {"encoder.5", "encoder.5"},
                                                                  {"decoder.0", "decoder.0"},
                                                                  {"decoder.1", "decoder.1"},
                                                                  {"decoder.4", "decoder.4"}}));
    check_values(numbers, "normalised", c);
    auto d = vae();
    hg::load(file_of(numbers, "vae"), hg::from_pytorch(d, pytorch_vae));
    check_values(numbers, "vae", d);
}

TEST_CASE("a code that is drawn and then a series has its two heads in PyTorch's order") {
    const reference::Numbers numbers("python_weights_pytorch.txt");
    using Encoder =
        hg::Chain<hg::Shape{2, 8}, hg::Conv1D<3, 4, 2, hg::Padding::Same>, hg::ReLU, hg::Flatten, hg::Dense<24>>;
    using Decoder = hg::Chain<hg::Shape{12}, hg::Reshape<3, 4>, hg::Conv1DTranspose<2, 4, 2, hg::Padding::Same>>;
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::GaussianLikelihood{}, hg::GaussianLatent{});
    hg::load(file_of(numbers, "vae_series"), hg::from_pytorch(model, {{"encoder.0", "hidden.0"},
                                                                      {"encoder.3", {"mean", "log_variance"}},
                                                                      {"decoder.1", "decoder.1"}}));
    check_values(numbers, "vae_series", model);
}

TEST_CASE("models compute with Keras's weights what they did there") {
    const reference::Numbers numbers("python_weights_keras.txt");
    auto a = dense(1e-3);
    hg::load(file_of(numbers, "dense"), hg::from_keras(a, {{"encoder.0", "dense_1"},
                                                           {"encoder.1", "layer_normalization"},
                                                           {"encoder.3", "dense"},
                                                           {"decoder.0", "dense_3"},
                                                           {"decoder.2", "dense_2"}}));
    check_values(numbers, "dense", a);
    auto b = conv<3>();
    hg::load(file_of(numbers, "conv"), hg::from_keras(b, {{"encoder.0", "conv1d"},
                                                          {"encoder.3", "dense"},
                                                          {"decoder.0", "dense_1"},
                                                          {"decoder.3", "conv1d_transpose"}}));
    check_values(numbers, "conv", b);
    auto c = normalised(1e-3);
    hg::load(file_of(numbers, "normalised"), hg::from_keras(c, {{"encoder.0", "conv1d"},
                                                                {"encoder.1", "batch_normalization"},
                                                                {"encoder.4", "batch_normalization_1"},
                                                                {"encoder.5", "dense"},
                                                                {"decoder.0", "dense_1"},
                                                                {"decoder.1", "batch_normalization_2"},
                                                                {"decoder.4", "conv1d_transpose"}}));
    check_values(numbers, "normalised", c);
    auto d = vae();
    hg::load(file_of(numbers, "vae"), hg::from_keras(d, {{"encoder.0", "dense"},
                                                         {"encoder.2", {"z_mean", "z_log_var"}},
                                                         {"decoder.0", "dense_1"},
                                                         {"decoder.2", "dense_2"}}));
    check_values(numbers, "vae", d);
}

TEST_CASE("models compute with Flax's weights what they did there") {
    const reference::Numbers numbers("python_weights_flax.txt");
    auto a = dense(1e-6);
    hg::load(file_of(numbers, "dense"), hg::from_flax(a, {{"encoder.0", "params.Dense_1"},
                                                          {"encoder.1", "params.LayerNorm_0"},
                                                          {"encoder.3", "params.Dense_0"},
                                                          {"decoder.0", "params.Dense_3"},
                                                          {"decoder.2", "params.Dense_2"}}));
    check_values(numbers, "dense", a);
    auto b = conv<3>();
    const hg::io::LayerModules conv_modules{{"encoder.0", "params.Conv_0"},
                                            {"encoder.3", "params.Dense_0"},
                                            {"decoder.0", "params.Dense_1"},
                                            {"decoder.3", "params.ConvTranspose_0"}};
    hg::load(file_of(numbers, "conv"), hg::from_flax(b, conv_modules));
    check_values(numbers, "conv", b);
    hg::load(file_of(numbers, "conv_transposing"), hg::from_flax(b, conv_modules, {.transpose_kernel = true}));
    check_values(numbers, "conv_transposing", b);
    auto c = normalised(1e-5);
    hg::io::LayerModules modules{{"encoder.0", "params.Conv_0"},         {"encoder.1", "params.BatchNorm_0"},
                                 {"encoder.4", "params.BatchNorm_1"},    {"encoder.5", "params.Dense_0"},
                                 {"decoder.0", "params.Dense_1"},        {"decoder.1", "params.BatchNorm_2"},
                                 {"decoder.4", "params.ConvTranspose_0"}};
    hg::load(file_of(numbers, "normalised"), hg::from_flax(c, modules));
    check_values(numbers, "normalised", c);
    auto d = vae();
    hg::load(file_of(numbers, "vae"), hg::from_flax(d, {{"encoder.0", "params.Dense_0"},
                                                        {"encoder.2", {"params.mean", "params.log_variance"}},
                                                        {"decoder.0", "params.Dense_2"},
                                                        {"decoder.2", "params.Dense_1"}}));
    check_values(numbers, "vae", d);

    // Flattened with another separator, and as NNX has it: all arrays of a module side by side.
    auto e = normalised(1e-5), f = normalised(1e-5);
    const auto renamed = [](bool nnx) {
        return [nnx](std::map<std::string, reference::Tensor>& tensors) {
            std::map<std::string, reference::Tensor> by_name;
            for (auto& [name, tensor] : tensors) {
                std::string other = nnx ? name.substr(name.find('.') + 1) : name;
                if (!nnx) std::replace(other.begin(), other.end(), '.', '/');
                by_name[other] = tensor;
            }
            tensors.swap(by_name);
        };
    };
    for (auto& [layer, module] : modules) std::replace(module.names[0].begin(), module.names[0].end(), '.', '/');
    hg::load(file_of(numbers, "normalised", renamed(false)), hg::from_flax(e, modules));
    for (auto& [layer, module] : modules) module.names[0] = module.names[0].substr(7);
    hg::load(file_of(numbers, "normalised", renamed(true)), hg::from_flax(f, modules));
    CHECK(e.parameters() == c.parameters());
    CHECK(e.state() == c.state());
    CHECK(f.parameters() == c.parameters());
    CHECK(f.state() == c.state());
}
