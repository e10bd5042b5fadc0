// Networks that are no autoencoders: their passes by hand and with a loss, what a tape remembers, names, evaluation.
#include "hourglass/hourglass.hpp"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "support/error_of.hpp"
#include "support/model_check.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;
using oracle::difference, oracle::values;

namespace {

const Eigen::MatrixXd x = values(6, 4, 21, 0.05, 0.95), target = values(3, 4, 22, 0.05, 0.95);

/// A network trained by hand, forward, the loss and back, in the form of a model that the oracle checks.
template <class T, class Layers>
struct ByHand {
    hg::Network<T, Layers> network;

    Eigen::Map<hg::Vector<T>> parameters() { return network.parameters(); }
    hg::Tape<T> tape() const { return network.tape(); }
    T step(const hg::Matrix<T>& in, const hg::Matrix<T>& wanted, hg::Tape<T>& tape, hg::Rng& rng,
           hg::Matrix<T>* dx) const {
        const auto y = network.forward(in, tape, rng);
        hg::Matrix<T> dy(y.rows(), y.cols());
        const T value = hg::MeanSquaredError{}.gradient<T>(oracle::read(y), oracle::read(wanted), oracle::write(dy));
        dx ? network.backward(dy, tape, *dx) : network.backward(dy, tape);
        return value;
    }
    T gradient(const hg::Matrix<T>& in, const hg::Matrix<T>& wanted, hg::Tape<T>& tape, hg::Rng& rng) const {
        return step(in, wanted, tape, rng, nullptr);
    }
    T gradient(const hg::Matrix<T>& in, const hg::Matrix<T>& wanted, hg::Tape<T>& tape, hg::Rng& rng,
               hg::Matrix<T>& dx) const {
        return step(in, wanted, tape, rng, &dx);
    }
};
template <class Layers>
void check() {
    oracle::check_model([]<class T>(hg::Rng& rng) { return ByHand<T, Layers>{hg::network<Layers, T>(rng)}; }, x,
                        target);
}

using Critic = hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::Tanh, hg::Dense<3>>;

}  // namespace

TEST_CASE("a network's gradients agree with dual numbers, of parameters and of the input") {
    check<Critic>();
    check<hg::Chain<hg::Shape{6}, hg::Dense<4>, hg::ReLU, hg::Dropout, hg::Dense<3>, hg::Sigmoid>>();
    check<hg::Chain<hg::Shape{3, 2}, hg::Flatten, hg::Dense<4>, hg::BatchNormalization, hg::Tanh, hg::Dense<3>>>();
    check<hg::Chain<hg::Shape{3, 2}, hg::Conv1D<3, 2>, hg::Softplus, hg::Flatten>>();
    check<hg::Chain<hg::Shape{2, 3}, hg::MaxPooling1D<2>, hg::Dense<3>, hg::Softmax>>();
    check<hg::Chain<hg::Shape{6}, hg::Tanh, hg::Reshape<3, 2>, hg::AveragePooling1D<2>>>();
}

TEST_CASE("a loss on a network: the same as by hand, and fused with the activation it belongs to") {
    hg::Rng rng{1};
    const auto critic = hg::network<Critic, double>(rng);
    auto tape = critic.tape(), other = critic.tape();
    const double value = critic.gradient(x, target, hg::MeanSquaredError{}, tape, rng);
    CHECK(tape.reconstruction() == value);
    const auto y = critic.forward(x, other, rng);
    Eigen::MatrixXd dy(3, 4);
    CHECK(value == hg::MeanSquaredError{}.gradient<double>(oracle::read(y), oracle::read(target), oracle::write(dy)));
    critic.backward(dy, other);
    CHECK(tape.gradient() == other.gradient());

    // Saturated: computed of the logits, the loss is 200 and not what a clipped probability gives.
    using Judge = hg::Chain<hg::Shape{2}, hg::Dense<1>, hg::Sigmoid>;
    auto judge = hg::network<Judge>(rng);
    judge.parameters() << 0, 0, 200;
    auto judging = judge.tape();
    const Eigen::MatrixXf two = Eigen::MatrixXf::Zero(2, 1), no = Eigen::MatrixXf::Zero(1, 1);
    CHECK(judge.gradient(two, no, hg::BinaryCrossEntropy{}, judging, rng) == 200);
    CHECK(judging.gradient()[2] == 1);
    using Classifier = hg::Chain<hg::Shape{2, 3}, hg::Dense<2>, hg::Softmax>;
    auto classifier = hg::network<Classifier>(rng);
    classifier.parameters() << 0, 0, 0, 0, 0, 50;
    Eigen::MatrixXf first(6, 1);
    first << 1, 0, 1, 0, 1, 0;  // the class that all three positions deny
    auto classifying = classifier.tape();
    CHECK(classifier.gradient(Eigen::MatrixXf::Zero(6, 1), first, hg::CategoricalCrossEntropy{}, classifying, rng) ==
          50);
    CHECK(classifying.gradient().tail(2) == Eigen::Vector2f(-1, 1));
}

