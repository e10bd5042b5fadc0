// One line checks one layer, loss or term: against dual numbers, in float too, with buffers that are poisoned where
// they must be overwritten and pre-filled where they must be added to. Whole models: support/model_check.hpp.
#pragma once

#include <Eigen/Core>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "hourglass/core/chain.hpp"
#include "hourglass/core/term.hpp"
#include "support/address_sanitizer.hpp"
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

/// One layer's methods on plain buffers, its type forgotten: the check below is compiled once, not for every layer.
template <class T>
struct Methods {
    Shape input, output;
    Index parameters;
    hourglass::Traits traits;
    // The activation that a branch comes from, and where its gradient goes; empty without one.
    Matrix<T> branch = values(traits.branch > 0 ? input.size() : 0, 3, 9).template cast<T>(), branch_gradient = branch;

    virtual ~Methods() = default;
    virtual void forward(const Vector<T>& w, ConstView<T> x, View<T> y) = 0;
    /// The way back, to dx, dw and the branch's gradient, each where it has values; all added to or assigned.
    virtual void backward(const Vector<T>& w, ConstView<T> x, ConstView<T> y, View<T> dy, View<T> dx, Vector<T>& dw,
                          bool accumulate) = 0;

  protected:
    Methods(Shape in, Shape out, Index count, hourglass::Traits says)
        : input(in), output(out), parameters(count), traits(says) {}
};

template <class Layer, Shape In, class T>
struct Bench final : Methods<T> {
    static constexpr Shape out = Layer::output(In);
    static constexpr Index count = hourglass::core::parameters_of<Layer>(In),
                           cached = hourglass::core::cache_of<Layer>(In), n = 3;

    const Layer& layer;
    Matrix<T> cache = poisoned<T>(cached, n);
    Vector<T> statistics = Vector<T>(hourglass::core::state_of<Layer>(In));
    // Values given with each sample: fixed ones.
    Matrix<T> condition = values(hourglass::core::traits_of<Layer>().condition, n, 8).template cast<T>();

    explicit Bench(const Layer& l) : Methods<T>(In, out, count, hourglass::core::traits_of<Layer>()), layer(l) {}

    hourglass::core::LayerCall<T> call(const Vector<T>& w, ConstView<T> x, const T* y) {
        return {w.data(),
                w.data(),
                nullptr,
                nullptr,
                nullptr,
                statistics.data(),
                const_cast<T*>(x.data()),
                const_cast<T*>(y),
                nullptr,
                nullptr,
                cache.data(),
                this->branch.data(),
                nullptr,
                {condition.data(), condition.rows(), n},
                n,
                n,
                hourglass::Stream{7, 1},
                true,
                true,
                true,
                true};
    }
    void forward(const Vector<T>& w, ConstView<T> x, View<T> y) override {
        hourglass::core::forward_layer<Layer, In, T>(&layer, call(w, x, y.data()));
    }
    void backward(const Vector<T>& w, ConstView<T> x, ConstView<T> y, View<T> dy, View<T> dx, Vector<T>& dw,
                  bool accumulate) override {
        auto c = call(w, x, y.data());
        c.dy = dy.data(), c.dx = dx.data(), c.dw = c.dshared = dw.data();
        c.branch_gradient = this->branch_gradient.data();
        c.accumulate_dx = c.accumulate_dw = c.accumulate_branch = accumulate;
        hourglass::core::backward_layer<Layer, In, T>(&layer, c);
    }
};

