// The second derivatives of layers against dual numbers: `tangent` against forward's, `curvature` against those of
// uᵀ·tangent. One line a layer.
#include "hourglass/hourglass.hpp"
#include "support/gradient_check.hpp"

namespace hg = hourglass;

namespace {

using oracle::Dual, oracle::dual, oracle::derivative, oracle::difference, oracle::read, oracle::write;

template <class T, hg::Shape In, class Layer>
void check_in(const Layer& layer) {
    constexpr hg::Index n = 3;
    using Dualled = oracle::Bench<Layer, In, Dual>;
    using Bench = oracle::Bench<Layer, In, T>;
    constexpr auto count = static_cast<hg::Index>(Bench::count);
    constexpr hg::Index out = Bench::out.size();
    const Eigen::MatrixXd w = oracle::values(count, 1, 1), x = oracle::values(In.size(), n, 2);
    const Eigen::MatrixXd u = oracle::values(out, n, 3), v = oracle::values(In.size(), n, 4);
    const Eigen::MatrixXd filled_w = oracle::values(count, 1, 5), filled_x = oracle::values(In.size(), n, 6);

    Dualled oracle_bench{layer};
    hg::Vector<Dual> wd = w.cast<Dual>();
    hg::Matrix<Dual> xd = x.cast<Dual>(), vd = v.cast<Dual>(), yd(out, n), td(out, n);

    // forward along v.
    for (hg::Index i = 0; i < x.size(); ++i) xd.reshaped()[i] = dual(x.reshaped()[i], v.reshaped()[i]);
    oracle_bench.forward(wd, read(xd), write(yd));
    Eigen::MatrixXd expected_t(out, n);
    for (hg::Index i = 0; i < expected_t.size(); ++i) expected_t.reshaped()[i] = derivative(yd.reshaped()[i]);
    xd = x.cast<Dual>();

    // uᵀ·tangent along every weight and input.
    const auto along = [&](Dual& variable) {
        variable = dual(variable.value(), 1);
        oracle_bench.forward(wd, read(xd), write(yd));
        layer.template tangent<In>(std::span<const Dual, Dualled::count>(wd.data(), Dualled::count), read(xd), read(yd),
                                   read(vd), write(td));
        variable = dual(variable.value(), 0);
        double sum = 0;
        for (hg::Index i = 0; i < td.size(); ++i) sum += u.reshaped()[i] * derivative(td.reshaped()[i]);
        return sum;
    };
    Eigen::MatrixXd expected_dw = filled_w, expected_dx = filled_x;
    for (hg::Index i = 0; i < count; ++i) expected_dw(i) += along(wd[i]);
    for (hg::Index i = 0; i < x.size(); ++i) expected_dx.reshaped()[i] += along(xd.reshaped()[i]);

    Bench bench{layer};
    const hg::Vector<T> weights = w.cast<T>();
    const hg::Matrix<T> input = x.cast<T>(), above = u.cast<T>(), along_v = v.cast<T>();
    hg::Matrix<T> y(out, n), t = oracle::poisoned<T>(out, n);
    bench.forward(weights, read(input), write(y));

    // What backward may not read, they may not read either; a linear layer's J depends on neither x nor y.
    const hg::Matrix<T> nan_x = oracle::poisoned<T>(In.size(), n), nan_y = oracle::poisoned<T>(out, n);
    constexpr hg::Traits traits = hg::core::traits_of<Layer>();
    constexpr bool linear = traits.linear;
    const auto seen_x = traits.needs_input && !linear ? read(input) : read(nan_x);
    const auto seen_y = traits.needs_output && !linear ? read(y) : read(nan_y);
    const std::span<const T, Bench::count> span(weights.data(), Bench::count);
    hg::Vector<T> dw = filled_w.cast<T>();
    hg::Matrix<T> dx = filled_x.cast<T>();
    layer.template tangent<In>(span, seen_x, seen_y, read(along_v), write(t));
    layer.template curvature<In>(span, seen_x, seen_y, read(above), read(along_v),
                                 std::span<T, Bench::count>(dw.data(), Bench::count), write(dx));
    CHECK(difference(t, expected_t) <= oracle::tolerance<T>);
    CHECK(difference(dw, expected_dw) <= oracle::tolerance<T>);
    CHECK(difference(dx, expected_dx) <= oracle::tolerance<T>);
    if constexpr (linear) {
        CHECK(difference(dx, filled_x.cast<T>().eval()) == 0);
        hg::Matrix<T> pulled = hg::Matrix<T>::Zero(In.size(), n);
        layer.template backward<In>(span, seen_x, seen_y, read(above), write(pulled), {});
        CHECK((pulled.array() == pulled.array()).all());
    }
    if constexpr (traits.pointwise) {
        hg::Matrix<T> diagonal = oracle::poisoned<T>(out, n);
        const hg::Matrix<T> ones = hg::Matrix<T>::Ones(out, n);
        layer.template tangent<In>(span, seen_x, seen_y, read(ones), write(diagonal));
        CHECK(difference((diagonal.array() * along_v.array()).matrix().eval(), t) <= oracle::tolerance<T>);
    }
}

template <hg::Shape In, class Layer>
void check(const Layer& layer) {
    CAPTURE(std::string(hg::core::name_of<Layer>()));
    static_assert(hg::core::TwiceDifferentiable<Layer, In, double> && hg::core::TwiceDifferentiable<Layer, In, float>);
    check_in<double, In>(layer);
    check_in<float, In>(layer);
}

constexpr hg::Shape vector{5}, series{1, 11}, sequence{3, 8}, picture{2, 3, 2};
constexpr auto same = hg::Padding::Same;

}  // namespace

