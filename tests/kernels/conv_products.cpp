// The products behind convolutions against plain loops, over random sizes; and what ties layers to each other.
#include "hourglass/layers/conv1d.hpp"
#include "hourglass/layers/conv1d_transpose.hpp"
#include "hourglass/layers/dense.hpp"
#include "hourglass/layers/layer_normalization.hpp"
#include "hourglass/layers/pooling.hpp"
#include "support/gradient_check.hpp"

#include <limits>
#include <tuple>
#include <utility>

namespace hg = hourglass;
using hg::Index;

namespace {

// Calls use(f, q, c, p, w) for every product that makes up a convolution: values f of position q and c of position p
// meet in weight w.
template <class Use>
void each_product(const hg::kernels::Convolution& c, Use use) {
    for (Index q = 0; q < c.positions; ++q)
        for (Index k = 0; k < c.kernel; ++k) {
            const Index p = q * c.stride + k * c.dilation - c.left;
            if (p < 0 || p >= c.length) continue;
            for (Index i = 0; i < c.channels; ++i)
                for (Index f = 0; f < c.filters; ++f)
                    use(q * c.filters + f, p * c.channels + i, (k * c.channels + i) * c.filters + f);
        }
}

// How the products are worked: as the library chooses, term by term, or by minimal filtering.
enum class Way { Chosen, Plain, Filtered };

template <class T>
void check_products(const hg::kernels::Convolution& c, Index samples, Way way = Way::Chosen) {
    const auto convolve = [&](const T* w, const T* x, T* y, hg::kernels::Initial<T> initial) {
        way == Way::Chosen  ? hg::kernels::add_convolution(c, w, x, y, samples, initial)
        : way == Way::Plain ? hg::kernels::add_plain_convolution(c, w, x, y, samples, initial)
                            : hg::kernels::add_filtered_convolution(c, w, x, y, samples, initial);
    };
    const auto transpose = [&](const T* w, const T* y, T* x, hg::kernels::Initial<T> initial) {
        way == Way::Chosen  ? hg::kernels::add_transposed_convolution(c, w, y, x, samples, initial)
        : way == Way::Plain ? hg::kernels::add_plain_transposed_convolution(c, w, y, x, samples, initial)
                            : hg::kernels::add_filtered_transposed_convolution(c, w, y, x, samples, initial);
    };
    const auto differentiate = [&](const T* y, const T* x, T* dw) {
        way == Way::Chosen
            ? hg::kernels::add_kernel_gradient<hg::kernels::Side::Short, T>(c, y, x, dw, nullptr, samples)
        : way == Way::Plain ? hg::kernels::add_plain_kernel_gradient(c, y, x, dw, samples)
                            : hg::kernels::add_filtered_kernel_gradient(c, y, x, dw, samples);
    };
    CAPTURE(static_cast<int>(way));
    CAPTURE(c.channels, c.length, c.filters, c.positions, c.kernel, c.stride, c.dilation, c.left, samples);
    const Eigen::MatrixXd w = oracle::values(c.filters * c.channels * c.kernel, 1, 1);
    const Eigen::MatrixXd x = oracle::values(c.channels * c.length, samples, 2);
    const Eigen::MatrixXd y = oracle::values(c.filters * c.positions, samples, 3);
    Eigen::MatrixXd forward = y, back = x, gradient = w;
    for (Index j = 0; j < samples; ++j)
        each_product(c, [&](Index f, Index i, Index k) {
            forward(f, j) += w(k) * x(i, j);
            back(i, j) += w(k) * y(f, j);
            gradient(k) += y(f, j) * x(i, j);
        });
    const hg::Matrix<T> wt = w.cast<T>(), xt = x.cast<T>(), yt = y.cast<T>();
    hg::Matrix<T> out = yt, dx = xt, dw = wt;
    convolve(wt.data(), xt.data(), out.data(), {});
    transpose(wt.data(), yt.data(), dx.data(), {});
    differentiate(yt.data(), xt.data(), dw.data());
    CHECK(oracle::difference(out, forward) <= oracle::tolerance<T>);

    // Over what the buffers held: a bias for each channel, or nothing.
    const hg::Matrix<T> bias = oracle::values(std::max(c.filters, c.channels), 1, 4).cast<T>();
    for (const T* start : {bias.data(), static_cast<const T*>(nullptr)}) {
        const auto started = [&](const Eigen::MatrixXd& added, const Eigen::MatrixXd& before, Index channels) {
            Eigen::MatrixXd expected = added - before;
            for (Index i = 0; start && i < expected.rows(); ++i)
                expected.row(i).array() += static_cast<double>(start[i % channels]);
            return expected;
        };
        hg::Matrix<T> over_y = oracle::poisoned<T>(y.rows(), samples), over_x = oracle::poisoned<T>(x.rows(), samples);
        convolve(wt.data(), xt.data(), over_y.data(), {false, start});
        transpose(wt.data(), yt.data(), over_x.data(), {false, start});
        CHECK(oracle::difference(over_y, started(forward, y, c.filters)) <= oracle::tolerance<T>);
        CHECK(oracle::difference(over_x, started(back, x, c.channels)) <= oracle::tolerance<T>);
    }
    CHECK(oracle::difference(dx, back) <= oracle::tolerance<T>);
    CHECK(oracle::difference(dw, gradient) <= oracle::tolerance<T>);
}

template <hg::Shape In, class Layer>
Eigen::MatrixXd forward(const Layer& layer, const Eigen::VectorXd& w, const Eigen::MatrixXd& x) {
    constexpr auto count = static_cast<std::size_t>(hg::core::parameters_of<Layer>(In));
    Eigen::MatrixXd y(Layer::output(In).size(), x.cols());
    layer.template forward<In>(std::span<const double, count>(w.data(), count), oracle::read(x), oracle::write(y), {});
    return y;
}

}  // namespace