TEST_CASE("backward_input leaves the tape's gradient as it is") {
    hg::Rng rng{1};
    const auto critic = hg::network<Critic, double>(rng);
    auto tape = critic.tape();
    Eigen::MatrixXd dx, again;
    critic.forward(x, tape, rng);
    critic.backward(target, tape, dx);
    const Eigen::VectorXd before = tape.gradient();
    critic.forward(x, tape, rng);
    critic.backward_input(target, tape, again);
    CHECK(again == dx);
    CHECK(Eigen::VectorXd(tape.gradient()) == before);
    critic.forward(x, tape, rng);
    tape.gradient().setConstant(7);
    critic.backward_input(2 * target, tape, again);
    CHECK(difference(again, (2 * dx).eval()) < 1e-15);
    CHECK((tape.gradient().array() == 7).all());
}

TEST_CASE("one way back for one forward pass; what does not fit changes nothing") {
    hg::Rng rng{1};
    const auto critic = hg::network<Critic>(rng), other = hg::network<Critic>(rng);
    auto tape = critic.tape();
    const Eigen::MatrixXf in = x.cast<float>(), up = target.cast<float>();
    const std::string none = "Network::backward: this tape holds no forward pass of this network";
    CHECK_THAT(error_of([&] { critic.backward(up, tape); }), ContainsSubstring(none));
    critic.forward(in, tape, rng);
    CHECK_THAT(error_of([&] { other.backward(up, tape); }), ContainsSubstring(none));
    Eigen::MatrixXf dx = Eigen::MatrixXf::Constant(2, 2, 3);
    CHECK_THAT(error_of([&] { critic.backward(up.leftCols(3), tape, dx); }),
               ContainsSubstring("Network::backward: the gradient is 3 x 3, expected 3 x 4 as forward returned"));
    CHECK(dx == Eigen::MatrixXf::Constant(2, 2, 3));
    critic.backward(up, tape);
    CHECK_THAT(error_of([&] { critic.backward(up, tape); }), ContainsSubstring(none));
    critic.forward(in, tape, rng);
    critic.evaluate(in, tape);  // uses the memory
    CHECK_THAT(error_of([&] { critic.backward_input(up, tape, dx); }),
               ContainsSubstring("Network::backward_input: this tape holds no forward pass"));

    const hg::Rng before = rng;
    CHECK_THAT(error_of([&] { critic.forward(up, tape, rng); }),
               ContainsSubstring("Network::forward: x has 3 rows, expected 6"));
    CHECK_THAT(error_of([&] { critic.evaluate(in.leftCols(0)); }),
               ContainsSubstring("Network::evaluate: x has no columns"));
    CHECK_THAT(error_of([&] { critic.gradient(in, in, hg::MeanSquaredError{}, tape, rng); }),
               ContainsSubstring("Network::gradient: the target has 6 rows, expected 3"));
    hg::Tape<float> foreign(5);
    CHECK_THAT(error_of([&] { critic.forward(in, foreign, rng); }),
               ContainsSubstring("the tape holds 5 parameters and 0 statistics, the network has 53 and 0"));
    CHECK(rng == before);
    const auto y = critic.forward(in, tape, rng);
    CHECK_THAT(error_of([&] { hg::network<hg::Chain<hg::Shape{3}, hg::Dense<3>>>(rng).evaluate(y, tape); }),
               ContainsSubstring("x lies in the memory of the tape"));
}

