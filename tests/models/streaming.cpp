// A stream gives, position by position, what the network gives for the whole series.
#include "hourglass/streaming.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <hourglass/hourglass.hpp>
#include <limits>
#include <utility>

#include "support/catch.hpp"
#include "support/error_of.hpp"

using Catch::Matchers::ContainsSubstring;

namespace hg = hourglass;
using hg::Index;
using hg::Shape;

namespace {

template <Index Filters, Index Kernel, Index Dilation = 1, Index Groups = 1>
using Causal = hg::Conv1D<Filters, Kernel, 1, hg::Padding::Causal, Dilation, true, Groups>;

template <class Model>
void disturb(Model& model) {
    using T = typename Model::Scalar;
    using Values = Eigen::Matrix<T, Eigen::Dynamic, 1>;
    model.parameters() += T(.1) * Values::Random(model.parameters().size());
    model.state() += T(.5) * Values::Random(model.state().size()).cwiseAbs();
}

template <class Stream, class T>
Eigen::Matrix<T, Eigen::Dynamic, 1> streamed(Stream& stream, const Eigen::Matrix<T, Eigen::Dynamic, 1>& series) {
    constexpr auto in = static_cast<Index>(Stream::input_size), out = static_cast<Index>(Stream::output_size);
    const Index positions = series.size() / in;
    Eigen::Matrix<T, Eigen::Dynamic, 1> all(positions * out);
    for (Index t = 0; t < positions; ++t) stream.push(series.segment(t * in, in), all.segment(t * out, out));
    return all;
}

// The largest difference, relative to the largest value.
template <class V>
double distance(const V& a, const V& b) {
    if (a.size() != b.size() || !a.allFinite()) return std::numeric_limits<double>::infinity();
    using T = typename V::Scalar;
    return static_cast<double>((a - b).cwiseAbs().maxCoeff() / std::max(T(1), b.cwiseAbs().maxCoeff()));
}

template <class Net, class T>
void check(double tolerance) {
    hg::Rng rng{3};
    auto network = hg::network<Net, T>(rng);
    disturb(network);
    auto stream = hg::streaming(network);
    using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
    for (int series = 0; series < 3; ++series) {
        const Vector x = Vector::Random(Net::input.size());
        const Vector whole = network.evaluate(x);
        CHECK(distance(streamed(stream, x), whole) < tolerance);
        stream.reset();
    }
}
template <class Net>
void check() {
    check<Net, float>(3e-6);
    check<Net, double>(1e-14);
}

using Small = hg::Chain<Shape{2, 30}, Causal<5, 3>, hg::ReLU, Causal<1, 4>>;

}  // namespace

TEST_CASE("A stream gives what the network gives for the whole series") {
    check<Small>();
    check<hg::Chain<Shape{1, 41}, Causal<16, 3, 1>, hg::ReLU, Causal<16, 3, 2>, hg::ReLU, Causal<16, 3, 4>, hg::ReLU,
                    Causal<16, 3, 8>, hg::ReLU, hg::Dense<1>>>();
    check<hg::Chain<Shape{3, 20}, Causal<7, 1>, hg::BatchNormalization, hg::Tanh, hg::BatchNormalization, Causal<6, 5>,
                    hg::LayerNormalization, hg::PReLU, hg::Dropout, hg::Dense<4>, hg::Softmax>>();
    check<hg::Chain<Shape{4, 25}, hg::Residual<Causal<4, 3, 2>, hg::ReLU, Causal<4, 3, 2>>, hg::ReLU,
                    hg::Residual<hg::SiLU, Causal<4, 2, 5>>>>();
    check<hg::Chain<Shape{6, 17}, Causal<6, 3, 1, 6>, hg::ELU, Causal<4, 3, 2, 2>, hg::Sigmoid>>();
    check<hg::Chain<Shape{2, 5}, Causal<3, 9, 3>>>();  // looks back further than the series goes
    check<hg::Chain<Shape{3, 9}, hg::GELU, hg::ReLU>>();
}

TEST_CASE("An autoencoder over series is streamed") {
    using Encoder = hg::Chain<Shape{1, 24}, Causal<8, 3>, hg::ReLU, Causal<2, 3, 2>>;
    using Decoder = hg::Chain<Encoder::output, Causal<8, 3>, hg::ReLU, Causal<1, 3>>;
    hg::Rng rng{5};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
    auto stream = hg::streaming(model);
    const Eigen::VectorXf x = Eigen::VectorXf::Random(24), whole = model.reconstruct(x);
    CHECK(distance(streamed(stream, x), whole) < 3e-6);
    const auto elsewhere = std::move(model);
    CHECK_THAT(error_of([&] { hg::streaming(model); }), ContainsSubstring("streaming: the model has no parameters"));
}

TEST_CASE("A stream does not throw, begins again when asked to, and its copies go on by themselves") {
    hg::Rng rng{7};
    auto network = hg::network<Small>(rng);
    auto stream = hg::streaming(network);
    std::array<float, 2> x{1, 2};
    std::array<float, 1> first{}, y{};
    static_assert(noexcept(stream.push(x, y))&& noexcept(stream.reset()));
    stream.push(x, first);
    auto copy = stream;
    const Eigen::VectorXf one = Eigen::VectorXf::Random(20), other = Eigen::VectorXf::Random(20);
    Eigen::VectorXf both(22);
    both << 1, 2, one;
    Eigen::VectorXf apart(10), copied(10);
    for (Index t = 0; t < 10; ++t) {  // in turns
        stream.push(one.segment(2 * t, 2), apart.segment(t, 1));
        copy.push(other.segment(2 * t, 2), copied.segment(t, 1));
    }
    stream.reset();
    CHECK(streamed(stream, both).tail(10) == apart);
    both.tail(20) = other;
    copy.reset();
    CHECK(streamed(copy, both).tail(10) == copied);
    copy.reset();
    copy.push(x, y);
    CHECK(y == first);
    CHECK_THAT(error_of([&] { copy.push(one, y); }),
               ContainsSubstring("StreamingNetwork::push: expected 2 values, one sample, got 20"));

    network.parameters().setZero();  // no matter: the weights are a copy
    stream.reset();
    stream.push(x, y);
    CHECK(y == first);
}

TEST_CASE("A stream counts denormal numbers as zero, and passes on what is not finite while it is looked back at") {
    using Net = hg::Chain<Shape{1, 9}, Causal<1, 3>>;
    hg::Rng rng{7};
    auto network = hg::network<Net>(rng);
    network.parameters() << 1, 1, 1, 0;
    auto stream = hg::streaming(network);
    std::array<float, 1> y{1};
    stream.push(std::array{1e-40f}, y);
    CHECK(y[0] == 0);
    stream.push(std::array{std::numeric_limits<float>::quiet_NaN()}, y);
    stream.push(std::array{1.f}, y);
    CHECK(std::isnan(y[0]));
    stream.push(std::array{1.f}, y);
    CHECK(std::isnan(y[0]));
    stream.push(std::array{1.f}, y);
    CHECK(y[0] == 3);
}
