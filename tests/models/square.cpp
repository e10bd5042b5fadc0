// Models whose encoder and decoder are of one type: no part is recognised by its type.
#include "hourglass/hourglass.hpp"
#include "support/model_check.hpp"

namespace hg = hourglass;
using oracle::check_model, oracle::values;

namespace {

using Square = hg::Chain<hg::Shape{8}, hg::Dense<8>>;
using Deep = hg::Chain<hg::Shape{6}, hg::Dense<6>, hg::Tanh, hg::Dense<6>>;
using Branched = hg::Chain<hg::Shape{6}, hg::Residual<hg::Dense<6>, hg::Tanh>, hg::Dense<6>>;

template <class Encoder, class Decoder, class... Rest>
auto build(const Rest&... rest) {
    return [=]<class T>(hg::Rng& rng) { return hg::autoencoder<Encoder, Decoder, T>(rng, rest...); };
}

}  // namespace

TEST_CASE("encode runs the encoder and decode the decoder, though they are of one type") {
    hg::Rng rng{1};
    auto model = hg::autoencoder<Square, Square>(rng, hg::MeanSquaredError{});
    const Eigen::MatrixXf x = values(8, 5, 2).cast<float>();
    const auto by = [](const auto& parameters, const Eigen::MatrixXf& in) {
        const Eigen::MatrixXf w = parameters.head(64).reshaped(8, 8);
        return Eigen::MatrixXf((w * in).colwise() + Eigen::VectorXf(parameters.tail(8)));
    };
    auto tape = model.tape();
    const Eigen::MatrixXf code = by(model.encoder_parameters(), x), rebuilt = by(model.decoder_parameters(), code);
    CHECK(model.encode(x).isApprox(code, 1e-5f));
    CHECK(model.encode(x, tape).isApprox(code, 1e-5f));
    CHECK(model.decode(code).isApprox(rebuilt, 1e-5f));
    CHECK(model.reconstruct(x).isApprox(rebuilt, 1e-5f));
    CHECK(hg::codes(model, x)[0].isApprox(code, 1e-5f));
    CHECK(model.loss(x) == Approx((rebuilt - x).squaredNorm() / 40).epsilon(1e-5));
}

TEST_CASE("square models agree with dual numbers, plain, mirrored and tied") {
    const Eigen::MatrixXd x = values(6, 4, 21, 0.05, 0.95), target = values(6, 4, 22, 0.05, 0.95);
    check_model(build<Deep, Deep>(hg::MeanSquaredError{}, hg::L1{0.1}), x, target);
    check_model(build<Deep, hg::Mirror<Deep>>(hg::MeanSquaredError{}, hg::Contractive{0.2}), x, target);
    check_model(build<Deep, hg::Tied<Deep>>(hg::MeanSquaredError{}), x, target);
    check_model(build<Branched, Branched>(hg::MeanSquaredError{}, hg::JumpReLU{.weight = 0}), x, target);
}

TEST_CASE("greedy training of square layers trains each stage on its own codes") {
    using Wide = hg::Chain<hg::Shape{6}, hg::Dense<6>, hg::Tanh, hg::Dense<6>, hg::Tanh, hg::Dense<6>>;
    hg::Rng rng{3};
    auto model = hg::autoencoder<Wide, hg::Mirror<Wide>>(rng, hg::MeanSquaredError{});
    const Eigen::MatrixXf x = values(6, 300, 1).cast<float>();
    const auto all = hg::codes(model, x);
    std::size_t number = 0;
    hg::each_stage(model, x, [&](auto& stage, const Eigen::MatrixXf& codes) {
        CHECK(codes == (number == 0 ? x : all[number - 1]));
        CHECK(stage.encode(codes) == all[number]);
        ++number;
    });
    CHECK(number == 3);
    CHECK(all[2] == model.encode(x));
}
