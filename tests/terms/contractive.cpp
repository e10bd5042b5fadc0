// The contractive penalty: value against the encoder's Jacobian from dual numbers, gradients against dual runs of the
// value, one layer against the closed form of Rifai et al. 2011, and the probes' estimate against what it estimates.
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "hourglass/hourglass.hpp"
#include "support/model_check.hpp"

namespace hg = hourglass;

namespace {

using Catch::Matchers::ContainsSubstring;
using oracle::Dual, oracle::dual, oracle::derivative, oracle::difference, oracle::tolerance, oracle::values;

/// One encoder with weights and a batch, and the term called as a model calls it; the scratch memory holds NaN before.
/// The encoder's type is forgotten: the checks below are compiled once, not for every encoder.
template <class T>
struct Rig {
    hg::Vector<T> w;
    hg::Matrix<T> x, condition, dx;
    hg::Vector<T> dw;
    std::vector<T> memory, scratch;
    Eigen::Map<const hg::Matrix<T>> code{nullptr, 0, 0};

    Rig(const Eigen::MatrixXd& weights, const Eigen::MatrixXd& batch, hg::Index conditions)
        : w(weights.cast<T>()), x(batch.cast<T>()), condition(values(conditions, batch.cols(), 7).cast<T>()) {
        fill();
    }
    virtual ~Rig() = default;

    /// What the gradients are added to.
    void fill() {
        dx = values(x.rows(), x.cols(), 5).template cast<T>();
        dw = values(w.size(), 1, 6).template cast<T>();
    }
    virtual void forward() = 0;
    virtual T value(const hg::Contractive& term, const hg::Stream& random) = 0;
    virtual T gradient(const hg::Contractive& term, const hg::Stream& random, bool of_input) = 0;
};
template <class Encoder, class T>
struct RigOf final : Rig<T> {
    using Passes = hg::core::Passes<T, Encoder, Encoder::depth>;

    Encoder encoder;
    hg::Rng rng{1};
    Passes passes{encoder, rng, 0};
    typename Passes::Buffers buffers;

    RigOf(const Encoder& e, const Eigen::MatrixXd& weights, const Eigen::MatrixXd& batch)
        : Rig<T>(weights, batch, Encoder::condition), encoder(e) {}

    void forward() override {
        passes.parameters() = this->w;
        const hg::Index n = this->x.cols();
        this->memory.resize(static_cast<std::size_t>(Passes::training_room(n)));
        hg::core::Arena<T> arena{this->memory.data()};
        buffers = Passes::training(arena, this->x.data(), n, 1, Encoder::depth + 1, Encoder::depth, true);
        buffers.condition = this->condition.data();
        passes.run_forward(buffers, 0, Encoder::depth);
        new (&this->code)
            Eigen::Map<const hg::Matrix<T>>{buffers.activation[Encoder::depth], Encoder::output.size(), n};
        this->scratch.assign(static_cast<std::size_t>(hg::Contractive::scratch<Encoder, T>(n)),
                             T(std::numeric_limits<double>::quiet_NaN()));
    }

