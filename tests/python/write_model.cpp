// Writes model.safetensors with values that tests/python/read_model.py knows.
#include <hourglass/hourglass.hpp>
#include <hourglass/io/safetensors.hpp>

namespace hg = hourglass;

int main() {
    hg::Rng rng{1};
    using Encoder =
        hg::Chain<hg::Shape{2, 6}, hg::Conv1D<3, 2, 2>, hg::BatchNormalization, hg::ReLU, hg::Flatten, hg::Dense<4>>;
    using Decoder = hg::Chain<hg::Shape{4}, hg::Dense<9>, hg::Reshape<3, 3>, hg::Conv1DTranspose<2, 2, 2>>;
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}, hg::L1{0.25});
    for (hg::Index i = 0; i < model.parameters().size(); ++i) model.parameters()[i] = static_cast<float>(i) / 8 - 3;
    for (hg::Index i = 0; i < model.state().size(); ++i) model.state()[i] = static_cast<float>(i) / 4 + 1;
    const hg::StandardScaler<float> scaler{Eigen::Vector2d(0.1, -2), Eigen::Vector2d(3, 1.0 / 3)};
    hg::save("model.safetensors", model, scaler, hg::named("threshold", 0.7), hg::named("epochs", 12));
}
