// Residual blocks in models: gradients of every combination against dual numbers, names, stages.
#include "hourglass/hourglass.hpp"

#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "support/model_check.hpp"

namespace hg = hourglass;
using oracle::check_model, oracle::values;

namespace {

const Eigen::MatrixXd x = values(6, 4, 21, 0.05, 0.95), target = values(6, 4, 22, 0.05, 0.95);
constexpr auto behind = oracle::InputGradient::BehindCorruption;

template <class Encoder, class Decoder, class... Rest>
auto build(const Rest&... rest) {
    return [all = std::tuple{rest...}]<class T>(hg::Rng& rng) {
        return std::apply([&](const auto&... r) { return hg::autoencoder<Encoder, Decoder, T>(rng, r...); }, all);
    };
}

// Residual blocks before and behind weights, nested, at both ends, around what reshapes and what works in place.
using Plain = hg::Residual<hg::Dense<6>, hg::Tanh>;
using First = hg::Chain<hg::Shape{6}, Plain, hg::Dense<3>>;
using Behind = hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::Residual<hg::Tanh, hg::Dense<5>>, hg::Sigmoid, hg::Dense<3>>;
using Last = hg::Chain<hg::Shape{6}, hg::Dense<3>, hg::Residual<hg::Dense<3>, hg::SiLU>>;
using Only = hg::Chain<hg::Shape{6}, hg::Residual<hg::Dense<6, false>, hg::Softplus, hg::Dense<6>>>;
using Nested =
    hg::Chain<hg::Shape{6}, hg::Dense<4>,
              hg::Residual<hg::Dense<4>, hg::Residual<hg::Tanh, hg::Dense<4>, hg::Residual<hg::ELU>>, hg::GELU>,
              hg::Residual<hg::Residual<hg::Dense<4>>>, hg::Dense<3>>;
using InPlace = hg::Chain<hg::Shape{3, 2}, hg::Dense<2>, hg::Tanh, hg::Residual<hg::ReLU>,
                          hg::Residual<hg::Flatten, hg::Tanh, hg::Reshape<2, 2>>,
                          hg::Residual<hg::Residual<hg::Sigmoid>, hg::Dense<2>>, hg::Flatten, hg::Dense<3>>;
using Weightless = hg::Chain<hg::Shape{6}, hg::Residual<hg::Tanh>, hg::Residual<hg::Softplus>, hg::Dense<3>>;
using Decoder = hg::Chain<hg::Shape{3}, hg::Residual<hg::Dense<3>, hg::Tanh>, hg::Dense<6>, hg::Residual<hg::Dense<6>>,
                          hg::Sigmoid>;
using Back = hg::Chain<hg::Shape{3}, hg::Dense<6>, hg::Reshape<3, 2>>;

template <class E, class D>
void check_kinds() {
    check_model(build<E, D>(hg::MeanSquaredError{}), x, target);
    // In double alone, for the sake of the compiler's time.
    constexpr auto input = oracle::InputGradient::Check;
    oracle::check_model_in<double>(build<E, D>(hg::MeanSquaredError{}, hg::L1{0.1}, hg::GaussianNoise{0.1}), x, target,
                                   input);
    oracle::check_model_in<double>(
        build<E, D>(hg::MeanSquaredError{}, hg::PreActivationLoss{.weight = 0.1}, hg::TopK<2>{}), x, target, input);
}

}  // namespace

TEST_CASE("models with residual blocks agree with dual numbers") {
    check_kinds<First, Decoder>();
    check_kinds<Behind, Decoder>();
    check_kinds<Last, Decoder>();
    check_kinds<Nested, Decoder>();
    check_kinds<InPlace, Back>();
    check_kinds<Weightless, Decoder>();
    check_model(build<Only, Only>(hg::MeanSquaredError{}, hg::L1{0.1}), x, target);
    check_model(build<First, Decoder>(hg::BinaryCrossEntropy{}, hg::MaskingNoise{0.2}), x, target, behind);
    using Drops = hg::Chain<hg::Shape{6}, hg::Dense<4>, hg::Residual<hg::Dropout, hg::BatchNormalization, hg::Dense<4>>,
                            hg::Dense<3>>;
    check_model(build<Drops, Decoder>(hg::MeanSquaredError{}), x, target);
}

