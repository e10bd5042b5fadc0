#include "hourglass/hourglass.hpp"

#include <sstream>
#include <type_traits>

#include "support/catch.hpp"

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<128>, hg::ReLU, hg::Dense<32>>;

TEST_CASE("shapes and parameter counts follow from the input") {
    static_assert(Encoder::output == hg::Shape{32});
    static_assert(Encoder::parameters == 784 * 128 + 128 + 128 * 32 + 32);
    using Sequence = hg::Chain<hg::Shape{3, 8}, hg::Dense<5>, hg::Flatten, hg::Dense<2>>;
    static_assert(Sequence::plan.shapes[1] == hg::Shape{5, 8});
    static_assert(Sequence::plan.shapes[2] == hg::Shape{40});
    static_assert(Sequence::parameters == 3 * 5 + 5 + 40 * 2 + 2);
    CHECK(hg::Chain<hg::Shape{4}>::output == hg::Shape{4});
}

TEST_CASE("a residual part is its layers and the sum behind them, however it is nested") {
    using Inner = hg::Residual<hg::Dense<5>, hg::Tanh>;
    using Outer = hg::Chain<hg::Shape{4}, hg::Dense<6>, hg::Residual<hg::Dense<5>, Inner, hg::Dense<6>>, hg::ReLU>;
    static_assert(
        std::is_same_v<Outer::Flat, hg::Chain<hg::Shape{4}, hg::Dense<6>, hg::Dense<5>, hg::Dense<5>, hg::Tanh,
                                              hg::layers::Add<2>, hg::Dense<6>, hg::layers::Add<5>, hg::ReLU>::Flat>);
    static_assert(Outer::plan.branch[4] == 2);
    static_assert(Outer::plan.branch[6] == 1);
    static_assert(Outer::plan.joins(6));
    static_assert(!Outer::plan.joins(5));
    // Both sums read what nothing may have been written over.
    static_assert(Outer::plan.needed[1]);
    static_assert(Outer::plan.needed[2]);
    constexpr auto& plan = Outer::plan;
    CHECK(plan.path(0, 0, 8) == "0");
    CHECK(plan.path(1, 0, 8) == "1.0");
    CHECK(plan.path(3, 0, 8) == "1.1.1");
    CHECK(plan.path(4, 0, 8) == "1.1");
    CHECK(plan.path(5, 0, 8) == "1.2");
    CHECK(plan.path(6, 0, 8) == "1");
    CHECK(plan.path(7, 0, 8) == "2");
    const auto values = hg::chain<hg::Shape{4}>(
        hg::Residual{hg::LeakyReLU{0.1}, hg::Residual{hg::Dense<4>{hg::Initializer::HeNormal}, hg::Dropout{0.2}}});
    CHECK(values.layer<0>().negative_slope == 0.1);
    CHECK(values.layer<1>().kernel_initializer == hg::Initializer::HeNormal);
    CHECK(values.layer<2>().rate == 0.2);
}

TEST_CASE("a chain knows how many values are given with each sample") {
    static_assert(Encoder::condition == 0);
    static_assert(hg::Chain<hg::Shape{4}, hg::Condition<3>, hg::Dense<2>, hg::Condition<3>>::condition == 3);
    static_assert(hg::Chain<hg::Shape{4}, hg::Condition<3>, hg::Dense<2>, hg::Condition<3>>::output == hg::Shape{5});
}

TEST_CASE("a chain of values has the type of its layers and keeps their hyperparameters") {
    const auto chain =
        hg::chain<hg::Shape{1, 6}>(hg::Dense<2>{hg::Initializer::HeNormal}, hg::LeakyReLU{0.1},
                                   hg::chain<hg::Shape{2, 6}>(hg::Dropout{0.2}, hg::Flatten{}), hg::Dense<3>{});
    CHECK(chain.layer<1>().negative_slope == 0.1);
    CHECK(chain.layer<2>().rate == 0.2);
    CHECK(chain.layer<0>().kernel_initializer == hg::Initializer::HeNormal);
    const auto mirrored = hg::mirror(chain, hg::Sigmoid{});
    CHECK(mirrored.layer<2>().rate == 0.2);
    CHECK(mirrored.layer<3>().negative_slope == 0.1);
    CHECK(decltype(mirrored)::output == hg::Shape{1, 6});
}

