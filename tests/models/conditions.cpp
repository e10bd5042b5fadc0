// Conditional models: gradients of every combination against dual numbers, blocks, what is refused.
#include "hourglass/hourglass.hpp"

#include <tuple>

#include "support/error_of.hpp"
#include "support/model_check.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;
using oracle::check_model, oracle::values;

namespace {

const Eigen::MatrixXd x = values(6, 4, 21, 0.05, 0.95), target = values(6, 4, 22, 0.05, 0.95);
const Eigen::MatrixXd labels = values(2, 4, 23, -1, 1);
constexpr auto behind = oracle::InputGradient::BehindCorruption;

template <class Encoder, class Decoder, class... Rest>
auto build(const Rest&... rest) {
    return [all = std::tuple{rest...}]<class T>(hg::Rng& rng) {
        return std::apply([&](const auto&... r) { return hg::autoencoder<Encoder, Decoder, T>(rng, r...); }, all);
    };
}

/// A conditional model, whose batches are given with these labels, in the form that the oracle checks.
template <class T, class Model>
struct Given {
    Model model;
    hg::Matrix<T> c = labels.cast<T>();

    Eigen::Map<hg::Vector<T>> parameters() { return model.parameters(); }
    hg::Tape<T> tape() const { return model.tape(); }
    T gradient(const hg::Matrix<T>& in, const hg::Matrix<T>& wanted, hg::Tape<T>& tape, hg::Rng& rng) const {
        return model.gradient(hg::given(in, c), wanted, tape, rng);
    }
    T gradient(const hg::Matrix<T>& in, const hg::Matrix<T>& wanted, hg::Tape<T>& tape, hg::Rng& rng,
               hg::Matrix<T>& dx) const {
        return model.gradient(hg::given(in, c), wanted, tape, rng, dx);
    }
};
template <class Encoder, class Decoder, class... Rest>
auto build_given(const Rest&... rest) {
    return [make = build<Encoder, Decoder>(rest...)]<class T>(hg::Rng& rng) {
        auto model = make.template operator()<T>(rng);
        return Given<T, decltype(model)>{std::move(model)};
    };
}

using Plain = hg::Chain<hg::Shape{6}, hg::Dense<3>, hg::Residual<hg::Dense<3>, hg::SiLU>>;
using Unconditioned = hg::Chain<hg::Shape{3}, hg::Dense<6>>;
using C = hg::Condition<2>;
using Conditioned = hg::Chain<hg::Shape{6}, C, hg::Dense<5>, hg::Tanh, hg::Dense<3>>;
using Inside =
    hg::Chain<hg::Shape{3, 2}, hg::Dense<4>, hg::Residual<C, hg::Dense<4>, hg::Tanh>, hg::Flatten, hg::Dense<3>>;
using ConditionedDecoder = hg::Chain<hg::Shape{3}, C, hg::Dense<6>, hg::Sigmoid>;
using Late = hg::Chain<hg::Shape{3}, hg::Dense<4>, hg::Tanh, C, hg::Dense<6>>;

}  // namespace

TEST_CASE("conditional models agree with dual numbers") {
    const auto kinds = []<class E, class D>(std::type_identity<E>, std::type_identity<D>) {
        check_model(build_given<E, D>(hg::MeanSquaredError{}), x, target);
        // In double alone, for the sake of the compiler's time.
        const auto check = [](const auto& made, oracle::InputGradient input = oracle::InputGradient::Check) {
            oracle::check_model_in<double>(made, x, target, input);
        };
        check(build_given<E, D>(hg::MeanSquaredError{}, hg::L1{0.1}));
        check(build_given<E, D>(hg::MeanSquaredError{}, hg::TopK<2>{}, hg::MaskingNoise{0.2}), behind);
        check(build_given<E, D>(hg::MeanSquaredError{}, hg::Contractive{0.3}));
        check(build_given<E, D>(hg::MeanSquaredError{}, hg::Contractive{.weight = 0.3, .probes = 2}));
    };
    constexpr std::type_identity<Conditioned> first;
    constexpr std::type_identity<ConditionedDecoder> decoder;
    constexpr std::type_identity<Late> late;
    kinds(first, decoder);
    kinds(first, late);
    kinds(first, std::type_identity<Unconditioned>{});
    kinds(std::type_identity<Plain>{}, decoder);
    using DownInside = hg::Chain<hg::Shape{3}, hg::Dense<6>, hg::Reshape<3, 2>>;
    check_model(build_given<Inside, DownInside>(hg::MeanSquaredError{}, hg::Contractive{0.3}), x, target);
    check_model(build_given<Conditioned, ConditionedDecoder>(hg::BinaryCrossEntropy{}), x, target);
}

