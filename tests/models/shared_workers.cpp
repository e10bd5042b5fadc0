// Threads of a program that train models of their own on one Workers: what the thread sanitizer watches.
#include <hourglass/hourglass.hpp>
#include <hourglass/workers.hpp>
#include <thread>
#include <vector>

#include "support/catch.hpp"

namespace hg = hourglass;
using hg::Shape;

namespace {

// A layer or term of each kind that a team runs in its own way.
using Encoder = hg::Chain<Shape{1, 6, 5}, hg::Conv2D<16, 3, 1, hg::Padding::Same>, hg::BatchNormalization, hg::ReLU,
                          hg::Dropout, hg::Flatten, hg::Dense<12>>;
using Decoder = hg::Chain<Shape{6}, hg::Dense<30>, hg::Sigmoid, hg::Reshape<1, 6, 5>>;

// … and what is divided by weights or by channels: tied dense layers, more channels than a block; enough parameters for
// the step to be divided, too.
using Wide = hg::Chain<Shape{30}, hg::Dense<600>, hg::BatchNormalization, hg::Sigmoid>;
// … and what is divided by what it sums over the whole batch.
using Curved = hg::Chain<Shape{30}, hg::Dense<500>, hg::Sigmoid, hg::Dense<20>, hg::Tanh>;

template <class Model>
hg::Vector<float> train(Model model, hg::Workers* workers, int steps) {
    hg::Rng rng{1};
    auto tape = workers ? model.tape(*workers) : model.tape();
    hg::Adam adam;
    const hg::Matrix<float> x =
        hg::Matrix<float>::NullaryExpr(30, 70, [&] { return static_cast<float>(rng.uniform()); });
    for (int step = 0; step < steps; ++step) {
        model.gradient(x, tape, rng);
        adam.step(model, tape);
    }
    hg::Vector<float> all(model.parameters().size() + x.size());
    all << model.parameters(), model.reconstruct(x, tape).reshaped();
    return all;
}
template <class Model>
void check(const Model& model, int steps) {
    const hg::Vector<float> alone = train(model, nullptr, steps);
    hg::Workers workers{2};
    hg::Vector<float> results[3];
    std::vector<std::thread> threads;
    for (auto& result : results) threads.emplace_back([&] { result = train(model, &workers, steps); });
    for (auto& thread : threads) thread.join();
    for (const auto& result : results) CHECK((alone.array() == result.array()).all());
}

}  // namespace

TEST_CASE("Several threads train models of their own on one Workers") {
    hg::Rng rng{1};
    check(hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianNoise{.1}, hg::GaussianLatent{},
                                            hg::MaximumMeanDiscrepancy{}),
          10);
    check(hg::autoencoder<Wide, hg::Tied<Wide>>(rng, hg::MeanSquaredError{}), 10);
    static_assert(Wide::parameters > 16 * 1024);
    check(hg::autoencoder<Wide, hg::Tied<Wide>>(rng, hg::MeanSquaredError{}, hg::KlSparsity{.1, 1e-3}), 4);
    check(hg::autoencoder<Curved, hg::Mirror<Curved>>(rng, hg::MeanSquaredError{}, hg::Contractive{1e-3}), 4);
}
