// Layers that sum over channels give a sample the same bits wherever it lies in memory, and alone what it gets in a
// batch.
#include <Eigen/Dense>
#include <vector>

#include "hourglass/hourglass.hpp"
#include "support/catch.hpp"

namespace hg = hourglass;

namespace {

template <class T, hg::Shape In, class Layer>
void check() {
    CAPTURE(Layer::name, In.channels, sizeof(T));
    hg::Rng rng{3};
    const auto model = hg::network<hg::Chain<In, Layer>, T>(rng);
    const auto drawn = [&] {
        return Eigen::MatrixX<T>(
            Eigen::MatrixX<T>::NullaryExpr(In.size(), 101, [&] { return static_cast<T>(rng.normal()); }));
    };
    const Eigen::MatrixX<T> x = drawn(), target = drawn(), y = model.evaluate(x);
    auto tape = model.tape(), other = model.tape();
    const T loss = model.gradient(x, target, hg::MeanSquaredError{}, tape, rng);

    // One value off: the runs of channels begin where they do not for x.
    std::vector<T> room(static_cast<std::size_t>(x.size() + 1));
    Eigen::Map<Eigen::MatrixX<T>> moved(room.data() + 1, x.rows(), x.cols());
    moved = x;
    CHECK(model.evaluate(moved) == y);
    CHECK(model.gradient(moved, target, hg::MeanSquaredError{}, other, rng) == loss);
    CHECK(other.gradient() == tape.gradient());

    Eigen::MatrixX<T> alone(x.rows(), x.cols());
    for (hg::Index j = 0; j < x.cols(); ++j) alone.col(j) = model.evaluate(x.col(j));
    CHECK(alone == y);
}

using Groups = hg::FeatureGroups<hg::Group<2, hg::MeanSquaredError>, hg::Group<11, hg::CategoricalCrossEntropy>>;

}  // namespace

TEST_CASE("bits do not depend on where a sample lies") {
    check<float, hg::Shape{13}, hg::LayerNormalization>();
    check<double, hg::Shape{13}, hg::LayerNormalization>();
    check<float, hg::Shape{26, 3}, hg::GroupNormalization<2>>();
    check<float, hg::Shape{6, 3}, hg::GroupNormalization<2>>();
    check<float, hg::Shape{13}, hg::Softmax>();
    check<double, hg::Shape{13}, hg::Softmax>();
    check<float, hg::Shape{13}, hg::OutputActivation<Groups>>();
}

TEMPLATE_TEST_CASE("tied decoders give a sample the same bits alone and in a batch", "", float, double) {
    using hg::Dense, hg::Shape;
    const auto check_tied = []<class Encoder>(std::type_identity<Encoder>) {
        hg::Rng rng{5};
        const auto model = hg::autoencoder<Encoder, hg::Tied<Encoder>, TestType>(rng, hg::MeanSquaredError{});
        using Values = Eigen::MatrixX<TestType>;
        const Values x =
            Values::NullaryExpr(Encoder::input.size(), 37, [&] { return static_cast<TestType>(rng.normal()); });
        const Values y = model.reconstruct(x);
        CAPTURE(Encoder::input.size(), Encoder::output.size());
        for (const hg::Index j : {0, 20, 36}) CHECK(Values(model.reconstruct(x.col(j))) == y.col(j));
    };
    check_tied(std::type_identity<hg::Chain<Shape{50}, Dense<1>>>{});
    check_tied(std::type_identity<hg::Chain<Shape{51}, Dense<33>, hg::Tanh, Dense<17, false>>>{});
    check_tied(std::type_identity<hg::Chain<Shape{303}, Dense<400>, hg::Sigmoid, Dense<193>>>{});
    check_tied(std::type_identity<hg::Chain<Shape{3, 7}, Dense<20>>>{});  // of each position of a series
    check_tied(std::type_identity<hg::Chain<Shape{2, 31}, hg::Conv1D<9, 5, 2>, hg::ReLU, hg::Conv1D<17, 3>>>{});
    constexpr auto same = hg::Padding::Same;
    check_tied(std::type_identity<hg::Chain<Shape{3, 12, 10}, hg::Conv2D<10, 3, 2, same>, hg::SiLU>>{});
    check_tied(std::type_identity<hg::Chain<Shape{1, 10, 11}, hg::Conv2D<16, 3>, hg::ReLU, hg::Conv2D<6, 3>>>{});
}
