// The decoder's columns at unit norm, and gradients without what would change the norms.
#include "hourglass/hourglass.hpp"
#include "support/gradient_check.hpp"

namespace hg = hourglass;
using oracle::values;

namespace {

using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::ReLU>;
using Decoder = hg::Chain<Encoder::output, hg::Dense<7>, hg::Tanh, hg::Dense<6>>;

// The first kernel of the decoder: 7 × 5.
template <class V>
Eigen::MatrixXd kernel(const V& parameters) {
    Eigen::MatrixXd columns(7, 5);
    for (Eigen::Index i = 0; i < 35; ++i)
        columns.reshaped()[i] = static_cast<double>(parameters[Encoder::parameters + i]);
    return columns;
}

}  // namespace

TEMPLATE_TEST_CASE("unit_norm_decoder: columns of norm 1 in their old directions, nothing else changed", "", float,
                   double) {
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder, TestType>(rng, hg::MeanSquaredError{});
    model.parameters() = values(model.parameters().size(), 1, 2).template cast<TestType>();
    model.decoder_parameters().segment(14, 7).setZero();  // the third column
    const hg::Vector<TestType> before = model.parameters();
    hg::unit_norm_decoder(model);
    Eigen::MatrixXd expected = kernel(before);
    for (const Eigen::Index j : {0, 1, 3, 4}) expected.col(j).normalize();
    CHECK(oracle::difference(kernel(model.parameters()), expected) <= oracle::tolerance<TestType>);
    CHECK(model.encoder_parameters() == before.head(Encoder::parameters));
    CHECK(model.decoder_parameters().tail(Decoder::parameters - 35) == before.tail(Decoder::parameters - 35));
}

TEMPLATE_TEST_CASE("remove_parallel_gradient: what is left is orthogonal to the columns", "", float, double) {
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder, TestType>(rng, hg::MeanSquaredError{});
    const hg::Matrix<TestType> x = values(6, 8, 3).cast<TestType>();
    auto tape = model.tape();
    model.gradient(x, tape, rng);
    const hg::Vector<TestType> before = tape.gradient();
    hg::remove_parallel_gradient(model, tape.gradient());
    const Eigen::MatrixXd columns = kernel(model.parameters());
    Eigen::MatrixXd expected = kernel(before);
    for (Eigen::Index j = 0; j < 5; ++j) {
        const Eigen::VectorXd direction = columns.col(j).normalized();
        expected.col(j) -= direction.dot(expected.col(j)) * direction;
    }
    CHECK(oracle::difference(kernel(tape.gradient()), expected) <= oracle::tolerance<TestType>);
    CHECK((kernel(before) - expected).cwiseAbs().maxCoeff() > 1e-3);
    CHECK(tape.gradient().head(Encoder::parameters) == before.head(Encoder::parameters));
    CHECK(tape.gradient().tail(Decoder::parameters - 35) == before.tail(Decoder::parameters - 35));

    hg::Vector<TestType> wrong = before.head(10);
    CHECK_THROWS_WITH(hg::remove_parallel_gradient(model, Eigen::Map<hg::Vector<TestType>>(wrong.data(), 10)),
                      Catch::Matchers::ContainsSubstring("the gradient has 10 values"));
}

TEST_CASE("unit_norm_decoder: behind learned thresholds the decoder's place is still found") {
    using Wide = hg::Chain<hg::Shape{6}, hg::Dense<9>>;
    using Back = hg::Chain<Wide::output, hg::Dense<6>>;
    hg::Rng rng{1};
    auto model = hg::autoencoder<Wide, Back>(rng, hg::MeanSquaredError{}, hg::JumpReLU{.weight = 0.1});
    hg::unit_norm_decoder(model);
    Eigen::VectorXf unit = Eigen::VectorXf::Zero(9);
    for (Eigen::Index j = 0; j < 9; ++j) {
        unit.setZero();
        unit[j] = 1;
        CHECK((model.decode(unit) - model.decode(Eigen::VectorXf::Zero(9))).norm() == Approx(1).epsilon(1e-5));
    }
}