    T value(const hg::Contractive& term, const hg::Stream& random) override {
        forward();
        const auto layers = encoder.layers();
        return term.value<Encoder, T>(passes.encoder_pass(layers, buffers, this->scratch.data(), random));
    }
    T gradient(const hg::Contractive& term, const hg::Stream& random, bool of_input) override {
        forward();
        const auto layers = encoder.layers();
        auto pass = passes.encoder_pass(layers, buffers, this->scratch.data(), random);
        pass.gradient = Encoder::parameters > 0 ? this->dw.data() : this->scratch.data();  // null would ask for none
        const hg::Index n = this->x.cols();
        std::array<hg::Vector<T>, Encoder::depth + 1> zeros;
        std::array<T*, Encoder::depth + 1> added{};
        Encoder::each([&]<std::size_t I>() {
            if (hg::core::traits_of<typename Encoder::template Layer<I>>().linear) return;
            zeros[I].setZero(Encoder::plan.shapes[I].size() * n);
            added[I] = zeros[I].data();
        });
        pass.added = added.data();
        const T value = term.gradient<Encoder, T>(pass);

        // The model's way back, of nothing but what the term has added.
        buffers.added = added;
        std::fill_n(buffers.gradient[Encoder::depth], this->code.size(), T(0));
        typename Passes::template Each<bool> accumulate;
        accumulate.fill(true);
        passes.run_backward(buffers, Encoder::depth, pass.gradient, accumulate, of_input);
        if (of_input) this->dx += Eigen::Map<const hg::Matrix<T>>(buffers.gradient[0], this->dx.rows(), n);
        return value;
    }
};
template <class T, class Encoder>
RigOf<Encoder, T> rig(const Encoder& encoder, const Eigen::MatrixXd& w, const Eigen::MatrixXd& x) {
    return {encoder, w, x};
}

/// Σ (∂codeᵢ/∂xⱼ)², mean over the batch, each column of J from one run on dual numbers.
double squared_jacobian(Rig<Dual>& r) {
    double sum = 0;
    for (Dual& variable : r.x.reshaped()) {
        variable = dual(variable.value(), 1);
        r.forward();
        for (const Dual& c : r.code.reshaped()) sum += std::pow(derivative(c), 2);
        variable = dual(variable.value(), 0);
    }
    return sum / static_cast<double>(r.x.cols());
}

/// `r` and `without_input` are alike, and hold what `oracle` holds.
template <class T>
void check_in(Rig<T>& r, Rig<T>& without_input, Rig<Dual>& oracle, const hg::Contractive& term) {
    const hg::Stream random{3, 4, 5};
    const auto along = [&](Dual& variable) {
        variable = dual(variable.value(), 1);
        const double slope = derivative(oracle.value(term, random));
        variable = dual(variable.value(), 0);
        return slope;
    };
    Eigen::MatrixXd expected_dw = oracle.dw.unaryExpr([](const Dual& d) { return d.value(); });
    Eigen::MatrixXd expected_dx = oracle.dx.unaryExpr([](const Dual& d) { return d.value(); });
    for (hg::Index i = 0; i < oracle.w.size(); ++i) expected_dw(i) += along(oracle.w[i]);
    for (hg::Index i = 0; i < oracle.x.size(); ++i) expected_dx.reshaped()[i] += along(oracle.x.reshaped()[i]);

    r.fill();
    const T value = r.value(term, random);
    if (term.probes == 0) {
        const double expected = term.weight * squared_jacobian(oracle);
        CHECK(std::abs(static_cast<double>(value) - expected) <= tolerance<T> * std::max(1.0, expected));
    }
    CHECK(r.gradient(term, random, true) == value);
    CHECK(difference(r.dw, expected_dw) <= tolerance<T>);
    CHECK(difference(r.dx, expected_dx) <= tolerance<T>);

    without_input.fill();
    const hg::Matrix<T> untouched = without_input.dx;
    CHECK(without_input.gradient(term, random, false) == value);
    CHECK(difference(without_input.dw, r.dw) == 0);
    CHECK(difference(without_input.dx, untouched) == 0);
}
/// One line a chain: exact and with probes, in double and, unless the compiler's time is worth more, in float.
template <class Encoder, class... T>
void check_in_all(const Encoder& encoder) {
    const Eigen::MatrixXd w = values(Encoder::parameters, 1, 1, -0.9, 0.9), x = values(Encoder::input.size(), 4, 2);
    auto oracle = rig<Dual>(encoder, w, x);
    const auto check_each = [&]<class S>(std::type_identity<S>) {
        auto with_input = rig<S>(encoder, w, x), without_input = rig<S>(encoder, w, x);
        for (const hg::Contractive& term : {hg::Contractive{0.3f}, hg::Contractive{.weight = 0.7, .probes = 3}})
            check_in<S>(with_input, without_input, oracle, term);
    };
    (check_each(std::type_identity<T>{}), ...);
}
template <class Encoder>
void check(const Encoder& encoder) {
    if constexpr (oracle::address_sanitizer)
        check_in_all<Encoder, float>(encoder);
    else
        check_in_all<Encoder, double, float>(encoder);
}
template <class Encoder>
void check_double(const Encoder& encoder) {
    check_in_all<Encoder, double>(encoder);
}

// y = x + a ∘ x², a for each channel: pointwise, and with weights.
struct Bend {
    [[maybe_unused]] static constexpr std::string_view name = "Bend";
    static constexpr hg::Traits traits{.needs_output = false, .pointwise = true};
    static constexpr hg::Shape output(hg::Shape in) { return in; }
    static constexpr hg::Index parameters(hg::Shape in) { return in.channels; }