TEST_CASE("Mirror turns the layers round and leaves out the code's activation") {
    using Ends = hg::Chain<hg::Shape{10}, hg::Dense<6>, hg::ReLU, hg::Dense<3>, hg::Tanh, hg::Dropout>;
    using Expected = hg::Chain<hg::Shape{3}, hg::Dense<6>, hg::ReLU, hg::Dense<10>, hg::Sigmoid>;
    static_assert(std::is_same_v<hg::Mirror<Ends, hg::Sigmoid>, Expected>);
    static_assert(std::is_same_v<hg::Mirror<hg::Chain<hg::Shape{2, 3}, hg::Flatten, hg::Dense<2, false>>>,
                                 hg::Chain<hg::Shape{2}, hg::Dense<6, false>, hg::Reshape<hg::Shape{2, 3}>>>);
    CHECK(hg::Tied<Ends>::parameters == 6 + 10);
}

TEST_CASE("chains and models print themselves") {
    std::ostringstream chain, model;
    chain << Encoder{};
    CHECK(chain.str() ==
          "layer                 output          parameters\n"
          "input                 784\n"
          "Dense                 128                 100480\n"
          "ReLU                  128                      0\n"
          "Dense                 32                    4128\n"
          "total                                     104608\n");
    std::ostringstream parts;
    constexpr auto same = hg::Padding::Same;
    parts << hg::Chain<hg::Shape{1, 12}, hg::Conv1D<4, 3, 2, same>, hg::Residual<hg::Conv1D<4, 3, 1, same>, hg::Tanh>,
                       hg::MaxPooling1D<>, hg::Condition<2>>{};
    CHECK(parts.str() ==
          "layer                 output          parameters\n"
          "input                 1 x 12\n"
          "Conv1D                4 x 6                   16  window 3, stride 2, same\n"
          "Conv1D                4 x 6                   52  window 3, same\n"
          "Tanh                  4 x 6                    0\n"
          "Add                   4 x 6                    0  over 2 layers\n"
          "MaxPooling1D          4 x 3                    0  window 2, stride 2\n"
          "Condition             6 x 3                    0\n"
          "total                                         68\n");
    hg::Rng rng{1};
    using Small = hg::Chain<hg::Shape{2, 3}, hg::Flatten, hg::Dense<2>>;
    model << hg::autoencoder<Small, hg::Tied<Small, hg::Sigmoid>>(rng, hg::BinaryCrossEntropy{}, hg::MaskingNoise{0.1},
                                                                  hg::L1{0.1});
    CHECK(model.str() ==
          "layer                 output          parameters\n"
          "encoder               2 x 3\n"
          "Flatten               6                        0\n"
          "Dense                 2                       14\n"
          "decoder               2\n"
          "Dense (tied)          6                        6\n"
          "Reshape               2 x 3                    0\n"
          "Sigmoid               2 x 3                    0\n"
          "loss: BinaryCrossEntropy, MaskingNoise, L1\n"
          "total                                         20\n");
}

TEST_CASE("initial weights have the spread their rule states") {
    hg::Rng rng{3};
    constexpr hg::Index fan_in = 200, fan_out = 300;
    const auto variance = [&](hg::Initializer how, double& largest) {
        Eigen::VectorXd w(fan_in * fan_out);
        hg::initialize<double>(how, fan_in, fan_out, {w.data(), static_cast<std::size_t>(w.size())}, rng);
        largest = w.cwiseAbs().maxCoeff();
        return w.squaredNorm() / static_cast<double>(w.size());
    };
    // The variance estimate of n draws is within 5 √((κ − 1)/n) of itself; κ ≤ 2.4 for both shapes: 2.4 %.
    double largest = 0;
    using enum hg::Initializer;
    CHECK(variance(GlorotUniform, largest) == Approx(2.0 / 500).epsilon(0.024));
    CHECK(largest <= std::sqrt(6.0 / 500));
    CHECK(largest > 0.999 * std::sqrt(6.0 / 500));
    CHECK(variance(GlorotNormal, largest) == Approx(2.0 / 500).epsilon(0.024));
    CHECK(variance(HeUniform, largest) == Approx(2.0 / 200).epsilon(0.024));
    CHECK(variance(HeNormal, largest) == Approx(2.0 / 200).epsilon(0.024));
    CHECK(largest <= 2 * std::sqrt(2.0 / 200) / 0.8796);
    CHECK(variance(LecunUniform, largest) == Approx(1.0 / 200).epsilon(0.024));
    CHECK(variance(LecunNormal, largest) == Approx(1.0 / 200).epsilon(0.024));
    CHECK(variance(Zeros, largest) == 0);

    auto model = hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::MeanSquaredError{});
    for (const hg::Slice& bias : model.biases()) CHECK(model.parameters().segment(bias.begin, bias.size).isZero(0));
    CHECK(model.biases() ==
          std::vector<hg::Slice>{
              {784 * 128, 128}, {100480 + 4096, 32}, {104608 + 4096, 128}, {104608 + 4224 + 128 * 784, 784}});
}
