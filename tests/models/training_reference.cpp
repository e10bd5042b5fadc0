// Ten training steps of whole models against curves frozen from another framework.
#include <string>
#include <vector>

#include "hourglass/hourglass.hpp"
#include "support/gradient_check.hpp"
#include "support/reference.hpp"

namespace hg = hourglass;

namespace {

// All kernels and biases of one model in the order of the flat vector: kernel1, bias1, kernel2, …
hg::Vector<double> flattened(const reference::Numbers& numbers, const std::string& name, const std::string& suffix) {
    std::vector<double> all;
    for (int layer = 1; numbers.contains(name + "/kernel" + std::to_string(layer)); ++layer)
        for (const char* part : {"/kernel", "/bias"}) {
            const auto& values = numbers[name + part + std::to_string(layer) + suffix].values;
            all.insert(all.end(), values.begin(), values.end());
        }
    return Eigen::Map<hg::Vector<double>>(all.data(), static_cast<hg::Index>(all.size()));
}

template <class T, class Encoder, class Decoder, class Loss, class Optimizer>
void check(const std::string& name, const Loss& loss, Optimizer optimizer) {
    CAPTURE(name);
    const reference::Numbers numbers("training.txt");
    const hg::Matrix<T> x = numbers[name + "/x"].matrix<T>();
    const auto curve = numbers[name + "/loss"].values;
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder, T>(rng, loss);
    const auto start = flattened(numbers, name, "");
    REQUIRE(model.parameters().size() == start.size());
    model.parameters() = start.cast<T>();
    auto tape = model.tape();
    REQUIRE(curve.size() == 10);
    for (const double expected : curve) {
        const T value = model.gradient(x, tape, rng);
        CHECK(std::abs(static_cast<double>(value) - expected) <= oracle::tolerance<T>);
        optimizer.step(model.parameters(), tape.gradient());
    }
    CHECK(oracle::difference(model.parameters(), flattened(numbers, name, "_after")) <= oracle::tolerance<T>);
}

}  // namespace

TEST_CASE("ten steps agree with the frozen curves") {
    using E = hg::Chain<hg::Shape{6}, hg::Dense<4>, hg::ReLU>;
    using D = hg::Chain<E::output, hg::Dense<6>, hg::Sigmoid>;
    using S = hg::Sigmoid;
    using DeepE = hg::Chain<hg::Shape{6}, hg::Dense<5>, S, hg::Dense<3>, S>;
    using DeepD = hg::Chain<DeepE::output, hg::Dense<5>, S, hg::Dense<6>, S>;
    // The same options stand at the end of tests/reference/training.py.
    const hg::Adam adam{{.learning_rate = 0.01}};
    const hg::Sgd sgd{{.learning_rate = 0.5, .momentum = 0.9}};
    check<double, E, D>("adam", hg::BinaryCrossEntropy{}, adam);
    check<float, E, D>("adam", hg::BinaryCrossEntropy{}, adam);
    check<double, DeepE, DeepD>("sgd_momentum", hg::MeanSquaredError{}, sgd);
    check<float, DeepE, DeepD>("sgd_momentum", hg::MeanSquaredError{}, sgd);
}