    template <hg::Shape In, class T>
    void forward(std::span<const T, parameters(In)> w, hg::ConstView<T> x, hg::View<T> y, const hg::Context<T>&) const {
        each<In>(x, [&](auto c, auto i, auto j) { y(i, j) = x(i, j) + w[c] * x(i, j) * x(i, j); });
    }
    template <hg::Shape In, class T>
    void backward(std::span<const T, parameters(In)> w, hg::ConstView<T> x, hg::ConstView<T>, hg::ConstView<T> dy,
                  hg::View<T> dx) const {
        each<In>(x, [&](auto c, auto i, auto j) { dx(i, j) += (T(1) + T(2) * w[c] * x(i, j)) * dy(i, j); });
    }
    template <hg::Shape In, class T>
    void gradient(std::span<const T, parameters(In)>, hg::ConstView<T> x, hg::ConstView<T>, hg::ConstView<T> dy,
                  std::span<T, parameters(In)> dw) const {
        each<In>(x, [&](auto c, auto i, auto j) { dw[c] += x(i, j) * x(i, j) * dy(i, j); });
    }
    template <hg::Shape In, class T>
    void tangent(std::span<const T, parameters(In)> w, hg::ConstView<T> x, hg::ConstView<T>, hg::ConstView<T> v,
                 hg::View<T> t) const {
        each<In>(x, [&](auto c, auto i, auto j) { t(i, j) = (T(1) + T(2) * w[c] * x(i, j)) * v(i, j); });
    }
    template <hg::Shape In, class T>
    void curvature(std::span<const T, parameters(In)> w, hg::ConstView<T> x, hg::ConstView<T>, hg::ConstView<T> u,
                   hg::ConstView<T> v, std::span<T, parameters(In)> dw, hg::View<T> dx) const {
        each<In>(x, [&](auto c, auto i, auto j) {
            dw[c] += T(2) * x(i, j) * u(i, j) * v(i, j);
            dx(i, j) += T(2) * w[c] * u(i, j) * v(i, j);
        });
    }

  private:
    template <hg::Shape In, class T, class Use>
    static void each(hg::ConstView<T> x, const Use& use) {
        for (hg::Index j = 0; j < x.cols(); ++j)
            for (hg::Index i = 0; i < x.rows(); ++i) use(static_cast<std::size_t>(i % In.channels), i, j);
    }
};

using Deep = hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::Tanh, hg::Dense<4>, hg::Softplus, hg::Dense<3>>;
using Convolutional =
    hg::Chain<hg::Shape{2, 9}, hg::Conv1D<3, 3>, hg::Sigmoid, hg::AveragePooling1D<>, hg::Flatten, hg::Dense<4>>;

}  // namespace