TEST_CASE("convolution products of random sizes agree with plain loops") {
    hg::Rng rng{31};
    const auto draw = [&](std::uint64_t low, std::uint64_t high) {
        return static_cast<Index>(low + rng.below(high - low + 1));
    };
    for (int round = 0; round < 400; ++round) {
        hg::kernels::Convolution c{};
        c.channels = draw(1, round % 4 == 0 ? 70 : 9), c.filters = draw(1, round % 4 == 1 ? 70 : 9);
        c.kernel = draw(1, 8), c.stride = draw(1, 4), c.dilation = draw(1, 3) > 2 ? draw(2, 3) : 1;
        c.positions = draw(1, 40);
        // From a sequence that lies wholly inside the windows to one that ends before the last of them begin.
        const Index reach = (c.positions - 1) * c.stride + (c.kernel - 1) * c.dilation + 1;
        c.left = draw(0, 4) > 1 ? draw(0, static_cast<std::uint64_t>((c.kernel - 1) * c.dilation)) : 0;
        c.length = std::max<Index>(1, reach - c.left - draw(0, 6) + draw(0, 3));
        const Index samples = draw(1, round % 3 == 0 ? 40 : 3);
        check_products<double>(c, samples);
        check_products<float>(c, samples);
    }
}

TEST_CASE("convolution products of large sizes agree with plain loops") {
    check_products<double>({3, 20, 600, 9, 3, 2, 1, 0}, 2);      // more filters than the transpose packs at once
    check_products<double>({70, 20, 130, 9, 3, 2, 1, 1}, 2);     // more channels, more taps × filters
    check_products<float>({2, 900, 2, 450, 300, 2, 1, 149}, 1);  // a long kernel
    check_products<float>({32, 60, 32, 58, 3, 1, 1, 0}, 3);      // what minimal filtering takes, if it pays here
    check_products<double>({32, 60, 32, 58, 3, 1, 1, 0}, 3);
}

