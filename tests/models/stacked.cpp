// Greedy layer-wise training: what the stages are, that their weights are the model's, and that training them is
// training the small autoencoders that they stand for.
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "hourglass/hourglass.hpp"
#include "support/gradient_check.hpp"

namespace hg = hourglass;

namespace {

using Catch::Matchers::ContainsSubstring;
using oracle::values;

using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::Tanh, hg::Dense<4>, hg::Sigmoid, hg::Dense<3>, hg::Tanh>;
using Plain = hg::Mirror<Encoder, hg::Sigmoid>;
using Tied = hg::Tied<Encoder, hg::Sigmoid>;
using ByHand = hg::Chain<hg::Shape{3}, hg::Dropout, hg::Dense<4, false>, hg::ReLU, hg::Dense<5>, hg::ELU, hg::SiLU,
                         hg::Dense<6>, hg::Sigmoid>;

const Eigen::MatrixXf x = values(6, 300, 1, 0, 1).cast<float>();  // more than one block of an evaluation

template <class Decoder>
auto model_of(std::uint64_t seed = 1) {
    hg::Rng rng{seed};
    return hg::autoencoder<Encoder, Decoder>(rng, hg::BinaryCrossEntropy{}, hg::L1{0.1});
}

template <class Stage>
void train(Stage& stage, const Eigen::MatrixXf& codes, hg::Rng& rng) {
    hg::Sgd sgd{{.learning_rate = 0.1}};
    auto tape = stage.tape();
    for (const auto& batch : hg::minibatches(codes, 32, rng)) {
        stage.gradient(batch, tape, rng);
        sgd.step(stage.parameters(), tape.gradient());
    }
}

template <class Stage>
std::string table_of(const Stage& stage) {
    std::ostringstream out;
    out << stage;
    return out.str();
}

}  // namespace

TEST_CASE("what the loss learns in the first stage is the model's") {
    hg::Rng rng{5};
    auto model = hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::LearnedGaussianLikelihood{});
    float& log_variance = model.parameters().tail<1>()[0];
    log_variance = 0.25f;
    float after = 0;
    std::size_t stages = 0;
    hg::each_stage(model, x, [&](auto& stage, const Eigen::MatrixXf& codes) {
        if (stages++ == 0) {
            CHECK(stage.parameters().template tail<1>()[0] == 0.25f);
            train(stage, codes, rng);
            after = stage.parameters().template tail<1>()[0];
        }
    });
    CHECK(stages == 3);
    CHECK(after != 0.25f);
    CHECK(log_variance == after);
}

TEMPLATE_TEST_CASE("stages are cut before each layer with a kernel, in every kind of decoder", "", Plain, Tied,
                   ByHand) {
    STATIC_REQUIRE(hg::stages<Encoder> == 3);
    auto model = model_of<TestType>();
    const Eigen::VectorXf before = model.parameters();
    const std::vector<Eigen::MatrixXf> all = hg::codes(model, x);
    REQUIRE(all.size() == 3);
    CHECK(all[2] == model.encode(x));

    std::size_t stages = 0;
    hg::each_stage(
        model, x,
        [&](auto& stage, const Eigen::MatrixXf& codes) {
            const hg::Index sizes[] = {6, 5, 4, 3};
            CHECK(codes.rows() == sizes[stages]);
            CHECK(stage.encode(codes).rows() == sizes[stages + 1]);
            CHECK(stage.reconstruct(codes).rows() == sizes[stages]);
            CHECK(codes == (stages == 0 ? x : all[stages - 1]));
            CHECK(stage.encode(codes) == all[stages]);
            ++stages;
        },
        hg::MaskingNoise{0.1});
    CHECK(stages == 3);
    CHECK(Eigen::VectorXf(model.parameters()) == before);  // who trains nothing changes nothing
}

TEST_CASE("the first stage has the model's loss, the others the one they are given") {
    auto model = model_of<Plain>();
    std::string tables;
    const auto collect = [&](auto& stage, const Eigen::MatrixXf&) { tables += table_of(stage); };
    hg::each_stage(model, x, collect, hg::MaskingNoise{0.1}, hg::GaussianNoise{0.1});
    CHECK(tables ==
          "layer                 output          parameters\n"
          "encoder               6\n"
          "Dense                 5                       35\n"
          "Tanh                  5                        0\n"
          "decoder               5\n"
          "Dense                 6                       36\n"
          "Sigmoid               6                        0\n"
          "loss: BinaryCrossEntropy, MaskingNoise, GaussianNoise\n"
          "total                                         71\n"
          "layer                 output          parameters\n"
          "encoder               5\n"
          "Dense                 4                       24\n"
          "Sigmoid               4                        0\n"
          "decoder               4\n"
          "Dense                 5                       25\n"
          "Tanh                  5                        0\n"
          "loss: MeanSquaredError, MaskingNoise, GaussianNoise\n"
          "total                                         49\n"
          "layer                 output          parameters\n"
          "encoder               4\n"
          "Dense                 3                       15\n"
          "Tanh                  3                        0\n"
          "decoder               3\n"
          "Dense                 4                       16\n"
          "Sigmoid               4                        0\n"
          "loss: MeanSquaredError, MaskingNoise, GaussianNoise\n"
          "total                                         31\n");
    tables.clear();
    hg::each_stage(model, x, collect, hg::Huber{2});
    CHECK_THAT(tables, ContainsSubstring("loss: BinaryCrossEntropy\n") && ContainsSubstring("loss: Huber\n") &&
                           !ContainsSubstring("MeanSquaredError"));
}