TEST_CASE("the contractive penalty of dense chains agrees with dual numbers") {
    check(hg::Chain<hg::Shape{5}, hg::Dense<3>>{});
    check(hg::Chain<hg::Shape{5}, hg::Dense<3>, hg::Sigmoid>{});
    check(Deep{});
    check(hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::GELU, hg::Dense<4>, hg::SiLU, hg::Dense<3>, hg::GELU>{});
    check(hg::chain<hg::Shape{6}>(hg::Dense<5>{}, hg::GELU{true}, hg::Dense<4, false>{}, hg::ELU{0.5}));
    check(hg::Chain<hg::Shape{6}, hg::Dense<7>, hg::SELU, hg::Dense<6>, hg::LeakyReLU, hg::Dense<5>, hg::ReLU>{});
}

TEST_CASE("the contractive penalty of chains that are pointwise between two linear ends agrees with dual numbers") {
    using hg::Dense, hg::Residual, hg::Shape, hg::Tanh;
    check(hg::Chain<Shape{6}, Dense<5>, Tanh, Dense<4>>{});
    check(hg::Chain<Shape{6}, Dense<6>, hg::Sigmoid, hg::SiLU, Dense<5, false>, Dense<7>>{});
    check_double(hg::Chain<Shape{1, 2, 3}, hg::Flatten, Dense<4>, hg::Softplus, hg::Reshape<2, 2>, hg::Conv1D<3, 2>>{});
    check_double(
        hg::Chain<Shape{2, 8}, hg::Conv1D<2, 3, 2>, Tanh, hg::AveragePooling1D<2, 1>, hg::Flatten, Dense<3>>{});
    check_double(hg::Chain<Shape{5}, Dense<4>, Residual<Tanh>, Residual<Dense<4>>, Dense<2>>{});
    // Residual blocks over the ends' inner edges.
    check_double(hg::Chain<Shape{5}, Dense<4>, Residual<hg::GELU, Dense<4>>, Dense<3>>{});
    check_double(hg::Chain<Shape{5}, Dense<3>, Tanh, hg::Condition<2>, Dense<4>>{});
    // Weights between the ends, and behind a front without a back.
    check_double(hg::Chain<Shape{5}, Dense<4>, Bend, Dense<3>>{});
    check_double(hg::Chain<Shape{5}, Dense<4>, Tanh, Bend>{});
}

TEST_CASE("the contractive penalty of convolutional chains agrees with dual numbers") {
    check(Convolutional{});
    check(hg::Chain<hg::Shape{1, 12}, hg::Conv1D<3, 5, 2, hg::Padding::Same>, hg::SiLU, hg::MaxPooling1D<>,
                    hg::Conv1DTranspose<2, 3, 1, hg::Padding::Same>, hg::Tanh>{});
    check(hg::Chain<hg::Shape{2, 4}, hg::UpSampling1D<>, hg::Dense<2>, hg::Tanh, hg::Reshape<4, 4>,
                    hg::AveragePooling1D<3, 1>, hg::Softplus>{});
}

TEST_CASE("the contractive penalty of unusual chains agrees with dual numbers") {
    check(hg::Chain<hg::Shape{4}>{});  // ‖1‖² = 4
    check(hg::Chain<hg::Shape{4}, hg::Sigmoid>{});
    check(hg::Chain<hg::Shape{2, 3}, hg::Flatten, hg::Tanh, hg::Sigmoid, hg::Reshape<3, 2>, hg::Dense<2>>{});
    check(hg::Chain<hg::Shape{2}, hg::Dense<130>, hg::Tanh>{});  // more units than are worked at a time
    using Block = hg::Chain<hg::Shape{5}, hg::Tanh, hg::Dense<5>>;
    check(hg::Chain<hg::Shape{4}, hg::Dense<5>, Block, Block, hg::Sigmoid>{});
}

