// Hyperparameters that are not finite are refused wherever they are given; this file is also compiled with -ffast-math,
// where a comparison with NaN may say anything.
#include <bit>
#include <cstdint>
#include <hourglass/hourglass.hpp>

#include "support/catch.hpp"

namespace hg = hourglass;

namespace {

// A NaN and both infinities, which the compiler does not see.
volatile std::uint64_t patterns[] = {0x7ff8000000000000u, 0x7ff0000000000000u, 0xfff0000000000000u};

// That `make` refuses each, and takes `good`.
template <class Make>
void check(const char* what, double good, const Make& make) {
    CAPTURE(what);
    for (const volatile std::uint64_t& pattern : patterns) {
        const std::uint64_t bits = pattern;
        CAPTURE(bits);
        CHECK_THROWS_AS(make(std::bit_cast<double>(bits)), hg::Error);
    }
    CHECK_NOTHROW(make(good));
}

}  // namespace

TEST_CASE("layers refuse hyperparameters that are not finite") {
    check("Dropout", .5, [](double v) { return hg::Dropout{v}; });
    check("SpatialDropout", .5, [](double v) { return hg::SpatialDropout{v}; });
    check("LeakyReLU", .1, [](double v) { return hg::LeakyReLU{v}; });
    check("ELU", 1, [](double v) { return hg::ELU{v}; });
    check("PReLU", .2, [](double v) { return hg::PReLU{v}; });
    check("LayerNormalization", 1e-3, [](double v) { return hg::LayerNormalization{v}; });
    check("GroupNormalization", 1e-3, [](double v) { return hg::GroupNormalization<2>{v}; });
    check("BatchNormalization, momentum", .9, [](double v) { return hg::BatchNormalization{v, 1e-3}; });
    check("BatchNormalization, epsilon", 1e-3, [](double v) { return hg::BatchNormalization{.9, v}; });
}

TEST_CASE("losses refuse hyperparameters that are not finite") {
    check("Huber", 1, [](double v) { hg::Huber{v}.check(); });
    check("GaussianLikelihood", 1, [](double v) { hg::GaussianLikelihood{v}.check(); });
    check("CategoricalCrossEntropy", .1, [](double v) { hg::CategoricalCrossEntropy{.label_smoothing = v}.check(); });
    check("CategoricalCrossEntropy, a class", 1,
          [](double v) { hg::CategoricalCrossEntropy{.class_weights = {v}}.check(); });
}

TEST_CASE("terms refuse hyperparameters that are not finite") {
    check("GaussianNoise", .1, [](double v) { return hg::GaussianNoise{v}; });
    check("MaskingNoise", .1, [](double v) { return hg::MaskingNoise{v}; });
    check("SaltAndPepperNoise", .1, [](double v) { return hg::SaltAndPepperNoise{v}; });
    check("SaltAndPepperNoise, low", 0, [](double v) { return hg::SaltAndPepperNoise{.1, v, 1}; });
    check("SaltAndPepperNoise, high", 1, [](double v) { return hg::SaltAndPepperNoise{.1, 0, v}; });
    check("L1", 1e-3, [](double v) { hg::L1{v}.check(); });
    check("Contractive", 1e-3, [](double v) { hg::Contractive{v}.check(); });
    check("KlSparsity, target", .1, [](double v) { hg::KlSparsity{v, 1}.check(); });
    check("KlSparsity, weight", 1, [](double v) { hg::KlSparsity{.1, v}.check(); });
    check("GaussianLatent, beta", 1, [](double v) { hg::GaussianLatent{.beta = v}.check(); });
    check("GaussianLatent, free bits", 1, [](double v) { hg::GaussianLatent{.free_bits = v}.check(); });
    check("MaximumMeanDiscrepancy, weight", 1, [](double v) { hg::MaximumMeanDiscrepancy{.weight = v}.check(); });
    check("MaximumMeanDiscrepancy, bandwidth", 1, [](double v) { hg::MaximumMeanDiscrepancy{.bandwidth = v}.check(); });
    check("JumpReLU, weight", 1, [](double v) { hg::JumpReLU{.weight = v}.check(); });
    check("JumpReLU, bandwidth", 1, [](double v) { hg::JumpReLU{.weight = 1, .bandwidth = v}.check(); });
    check("PreActivationLoss, weight", 1, [](double v) { hg::PreActivationLoss{.weight = v}.check(); });
}

TEST_CASE("what drives training refuses hyperparameters that are not finite") {
    check("CyclicalAnnealing", .5, [](double v) { return hg::CyclicalAnnealing{.period = 10, .ramp = v}(3); });
    check("ReduceLROnPlateau", .5, [](double v) { return hg::ReduceLROnPlateau{{.factor = v}}; });
    check("train_test_split", .5, [](double v) {
        hg::Rng rng{1};
        return hg::train_test_split(Eigen::MatrixXf::Zero(2, 8), v, rng);
    });
}