TEMPLATE_TEST_CASE("a stage's weights are written back to where they came from", "", Plain, Tied, ByHand) {
    // Stage i fills its weights with i + 1: each layer must then hold its stage's number.
    using Decoder = TestType;
    auto model = model_of<Decoder>();
    float number = 0;
    hg::each_stage(model, x, [&](auto& stage, const Eigen::MatrixXf&) { stage.parameters().setConstant(++number); });
    const auto check = [](const auto& weights, const auto& offsets, const std::vector<float>& expected) {
        std::vector<float> seen;
        for (std::size_t i = 0; i + 1 < offsets.size(); ++i)
            if (offsets[i + 1] > offsets[i]) {
                const Eigen::VectorXf layer = weights.segment(offsets[i], offsets[i + 1] - offsets[i]);
                CHECK((layer.array() == layer[0]).all());
                seen.push_back(layer[0]);
            }
        CHECK(seen == expected);
    };
    check(model.encoder_parameters(), Encoder::plan.offsets, {1, 2, 3});
    check(model.decoder_parameters(), Decoder::plan.offsets, {3, 2, 1});
}

TEMPLATE_TEST_CASE("each stage sees the codes of the stages as trained", "", Plain, Tied, ByHand) {
    auto model = model_of<TestType>();
    hg::Rng rng{5};
    std::vector<Eigen::MatrixXf> seen, made;
    hg::each_stage(
        model, x,
        [&](auto& stage, const Eigen::MatrixXf& codes) {
            train(stage, codes, rng);
            seen.push_back(codes);
            made.push_back(stage.encode(codes));
        },
        hg::MaskingNoise{0.2});
    CHECK(seen[1] == made[0]);
    CHECK(seen[2] == made[1]);
    CHECK(made[2] == model.encode(x));
    CHECK(made[0] != hg::codes(model_of<TestType>(), x)[0]);
}

TEST_CASE("training in stages is training small autoencoders one after the other") {
    auto model = model_of<Plain>();
    using First = hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::Tanh>;
    using Second = hg::Chain<hg::Shape{5}, hg::Dense<4>, hg::Sigmoid>;
    using Third = hg::Chain<hg::Shape{4}, hg::Dense<3>, hg::Tanh>;
    hg::Rng rng{2};
    const hg::MaskingNoise noise{0.2};
    auto first = hg::autoencoder<First, hg::Mirror<First, hg::Sigmoid>>(rng, hg::BinaryCrossEntropy{}, noise);
    auto second = hg::autoencoder<Second, hg::Mirror<Second, hg::Tanh>>(rng, hg::MeanSquaredError{}, noise);
    auto third = hg::autoencoder<Third, hg::Mirror<Third, hg::Sigmoid>>(rng, hg::MeanSquaredError{}, noise);

    const auto all = [&] {
        Eigen::VectorXf weights(model.parameters().size());
        weights << first.encoder_parameters(), second.encoder_parameters(), third.encoder_parameters(),
            third.decoder_parameters(), second.decoder_parameters(), first.decoder_parameters();
        return weights;
    };
    const Eigen::VectorXf before = all();
    model.parameters() = before;
    hg::Rng same = rng;
    train(first, x, rng);
    train(second, first.encode(x), rng);
    train(third, second.encode(first.encode(x)), rng);
    hg::each_stage(
        model, x, [&](auto& stage, const Eigen::MatrixXf& codes) { train(stage, codes, same); }, noise);
    CHECK(Eigen::VectorXf(model.parameters()) == all());
    CHECK(all() != before);
}

TEST_CASE("a tied stage decodes with its own transposed weights") {
    auto model = model_of<Tied>();
    model.parameters() = values(model.parameters().size(), 1, 3).cast<float>();
    int number = 0;
    hg::each_stage(model, x, [&](auto& stage, const Eigen::MatrixXf& codes) {
        const hg::Index rows = codes.rows(), units = rows - 1;
        const Eigen::VectorXf kernel = stage.encoder_parameters().head(rows * units);
        const Eigen::MatrixXf decoded = (kernel.reshaped(units, rows).transpose() * stage.encode(codes)).colwise() +
                                        Eigen::VectorXf(stage.decoder_parameters());
        const Eigen::MatrixXf expected = ++number == 2 ? Eigen::MatrixXf(decoded.array().tanh())
                                                       : Eigen::MatrixXf(1 / (1 + (-decoded.array()).exp()));
        CHECK(stage.decoder_parameters().size() == rows);
        CHECK(oracle::difference(stage.reconstruct(codes), expected) < 1e-5);
    });
}