TEST_CASE("the contractive penalty of chains with residual blocks agrees with dual numbers") {
    using hg::Dense, hg::Residual, hg::Shape, hg::Tanh;
    // At the chain's beginning and end, within one another, and in a row.
    check_double(hg::Chain<Shape{5}, Residual<Dense<5>, Tanh>, Dense<3>>{});
    check_double(hg::Chain<Shape{5}, Dense<3>, Tanh, Residual<Dense<3>, Tanh>>{});
    check_double(hg::Chain<Shape{4}, Residual<Dense<4>, Tanh, Dense<4>>>{});
    check_double(hg::Chain<Shape{4}, Residual<Tanh, Dense<4>>, Residual<Dense<4>, hg::Sigmoid>, Dense<3>>{});
    check_double(
        hg::Chain<Shape{4}, Residual<Dense<6>, Tanh, Residual<Dense<6>, hg::SiLU, Dense<6>>, Dense<4>>, Tanh>{});
    check_double(hg::Chain<Shape{4}, Dense<5>, Residual<Residual<Tanh>, Residual<Dense<5>, hg::Softplus>>, Dense<2>>{});
    // Nothing but linear layers, whole, before and behind others: the front of constant J goes through it, or has none.
    check_double(hg::Chain<Shape{5}, Residual<Dense<5>>>{});
    check_double(hg::Chain<Shape{5}, Residual<Dense<3>, Dense<5>>, Dense<4>, Tanh, Dense<3>>{});
    check_double(hg::Chain<Shape{6}, Dense<4>, Residual<Dense<4>>, Tanh, Residual<Dense<4>, Dense<4>>>{});
    check_double(hg::Chain<Shape{6}, Dense<4>, Residual<Residual<Dense<4>>, Tanh>, Dense<3>>{});
    // Over the front's end: the front ends where the residual block begins.
    check_double(hg::Chain<Shape{6}, Dense<5>, Residual<Dense<5>, Dense<5>, Tanh>, Dense<3>>{});
    // Pointwise alone, so in closed form.
    check_double(hg::Chain<Shape{5}, Dense<4>, Residual<Tanh>, hg::Sigmoid>{});
    check_double(hg::Chain<Shape{5}, Residual<Dense<5>>, Residual<Tanh, Residual<hg::Softplus>>>{});
    // Over a series.
    constexpr auto same = hg::Padding::Same;
    check_double(
        hg::Chain<Shape{2, 6}, hg::Conv1D<3, 3>, Residual<hg::Conv1D<3, 3, 1, same>, Tanh>, hg::Flatten, Dense<3>>{});
}

TEST_CASE("the contractive penalty of chains with conditions agrees with dual numbers") {
    using hg::Condition, hg::Dense, hg::Residual, hg::Shape, hg::Tanh;
    check_double(hg::Chain<Shape{5}, Condition<2>, Dense<4>, Tanh, Dense<3>>{});
    check_double(hg::Chain<Shape{5}, Condition<2>, Dense<3>, hg::Sigmoid>{});
    check_double(hg::Chain<Shape{4}, Condition<3>, Dense<6>, hg::Softplus>{});
    check_double(hg::Chain<Shape{5}, Dense<4>, Tanh, Condition<2>, Dense<3>, Tanh>{});
    check_double(hg::Chain<Shape{5}, Dense<4>, Tanh, Condition<2>>{});
    check_double(hg::Chain<Shape{5}, Condition<2>>{});
    check_double(hg::Chain<Shape{2, 4}, Condition<2>, hg::Conv1D<3, 3>, Tanh, hg::Flatten, Dense<3>>{});
    check_double(hg::Chain<Shape{4}, Residual<Condition<2>, Dense<4>, Tanh>, Dense<3>>{});
    check_double(hg::Chain<Shape{4}, Dense<5>, Tanh, Residual<Condition<2>, Dense<5>>, Condition<2>, Dense<3>>{});
}

