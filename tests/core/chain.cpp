#include "hourglass/hourglass.hpp"

#include <array>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<128>, hg::ReLU, hg::Dense<32>>;

namespace {

/// y = w₀ x: a layer that says no more of itself than it has to.
struct Terse {
    static constexpr hg::Shape output(hg::Shape in) { return in; }
    static constexpr hg::Index parameters(hg::Shape) { return 1; }
    template <hg::Shape In, class T>
    void forward(std::span<const T, 1> w, hg::ConstView<T> x, hg::View<T> y) const {
        y = w[0] * x;
    }
    template <hg::Shape In, class T>
    void backward(std::span<const T, 1> w, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T> dy,
                  hg::View<T> dx) const {
        dx += w[0] * dy;
    }
    template <hg::Shape In, class T>
    void gradient(std::span<const T, 1>, hg::ConstView<T> x, hg::ConstView<T>, hg::ConstView<T> dy,
                  std::span<T, 1> dw) const {
        dw[0] += x.cwiseProduct(dy).sum();
    }
};

}  // namespace

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

TEST_CASE("a plan is worked out from what it is told of each layer") {
    using Layers = hg::Chain<hg::Shape{6}, hg::ReLU, hg::Dense<4>, hg::Tanh, hg::Dropout, hg::Condition<2>,
                             hg::BatchNormalization>::Flat;
    const auto facts = hg::core::facts_of<hg::Dense<4>>();
    CHECK(facts.output(hg::Shape{6, 5}) == hg::Shape{4, 5});
    CHECK(facts.parameters(hg::Shape{6, 5}) == 28);
    CHECK(facts.shared_offset == -1);
    const auto plan = Layers::marked_plan<>(), cut = Layers::marked_plan<2>();
    CHECK(plan.shapes == std::array<hg::Shape, 7>{{{6}, {6}, {4}, {4}, {4}, {6}, {6}}});
    CHECK(plan.offsets == std::array<hg::Index, 7>{0, 0, 28, 28, 28, 28, 40});
    CHECK(plan.states == std::array<hg::Index, 7>{0, 0, 0, 0, 0, 0, 12});
    CHECK(plan.caches == Layers::plan.caches);
    CHECK(plan.first_trained == 1);
    CHECK(plan.condition == 2);
    CHECK(plan.condition_between(0, 4) == 0);
    CHECK(plan.condition_between(4, 6) == 2);
    CHECK(plan.layer_at(28) == 5);
    CHECK(plan.layer_at(0) == 1);
    CHECK(plan.layer_at(40) == 6);  // none
    // What is in place is the input's, which is never written over, nor what a pass may begin or end with.
    CHECK(plan.owner[1] == 1);
    CHECK(plan.owner[3] == 2);
    CHECK(cut.owner[3] == 3);
    CHECK(!plan.needed[2]);
    CHECK(cut.needed[2]);

    // The weights of a layer with two readers are shared; those that nobody has are not found; conditions must agree.
    using Tied = hg::Chain<hg::Shape{6}, hg::Dense<4>, hg::Tanh>;
    const auto alone = hg::Tied<Tied>::Flat::marked_plan<>();
    CHECK(!alone.ties_hold);
    CHECK(alone.first_trained == 0);
    using Whole = decltype(hg::core::joined_type<void>(Tied{}, hg::Tied<Tied>{}))::type;
    const auto whole = Whole::marked_plan<>();
    CHECK(whole.ties_hold);
    CHECK(whole.shared == std::array<bool, 4>{true, false, false, false});
    using Two = hg::Chain<hg::Shape{6}, hg::Condition<2>, hg::Dense<4>, hg::Condition<3>>::Flat;
    CHECK(plan.conditions_agree);
    CHECK(!Two::marked_plan<>().conditions_agree);
}

TEST_CASE("a chain inside a chain has to fit, and a residual block gives back the shape it gets") {
    using Inside = hg::Chain<hg::Shape{4}, hg::Dense<3>>;
    CHECK(Inside::shape_behind(hg::Shape{4}) == hg::Shape{3});
    CHECK(error_of([] {
              Inside::shape_behind(hg::Shape{2, 2});
          }) == "Chain: the chain inside takes 4, but the layer before it gives 2 x 2");
    using Block = hg::Residual<hg::Dense<5>, hg::Chain<hg::Shape{5}, hg::Tanh, hg::Dense<4>>>;
    CHECK(Block::shape_behind(hg::Shape{4}) == hg::Shape{4});
    CHECK(error_of([] { Block::shape_behind(hg::Shape{6}); }) ==
          "Residual: what its layers give is added to what they get, but they make 4 of 6");
    CHECK(error_of([] { hg::Reshape<2, 3>::output(hg::Shape{7}); }) ==
          "Reshape: the number of values must stay the same: 7 does not fit 2 x 3");
}