// Convolutions that minimal filtering takes, of every number of taps it knows, and of more channels than it works at
// once; both ways of each product, whichever of them this processor would choose.
TEST_CASE("minimal filtering and plain sums agree with plain loops") {
    hg::Rng rng{37};
    const auto draw = [&](std::uint64_t low, std::uint64_t high) {
        return static_cast<Index>(low + rng.below(high - low + 1));
    };
    const std::pair<Index, Index> kernels[] = {{2, 1}, {3, 1}, {4, 1}, {5, 1}, {4, 2}, {5, 2}, {7, 2}, {9, 2}, {9, 3}};
    for (int round = 0; round < 54; ++round) {
        hg::kernels::Convolution c{};
        std::tie(c.kernel, c.stride) = kernels[round % 9];
        c.channels = 16 * draw(1, round < 9 ? 6 : 2), c.filters = 16 * draw(1, round >= 45 ? 10 : 2), c.dilation = 1;
        c.positions = draw(12, 40), c.left = draw(0, static_cast<std::uint64_t>(c.kernel - 1));
        // From a sequence that lies wholly inside the windows to one that ends behind the last of them.
        c.length = (c.positions - 1) * c.stride + c.kernel - c.left - draw(0, 6) + draw(0, 9);
        REQUIRE(hg::kernels::filtered_kernel<double>(c, nullptr).fits(c.positions));
        const Index samples = draw(1, 3);
        for (const Way way : {Way::Plain, Way::Filtered}) {
            check_products<double>(c, samples, way);
            check_products<float>(c, samples, way);
        }
    }
}

TEST_CASE("what is not finite stays in its sample, and no sample changes another's bits") {
    const hg::kernels::Convolution c{32, 48, 16, 24, 7, 2, 1, 2};
    const Eigen::MatrixXf w = oracle::values(c.filters * c.channels * c.kernel, 1, 1).cast<float>();
    Eigen::MatrixXf x = oracle::values(c.channels * c.length, 5, 2).cast<float>(), y(c.filters * c.positions, 5),
                    alone(c.filters * c.positions, 1);
    const Eigen::MatrixXf last = x.rightCols(1);
    hg::kernels::add_convolution<float>(c, w.data(), last.data(), alone.data(), 1, {false});
    x(c.channels * 20, 1) = std::numeric_limits<float>::quiet_NaN();
    x(c.channels * 20, 3) = 1e30f;
    hg::kernels::add_convolution<float>(c, w.data(), x.data(), y.data(), 5, {false});
    CHECK((y.rightCols(1).array() == alone.array()).all());
    for (const Index clean : {0, 2, 4}) CHECK((y.col(clean).array().abs() < 100).all());
    CHECK(y.col(1).array().isNaN().any());
    // Nor does it reach positions whose windows are far from it.
    CHECK(y.col(1).head(c.filters * 4).allFinite());
    CHECK(y.col(1).tail(c.filters * 6).allFinite());

    Eigen::MatrixXf dx(c.channels * c.length, 5), dx_alone(c.channels * c.length, 1);
    hg::kernels::add_transposed_convolution<float>(c, w.data(), y.data(), dx.data(), 5, {false});
    hg::kernels::add_transposed_convolution<float>(c, w.data(), y.col(4).data(), dx_alone.data(), 1, {false});
    CHECK((dx.rightCols(1).array() == dx_alone.array()).all());
    CHECK(dx.col(0).allFinite());
    CHECK(dx.col(2).allFinite());
}

TEST_CASE("a convolution of one position is a dense layer") {
    constexpr hg::Shape in{3, 7};
    const Eigen::VectorXd w = oracle::values(5 * 3 + 5, 1, 1);
    const Eigen::MatrixXd x = oracle::values(in.size(), 4, 2);
    const Eigen::MatrixXd dense = forward<in>(hg::Dense<5>{}, w, x);
    CHECK(oracle::difference(forward<in>(hg::Conv1D<5, 1>{}, w, x), dense) <= 1e-15);
    CHECK(oracle::difference(forward<in>(hg::Conv1D<5, 1, 1, hg::Padding::Same>{}, w, x), dense) <= 1e-15);
}