TEST_CASE("mirrored and tied residual blocks agree with dual numbers") {
    static_assert(std::is_same_v<hg::Mirror<First>::Flat,
                                 hg::Chain<hg::Shape{3}, hg::Dense<6>, hg::Residual<hg::Tanh, hg::Dense<6>>>::Flat>);
    check_model(build<First, hg::Mirror<First>>(hg::MeanSquaredError{}), x, target);
    check_model(build<First, hg::Tied<First>>(hg::MeanSquaredError{}, hg::L1{0.1}), x, target);
    check_model(build<Behind, hg::Tied<Behind, hg::Sigmoid>>(hg::BinaryCrossEntropy{}), x, target);
    check_model(build<Last, hg::Tied<Last>>(hg::MeanSquaredError{}), x, target);
    check_model(build<Nested, hg::Mirror<Nested>>(hg::MeanSquaredError{}), x, target);
    check_model(build<Nested, hg::Tied<Nested>>(hg::MeanSquaredError{}), x, target);
    check_model(build<Only, hg::Tied<Only>>(hg::MeanSquaredError{}, hg::Contractive{0.2}), x, target);
}

TEST_CASE("contractive models with residual blocks agree with dual numbers") {
    check_model(build<First, Decoder>(hg::MeanSquaredError{}, hg::Contractive{0.3}), x, target);
    check_model(build<Behind, Decoder>(hg::MeanSquaredError{}, hg::Contractive{.weight = 0.3, .probes = 2}), x, target);
    check_model(build<Nested, Decoder>(hg::MeanSquaredError{}, hg::Contractive{0.3}), x, target);
    check_model(build<Weightless, Decoder>(hg::MeanSquaredError{}, hg::Contractive{0.3}), x, target);
    check_model(build<InPlace, Back>(hg::MeanSquaredError{}, hg::Contractive{0.3}), x, target);
}

TEST_CASE("variational models with residual blocks agree with dual numbers") {
    using E = hg::Chain<hg::Shape{6}, hg::Residual<hg::Dense<6>, hg::Tanh>, hg::Residual<hg::Dense<6>>>;
    oracle::check_model_in<double>(build<E, Decoder>(hg::BernoulliLikelihood{}, hg::GaussianLatent{.beta = 0.7}), x,
                                   target, oracle::InputGradient::Check);
    oracle::check_model_in<double>(build<E, Decoder>(hg::BernoulliLikelihood{}, hg::GaussianLatent{.samples = 3}), x,
                                   target, oracle::InputGradient::Check);
    oracle::check_model_in<double>(build<E, Decoder>(hg::LearnedGaussianLikelihood{}, hg::GaussianLatent{}), x, target,
                                   oracle::InputGradient::Check);
}

TEST_CASE("the parts of a model are named through its residual blocks") {
    hg::Rng rng{1};
    auto model = hg::autoencoder<Nested, Decoder>(rng, hg::LearnedGaussianLikelihood{}, hg::JumpReLU{.weight = 0.1});
    std::string names;
    model.each_weight([&](std::string_view name, std::span<const hg::Index>, auto) { (names += name) += ' '; });
    CHECK(
        names ==
        "encoder.0.kernel encoder.0.bias encoder.1.0.kernel encoder.1.0.bias encoder.1.1.1.kernel encoder.1.1.1.bias "
        "encoder.2.0.0.kernel encoder.2.0.0.bias encoder.3.kernel encoder.3.bias code.log_threshold decoder.0.0.kernel "
        "decoder.0.0.bias decoder.1.kernel decoder.1.bias decoder.2.0.kernel decoder.2.0.bias loss.log_variance ");
}

