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
