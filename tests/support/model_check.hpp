// One line checks one model: its training pass against dual runs of itself, in float too, over a poisoned tape.
#pragma once

#include <Eigen/Core>
#include <limits>
#include <utility>

#include "hourglass/core/tape.hpp"
#include "support/gradient_check.hpp"

namespace oracle {

/// Whether the gradient of the encoder's input is also checked: behind a corruption that is not a plain sum it is not
/// the gradient of the clean input, which the oracle varies.
enum class InputGradient { Check, BehindCorruption };

/// A model and its tape, their types forgotten as a layer's are in gradient_check.hpp.
template <class T>
struct Trainable {
    virtual ~Trainable() = default;
    virtual Eigen::Map<Vector<T>> parameters() = 0;
    virtual Eigen::Map<Vector<T>> gradient() = 0;
    virtual void poison() = 0;
    virtual T step(const Matrix<T>& x, const Matrix<T>& target, hourglass::Rng rng, Matrix<T>* dx) = 0;
};
template <class T, class Model>
struct Trained final : Trainable<T> {
    Model model;
    hourglass::Tape<T> tape = model.tape();

    explicit Trained(Model m) : model(std::move(m)) {}

    Eigen::Map<Vector<T>> parameters() override { return model.parameters(); }
    Eigen::Map<Vector<T>> gradient() override { return tape.gradient(); }
    void poison() override {
        std::fill_n(tape.memory(20000), 20000, T(std::numeric_limits<double>::quiet_NaN()));
        tape.gradient().setConstant(T(std::numeric_limits<double>::quiet_NaN()));
    }
    T step(const Matrix<T>& x, const Matrix<T>& target, hourglass::Rng rng, Matrix<T>* dx) override {
        return dx ? model.gradient(x, target, tape, rng, *dx) : model.gradient(x, target, tape, rng);
    }
};

/// The gradients of all parameters and of the input against dual runs of the model's own training pass, with the same
/// noise; twice, over a poisoned tape.
template <class T>
void check_trainable(Trainable<T>& model, Trainable<Dual>& exact, const Eigen::MatrixXd& x,
                     const Eigen::MatrixXd& target, InputGradient input_gradient) {
    auto theta = model.parameters();
    auto exact_theta = exact.parameters();
    const Index count = theta.size();
    const Eigen::MatrixXd nudge = values(count, 1, 12, -0.2, 0.2);  // biases off zero, activations off their kinks
    for (Index i = 0; i < count; ++i) {
        theta[i] += static_cast<T>(nudge(i));
        exact_theta[i] = dual(static_cast<double>(theta[i]));
    }

    const hourglass::Rng noise{13};
    Matrix<Dual> xd = x.cast<Dual>();
    const Matrix<Dual> td = target.cast<Dual>();
    Dual objective = dual(0);
    const auto along = [&](Dual& variable) {
        variable = dual(variable.value(), 1);
        objective = exact.step(xd, td, noise, nullptr);
        variable = dual(variable.value(), 0);
        return derivative(objective);
    };
    Eigen::MatrixXd expected(count, 1), expected_dx(x.rows(), x.cols());
    for (Index i = 0; i < count; ++i) expected(i) = along(exact_theta[i]);
    for (Index i = 0; i < xd.size(); ++i) expected_dx.reshaped()[i] = along(xd.reshaped()[i]);

    const Matrix<T> input = x.cast<T>(), wanted = target.cast<T>();
    for (int round = 0; round < 2; ++round) {
        model.poison();
        Matrix<T> dx;
        const T value = model.step(input, wanted, noise, &dx);
        CHECK(std::abs(static_cast<double>(value) - objective.value()) <= tolerance<T>);
        CHECK(difference(model.gradient(), expected) <= tolerance<T>);
        if (input_gradient == InputGradient::Check) CHECK(difference(dx, expected_dx) <= tolerance<T>);
    }
}

/// A whole model: `build.template operator()<T>(rng)` makes it in scalar T.
template <class T, class Build>
void check_model_in(Build build, const Eigen::MatrixXd& x, const Eigen::MatrixXd& target,
                    InputGradient input_gradient) {
    const auto born = [&]<class S>(S) {
        hourglass::Rng birth{11};
        return Trained<S, decltype(build.template operator()<S>(birth))>{build.template operator()<S>(birth)};
    };
    auto exact = born(dual(0));
    auto model = born(T(0));
    check_trainable<T>(model, exact, x, target, input_gradient);
}
template <class Build>
void check_model(Build build, const Eigen::MatrixXd& x, const Eigen::MatrixXd& target,
                 InputGradient input_gradient = InputGradient::Check) {
    if constexpr (!address_sanitizer) check_model_in<double>(build, x, target, input_gradient);
    check_model_in<float>(build, x, target, input_gradient);
}

}  // namespace oracle
