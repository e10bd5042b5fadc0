// Models with weights from PyTorch, Keras and Flax compute what they computed there; what does not fit changes nothing.
#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <hourglass/hourglass.hpp>
#include <hourglass/io/python.hpp>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
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
    return bytes_of(contents);
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
// Of pictures; PyTorch pads by one position at all sides, which here is Keras's padding for windows of 4 x 3.
template <hg::Index Rows, hg::Index Columns>
auto picture(double epsilon) {
    constexpr auto same = hg::Padding::Same;
    constexpr hg::Extent window{Rows, Columns}, stride{2, 1};
    return model_of(
        hg::chain<hg::Shape{2, 6, 8}>(hg::Conv2D<3, window, stride, same>{}, hg::BatchNormalization{0.9, epsilon},
                                      hg::ReLU{}, hg::Flatten{}, hg::Dense<5>{}),
        hg::chain<hg::Shape{5}>(hg::Dense<72>{}, hg::ReLU{}, hg::Reshape<3, 3, 8>{},
                                hg::Conv2DTranspose<2, window, stride, same>{}));
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

/// y = (x, x): a layer of which importing knows nothing.
template <bool Pointwise>
struct Unmoved {
    static constexpr std::string_view name = "Unmoved";
    static constexpr hg::Traits traits{.pointwise = Pointwise};
    static constexpr hg::Shape output(hg::Shape in) { return in; }
    static constexpr hg::Index parameters(hg::Shape) { return 0; }  // and no module
    template <hg::Shape In, class T>
    void forward(std::span<const T, 0>, hg::ConstView<T> x, hg::View<T> y) const {
        y = x;
    }
    template <hg::Shape In, class T>
    void backward(std::span<const T, 0>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T>, hg::View<T>) const {}
    template <hg::Shape In, class T>
    void gradient(std::span<const T, 0>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T>, std::span<T, 0>) const {}
};
struct Twice {
    static constexpr std::string_view name = "Twice";
    static constexpr hg::Shape output(hg::Shape in) { return {2 * in.channels, in.length}; }
    template <hg::Shape In, class T>
    void forward(std::span<const T, 0>, hg::ConstView<T> x, hg::View<T> y) const {
        y << x, x;
    }
    template <hg::Shape In, class T>
    void backward(std::span<const T, 0>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T>, hg::View<T>) const {}
};

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

TEST_CASE("models of pictures compute with weights from Python what they did there") {
    const reference::Numbers pytorch("python_weights_pytorch.txt"), keras("python_weights_keras.txt"),
        flax("python_weights_flax.txt");
    auto a = picture<4, 3>(1e-5);
    hg::load(file_of(pytorch, "picture"), hg::from_pytorch(a, {{"encoder.0", "encoder.0"},
                                                               {"encoder.1", "encoder.1"},
                                                               {"encoder.4", "encoder.4"},
                                                               {"decoder.0", "decoder.0"},
                                                               {"decoder.3", "decoder.3"}}));
    check_values(pytorch, "picture", a);
    auto b = picture<3, 2>(1e-3);
    hg::load(file_of(keras, "picture"), hg::from_keras(b, {{"encoder.0", "conv2d"},
                                                           {"encoder.1", "batch_normalization"},
                                                           {"encoder.4", "dense"},
                                                           {"decoder.0", "dense_1"},
                                                           {"decoder.3", "conv2d_transpose"}}));
    check_values(keras, "picture", b);
    auto c = picture<3, 2>(1e-5);
    const hg::io::LayerModules modules{{"encoder.0", "params.Conv_0"},
                                       {"encoder.1", "params.BatchNorm_0"},
                                       {"encoder.4", "params.Dense_0"},
                                       {"decoder.0", "params.Dense_1"},
                                       {"decoder.3", "params.ConvTranspose_0"}};
    hg::load(file_of(flax, "picture"), hg::from_flax(c, modules));
    check_values(flax, "picture", c);
    hg::load(file_of(flax, "picture_transposing"), hg::from_flax(c, modules, {.transpose_kernel = true}));
    check_values(flax, "picture_transposing", c);
    // The kernel of a picture turned by a right angle fits in number, and is refused.
    auto turned = picture<3, 4>(1e-5);
    CHECK_THAT(error_of([&] {
                   hg::load(file_of(pytorch, "picture"), hg::from_pytorch(turned, {{"encoder.0", "encoder.0"},
                                                                                   {"encoder.1", "encoder.1"},
                                                                                   {"encoder.4", "encoder.4"},
                                                                                   {"decoder.0", "decoder.0"},
                                                                                   {"decoder.3", "decoder.3"}}));
               }),
               ContainsSubstring("tensor encoder.0.weight has the shape [3, 2, 4, 3], expected [3, 2, 3, 4]"));
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

TEST_CASE("half, bfloat16 and double precision are converted, to double as well") {
    const reference::Numbers numbers("python_weights_pytorch.txt");
    auto narrow = vae(), wide = vae();
    hg::load(file_of(numbers, "vae"), hg::from_pytorch(narrow, pytorch_vae));
    hg::load(file_of<double>(numbers, "vae"), hg::from_pytorch(wide, pytorch_vae));
    CHECK(wide.parameters() == narrow.parameters());

    hg::Rng rng{1};
    auto one = hg::network<hg::Chain<hg::Shape{1}, hg::Dense<1>>, double>(rng);
    Bytes bytes = file_with(R"({"weight":{"dtype":"F16","shape":[1,1],"data_offsets":[0,2]},)"
                            R"("bias":{"dtype":"BF16","shape":[1],"data_offsets":[2,4]}})",
                            4);
    const std::uint16_t values[] = {0x3e00, 0xc020};  // 1.5 and −2.5
    std::memcpy(bytes.data() + bytes.size() - 4, values, 4);
    hg::load(bytes, hg::from_pytorch(one, {{"0", ""}}));
    CHECK(one.parameters() == Eigen::Vector2d(1.5, -2.5));
}

TEST_CASE("whatever does not fit is refused by name, and nothing is changed") {
    const reference::Numbers numbers("python_weights_pytorch.txt");
    using Tensors = std::map<std::string, reference::Tensor>;
    using Map = hg::io::LayerModules;
    const auto whole = [](Tensors&) {};
    const auto refusal = [&](auto change, const Map& modules) {
        auto model = vae();
        const Eigen::VectorXf before = model.parameters();
        double threshold = 3;
        const Bytes bytes = file_of(numbers, "vae", [&](Tensors& tensors) {
            change(tensors);
            tensors["threshold"] = {{}, {7}};
        });
        const auto with_number = [&] {
            hg::load(bytes, hg::converting(hg::named("threshold", threshold)), hg::from_pytorch(model, modules));
        };
        const std::string message = error_of(with_number);
        CHECK(model.parameters() == before);
        CHECK(threshold == 3);
        CHECK_THAT(message, StartsWith("load: memory: "));
        return message;
    };
    const auto with = [&](std::size_t i, std::pair<std::string, hg::io::Modules> entry) {
        Map modules = pytorch_vae;
        if (i < modules.size())
            modules[i] = std::move(entry);
        else
            modules.push_back(std::move(entry));
        return modules;
    };
    CHECK_THAT(refusal(whole, with(0, {"encoder.9", "hidden.0"})),
               ContainsSubstring("there is no layer encoder.9; with weights there are encoder.0, encoder.2, decoder.0, "
                                 "decoder.2"));
    CHECK_THAT(refusal(whole, with(4, {"encoder.1", "hidden.1"})),
               ContainsSubstring("layer encoder.1 (ReLU) has no weights to be loaded"));
    CHECK_THAT(refusal(whole, with(4, {"encoder.0", "other"})),
               ContainsSubstring("layer encoder.0 (Dense) is named twice"));
    CHECK_THAT(refusal(whole, with(0, {"encoder.0", std::vector<std::string>{}})),
               ContainsSubstring("no module is named for layer encoder.0 (Dense)"));
    CHECK_THAT(refusal(whole, Map(pytorch_vae.begin() + 1, pytorch_vae.end())),
               ContainsSubstring("no module is named for layer encoder.0 (Dense), which has weights"));
    CHECK_THAT(refusal(whole, with(0, {"encoder.0", "hidden.7"})),
               ContainsSubstring("there is no tensor hidden.7.weight; there are decoder.0.weight, "));
    CHECK_THAT(refusal(whole, with(0, {"encoder.0", "decoder.2"})),
               ContainsSubstring("tensor decoder.2.weight has the shape [8, 5], expected [5, 8] for layer encoder.0 "
                                 "(Dense)"));
    CHECK_THAT(refusal(whole, with(3, {"decoder.2", "decoder.0"})),
               ContainsSubstring("tensor decoder.0.weight is asked for twice: a module has its weights for one layer, "
                                 "and is named once"));
    CHECK_THAT(refusal(whole, with(1, {"encoder.2", {"mean", "mean"}})),
               ContainsSubstring("tensor mean.weight is asked for twice: a module has its weights for one layer"));
    CHECK_THAT(refusal(whole, with(1, {"encoder.2", "mean"})),
               ContainsSubstring("tensor mean.weight has the shape [3, 5], expected [6, 5] for layer encoder.2"));
    CHECK_THAT(refusal(whole, with(1, {"encoder.2", {"mean", "decoder.0"}})),
               ContainsSubstring("tensor decoder.0.weight has the shape [5, 3], expected [5, 5]"));
    CHECK_THAT(refusal(
                   [](Tensors& t) {
                       t["mean.weight"] = {{2, 5}, std::vector<double>(10)};
                   },
                   pytorch_vae),
               ContainsSubstring("tensors mean.weight and log_variance.weight have 5 outputs together, expected 6 for "
                                 "layer encoder.2 (Dense)"));
    CHECK_THAT(refusal([](Tensors& t) { t["decoder.2.bias"].values[3] = std::numeric_limits<double>::infinity(); },
                       pytorch_vae),
               ContainsSubstring("tensor decoder.2.bias: value 3 of 8 is inf"));
    CHECK_THAT(refusal(
                   [](Tensors& t) {
                       t["epoch"] = {{1}, {3}};
                   },
                   pytorch_vae),
               ContainsSubstring("tensor epoch belongs to nothing that is to be loaded"));

    auto model = vae();
    const Bytes more = file_of(numbers, "vae", [](Tensors& t) { t["epoch"] = {{1}, {3}}; });
    hg::load(more, hg::from_pytorch(model, pytorch_vae), hg::IgnoreOthers{});
    check_values(numbers, "vae", model);

    auto batches = normalised(1e-5);
    CHECK_THAT(error_of([&] {
                   hg::load(file_of(numbers, "normalised"),
                            hg::from_pytorch(batches, {{"encoder.0", "encoder.0"},
                                                       {"encoder.1", {"encoder.1", "encoder.4"}},
                                                       {"encoder.4", "encoder.4"},
                                                       {"encoder.5", "encoder.5"},
                                                       {"decoder.0", "decoder.0"},
                                                       {"decoder.1", "decoder.1"},
                                                       {"decoder.4", "decoder.4"}}));
               }),
               ContainsSubstring("layer encoder.1 (BatchNormalization) has 2 modules; only the outputs of dense"));
}

TEST_CASE("a running variance below zero is refused, whatever it is called") {
    using Chain = hg::Chain<hg::Shape{2}, hg::BatchNormalization>;
    hg::Rng rng{1};
    auto network = hg::network<Chain>(rng);
    const Eigen::Vector2f scale(1, 2), shift(3, 4), mean(-1, -2), variance(5, -0.5);
    const auto refused = [&](const std::vector<std::string>& names, auto from) {
        hg::io::Contents contents;
        const Eigen::Vector2f* const values[] = {&scale, &shift, &mean, &variance};
        for (std::size_t i = 0; i < 4; ++i) contents.add(names[i], {2}, values[i]->data(), hg::io::Use::Record);
        const Bytes bytes = bytes_of(contents);
        CHECK(error_of([&] { hg::load(bytes, from); }) ==
              "load: memory: tensor " + names[3] + ": value 1 of 2 is -0.5, expected at least 0");
        CHECK(network.state() == Eigen::Vector4f(0, 0, 1, 1));
        CHECK(network.parameters() == Eigen::Vector4f(1, 1, 0, 0));
    };
    refused({"b.weight", "b.bias", "b.running_mean", "b.running_var"}, hg::from_pytorch(network, {{"0", "b"}}));
    refused({"b/gamma", "b/beta", "b/moving_mean", "b/moving_variance"}, hg::from_keras(network, {{"0", "b"}}));
    refused({"params.b.scale", "params.b.bias", "batch_stats.b.mean", "batch_stats.b.var"},
            hg::from_flax(network, {{"0", "params.b"}}));
}

TEST_CASE("the order of a flattened series goes through branches and conditions") {
    // In the file's order f a series of 2 channels and 3 positions is flattened to channel·3 + position.
    const auto place = [](Eigen::Index i) { return i % 2 * 3 + i / 2; };
    const Eigen::MatrixXf w = Eigen::MatrixXf::Random(6, 6), v = Eigen::MatrixXf::Random(6, 8);
    const Eigen::VectorXf b = Eigen::VectorXf::Random(6), c = Eigen::VectorXf::Random(6);
    const Eigen::VectorXf x = Eigen::VectorXf::Random(6), given = Eigen::VectorXf::Random(2);
    const auto theirs = [&](const Eigen::VectorXf& ours) {
        Eigen::VectorXf y(6);
        for (Eigen::Index i = 0; i < 6; ++i) y[place(i)] = ours[i];
        return y;
    };
    using Row = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Row w_file = w, v_file = v;
    hg::io::Contents contents;
    contents.add("f.weight", {6, 6}, w_file.data(), hg::io::Use::Record);
    contents.add("f.bias", {6}, b.data(), hg::io::Use::Record);
    contents.add("g.weight", {6, 8}, v_file.data(), hg::io::Use::Record);
    contents.add("g.bias", {6}, c.data(), hg::io::Use::Record);
    const Bytes bytes = bytes_of(contents);

    hg::Rng rng{1};
    auto net = hg::network<hg::Chain<hg::Shape{2, 3}, hg::Flatten, hg::Residual<hg::Dense<6>, hg::Tanh>,
                                     hg::Condition<2>, hg::Dense<6>, hg::Reshape<2, 3>>>(rng);
    hg::load(bytes, hg::from_pytorch(net, {{"1.0", "f"}, {"3", "g"}}));
    const Eigen::VectorXf flat = theirs(x);
    Eigen::VectorXf joined(8);
    joined << Eigen::VectorXf(flat + (w * flat + b).array().tanh().matrix()), given;
    const Eigen::VectorXf expected = v * joined + c;
    CHECK((theirs(net.evaluate(hg::given(x, given)).col(0)) - expected).norm() < 1e-5);

    // An order that is known from behind alone: what comes out as a vector is in the file's order.
    auto open = hg::network<hg::Chain<hg::Shape{2, 3}, hg::Flatten, hg::Dense<6>, hg::Condition<2>>>(rng);
    const std::string module = "f";
    hg::load(bytes, hg::from_pytorch(open, {{"1", module}}), hg::IgnoreOthers{});
    Eigen::VectorXf appended(8);
    appended << w * flat + b, given;
    CHECK((open.evaluate(hg::given(x, given)) - appended).norm() < 1e-5);
    // Shapes that leave the order as it is, and a layer of which nothing is known between two that have any order.
    using Same = hg::Chain<hg::Shape{2, 3}, hg::Reshape<2, 1, 3>, hg::Flatten, hg::Flatten, hg::Dense<6>>;
    auto same = hg::network<Same>(rng);
    hg::load(bytes, hg::from_pytorch(same, {{"3", "f"}}), hg::IgnoreOthers{});
    CHECK((same.evaluate(x) - (w * flat + b)).norm() < 1e-5);
    auto doubled = hg::network<hg::Chain<hg::Shape{2, 3}, hg::Flatten, hg::Dense<6>, Twice>>(rng);
    hg::load(bytes, hg::from_pytorch(doubled, {{"1", "f"}}), hg::IgnoreOthers{});
    Eigen::VectorXf both(12);
    both << w * flat + b, w * flat + b;
    CHECK((doubled.evaluate(x) - both).norm() < 1e-5);

    // What no order of the weights mends.
    const auto refused = [&]<class Chain>(std::type_identity<Chain>, const hg::io::LayerModules& modules) {
        auto other = hg::network<Chain>(rng);
        const Eigen::VectorXf before = other.parameters();
        const std::string message =
            error_of([&] { hg::load(bytes, hg::from_pytorch(other, modules), hg::IgnoreOthers{}); });
        CHECK(other.parameters() == before);
        return message;
    };
    using Ends = hg::Chain<hg::Shape{6}, hg::Dense<6>, hg::Reshape<2, 3>, hg::Flatten>;
    using Between = hg::Chain<hg::Shape{2, 3}, hg::Flatten, hg::Reshape<3, 2>, hg::Flatten, hg::Dense<6>>;
    using Begins = hg::Chain<hg::Shape{6}, hg::Reshape<2, 3>, hg::Flatten, hg::Dense<6>>;
    CHECK_THAT(refused(std::type_identity<Ends>{}, {{"0", "f"}}),
               ContainsSubstring("layer 2 (Flatten): a series or picture is"));
    CHECK_THAT(refused(std::type_identity<Between>{}, {{"3", "f"}}),
               ContainsSubstring("layer 1 (Reshape): a series or"));
    CHECK_THAT(refused(std::type_identity<Begins>{}, {{"2", "f"}}),
               ContainsSubstring("layer 0 (Reshape): a series or picture is"));
    using Turned = hg::Chain<hg::Shape{2, 3}, hg::Reshape<3, 2>, hg::Flatten, hg::Dense<6>>;
    using Unknown = hg::Chain<hg::Shape{2, 3}, hg::Flatten, Twice, hg::Dense<6>>;
    CHECK_THAT(refused(std::type_identity<Turned>{}, {{"2", "f"}}),
               ContainsSubstring("layer 0 (Reshape): a series or picture is"));
    CHECK_THAT(refused(std::type_identity<Unknown>{}, {{"2", "f"}}),
               ContainsSubstring("layer 1 (Twice): a series or picture is"));
    // Layers without weights between a vector and a series, and groups, out of which no value can go.
    using Pooled = hg::Chain<hg::Shape{6, 4}, hg::AveragePooling1D<4>, hg::Reshape<2, 3>, hg::Flatten, hg::Dense<6>>;
    using Mean =
        hg::Chain<hg::Shape{6, 2, 2}, hg::GlobalAveragePooling2D, hg::Reshape<2, 3>, hg::Flatten, hg::Dense<6>>;
    using Repeated = hg::Chain<hg::Shape{2, 3}, hg::Flatten, hg::UpSampling1D<2>, hg::MaxPooling1D<2>, hg::Dense<6>>;
    using Padded = hg::Chain<hg::Shape{2, 3}, hg::Flatten, hg::ZeroPadding1D<0, 1>, hg::Cropping1D<0, 1>, hg::Dense<6>>;
    using Groups = hg::Chain<hg::Shape{2, 3}, hg::Flatten, hg::Conv1D<2, 1, 1, hg::Padding::Valid, 1, true, 2>>;
    CHECK_THAT(refused(std::type_identity<Pooled>{}, {{"3", "f"}}),
               ContainsSubstring("layer 1 (Reshape): a series or picture is"));
    CHECK_THAT(refused(std::type_identity<Mean>{}, {{"3", "f"}}),
               ContainsSubstring("layer 1 (Reshape): a series or picture is"));
    CHECK_THAT(refused(std::type_identity<Repeated>{}, {{"3", "f"}}),
               ContainsSubstring("layer 1 (UpSampling1D): a series or picture is"));
    CHECK_THAT(refused(std::type_identity<Padded>{}, {{"3", "f"}}),
               ContainsSubstring("layer 1 (ZeroPadding1D): a series or picture is"));
    CHECK_THAT(refused(std::type_identity<Groups>{}, {{"1", "f"}}),
               ContainsSubstring("layer 1 (Conv1D): a series or picture is"));
    // A layer of the program's own may treat values differently, unless it says that it does not.
    using Own = hg::Chain<hg::Shape{2, 3}, hg::Flatten, Unmoved<false>, hg::Dense<6>>;
    CHECK_THAT(refused(std::type_identity<Own>{}, {{"2", "f"}}),
               ContainsSubstring("layer 1 (Unmoved): a series or picture is"));
    auto pointwise = hg::network<hg::Chain<hg::Shape{2, 3}, hg::Flatten, Unmoved<true>, hg::Dense<6>>>(rng);
    hg::load(bytes, hg::from_pytorch(pointwise, {{"2", "f"}}), hg::IgnoreOthers{});
    CHECK((pointwise.evaluate(x) - (w * flat + b)).norm() < 1e-5);
    // A mean and a log-variance that nothing with weights comes before: in order, or not.
    const auto halved = [&]<class Encoder>(std::type_identity<Encoder>) {
        using Decoder = hg::Chain<hg::Shape{3}, hg::Dense<6>, hg::Reshape<Encoder::input>>;
        auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::GaussianLikelihood{}, hg::GaussianLatent{});
        hg::io::Contents narrow;
        const Row kernel = w.leftCols(3);
        narrow.add("f.weight", {6, 3}, kernel.data(), hg::io::Use::Record);
        narrow.add("f.bias", {6}, b.data(), hg::io::Use::Record);
        const Bytes file = bytes_of(narrow);
        return error_of([&] { hg::load(file, hg::from_pytorch(model, {{"decoder.0", "f"}})); });
    };
    CHECK(halved(std::type_identity<hg::Chain<hg::Shape{6}>>{}) == "nothing was thrown");
    CHECK_THAT(halved(std::type_identity<hg::Chain<hg::Shape{3, 2}, hg::Flatten>>{}),
               ContainsSubstring("layer code (GaussianLatent): a series or picture is"));
}

TEST_CASE("a grouped convolution comes whole, from one module") {
    // Two groups, each of two filters that see two of four channels; PyTorch's weights are filters × channels × taps.
    using Chain = hg::Chain<hg::Shape{4, 2}, hg::Conv1D<4, 1, 1, hg::Padding::Valid, 1, true, 2>>;
    hg::Rng rng{1};
    auto network = hg::network<Chain>(rng);
    const std::vector<float> kernel{1, 2, 3, 4, 5, 6, 7, 8}, bias{0, 0, 0, 0};
    const auto file = [&](std::size_t modules) {
        hg::io::Contents contents;
        const auto filters = static_cast<hg::Index>(4 / modules);
        for (std::size_t i = 0; i < modules; ++i) {
            const std::string name = std::string{"c"} + "ab"[i];
            contents.add(name + ".weight", {filters, 2, 1}, kernel.data() + 8 / modules * i, hg::io::Use::Record);
            contents.add(name + ".bias", {filters}, bias.data(), hg::io::Use::Record);
        }
        return bytes_of(contents);
    };
    hg::load(file(1), hg::from_pytorch(network, {{"0", "ca"}}));
    Eigen::VectorXf x(8), y(8);
    x << 1, 10, 100, 1000, 2, 20, 200, 2000;
    y << 21, 43, 6500, 8700, 42, 86, 13000, 17400;
    CHECK((network.evaluate(x) - y).norm() == 0);
    const Eigen::VectorXf before = network.parameters();
    CHECK(error_of([&] {
              hg::load(file(2), hg::from_pytorch(network, {{"0", {"ca", "cb"}}}));
          }) ==
          "load: memory: layer 0 (Conv1D) has 2 modules; only the outputs of dense layers and of convolutions without "
          "groups are joined");
    CHECK(network.parameters() == before);
}

TEST_CASE("learned slopes and group normalisations come under each framework's names") {
    using Chain = hg::Chain<hg::Shape{4}, hg::PReLU, hg::GroupNormalization<2>>;
    hg::Rng rng{1};
    const std::vector<float> slopes{1, 2, 3, 4}, scales{5, 6, 7, 8}, shifts{9, 10, 11, 12};
    Eigen::VectorXf all(12);
    all << 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12;
    const auto file = [&](const std::string& alpha, const std::string& gamma, const std::string& beta,
                          const hg::io::TensorShape& slopes_shape = {4}) {
        hg::io::Contents contents;
        contents.add(alpha, slopes_shape, slopes.data(), hg::io::Use::Record);
        contents.add(gamma, {4}, scales.data(), hg::io::Use::Record);
        contents.add(beta, {4}, shifts.data(), hg::io::Use::Record);
        return bytes_of(contents);
    };
    const hg::io::LayerModules modules{{"0", "act"}, {"1", "norm"}};
    auto network = hg::network<Chain>(rng);
    hg::load(file("act.weight", "norm.weight", "norm.bias"), hg::from_pytorch(network, modules));
    CHECK(network.parameters() == all);
    network = hg::network<Chain>(rng);
    hg::load(file("act/alpha", "norm/gamma", "norm/beta"), hg::from_keras(network, modules));
    CHECK(network.parameters() == all);
    network = hg::network<Chain>(rng);
    hg::load(file("act.negative_slope", "norm.scale", "norm.bias"), hg::from_flax(network, modules));
    CHECK(network.parameters() == all);
    // Keras's slopes that are shared over positions; one for all channels, in PyTorch by default and always in Flax.
    network = hg::network<Chain>(rng);
    hg::load(file("act/alpha", "norm/gamma", "norm/beta", {1, 1, 4}), hg::from_keras(network, modules));
    CHECK(network.parameters() == all);
    all.head(4).setConstant(1);
    hg::load(file("act.weight", "norm.weight", "norm.bias", {1}), hg::from_pytorch(network, modules));
    CHECK(network.parameters() == all);
    network = hg::network<Chain>(rng);
    hg::load(file("act.negative_slope", "norm.scale", "norm.bias", {}), hg::from_flax(network, modules));
    CHECK(network.parameters() == all);
    CHECK_THAT(error_of([&] {
                   hg::load(file("act/alpha", "norm/gamma", "norm/beta", {4, 1}), hg::from_keras(network, modules));
               }),
               ContainsSubstring("tensor act/alpha has the shape"));
}

TEST_CASE("the usual separator comes before the other one") {
    hg::Rng rng{1};
    auto network = hg::network<hg::Chain<hg::Shape{1}, hg::Dense<1>>>(rng);
    const float one = 1, two = 2, none = 0;
    const auto loaded = [&](const std::vector<std::pair<std::string, const float*>>& tensors) {
        hg::io::Contents contents;
        for (const auto& [name, value] : tensors)
            contents.add(name, name.ends_with("bias") ? hg::io::TensorShape{1} : hg::io::TensorShape{1, 1}, value,
                         hg::io::Use::Record);
        hg::load(bytes_of(contents), hg::from_pytorch(network, {{"0", "c"}}), hg::IgnoreOthers{});
        return network.parameters()[0];
    };
    CHECK(loaded({{"c.weight", &one}, {"c/weight", &two}, {"c.bias", &none}}) == 1);
    CHECK(loaded({{"c/weight", &two}, {"c/bias", &none}}) == 2);
}

TEST_CASE("an array whose order in other frameworks is not known is not read") {
    hg::Rng rng{1};
    auto network = hg::network(hg::chain<hg::Shape{2, 3}>(hg::JumpReLU{0.1}), rng);
    const Eigen::VectorXf before = network.parameters();
    const Bytes bytes = file_with(R"({"t.log_threshold":{"dtype":"F32","shape":[3,2],"data_offsets":[0,24]}})", 24);
    CHECK(error_of([&] {
              hg::load(bytes, hg::from_pytorch(network, {{"0", "t"}}));
          }) ==
          "load: memory: the array log_threshold of layer 0 (JumpReLU) has several extents, and how another framework "
          "arranges them is not known");
    CHECK(network.parameters() == before);
}