TEST_CASE("the gradient may be made of the result, and dx may be any matrix") {
    hg::Rng rng{1};
    const auto critic = hg::network<Critic, double>(rng);
    auto tape = critic.tape();
    Eigen::MatrixXd in = x, dx;
    const auto y = critic.forward(in, tape, rng);
    const Eigen::MatrixXd dy = y;
    critic.backward(y, tape, dx);
    critic.forward(in, tape, rng);
    critic.backward(dy, tape, in);
    CHECK(in == dx);
}

TEST_CASE("evaluation: no dropout, running averages, block by block, with a tape a view") {
    using Layers = hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::BatchNormalization, hg::Dropout, hg::Dense<3>>;
    hg::Rng rng{1};
    auto network = hg::network<Layers>(rng);
    auto tape = network.tape();
    const Eigen::MatrixXf many = values(6, 700, 3).cast<float>();
    network.forward(many, tape, rng);
    const Eigen::MatrixXf before = network.evaluate(many);
    CHECK(network.fold(tape));
    CHECK(network.evaluate(many) != before);
    CHECK(network.evaluate(many) == network.evaluate(many, tape));
    CHECK(network.evaluate(many.middleCols(300, 9)).isApprox(network.evaluate(many).middleCols(300, 9), 1e-6f));
    // A view of a result may be an argument.
    using Square = hg::Chain<hg::Shape{6}, hg::Dense<6>>;
    const auto square = hg::network<Square>(rng);
    auto memory = square.tape();
    CHECK(square.evaluate(square.evaluate(many, memory), memory) == square.evaluate(square.evaluate(many)));
    // Nothing but a reshape.
    CHECK(hg::network<hg::Chain<hg::Shape{6}, hg::Reshape<3, 2>>>(rng).evaluate(many) == many);
    CHECK(hg::network<hg::Chain<hg::Shape{6}>>(rng).evaluate(many) == many);
}

TEST_CASE("statistics that are not finite are never folded") {
    using Layers = hg::Chain<hg::Shape{6}, hg::BatchNormalization>;
    hg::Rng rng{1};
    auto network = hg::network<Layers>(rng);
    auto tape = network.tape();
    const Eigen::VectorXf before = network.state();
    Eigen::MatrixXf bad = x.cast<float>();
    bad(2, 1) = std::numeric_limits<float>::infinity();
    network.forward(bad, tape, rng);
    CHECK(!network.fold(tape));
    CHECK(Eigen::VectorXf(network.state()) == before);
    CHECK_THAT(error_of([&] { network.fold(hg::Tape<float>(12, 3)); }),
               ContainsSubstring("Network::fold: the tape holds"));
}

TEST_CASE("every array has a name, a place and extents") {
    using Inner = hg::Residual<hg::Dense<4, false>>;
    using Layers =
        hg::Chain<hg::Shape{2, 6}, hg::Conv1D<4, 3>, hg::Residual<hg::Dense<4>, Inner, hg::ReLU, hg::Dense<4>>,
                  hg::BatchNormalization, hg::Residual<hg::Residual<hg::Dense<4>>>, hg::Dense<1>>;
    hg::Rng rng{1};
    auto network = hg::network<Layers>(rng);
    std::vector<std::pair<std::string, std::vector<hg::Index>>> seen;
    hg::Index at = 0;
    network.each_weight([&](std::string_view name, std::span<const hg::Index> extents, auto array) {
        seen.emplace_back(name, std::vector<hg::Index>(extents.begin(), extents.end()));
        CHECK(array.data() == network.parameters().data() + at);
        at += array.size();
        array.setConstant(static_cast<float>(seen.size()));
    });
    CHECK(at == network.parameters().size());
    CHECK(seen == std::vector<std::pair<std::string, std::vector<hg::Index>>>{{"0.kernel", {4, 2, 3}},
                                                                              {"0.bias", {4}},
                                                                              {"1.0.kernel", {4, 4}},
                                                                              {"1.0.bias", {4}},
                                                                              {"1.1.0.kernel", {4, 4}},
                                                                              {"1.3.kernel", {4, 4}},
                                                                              {"1.3.bias", {4}},
                                                                              {"2.gamma", {4}},
                                                                              {"2.beta", {4}},
                                                                              {"3.0.0.kernel", {4, 4}},
                                                                              {"3.0.0.bias", {4}},
                                                                              {"4.kernel", {1, 4}},
                                                                              {"4.bias", {1}}});
    CHECK(network.parameters()[0] == 1);
    CHECK(network.parameters().tail<1>()[0] == 13);
    std::vector<std::string> states;
    std::as_const(network).each_state(
        [&](std::string_view name, std::span<const hg::Index>, auto) { states.emplace_back(name); });
    CHECK(states == std::vector<std::string>{"2.moving_mean", "2.moving_variance"});
    CHECK(network.biases().size() == 7);
}

