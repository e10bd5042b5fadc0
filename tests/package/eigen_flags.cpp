// Trains a small net of several kinds of layers for a few steps and prints every bit of what comes of it. What a user
// tells Eigen must not show in it.
#include <bit>
#include <cstdint>
#include <cstdio>

#include "hourglass/hourglass.hpp"

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{2, 6}, hg::Conv1D<3, 3, 1>, hg::Tanh, hg::Flatten, hg::Dense<4>>;
using Decoder =
    hg::Chain<hg::Shape{2}, hg::Dense<9>, hg::ReLU, hg::Dense<12>, hg::Sigmoid, hg::Reshape<hg::Shape{2, 6}>>;

// Column by column, whatever the order in memory.
void print(const char* name, const Eigen::MatrixXf& values) {
    std::printf("%s", name);
    for (hg::Index j = 0; j < values.cols(); ++j)
        for (hg::Index i = 0; i < values.rows(); ++i) std::printf(" %08x", std::bit_cast<std::uint32_t>(values(i, j)));
    std::printf("\n");
}

int main() {
    hg::Rng rng{42};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
    Eigen::MatrixXf x(12, 20);
    for (hg::Index j = 0; j < x.cols(); ++j)
        for (hg::Index i = 0; i < x.rows(); ++i) x(i, j) = static_cast<float>(rng.uniform());
    hg::Adam adam;
    auto tape = model.tape();
    for (const auto& batch : hg::minibatches(x, 8, rng)) {
        model.gradient(batch, tape, rng);
        adam.step(model.parameters(), tape.gradient());
    }
    print("parameters", model.parameters());
    print("code", model.encode(x));
    print("rebuilt", model.reconstruct(x));
    print("error", model.reconstruction_error(x));
}