TEST_CASE("one sigmoid layer has the closed form of Rifai et al. 2011") {
    constexpr hg::Index inputs = 7, units = 5, n = 6;
    using Layer = hg::Chain<hg::Shape{inputs}, hg::Dense<units>, hg::Sigmoid>;
    const Eigen::MatrixXd w = values(Layer::parameters, 1, 1), x = values(inputs, n, 2);
    const auto kernel = w.topRows(units * inputs).reshaped(units, inputs);
    const Eigen::VectorXd bias = w.bottomRows(units);
    const Eigen::ArrayXXd h = 1 / (1 + (-((kernel * x).colwise() + bias)).array().exp()), slope = h * (1 - h);
    const Eigen::ArrayXd norms = kernel.rowwise().squaredNorm();
    const double lambda = 0.25;

    // λ Σⱼ (hⱼ(1 − hⱼ))² ‖Wⱼ‖², and its gradients: 2 s²W for the norm, 2 s²(1 − 2h)‖W‖² on the pre-activation.
    const double expected = lambda * (slope.square().colwise() * norms).sum() / n;
    const Eigen::MatrixXd on_sum = 2 * lambda / n * ((slope.square() * (1 - 2 * h)).colwise() * norms);
    const Eigen::VectorXd on_norm = 2 * lambda / n * slope.square().rowwise().sum();
    Eigen::MatrixXd dw(w.size(), 1);
    dw.topRows(units * inputs).reshaped(units, inputs) =
        on_sum * x.transpose() + (kernel.array().colwise() * on_norm.array()).matrix();
    dw.bottomRows(units) = on_sum.rowwise().sum();

    auto r = rig<double>(Layer{}, w, x);
    r.dw.setZero();
    r.dx.setZero();
    const hg::Stream random{1, 1};
    const double value = r.gradient(hg::Contractive{.weight = lambda}, random, true);
    CHECK(std::abs(value - expected) <= 1e-14);
    CHECK(difference(r.dw, dw) <= 1e-14);
    CHECK(difference(r.dx, (kernel.transpose() * on_sum).eval()) <= 1e-14);
}

namespace {

/// Mean and standard error of the mean, entry by entry.
struct Means {
    Eigen::ArrayXd sum, squares;
    double count = 0;

    void add(const Eigen::ArrayXd& values) {
        if (count == 0) sum = squares = Eigen::ArrayXd::Zero(values.size());
        sum += values, squares += values.square(), ++count;
    }
    Eigen::ArrayXd mean() const { return sum / count; }
    Eigen::ArrayXd error() const { return ((squares / count - mean().square()).max(0) / (count - 1)).sqrt(); }
};

/// The probes' value and gradients over many steps: their means are the exact ones, within five standard errors (which
/// one of some hundred entries would exceed in one of 20 000 runs; the draws are fixed).
void check_unbiased(Rig<double>&& r, hg::Index probes) {
    constexpr int draws = 4000;
    const auto all = [&](const hg::Contractive& term, const hg::Stream& random) {
        r.dw.setZero();
        r.dx.setZero();
        Eigen::ArrayXd figures(1 + r.dw.size() + r.dx.size());
        figures << r.gradient(term, random, true), r.dw.array(), r.dx.reshaped().array();
        return figures;
    };
    const Eigen::ArrayXd exact = all(hg::Contractive{0.5}, hg::Stream{1, 1});
    Means means;
    for (int step = 1; step <= draws; ++step)
        means.add(all({.weight = 0.5, .probes = probes}, hg::Stream{1, static_cast<std::uint64_t>(step)}));
    CHECK(means.error()[0] > 1e-4);  // it is an estimate
    CHECK(means.error()[0] < 0.02 * exact[0]);
    CHECK(((means.mean() - exact).abs() <= 5 * means.error() + 1e-12).all());
}

}  // namespace