TEST_CASE("a network that has been moved from says so") {
    hg::Rng rng{1};
    auto network = hg::network<Critic>(rng);
    const auto moved = std::move(network);
    CHECK(moved.evaluate(x.cast<float>()).rows() == 3);
    CHECK_THAT(error_of([&] { network.evaluate(x.cast<float>()); }),  // NOLINT(bugprone-use-after-move): what is tested
               ContainsSubstring("Network::evaluate: the network has no parameters any more: it has been moved from"));
}

TEST_CASE("networks from values print themselves") {
    hg::Rng rng{1};
    const auto network =
        hg::network(hg::chain<hg::Shape{1, 8}>(hg::Conv1D<2, 3, 2, hg::Padding::Same>{}, hg::LeakyReLU{0.1},
                                               hg::Residual{hg::Dense<2>{}, hg::Dropout{0.2}}, hg::MaxPooling1D<2>{}),
                    rng);
    std::ostringstream out;
    out << network;
    CHECK(out.str() ==
          "layer                 output          parameters\n"
          "input                 1 x 8\n"
          "Conv1D                2 x 4                    8  window 3, stride 2, same\n"
          "LeakyReLU             2 x 4                    0  negative_slope 0.1\n"
          "Dense                 2 x 4                    6\n"
          "Dropout               2 x 4                    0  rate 0.2\n"
          "Add                   2 x 4                    0  over 2 layers\n"
          "MaxPooling1D          2 x 2                    0  window 2, stride 2\n"
          "total                                         14\n");
    const auto precise = hg::network<double>(hg::chain<hg::Shape{2}>(hg::Dense<2>{}), rng);
    static_assert(std::is_same_v<decltype(precise)::Scalar, double>);
}

TEST_CASE("a forward pass belongs to its tape and its network: not to copies, nor to what comes to stand there") {
    hg::Rng rng{1};
    auto critic = hg::network<Critic, double>(rng);
    auto tape = critic.tape();
    const std::string none = "Network::backward: this tape holds no forward pass of this network";
    critic.forward(x, tape, rng);
    auto copy = tape;
    CHECK_THAT(error_of([&] { critic.backward(target, copy); }), ContainsSubstring(none));
    critic.backward(target, tape);
    critic.forward(x, tape, rng);
    auto moved = std::move(tape);
    CHECK_THAT(error_of([&] { critic.backward(target, moved); }), ContainsSubstring(none));
    // NOLINTNEXTLINE(bugprone-use-after-move): what is tested
    CHECK_THAT(error_of([&] { critic.backward(target, tape); }), ContainsSubstring("the tape holds 0 parameters"));
}

TEST_CASE("a tape that is assigned to forgets its forward pass, and gives none away") {
    hg::Rng rng{1};
    const auto critic = hg::network<Critic, double>(rng);
    auto tape = critic.tape(), other = critic.tape();
    const std::string none = "Network::backward: this tape holds no forward pass of this network";
    critic.forward(x, tape, rng);
    critic.forward(x, other, rng);
    other = tape;
    CHECK_THAT(error_of([&] { critic.backward(target, other); }), ContainsSubstring(none));
    const auto& itself = tape;
    tape = itself;
    CHECK(error_of([&] { critic.backward(target, tape); }) == "nothing was thrown");
    CHECK(tape.gradient() != other.gradient());
    critic.forward(x, tape, rng);
    critic.forward(x, other, rng);
    other = std::move(tape);
    CHECK_THAT(error_of([&] { critic.backward(target, other); }), ContainsSubstring(none));
    CHECK_THROWS_AS(critic.backward(target, tape), hg::Error);  // NOLINT(bugprone-use-after-move): what is tested
    critic.forward(x, other, rng);
    CHECK(error_of([&] { critic.backward(target, other); }) == "nothing was thrown");
}