TEST_CASE("second derivatives of layers with weights agree with dual numbers") {
    check<vector>(hg::Dense<4>{});
    check<vector>(hg::Dense<4, false>{});
    check<sequence>(hg::Dense<2>{});
    check<picture>(hg::Dense<3>{});
    check<series>(hg::Conv1D<5, 4, 2>{});
    check<sequence>(hg::Conv1D<4, 3, 2, same>{});
    check<sequence>(hg::Conv1D<4, 3, 1, same, 2>{});
    check<sequence>(hg::Conv1D<4, 3, 2, hg::Padding::Valid, 1, false>{});
    check<series>(hg::Conv1DTranspose<5, 4, 2>{});
    check<sequence>(hg::Conv1DTranspose<4, 7, 2, same>{});
    check<sequence>(hg::Conv1DTranspose<4, 3, 2, hg::Padding::Valid, 1, false>{});
}

TEST_CASE("second derivatives of poolings, reshapes and conditions agree with dual numbers") {
    check<sequence>(hg::AveragePooling1D{});
    check<sequence>(hg::AveragePooling1D<3, 2, same>{});
    check<sequence>(hg::MaxPooling1D{});
    check<sequence>(hg::MaxPooling1D<3, 2, same>{});
    check<sequence>(hg::UpSampling1D<3>{});
    check<sequence>(hg::Flatten{});
    check<sequence>(hg::Reshape<6, 4>{});
    check<vector>(hg::Condition<2>{});
    check<sequence>(hg::Condition<2>{});
    check<picture>(hg::Condition<2>{});
    check<sequence>(hg::layers::Add<1>{});  // along its input alone: who sweeps adds the branch
}

TEST_CASE("second derivatives of activations agree with dual numbers") {
    check<sequence>(hg::ReLU{});
    check<sequence>(hg::LeakyReLU{});
    check<sequence>(hg::ELU{0.5});
    check<sequence>(hg::SELU{});
    check<sequence>(hg::GELU{});
    check<sequence>(hg::GELU{true});
    check<sequence>(hg::SiLU{});
    check<sequence>(hg::Mish{});
    check<sequence>(hg::HardSwish{});
    check<sequence>(hg::Sigmoid{});
    check<sequence>(hg::Tanh{});
    check<sequence>(hg::Softplus{});
}

TEST_CASE("layers without a second derivative say so") {
    STATIC_REQUIRE(!hg::core::TwiceDifferentiable<hg::Softmax, vector, float>);
    STATIC_REQUIRE(!hg::core::TwiceDifferentiable<hg::LayerNormalization, vector, float>);
    STATIC_REQUIRE(!hg::core::TwiceDifferentiable<hg::GroupNormalization<2>, sequence, float>);
    STATIC_REQUIRE(!hg::core::TwiceDifferentiable<hg::PReLU, vector, float>);
    STATIC_REQUIRE(!hg::core::TwiceDifferentiable<hg::Dropout, vector, float>);
}