TEST_CASE("the probes' estimate is unbiased, value and gradients") {
    const auto with_values = []<class Encoder>(const Encoder& encoder) {
        return rig<double>(encoder, values(Encoder::parameters, 1, 1), values(Encoder::input.size(), 2, 2));
    };
    check_unbiased(with_values(Deep{}), 1);
    check_unbiased(with_values(Deep{}), 4);
    check_unbiased(with_values(Convolutional{}), 2);
}

TEST_CASE("probes are drawn for each sample, probe and step, and for nothing else") {
    // A code longer than one block of a stream, behind two hidden layers: no closed form.
    using Wide = hg::Chain<hg::Shape{3}, hg::Dense<4>, hg::Tanh, hg::Dense<4>, hg::Tanh, hg::Dense<300>>;
    const Eigen::MatrixXd w = values(Wide::parameters, 1, 1), x = values(3, 1, 2);
    const Eigen::MatrixXd same = x.replicate(1, 2);
    const auto value = [&](const Eigen::MatrixXd& batch, hg::Index probes, hg::Stream random) {
        return rig<double>(Wide{}, w, batch).value({.weight = 1, .probes = probes}, random);
    };
    const hg::Stream random{1, 1};
    const double one = value(x, 1, random);
    CHECK(value(x, 1, random) == one);
    CHECK(value(same, 1, random) != one);
    CHECK(value(x, 2, random) != one);
    CHECK(value(x, 1, {1, 2}) != one);
    CHECK(value(x, 1, random.substream(2)) != one);
    CHECK(std::abs(rig<float>(Wide{}, w, x).value({.weight = 1, .probes = 1}, random) - static_cast<float>(one)) <=
          1e-3f);
}

TEST_CASE("where the closed form costs less than probes it is taken") {
    using Layer = hg::Chain<hg::Shape{7}, hg::Dense<5>, hg::Sigmoid>;
    using Ends = hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::Tanh, hg::Dense<4>>;
    const auto check_exact = []<class Encoder>(const Encoder& encoder) {
        auto r = rig<double>(encoder, values(Encoder::parameters, 1, 1), values(Encoder::input.size(), 9, 2));
        const hg::Stream random{1, 1};
        CHECK(r.value({.weight = 1, .probes = 2}, random) == r.value(hg::Contractive{1}, random));
        hg::Rng rng{1};
        const auto model = hg::autoencoder<Encoder, hg::Mirror<Encoder>, double>(rng, hg::MeanSquaredError{});
        CHECK(hg::jacobian_norm(model, r.x, 2) == hg::jacobian_norm(model, r.x));
    };
    check_exact(Layer{});
    check_exact(Ends{});
    check_exact(hg::Chain<hg::Shape{2, 7}, hg::Conv1D<2, 3, 2>, hg::Tanh, hg::Flatten, hg::Dense<3>>{});
}

TEST_CASE("a closed form behind a wide convolution gives way to probes") {
    using hg::Conv1D, hg::Dense, hg::Flatten, hg::Padding, hg::Shape, hg::Tanh;
    using Series = hg::Chain<Shape{1, 4096}, Conv1D<8, 7, 8, Padding::Same>, Tanh, Flatten, Dense<32>>;
    using Picture = hg::Chain<Shape{1, 128, 128}, hg::Conv2D<4, 3, 2, Padding::Same>, hg::ReLU, Flatten, Dense<32>>;
    REQUIRE(hg::Contractive::scratch<Series, float>(1) < 1'000'000);
    REQUIRE(hg::Contractive::scratch<Picture, float>(1) < 1'000'000);
    const auto values_of = []<class Encoder>(const Encoder& encoder) {
        auto r = rig<double>(encoder, values(Encoder::parameters, 1, 1), values(Encoder::input.size(), 2, 2));
        return std::array{r.value({.weight = 1, .probes = 1}, {1, 1}), r.value({.weight = 1, .probes = 1}, {1, 2})};
    };
    const auto [one, other] = values_of(Series{});
    CHECK(one != other);
    CHECK(one == Approx(other).epsilon(0.5));
    // Without a hidden layer, too: each unit would cost a pass over the convolution.
    const auto [few, others] =
        values_of(hg::Chain<Shape{1, 512}, Conv1D<1, 5, 1, Padding::Same>, Conv1D<1, 3, 1, Padding::Same>, Tanh>{});
    CHECK(few != others);
    // A dense layer's is taken up to where it costs as much as many samples' passes.
    const auto [narrow, same] = values_of(hg::Chain<Shape{300}, Dense<300>, Tanh, Dense<2>>{});
    CHECK(narrow == same);
    const auto [wide, another] = values_of(hg::Chain<Shape{1030}, Dense<1030>, Tanh, Dense<2>>{});
    CHECK(wide != another);
}