TEST_CASE("a loss that is not finite is named, and where it began") {
    hg::Rng rng{1};
    auto critic = hg::network<Critic, double>(rng);
    auto tape = critic.tape();
    Eigen::MatrixXd in = x, wanted = target;
    in(2, 1) = std::numeric_limits<double>::quiet_NaN();
    const auto message = [&] {
        return error_of([&] { critic.gradient(in, wanted, hg::MeanSquaredError{}, tape, rng); });
    };
    const std::string loss = "Network::gradient: the loss is not finite: MeanSquaredError is ";
    CHECK(message() == loss + "nan; x is not finite: feature 2 of sample 1 is nan");
    in = x;
    wanted(1, 3) = std::numeric_limits<double>::infinity();
    CHECK(message() == loss + "inf; the target is not finite: feature 1 of sample 3 is inf");
    wanted = target;
    critic.parameters().tail(1)[0] = std::numeric_limits<double>::infinity();
    CHECK(
        message() ==
        loss +
            "inf; x and the target are finite; the first value that is not comes out of layer 2 (Dense), for sample 0");
    tape.non_finite = hg::NonFinite::Continue;
    CHECK(!hg::is_finite(critic.gradient(in, wanted, hg::MeanSquaredError{}, tape, rng)));
}

TEST_CASE("views of results may be condition and samples of one call; a target on the tape is refused") {
    hg::Rng rng{1};
    const auto labeller = hg::network<hg::Chain<hg::Shape{6}, hg::Dense<3>>, double>(rng);
    const auto given = hg::network<hg::Chain<hg::Shape{6}, hg::Condition<3>, hg::Dense<5>>, double>(rng);
    const auto square = hg::network<hg::Chain<hg::Shape{6}, hg::Dense<6>>, double>(rng);
    auto tape = given.tape();
    const Eigen::MatrixXd many = values(6, 700, 3);
    const auto labels = labeller.evaluate(many, tape);
    const Eigen::MatrixXd expected = given.evaluate(hg::given(many, labeller.evaluate(many)));
    CHECK(given.evaluate(hg::given(many, labels), tape) == expected);
    const auto inputs = square.evaluate(many, tape);
    const Eigen::MatrixXd both =
        given.evaluate(hg::given(square.evaluate(many), labeller.evaluate(square.evaluate(many))));
    CHECK(given.evaluate(hg::given(inputs, labeller.evaluate(inputs, tape)), tape) == both);
    auto own = square.tape();
    const auto on_tape = square.forward(x, own, rng);
    CHECK_THAT(error_of([&] { square.gradient(x, on_tape, hg::MeanSquaredError{}, own, rng); }),
               ContainsSubstring("Network::gradient: the target lies in the memory of the tape"));
}

TEST_CASE("a step with a tape of other running values changes nothing") {
    using Normed = hg::Chain<hg::Shape{6}, hg::Dense<3>, hg::BatchNormalization>;
    using Other = hg::Chain<hg::Shape{6}, hg::Dense<3>, hg::LayerNormalization>;
    hg::Rng rng{1};
    auto network = hg::network<Normed>(rng);
    auto tape = hg::network<Other>(rng).tape();
    tape.gradient().setOnes();
    const Eigen::VectorXf before = network.parameters();
    hg::Adam adam;
    CHECK_THAT(error_of([&] { adam.step(network, tape); }),
               ContainsSubstring("Adam::step: the tape holds 27 parameters and 0 statistics, the model has 27 and 6"));
    CHECK(Eigen::VectorXf(network.parameters()) == before);
    CHECK(adam.steps() == 0);
    const auto moved = std::move(network);
    const std::string gone = "it has been moved from";
    CHECK_THAT(error_of([&] { adam.step(network, network.tape()); }),  // NOLINT(bugprone-use-after-move)
               ContainsSubstring("Adam::step: ") && ContainsSubstring("moved from"));
    CHECK(adam.steps() == 0);
    CHECK_THAT(error_of([&] { network.fold(network.tape()); }),
               ContainsSubstring(gone));  // NOLINT(bugprone-use-after-move)
    CHECK_THAT(error_of([&] { network.each_weight([](auto, auto, auto) {}); }), ContainsSubstring(gone));
    CHECK_THAT(error_of([&] { network.each_state([](auto, auto, auto) {}); }), ContainsSubstring(gone));
    CHECK_THAT(error_of([&] { network.each_layer([](const auto&, const auto&) {}); }), ContainsSubstring(gone));
}