TEST_CASE("each layer is shown with its place, its shapes and its values") {
    using Encoder = hg::Chain<hg::Shape{6}, hg::Residual<hg::Dense<6>, hg::Residual<hg::Tanh>>, hg::BatchNormalization,
                              hg::Dense<4>>;
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, hg::Tied<Encoder>>(rng, hg::MeanSquaredError{}, hg::JumpReLU{.weight = 0.1});
    std::string seen;
    hg::Index weights = 0, state = 0;
    std::as_const(model).each_layer([&]<class L>(const L&, const auto& place) {
        seen += hg::text(place.number) + " " + place.name + " " + std::string{L::name} + " " + hg::text(place.input) +
                " to " + hg::text(place.output);
        if (place.branch != place.number) seen += ", branch " + hg::text(place.branch);
        if (!place.shared.empty()) seen += ", shares " + place.shared_name;
        seen += "\n";
        CHECK(place.weights.data() == model.parameters().data() + weights);
        CHECK(place.state.data() == model.state().data() + state);
        weights += static_cast<hg::Index>(place.weights.size());
        state += static_cast<hg::Index>(place.state.size());
        if (place.name == "decoder.0") {
            CHECK(place.shared.data() == model.parameters().data() + 42 + 12);
            CHECK(place.shared.size() == 28);
        }
    });
    CHECK(seen ==
          "0 encoder.0.0 Dense 6 to 6\n1 encoder.0.1.0 Tanh 6 to 6\n2 encoder.0.1 Add 6 to 6, branch 1\n"
          "3 encoder.0 Add 6 to 6, branch 0\n4 encoder.1 BatchNormalization 6 to 6\n5 encoder.2 Dense 6 to 4\n"
          "6 code JumpReLU 4 to 4\n7 decoder.0 Dense (tied) 4 to 6, shares encoder.2\n"
          "8 decoder.1 BatchNormalization 6 to 6\n9 decoder.2.0.0 Tanh 6 to 6\n"
          "10 decoder.2.0 Add 6 to 6, branch 9\n11 decoder.2.1 Dense (tied) 6 to 6, shares encoder.0.0\n"
          "12 decoder.2 Add 6 to 6, branch 9\n");
    CHECK(weights == model.parameters().size());
    CHECK(state == model.state().size());
    CHECK(decltype(model)::first_decoder_layer == 7);
}

TEST_CASE("a residual block is one stage of greedy training, and never cut") {
    using Deep = hg::Chain<hg::Shape{6}, hg::Dense<4>, hg::Tanh, hg::Residual<hg::Dense<4>, hg::Tanh, hg::Dense<4>>,
                           hg::Dense<3>>;
    static_assert(hg::stages<Deep> == 3);
    const hg::models::StageLayers<Deep> stages_of_deep;
    CHECK(stages_of_deep.count == 3);
    CHECK(stages_of_deep.layers == std::array<std::size_t, 8>{0, 2, 6, 7, 0, 0, 0, 0});
    CHECK(stages_of_deep.begin_of(4) == 2);
    const auto fill = []<class Kind>(std::type_identity<Kind>) {
        hg::Rng rng{1};
        auto model = hg::autoencoder<Deep, Kind>(rng, hg::MeanSquaredError{});
        const Eigen::MatrixXf in = values(6, 300, 1).cast<float>();
        const auto all = hg::codes(model, in);
        std::size_t stages = 0;
        hg::each_stage(model, in, [&](auto& stage, const Eigen::MatrixXf& codes) {
            CHECK(stage.encode(codes) == all[stages]);
            CHECK(stage.reconstruct(codes).rows() == codes.rows());
            ++stages;
        });
        CHECK(stages == 3);
        CHECK(all[2] == model.encode(in));
        float number = 0;
        hg::each_stage(model, in,
                       [&](auto& stage, const Eigen::MatrixXf&) { stage.parameters().setConstant(++number); });
        model.each_weight([&](std::string_view name, std::span<const hg::Index>, auto array) {
            const char place = name[8];
            const float stage = name.starts_with("encoder") ? (place == '0'   ? 1.0f
                                                               : place == '2' ? 2.0f
                                                                              : 3.0f)
                                                            : (place == '0'   ? 3.0f
                                                               : place == '1' ? 2.0f
                                                                              : 1.0f);
            CAPTURE(std::string(name));
            CHECK((array.array() == stage).all());
        });
    };
    fill(std::type_identity<hg::Mirror<Deep>>{});
    fill(std::type_identity<hg::Tied<Deep>>{});
}