TEST_CASE("models with a contractive term agree with dual numbers") {
    const Eigen::MatrixXd x = values(6, 4, 21, 0.05, 0.95), target = values(6, 4, 22, 0.05, 0.95);
    const auto build = []<class Decoder, class... Terms>(std::type_identity<Decoder>, const Terms&... terms) {
        return [=]<class T>(hg::Rng& rng) {
            return hg::autoencoder<Deep, Decoder, T>(rng, hg::MeanSquaredError{}, terms...);
        };
    };
    constexpr std::type_identity<hg::Mirror<Deep>> mirror;
    constexpr std::type_identity<hg::Tied<Deep>> tied;
    oracle::check_model(build(mirror, hg::Contractive{0.3}), x, target);
    oracle::check_model(build(tied, hg::Contractive{.weight = 0.3, .probes = 2}, hg::L1{0.1}), x, target);
    oracle::check_model(build(tied, hg::MaskingNoise{0.2}, hg::Contractive{0.3}), x, target,
                        oracle::InputGradient::BehindCorruption);
}

TEST_CASE("a model's loss holds the contractive penalty") {
    hg::Rng rng{1};
    auto model = hg::autoencoder<Deep, hg::Mirror<Deep>, double>(rng, hg::MeanSquaredError{}, hg::Contractive{0.3});
    const Eigen::MatrixXd x = values(6, 300, 1);  // more than one block of an evaluation
    const double with = model.loss(x);
    model.term<hg::Contractive>().weight = 0;
    const double without = model.loss(x);
    auto encoder = rig<Dual>(Deep{}, model.encoder_parameters(), x);
    const double penalty = 0.3 * squared_jacobian(encoder);
    CHECK(with - without == Approx(penalty).epsilon(1e-12));
}

TEST_CASE("only a term over the encoder asks how often its layers can be differentiated") {
    using Once = hg::Chain<hg::Shape{6}, hg::Dense<4>, hg::LayerNormalization>;
    CHECK(hg::core::accepts_encoder<hg::Contractive, Convolutional>());
    CHECK(hg::core::accepts_encoder<hg::Contractive, hg::Chain<hg::Shape{4}>>());
    CHECK(hg::core::accepts_encoder<hg::L1, Once>());
}

TEST_CASE("Contractive refuses hyperparameters out of range") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_WITH(hg::Contractive{-0.1}.check(),
                      ContainsSubstring("Contractive: the weight must be finite and at least 0, got -0.1"));
    CHECK_THROWS_AS(hg::Contractive{nan}.check(), hg::Error);
    CHECK_THROWS_AS(hg::Contractive{std::numeric_limits<double>::infinity()}.check(), hg::Error);
    CHECK_THROWS_WITH((hg::Contractive{.weight = 1, .probes = -2}.check()),
                      ContainsSubstring("the number of probes must be at least 0 (0: exact), got -2"));
    CHECK_NOTHROW(hg::Contractive{0}.check());
    hg::Rng rng{1};
    CHECK_THROWS_AS((hg::autoencoder<Deep, hg::Mirror<Deep>>(rng, hg::MeanSquaredError{}, hg::Contractive{nan})),
                    hg::Error);
}
