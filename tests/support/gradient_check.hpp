// One line checks one layer, loss, term or model: against dual numbers, in float too, with buffers that are poisoned
// where they must be overwritten and pre-filled where they must be added to.
#pragma once

#include <Eigen/Core>
#include <limits>
#include <span>
#include <vector>

#include "hourglass/core/chain.hpp"
#include "hourglass/core/term.hpp"
#include "support/catch.hpp"
#include "support/dual.hpp"

namespace oracle {

using hourglass::ConstView;
using hourglass::Index;
using hourglass::Matrix;
using hourglass::Shape;
using hourglass::Vector;
using hourglass::View;

template <class T>
constexpr double tolerance = sizeof(T) == 4 ? 2e-5 : 1e-12;

template <class T>
Matrix<T> poisoned(Index rows, Index cols) {
    return Matrix<T>::Constant(rows, cols, T(std::numeric_limits<double>::quiet_NaN()));
}
template <class A>
ConstView<typename A::Scalar> read(const A& a) {
    return {a.data(), a.rows(), a.cols()};
}
template <class A>
View<typename A::Scalar> write(A& a) {
    return {a.data(), a.rows(), a.cols()};
}

/// Values spread over [low, high), the same for every scalar type.
inline Eigen::MatrixXd values(Index rows, Index cols, std::uint64_t seed, double low = -1.5, double high = 1.5) {
    hourglass::Rng rng{seed};
    Eigen::MatrixXd m(rows, cols);
    for (double& v : m.reshaped()) v = rng.uniform(low, high);
    return m;
}

/// Largest difference, relative to the larger of 1 and the largest expected value; NaN counts as infinite.
template <class A, class B>
double difference(const A& actual, const B& expected) {
    REQUIRE(actual.rows() == expected.rows());
    REQUIRE(actual.cols() == expected.cols());
    double worst = 0, scale = 1;
    for (Index j = 0; j < expected.cols(); ++j)
        for (Index i = 0; i < expected.rows(); ++i) {
            const double a = static_cast<double>(actual(i, j)), e = static_cast<double>(expected(i, j));
            if (!(std::abs(a - e) <= worst)) worst = std::abs(a - e);
            if (std::abs(e) > scale) scale = std::abs(e);
        }
    return worst == worst ? worst / scale : std::numeric_limits<double>::infinity();
}

/// One layer's three methods on plain buffers.
template <class Layer, Shape In, class T>
struct Bench {
    static constexpr auto count = static_cast<std::size_t>(hourglass::parameters_of<Layer>(In));
    static constexpr Shape out = Layer::output(In);
    static constexpr Index cached = hourglass::cache_of<Layer>(In);

    const Layer& layer;
    Matrix<T> cache = poisoned<T>(cached, 3);
    Vector<T> statistics = Vector<T>(hourglass::state_of<Layer>(In));
    hourglass::Pass<T> pass{{cache.data(), cached, 3},
                            hourglass::Stream{7, 1},
                            {statistics.data(), static_cast<std::size_t>(statistics.size())}};