TEST_CASE("conditional variational models agree with dual numbers, also with several codes a sample") {
    using E = hg::Chain<hg::Shape{6}, C, hg::Dense<6>>;
    for (const hg::Index samples : {1, 3}) {
        oracle::check_model_in<double>(
            build_given<E, ConditionedDecoder>(hg::BernoulliLikelihood{}, hg::GaussianLatent{.samples = samples}), x,
            target, oracle::InputGradient::Check);
        oracle::check_model_in<double>(
            build_given<E, Late>(hg::GaussianLikelihood{0.3}, hg::GaussianLatent{.samples = samples}), x, target,
            oracle::InputGradient::Check);
    }
}

TEST_CASE("a condition reaches every position of its own sample, in blocks and from a strided matrix") {
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Inside, hg::Chain<hg::Shape{3}, C, hg::Dense<6>, hg::Reshape<3, 2>>>(
        rng, hg::MeanSquaredError{});
    const Eigen::MatrixXf many = values(6, 700, 1).cast<float>(), c = values(2, 700, 2).cast<float>();
    auto tape = model.tape();
    const Eigen::MatrixXf code = model.encode(hg::given(many, c)), rebuilt = model.decode(hg::given(code, c));
    CHECK(model.reconstruct(hg::given(many, c)) == rebuilt);
    CHECK(model.reconstruct(hg::given(many, c), tape) == rebuilt);
    for (const hg::Index j : {0, 255, 256, 699})
        CHECK(model.reconstruct(hg::given(many.col(j), c.col(j))).isApprox(rebuilt.col(j), 1e-6f));
    Eigen::MatrixXf wide = Eigen::MatrixXf::Constant(5, 700, 9);
    wide.middleRows(1, 2) = c;
    CHECK(model.reconstruct(hg::given(many, wide.middleRows(1, 2))) == rebuilt);
    const Eigen::VectorXf error = model.reconstruction_error(hg::given(many, c));
    CHECK(static_cast<double>(model.loss(hg::given(many, c), tape)) ==
          Approx(static_cast<double>(error.mean())).epsilon(1e-5));
    const float loss = model.gradient(hg::given(many, c), tape, rng);
    const Eigen::VectorXf gradient = tape.gradient();
    CHECK(model.gradient(hg::given(many, wide.middleRows(1, 2)), tape, rng) == loss);
    CHECK(Eigen::VectorXf(tape.gradient()) == gradient);
}

TEST_CASE("a condition is wanted exactly where one is read") {
    hg::Rng rng{1};
    using E = hg::Chain<hg::Shape{6}, hg::Dense<6>>;
    const auto model = hg::autoencoder<E, ConditionedDecoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
    auto tape = model.tape();
    const Eigen::MatrixXf in = x.cast<float>(), c = labels.cast<float>(), code = model.encode(in);
    CHECK_THAT(error_of([&] { model.gradient(in, tape, rng); }),
               ContainsSubstring("Autoencoder::gradient: a Condition is read here: give 2 values for each sample"));
    CHECK_THAT(error_of([&] { model.decode(code); }),
               ContainsSubstring("Autoencoder::decode: a Condition is read here"));
    CHECK_THAT(error_of([&] { model.encode(hg::given(in, c)); }),
               ContainsSubstring("Autoencoder::encode: x was given with a condition, but no Condition is read here"));
    CHECK_THAT(error_of([&] { model.decode(hg::given(code, in)); }),
               ContainsSubstring("the condition has 6 rows, expected 2"));
    CHECK_THAT(error_of([&] { model.decode(hg::given(code, c.leftCols(3))); }),
               ContainsSubstring("the condition has 3 columns, expected 4 as x has"));
    CHECK_THAT(error_of([&] { model.sample(5, rng); }),
               ContainsSubstring("Autoencoder::sample: the decoder has a Condition"));
    CHECK_THAT(error_of([&] { model.sample(in, rng); }), ContainsSubstring("the condition has 6 rows, the decoder's"));
    CHECK(model.sample(c, rng).cols() == 4);
    CHECK(model.posterior(in).mean == code);
    CHECK(model.interpolate(hg::given(in.col(0), c.col(0)), hg::given(in.col(1), c.col(0)), 3).cols() == 3);
    const auto plain = hg::autoencoder<E, hg::Mirror<E>>(rng, hg::MeanSquaredError{});
    CHECK_THAT(error_of([&] { plain.loss(hg::given(in, c)); }), ContainsSubstring("but no Condition is read here"));
}