TEST_CASE("convolutions with pooling, flattened, are stages too") {
    using Deep =
        hg::Chain<hg::Shape{2, 16}, hg::Conv1D<4, 3, 1, hg::Padding::Same>, hg::ReLU, hg::MaxPooling1D<>,
                  hg::Conv1D<3, 3, 1, hg::Padding::Same>, hg::ReLU, hg::MaxPooling1D<>, hg::Flatten, hg::Dense<5>>;
    hg::Rng rng{1};
    auto model = hg::autoencoder<Deep, hg::Mirror<Deep>, double>(rng, hg::MeanSquaredError{});
    const Eigen::MatrixXd waves = values(32, 20, 1);
    const std::vector<Eigen::MatrixXd> all = hg::codes(model, waves);
    std::vector<hg::Index> parameters;
    hg::each_stage(model, waves, [&](auto& stage, const Eigen::MatrixXd& codes) {
        CHECK(stage.reconstruct(codes).rows() == codes.rows());
        CHECK(stage.encode(codes) == all[parameters.size()]);
        parameters.push_back(stage.parameters().size());
    });
    CHECK(parameters == std::vector<hg::Index>{(2 * 3 * 4 + 4) + (4 * 3 * 2 + 2), (4 * 3 * 3 + 3) + (3 * 3 * 4 + 4),
                                               (12 * 5 + 5) + (5 * 12 + 12)});
}

TEST_CASE("running averages go with their stage") {
    using Normed =
        hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::BatchNormalization, hg::Tanh, hg::Dense<3>, hg::BatchNormalization>;
    using Back = hg::Chain<hg::Shape{3}, hg::Dense<5>, hg::BatchNormalization, hg::Tanh, hg::Dense<6>>;
    STATIC_REQUIRE(hg::stages<Normed> == 2);
    hg::Rng rng{1};
    auto model = hg::autoencoder<Normed, Back>(rng, hg::MeanSquaredError{});
    const Eigen::VectorXf before = model.state();
    std::vector<Eigen::MatrixXf> made;
    std::vector<Eigen::VectorXf> states;
    hg::each_stage(model, x, [&](auto& stage, const Eigen::MatrixXf& codes) {
        CHECK(Eigen::VectorXf(stage.state()) == (states.empty() ? before.head(10) : before.tail(16)));
        auto tape = stage.tape();
        stage.gradient(codes, tape, rng);
        stage.fold(tape);
        states.push_back(stage.state());
        made.push_back(stage.encode(codes));
    });
    CHECK(states[0] != before.head(10));
    CHECK(Eigen::VectorXf(model.state()) == (Eigen::VectorXf(26) << states[0], states[1]).finished());
    CHECK(made[1] == model.encode(x));
    CHECK(hg::codes(model, x) == made);
}

TEST_CASE("one stage is the whole model") {
    using One = hg::Chain<hg::Shape{6}, hg::Dense<4>, hg::Sigmoid>;
    hg::Rng rng{1};
    auto model = hg::autoencoder<One, hg::Tied<One>>(rng, hg::MeanSquaredError{}), whole = model;
    hg::Rng same = rng;
    hg::each_stage(model, x, [&](auto& stage, const Eigen::MatrixXf& codes) { train(stage, codes, rng); });
    train(whole, x, same);
    CHECK(Eigen::VectorXf(model.parameters()) == Eigen::VectorXf(whole.parameters()));
}

TEST_CASE("a stage that fails leaves the model with the stages before it") {
    auto model = model_of<Plain>();
    const Eigen::VectorXf before = model.parameters();
    int number = 0;
    const auto fail_second = [&](auto& stage, const Eigen::MatrixXf&) {
        stage.parameters().setConstant(7);
        if (++number == 2) throw std::runtime_error("stop");
    };
    CHECK_THROWS_WITH(hg::each_stage(model, x, fail_second), "stop");
    const hg::Index first = 6 * 5 + 5, last = 5 * 6 + 6, all = before.size();
    CHECK((model.parameters().head(first).array() == 7).all());
    CHECK((model.parameters().tail(last).array() == 7).all());
    CHECK(model.parameters().segment(first, all - first - last) == before.segment(first, all - first - last));
}

TEST_CASE("data of another size is refused before anything is trained") {
    auto model = model_of<Plain>();
    bool called = false;
    const auto train_nothing = [&](auto&, const Eigen::MatrixXf&) { called = true; };
    CHECK_THROWS_WITH(hg::each_stage(model, x.topRows(5), train_nothing),
                      ContainsSubstring("each_stage: x is 5 x 300, expected 6 rows and at least one column"));
    CHECK_THROWS_AS(hg::each_stage(model, x.leftCols(0), train_nothing), hg::Error);
    CHECK(!called);
    CHECK_THROWS_WITH(hg::codes(model, x.topRows(5)), ContainsSubstring("codes: x has 5 rows, expected 6"));
}