TEST_CASE("a layer that says little of itself is called layer, and its parameters weights") {
    hg::Rng rng{1};
    auto network = hg::network<hg::Chain<hg::Shape{3}, hg::Dense<2>, Terse>>(rng);
    std::ostringstream out;
    out << network;
    CHECK(out.str() ==
          "layer                 output          parameters\n"
          "input                 3\n"
          "Dense                 2                        8\n"
          "layer                 2                        1\n"
          "total                                          9\n");
    std::vector<std::string> names;
    network.each_weight([&](std::string_view name, std::span<const hg::Index> extents, auto values) {
        names.emplace_back(name);
        if (name == "1.weights") {
            CHECK(extents.size() == 1);
            CHECK(extents[0] == 1);
            CHECK(values[0] == 0);  // no rule of its own
        }
    });
    CHECK(names == std::vector<std::string>{"0.kernel", "0.bias", "1.weights"});
    CHECK(network.biases() == std::vector<hg::Slice>{{6, 2}});
    network.parameters().setConstant(2);
    CHECK(network.evaluate(Eigen::Vector3f(1, 2, 3)) == Eigen::Vector2f(28, 28));
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
    CHECK(hg::core::trailing_activations<Ends>() == 2);
    CHECK(hg::core::trailing_activations<hg::Chain<hg::Shape{3}, hg::Tanh>>() == 1);
    // A shape that changes and a block that ends are no activation of the code.
    CHECK(hg::core::trailing_activations<hg::Chain<hg::Shape{2, 3}, hg::Dense<2>, hg::Flatten>>() == 0);
    CHECK(hg::core::trailing_activations<hg::Chain<hg::Shape{3}, hg::Dense<2>, hg::Residual<hg::Tanh>>>() == 0);
}

TEST_CASE("layers are undone in reverse, and a residual block inside its own end") {
    using Block = hg::Residual<hg::Dense<4>, hg::Residual<hg::Tanh, hg::Dense<4>>, hg::ReLU>;
    using Blocks = hg::Chain<hg::Shape{3}, hg::Dense<4>, Block, hg::Dense<2>>;
    // 0 Dense, 1 Dense, 2 Tanh, 3 Dense, 4 the inner sum, 5 ReLU, 6 the outer sum, 7 Dense
    std::array<std::size_t, Blocks::depth + 1> order{};
    CHECK(hg::core::reverse_layers(Blocks::plan, 0, 8, order, 0) == 8);
    CHECK(order == std::array<std::size_t, 9>{7, 5, 3, 2, 4, 1, 6, 0, 0});
    CHECK(hg::core::reverse_layers(Blocks::plan, 2, 5, order, 6) == 9);
    CHECK(order == std::array<std::size_t, 9>{7, 5, 3, 2, 4, 1, 3, 2, 4});
}

TEST_CASE("a loss is fused with the activation that it undoes, wherever only shapes change behind it") {
    using Layers = hg::Chain<hg::Shape{6}, hg::Dense<4>, hg::Sigmoid, hg::Reshape<2, 2>, hg::Flatten>;
    CHECK(hg::core::last_working_layer<Layers>() == 1);
    CHECK(hg::core::last_working_layer<Layers>(1) == 0);
    CHECK(hg::core::last_working_layer<hg::Chain<hg::Shape{2, 2}, hg::Flatten>>() == 1);  // none
    CHECK((hg::core::range_at<Layers, 4>() == hg::Range::Unit));
    CHECK((hg::core::range_at<Layers, 1>() == hg::Range::Real));
    CHECK((hg::core::range_at<Layers, 0>() == hg::Range::Real));
    CHECK(hg::core::link_of<hg::BinaryCrossEntropy>() == hg::Link::Logistic);
    CHECK(hg::core::link_of<hg::CategoricalCrossEntropy>() == hg::Link::Softmax);
    CHECK(hg::core::link_of<hg::MeanSquaredError>() == hg::Link::None);
    using Fused = hg::core::LossAt<Layers, hg::BinaryCrossEntropy>;
    CHECK(Fused::fused_from(0));
    CHECK(Fused::activation(0) == 1);
    CHECK(!Fused::fused_from(2));  // the activation belongs to the code
    CHECK(Fused::activation(2) == 4);
    CHECK(!hg::core::LossAt<Layers, hg::CategoricalCrossEntropy>::fused_from(0));
    CHECK(hg::core::LossAt<Layers, hg::MeanSquaredError>::activation(0) == 4);
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
    std::ostringstream variational;
    variational << hg::autoencoder<hg::Chain<hg::Shape{3}, hg::Dense<4>>, hg::Chain<hg::Shape{2}, hg::Dense<3>>>(
        rng, hg::LearnedGaussianLikelihood{}, hg::GaussianLatent{.beta = 0.5});
    CHECK(variational.str() ==
          "layer                 output          parameters\n"
          "encoder               3\n"
          "Dense                 4                       16\n"
          "code                  2\n"
          "GaussianLatent        2                        0  beta 0.5, free_bits 0, samples 1\n"
          "decoder               2\n"
          "Dense                 3                        9\n"
          "loss: LearnedGaussianLikelihood, GaussianLatent\n"
          "log_variance          1                        1\n"
          "total                                         26\n");
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
