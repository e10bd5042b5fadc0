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

hg::Vector<float> train(hg::Workers* workers) {
    hg::Rng rng{1};
    auto model =
        hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianNoise{.1}, hg::GaussianLatent{});
    auto tape = workers ? model.tape(*workers) : model.tape();
    hg::Adam adam;
    const hg::Matrix<float> x =
        hg::Matrix<float>::NullaryExpr(30, 70, [&] { return static_cast<float>(rng.uniform()); });
    for (int step = 0; step < 10; ++step) {
        model.gradient(x, tape, rng);
        adam.step(model, tape);
    }
    hg::Vector<float> all(model.parameters().size() + x.size());
    all << model.parameters(), model.reconstruct(x, tape).reshaped();
    return all;
}

}  // namespace

TEST_CASE("Several threads train models of their own on one Workers") {
    const hg::Vector<float> alone = train(nullptr);
    hg::Workers workers{2};
    hg::Vector<float> results[3];
    std::vector<std::thread> threads;
    for (auto& result : results) threads.emplace_back([&] { result = train(&workers); });
    for (auto& thread : threads) thread.join();
    for (const auto& result : results) CHECK((alone.array() == result.array()).all());
}