    void forward(const Vector<T>& w, ConstView<T> x, View<T> y) {
        const std::span<const T, count> weights(w.data(), count);
        if constexpr (cached > 0)
            layer.template forward<In>(weights, x, y, pass);
        else
            layer.template forward<In>(weights, x, y);
    }
    void backward(const Vector<T>& w, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx) {
        const std::span<const T, count> weights(w.data(), count);
        if constexpr (cached > 0)
            layer.template backward<In>(weights, x, y, dy, dx, pass);
        else
            layer.template backward<In>(weights, x, y, dy, dx);
    }
    void gradient(ConstView<T> x, ConstView<T> dy, Vector<T>& dw) {
        const std::span<T, count> slice(dw.data(), count);
        if constexpr (count > 0 && cached > 0)
            layer.template gradient<In>(x, dy, slice, pass);
        else if constexpr (count > 0)
            layer.template gradient<In>(x, dy, slice);
    }
};

/// dw and dx of `layer` in scalar T against the derivatives of its own forward on dual numbers.
template <class T, Shape In, class Layer>
void check_layer_in(const Layer& layer) {
    constexpr Index n = 3;
    constexpr auto count = static_cast<Index>(Bench<Layer, In, T>::count);
    constexpr Shape out = Layer::output(In);
    const Eigen::MatrixXd w = values(count, 1, 1), x = values(In.size(), n, 2), up = values(out.size(), n, 3);
    const Eigen::MatrixXd filled_w = values(count, 1, 4), filled_x = values(In.size(), n, 5);

    // The oracle: d(Σ up ∘ y) along each weight and each input.
    Bench<Layer, In, Dual> dual_bench{layer};
    Vector<Dual> wd = w.cast<Dual>();
    Matrix<Dual> xd = x.cast<Dual>(), yd(out.size(), n);
    const auto along = [&](Dual& variable) {
        variable = dual(variable.value(), 1);
        dual_bench.forward(wd, read(xd), write(yd));
        variable = dual(variable.value(), 0);
        double sum = 0;
        for (Index j = 0; j < n; ++j)
            for (Index i = 0; i < out.size(); ++i) sum += up(i, j) * derivative(yd(i, j));
        return sum;
    };
    Eigen::MatrixXd expected_dw = filled_w, expected_dx = filled_x;
    for (Index i = 0; i < count; ++i) expected_dw(i) += along(wd[i]);
    for (Index i = 0; i < xd.size(); ++i) expected_dx.reshaped()[i] += along(xd.reshaped()[i]);

    Bench<Layer, In, T> bench{layer};
    const Vector<T> weights = w.cast<T>();
    const Matrix<T> input = x.cast<T>(), dy = up.cast<T>();
    Matrix<T> y = poisoned<T>(out.size(), n);
    bench.forward(weights, read(input), write(y));
    dual_bench.forward(wd, read(xd), write(yd));
    CHECK(difference(y, yd.unaryExpr([](const Dual& d) { return d.value(); }).eval()) <= tolerance<T>);

    // What the layer says it does not need, it gets as poison.
    const Matrix<T> nan_x = poisoned<T>(In.size(), n), nan_y = poisoned<T>(out.size(), n);
    Vector<T> dw = filled_w.cast<T>();
    Matrix<T> dx = filled_x.cast<T>();
    bench.gradient(hourglass::needs_input<Layer>() ? read(input) : read(nan_x), read(dy), dw);
    bench.backward(weights, hourglass::needs_input<Layer>() ? read(input) : read(nan_x),
                   hourglass::needs_output<Layer>() ? read(y) : read(nan_y), read(dy), write(dx));
    CHECK(difference(dw, expected_dw) <= tolerance<T>);
    CHECK(difference(dx, expected_dx) <= tolerance<T>);

    if constexpr (hourglass::works_in_place<Layer>() && !hourglass::needs_input<Layer>()) {
        Matrix<T> both = input, gradient = dy;
        bench.forward(weights, read(both), {both.data(), out.size(), n});
        CHECK(difference(both.reshaped(out.size(), n).eval(), y) == 0);
        layer.template backward_in_place<In>({both.data(), out.size(), n}, write(gradient));
        CHECK(difference(gradient.reshaped(In.size(), n).eval(), (expected_dx - filled_x).eval()) <= tolerance<T>);
    }
}
template <Shape In, class Layer>
void check_layer(const Layer& layer) {
    CAPTURE(std::string(hourglass::name_of<Layer>()));
    check_layer_in<double, In>(layer);
    check_layer_in<float, In>(layer);
}

/// A loss's value, gradient (written, also over the prediction itself) and values per sample.
template <class T, class Loss>
void check_loss_in(const Loss& loss, const Eigen::MatrixXd& prediction, const Eigen::MatrixXd& target) {
    Matrix<Dual> pd = prediction.cast<Dual>();
    const Matrix<Dual> td = target.cast<Dual>();
    Eigen::MatrixXd expected(prediction.rows(), prediction.cols());
    for (Index i = 0; i < pd.size(); ++i) {
        Dual& variable = pd.reshaped()[i];
        variable = dual(variable.value(), 1);
        expected.reshaped()[i] = derivative(loss.template value<Dual>(read(pd), read(td)));
        variable = dual(variable.value(), 0);
    }
    const Matrix<T> p = prediction.cast<T>(), t = target.cast<T>();
    Matrix<T> d = poisoned<T>(p.rows(), p.cols()), over = p;
    const T value = loss.template value<T>(read(p), read(t));
    CHECK(std::abs(static_cast<double>(value) - loss.template value<Dual>(read(pd), read(td)).value()) <= tolerance<T>);
    CHECK(loss.template gradient<T>(read(p), read(t), write(d)) == value);
    CHECK(difference(d, expected) <= tolerance<T>);
    CHECK(loss.template gradient<T>(read(over), read(t), write(over)) == value);
    CHECK(difference(over, d) == 0);
    Vector<T> each(p.cols());
    loss.template samples<T>(read(p), read(t), Eigen::Map<Vector<T>>{each.data(), each.size()});
    CHECK(std::abs(static_cast<double>(each.mean() - value)) <= tolerance<T>);
}
template <class Loss>
void check_loss(const Loss& loss, const Eigen::MatrixXd& prediction, const Eigen::MatrixXd& target) {
    check_loss_in<double>(loss, prediction, target);
    check_loss_in<float>(loss, prediction, target);
}

/// A code term's value and gradient, added to what is there.
template <class T, class Term>
void check_code_term_in(const Term& term, const Eigen::MatrixXd& code) {
    const Eigen::MatrixXd filled = values(code.rows(), code.cols(), 6);
    Eigen::MatrixXd expected = filled;
    Matrix<Dual> cd = code.cast<Dual>();
    for (Index i = 0; i < cd.size(); ++i) {
        Dual& variable = cd.reshaped()[i];
        variable = dual(variable.value(), 1);
        expected.reshaped()[i] += derivative(term.template value<Dual>(read(cd)));
        variable = dual(variable.value(), 0);
    }
    const Matrix<T> c = code.cast<T>();
    Matrix<T> d = filled.cast<T>();
    CHECK(term.template gradient<T>(read(c), write(d)) == term.template value<T>(read(c)));
    CHECK(difference(d, expected) <= tolerance<T>);
}
template <class Term>
void check_code_term(const Term& term, const Eigen::MatrixXd& code) {
    check_code_term_in<double>(term, code);
    check_code_term_in<float>(term, code);
}

/// Whether the gradient of the encoder's input is also checked: behind a corruption that is not a plain sum it is not
/// the gradient of the clean input, which the oracle varies.
enum class InputGradient { Check, BehindCorruption };

/// A whole model: `build.template operator()<T>(rng)` makes it in scalar T. The gradients of all parameters and of the
/// input against dual runs of the model's own training pass, with the same noise; twice, over a poisoned tape.
template <class T, class Build>
void check_model_in(Build build, const Eigen::MatrixXd& x, const Eigen::MatrixXd& target,
                    InputGradient input_gradient) {
    hourglass::Rng birth{11};
    auto exact = build.template operator()<Dual>(birth);
    birth = hourglass::Rng{11};
    auto model = build.template operator()<T>(birth);
    const Index count = model.parameters().size();
    const Eigen::MatrixXd nudge = values(count, 1, 12, -0.2, 0.2);  // biases off zero, activations off their kinks
    for (Index i = 0; i < count; ++i) {
        model.parameters()[i] += static_cast<T>(nudge(i));
        exact.parameters()[i] = dual(static_cast<double>(model.parameters()[i]));
    }

    const hourglass::Rng noise{13};
    Matrix<Dual> xd = x.cast<Dual>();
    const Matrix<Dual> td = target.cast<Dual>();
    auto exact_tape = exact.tape();
    Dual objective = dual(0);
    const auto along = [&](Dual& variable) {
        variable = dual(variable.value(), 1);
        hourglass::Rng rng = noise;
        objective = exact.gradient(xd, td, exact_tape, rng);
        variable = dual(variable.value(), 0);
        return derivative(objective);
    };
    Eigen::MatrixXd expected(count, 1), expected_dx(x.rows(), x.cols());
    for (Index i = 0; i < count; ++i) expected(i) = along(exact.parameters()[i]);
    for (Index i = 0; i < xd.size(); ++i) expected_dx.reshaped()[i] = along(xd.reshaped()[i]);

    const Matrix<T> input = x.cast<T>(), wanted = target.cast<T>();
    auto tape = model.tape();
    for (int round = 0; round < 2; ++round) {
        std::fill_n(tape.memory(20000), 20000, std::numeric_limits<T>::quiet_NaN());
        tape.gradient().setConstant(std::numeric_limits<T>::quiet_NaN());
        hourglass::Rng rng = noise;
        Matrix<T> dx;
        const T value = model.gradient(input, wanted, tape, rng, dx);
        CHECK(std::abs(static_cast<double>(value) - objective.value()) <= tolerance<T>);
        CHECK(difference(tape.gradient(), expected) <= tolerance<T>);
        if (input_gradient == InputGradient::Check) CHECK(difference(dx, expected_dx) <= tolerance<T>);
    }
}
template <class Build>
void check_model(Build build, const Eigen::MatrixXd& x, const Eigen::MatrixXd& target,
                 InputGradient input_gradient = InputGradient::Check) {
    check_model_in<double>(build, x, target, input_gradient);
    check_model_in<float>(build, x, target, input_gradient);
}

}  // namespace oracle
