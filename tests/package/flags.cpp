// Trains a small net of several kinds of layers for a few steps, takes it through a file in memory, and prints every
// bit of what comes of it. What a user tells the compiler, the standard library and Eigen must not show in it.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string_view>
#include <vector>

#include "hourglass/hourglass.hpp"
#include "hourglass/io/safetensors.hpp"

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
    std::vector<std::byte> file;
    hg::save(file, model, adam);
    auto loaded = hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
    hg::load(std::span<const std::byte>{file}, loaded, adam);
    const std::string_view words{reinterpret_cast<const char*>(file.data()), file.size()};
    if (words.find("\"version\":\"" HOURGLASS_VERSION "\"") == words.npos) return 1;
    std::uint32_t sum = 1;
    for (const std::byte byte : file) sum = sum * 31 + static_cast<std::uint32_t>(byte);
    std::printf("loss %.4g\nfile of %zu bytes, %08x\n", static_cast<double>(loaded.loss(x, tape)), file.size(), sum);
    print("parameters", loaded.parameters());
    print("code", loaded.encode(x));
    print("rebuilt", loaded.reconstruct(x));
    const Eigen::MatrixXf codes = loaded.encode(x);
    const hg::MahalanobisDistance mahalanobis = hg::MahalanobisDistance{}.fit(codes);
    const Eigen::VectorXf far = mahalanobis.distance(codes), near = hg::NearestNeighbors{3}.fit(codes).mean_distance();
    hg::CombinedScore combined;
    combined.fit(far, near);
    print("distances", far);
    print("score", hg::CombinedScore{combined.scores()}.score(far, near).cast<float>());
    print("error", loaded.reconstruction_error(x));
}