/// dw and dx of a layer in scalar T against the derivatives of its own forward on dual numbers.
template <class T>
void check_methods(Methods<T>& layer, Methods<Dual>& exact) {
    constexpr Index n = 3;
    const Index count = layer.parameters, ins = layer.input.size(), outs = layer.output.size();
    const Eigen::MatrixXd w = values(count, 1, 1), x = values(ins, n, 2), up = values(outs, n, 3);
    const Eigen::MatrixXd filled_w = values(count, 1, 4), filled_x = values(ins, n, 5),
                          filled_branch = values(layer.branch.rows(), n, 6);

    // The oracle: d(Σ up ∘ y) along each weight, each input and each value of the branch.
    Vector<Dual> wd = w.cast<Dual>();
    Matrix<Dual> xd = x.cast<Dual>(), yd(outs, n);
    const auto along = [&](Dual& variable) {
        variable = dual(variable.value(), 1);
        exact.forward(wd, read(xd), write(yd));
        variable = dual(variable.value(), 0);
        double sum = 0;
        for (Index j = 0; j < n; ++j)
            for (Index i = 0; i < outs; ++i) sum += up(i, j) * derivative(yd(i, j));
        return sum;
    };
    Eigen::MatrixXd expected_dw = filled_w, expected_dx = filled_x, expected_branch = filled_branch;
    for (Index i = 0; i < count; ++i) expected_dw(i) += along(wd[i]);
    for (Index i = 0; i < xd.size(); ++i) expected_dx.reshaped()[i] += along(xd.reshaped()[i]);
    for (Index i = 0; i < filled_branch.size(); ++i) expected_branch.reshaped()[i] += along(exact.branch.reshaped()[i]);

    const Vector<T> weights = w.cast<T>();
    const Matrix<T> input = x.cast<T>();
    Matrix<T> dy = up.cast<T>(), y = poisoned<T>(outs, n);
    layer.forward(weights, read(input), write(y));
    exact.forward(wd, read(xd), write(yd));
    CHECK(difference(y, yd.unaryExpr([](const Dual& d) { return d.value(); }).eval()) <= tolerance<T>);

    // What the layer says it does not need, it gets as poison.
    const Matrix<T> nan_x = poisoned<T>(ins, n), nan_y = poisoned<T>(outs, n);
    const ConstView<T> seen_x = layer.traits.needs_input ? read(input) : read(nan_x),
                       seen_y = layer.traits.needs_output ? read(y) : read(nan_y);
    Vector<T> dw = filled_w.cast<T>();
    Matrix<T> dx = filled_x.cast<T>();
    layer.branch_gradient = filled_branch.cast<T>();
    layer.backward(weights, seen_x, seen_y, write(dy), write(dx), dw, true);
    CHECK(difference(layer.branch_gradient, expected_branch) <= tolerance<T>);
    CHECK(difference(dw, expected_dw) <= tolerance<T>);
    CHECK(difference(dx, expected_dx) <= tolerance<T>);

    Vector<T> new_dw = poisoned<T>(count, 1);
    Matrix<T> new_dx = poisoned<T>(ins, n);
    layer.branch_gradient = poisoned<T>(filled_branch.rows(), n);
    layer.backward(weights, seen_x, seen_y, write(dy), write(new_dx), new_dw, false);
    CHECK(difference(layer.branch_gradient, (expected_branch - filled_branch).eval()) <= tolerance<T>);
    CHECK(difference(new_dw, (expected_dw - filled_w).eval()) <= tolerance<T>);
    CHECK(difference(new_dx, (expected_dx - filled_x).eval()) <= tolerance<T>);
    CHECK(difference(dy, up.cast<T>().eval()) == 0);

    if (layer.traits.in_place && !layer.traits.needs_input) {
        Matrix<T> both = input, gradient = dy;
        layer.forward(weights, read(both), {both.data(), outs, n});
        CHECK(difference(both.reshaped(outs, n).eval(), y) == 0);
        layer.branch_gradient = poisoned<T>(filled_branch.rows(), n);
        layer.backward(weights, read(nan_x), {both.data(), outs, n}, write(gradient), {gradient.data(), ins, n}, new_dw,
                       false);
        CHECK(difference(layer.branch_gradient, (expected_branch - filled_branch).eval()) <= tolerance<T>);
        CHECK(difference(gradient.reshaped(ins, n).eval(), (expected_dx - filled_x).eval()) <= tolerance<T>);
    }
}
template <Shape In, class Layer>
void check_layer(const Layer& layer) {
    CAPTURE(std::string(hourglass::core::name_of<Layer>()));
    Bench<Layer, In, Dual> exact{layer};
    if constexpr (!address_sanitizer) {
        Bench<Layer, In, double> in_double{layer};
        check_methods<double>(in_double, exact);
    }
    Bench<Layer, In, float> in_float{layer};
    check_methods<float>(in_float, exact);
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
    if constexpr (!address_sanitizer) check_loss_in<double>(loss, prediction, target);
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
    if constexpr (!address_sanitizer) check_code_term_in<double>(term, code);
    check_code_term_in<float>(term, code);
}

}  // namespace oracle