TEST_CASE("a transposed convolution is the adjoint of the convolution with the same kernel") {
    constexpr auto same = hg::Padding::Same;
    const auto check = [](auto layer, auto transpose, auto shape) {
        constexpr hg::Shape in = decltype(shape)::value, out = decltype(layer)::output(in);
        static_assert(decltype(transpose)::output(out) == in);
        const Eigen::VectorXd w = oracle::values(decltype(layer)::parameters(in), 1, 1);
        const Eigen::MatrixXd x = oracle::values(in.size(), 3, 2), y = oracle::values(out.size(), 3, 3);
        const double there = forward<in>(layer, w, x).cwiseProduct(y).sum();
        const double back = forward<out>(transpose, w, y).cwiseProduct(x).sum();
        CHECK(std::abs(there - back) <= 1e-13 * std::abs(there));
    };
    const std::integral_constant<hg::Shape, hg::Shape{2, 13}> odd;
    const std::integral_constant<hg::Shape, hg::Shape{5, 12}> even;
    check(hg::Conv1D<4, 3, 1, hg::Padding::Valid, 1, false>{},
          hg::Conv1DTranspose<2, 3, 1, hg::Padding::Valid, 1, false>{}, odd);
    check(hg::Conv1D<4, 5, 2, hg::Padding::Valid, 1, false>{},
          hg::Conv1DTranspose<2, 5, 2, hg::Padding::Valid, 1, false>{}, odd);
    check(hg::Conv1D<4, 7, 2, same, 1, false>{}, hg::Conv1DTranspose<5, 7, 2, same, 1, false>{}, even);
    check(hg::Conv1D<4, 2, 3, same, 1, false>{}, hg::Conv1DTranspose<5, 2, 3, same, 1, false>{}, even);
    check(hg::Conv1D<4, 3, 1, same, 2, false>{}, hg::Conv1DTranspose<5, 3, 1, same, 2, false>{}, even);
}

TEST_CASE("kernels start in the range of their fans, biases at zero") {
    const auto largest = [](auto layer, auto shape) {
        constexpr hg::Shape in = decltype(shape)::value;
        using Layer = decltype(layer);
        constexpr auto count = static_cast<std::size_t>(Layer::parameters(in));
        Eigen::VectorXd w = Eigen::VectorXd::Constant(count, 9);
        hg::Rng rng{5};
        layer.template initialize<in>(std::span<double, count>(w.data(), count), rng);
        CHECK(w.tail(Layer::output(in).channels).cwiseAbs().maxCoeff() == 9);  // the chain sets them to zero
        return w.head(Layer::kernel_size(in)).cwiseAbs().maxCoeff();
    };
    const std::integral_constant<hg::Shape, hg::Shape{4, 20}> in;
    const double glorot = std::sqrt(6.0 / (7 * 4 + 7 * 32));
    const double of_conv = largest(hg::Conv1D<32, 7>{}, in), of_transpose = largest(hg::Conv1DTranspose<32, 7>{}, in);
    CHECK(of_conv <= glorot);
    CHECK(of_conv >= 0.97 * glorot);
    CHECK(of_transpose <= glorot);
    CHECK(of_transpose >= 0.97 * glorot);
    const double he = largest(hg::Conv1D<32, 7>{hg::Initializer::HeUniform}, in);
    CHECK(he <= std::sqrt(6.0 / (7 * 4)));
    CHECK(he >= 0.97 * std::sqrt(6.0 / (7 * 4)));
    const double he_transpose = largest(hg::Conv1DTranspose<32, 7>{hg::Initializer::HeUniform}, in);
    CHECK(he_transpose <= std::sqrt(6.0 / (7 * 32)));
    CHECK(he_transpose >= 0.97 * std::sqrt(6.0 / (7 * 32)));
}
