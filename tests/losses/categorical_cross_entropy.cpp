// Categorical cross-entropy against dual numbers and frozen numbers; the targets it refuses; the classifiers made of
// it.
#include "hourglass/hourglass.hpp"
#include "support/model_check.hpp"
#include "support/reference.hpp"

namespace hg = hourglass;

namespace {

using Catch::Matchers::ContainsSubstring;
using oracle::read, oracle::values, oracle::write;

/// Probabilities: in each column, those of every `classes` values sum to 1.
Eigen::MatrixXd distributions(hg::Index classes, hg::Index rows, hg::Index cols, std::uint64_t seed) {
    Eigen::MatrixXd p = values(rows, cols, seed, 0.02, 1);
    for (hg::Index j = 0; j < cols; ++j)
        for (hg::Index i = 0; i < rows; i += classes)
            p.col(j).segment(i, classes) /= p.col(j).segment(i, classes).sum();
    return p;
}

template <hg::Shape Output>
const auto logits_of = hg::CategoricalCrossEntropy{}.from_logits<Output>();

template <hg::Shape Output>
const auto output_of = hg::CategoricalCrossEntropy{}.from_output<Output>();

template <class T, class Loss>
void check_frozen(const Loss& loss, const std::string& name) {
    CAPTURE(name);
    const reference::Numbers numbers("categorical_cross_entropy.txt");
    const hg::Matrix<T> x = numbers[name + "/x"].matrix<T>(), target = numbers[name + "/target"].matrix<T>();
    hg::Matrix<T> dx(x.rows(), x.cols());
    const T value = loss.template gradient<T>(read(x), read(target), write(dx));
    CHECK(std::abs(static_cast<double>(value) - numbers[name + "/value"].number()) <= oracle::tolerance<T>);
    CHECK(oracle::difference(dx, numbers[name + "/dx"].matrix<double>()) <= oracle::tolerance<T>);
}

}  // namespace

TEST_CASE("the gradient of categorical cross-entropy agrees with dual numbers") {
    // 37 classes are not a multiple of any vector width, nor are 3.
    const Eigen::MatrixXd t = distributions(37, 37, 29, 1), p = values(37, 29, 2, 0.02, 0.98);
    oracle::check_loss(hg::CategoricalCrossEntropy{}, p, t);
    oracle::check_loss(logits_of<hg::Shape{37}>, values(37, 29, 3, -12, 12), t);
    oracle::check_loss(logits_of<hg::Shape{3, 5}>, values(15, 7, 4, -12, 12), distributions(3, 15, 7, 5));
    oracle::check_loss(output_of<hg::Shape{37}>, p, t);
    oracle::check_loss(output_of<hg::Shape{3, 5}>, values(15, 7, 6, 0.02, 0.98), distributions(3, 15, 7, 5));
}

TEST_CASE("label smoothing is the loss of smoothed targets, a share for every class") {
    const hg::CategoricalCrossEntropy plain, smooth{.label_smoothing = 0.2};
    // Sums that are 1 but for what is let through.
    const Eigen::MatrixXd t = 0.9995 * distributions(3, 15, 7, 5), smoothed = (0.8 * t.array() + 0.2 / 3).matrix();
    const auto compare = [&](const auto& of_smooth, const auto& of_plain, const Eigen::MatrixXd& p) {
        Eigen::MatrixXd d(15, 7), expected(15, 7);
        const double value = of_smooth.template gradient<double>(read(p), read(t), write(d));
        CHECK(value ==
              Approx(of_plain.template gradient<double>(read(p), read(smoothed), write(expected))).epsilon(1e-14));
        CHECK(of_smooth.template value<double>(read(p), read(t)) == Approx(value).epsilon(1e-14));
        CHECK((d - expected).cwiseAbs().maxCoeff() <= 1e-15);
        Eigen::VectorXd each(7);
        of_smooth.template samples<double>(read(p), read(t), Eigen::Map<Eigen::VectorXd>(each.data(), 7));
        CHECK(each.mean() == Approx(value).epsilon(1e-14));
    };
    constexpr hg::Shape shape{3, 5};
    const Eigen::MatrixXd logits = values(15, 7, 4, -12, 12), p = values(15, 7, 6, 0.02, 0.98);
    compare(smooth.from_logits<shape>(), plain.from_logits<shape>(), logits);
    compare(smooth.from_output<shape>(), plain.from_output<shape>(), p);
    oracle::check_loss(smooth.from_logits<shape>(), logits, t);
    oracle::check_loss(smooth.from_output<shape>(), p, t);
    for (const double bad : {-0.1, 1.0, 2.0, std::numeric_limits<double>::quiet_NaN()})
        CHECK_THROWS_WITH(hg::CategoricalCrossEntropy{bad}.check(),
                          ContainsSubstring("the label smoothing must be at least 0 and below 1"));
}

TEST_CASE("categorical cross-entropy of probabilities: the gradient is that of the value, also beyond the clip") {
    // Divided by their sum, all but those of 0.25 lie below 1e-7 or above 1 - 1e-7.
    Eigen::MatrixXd p(3, 4), t(3, 4);
    p << 0, 1e-9, 1, 2e-9,    //
        0.25, 2e-9, 1e-9, 5,  //
        0.25, 0.5, 2e-9, 1e-8;
    t << 1, 0.2, 0, 0.1,  //
        0, 0.3, 1, 0.6,   //
        0, 0.5, 0, 0.3;
    oracle::check_loss(hg::CategoricalCrossEntropy{}, p, t);
    oracle::check_loss(output_of<hg::Shape{3}>, p, t);
    Eigen::MatrixXd d(3, 4);
    const double value = hg::CategoricalCrossEntropy{}.gradient<double>(read(p.leftCols(1).eval()),
                                                                        read(t.leftCols(1).eval()), {d.data(), 3, 1});
    CHECK(value == Approx(-std::log(1e-7)).epsilon(1e-14));
    CHECK(d.col(0) == Eigen::Vector3d::Zero());
}

TEMPLATE_TEST_CASE("categorical cross-entropy agrees with the frozen numbers", "", float, double) {
    check_frozen<TestType>(logits_of<hg::Shape{5}>, "logits");
    check_frozen<TestType>(logits_of<hg::Shape{3, 4}>, "sequence");
    check_frozen<TestType>(hg::CategoricalCrossEntropy{}, "probabilities");
}

TEMPLATE_TEST_CASE("logits of any size give finite values", "", float, double) {
    using T = TestType;
    const hg::Matrix<T> z{{T(1000)}, {T(-1000)}, {T(0)}}, t{{T(0)}, {T(1)}, {T(0)}};
    hg::Matrix<T> d(3, 1);
    CHECK(logits_of<hg::Shape{3}>.template gradient<T>(read(z), read(t), write(d)) == T(2000));
    CHECK((d - hg::Matrix<T>{{T(1)}, {T(-1)}, {T(0)}}).cwiseAbs().maxCoeff() < T(1e-30));
}

TEST_CASE("categorical cross-entropy refuses targets that are no probabilities") {
    const Eigen::MatrixXd z = values(6, 2, 1);
    Eigen::MatrixXd t = distributions(3, 6, 2, 2), d = Eigen::MatrixXd::Constant(6, 2, 7);
    const auto gradient = [&] { logits_of<hg::Shape{3, 2}>.gradient<double>(read(z), read(t), write(d)); };
    CHECK_NOTHROW(gradient());
    d.setConstant(7);

    t(3, 1) += 0.01;
    CHECK_THROWS_WITH(gradient(), ContainsSubstring("CategoricalCrossEntropy: the targets of each position must sum "
                                                    "to 1; those of position 1 of sample 1 do not"));
    t(3, 1) -= 0.02;
    CHECK_THROWS_AS(gradient(), hg::Error);
    t.col(1) << 0, 0, 1, 1.5, -0.25, -0.25;
    CHECK_THROWS_WITH(gradient(), ContainsSubstring("targets must lie in [0, 1]; feature 3 of sample 1 is 1.5"));
    CHECK((d.array() == 7).all());  // nothing was written
    t.col(1) << 0, 0, 1, 1.0005, 0, 0;
    CHECK_THROWS_AS(gradient(), hg::Error);
    t.col(1) << 0, 0, 1, 0.9995, 0, 0;
    CHECK_NOTHROW(gradient());
}

TEST_CASE("categorical cross-entropy of probabilities looks at the targets of each position of a sequence") {
    const Eigen::MatrixXd p = values(6, 2, 1, 0.1, 0.9);
    Eigen::MatrixXd t = distributions(3, 6, 2, 2), d = Eigen::MatrixXd::Constant(6, 2, 7);
    const auto gradient = [&] { output_of<hg::Shape{3, 2}>.gradient<double>(read(p), read(t), write(d)); };
    CHECK_NOTHROW(gradient());
    d.setConstant(7);
    t(4, 1) += 0.01;
    CHECK_THROWS_WITH(gradient(), ContainsSubstring("CategoricalCrossEntropy: the targets of each position must sum "
                                                    "to 1; those of position 1 of sample 1 do not"));
    t.col(1) << 0, 0, 1, 1.5, -0.25, -0.25;
    CHECK_THROWS_WITH(gradient(), ContainsSubstring("targets must lie in [0, 1]; feature 3 of sample 1 is 1.5"));
    CHECK((d.array() == 7).all());
    // The targets of a whole sample sum to 1, those of its positions do not.
    t.col(1) << 0.5, 0, 0, 0.5, 0, 0;
    CHECK_THROWS_WITH(gradient(), ContainsSubstring("those of position 0 of sample 1 do not"));
}

TEST_CASE("a classifier's output has a shape of its own, and its gradient agrees with dual numbers") {
    using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<4>, hg::Tanh>;
    const auto build = []<class T>(hg::Rng& rng) {
        return hg::autoencoder<Encoder, hg::Chain<Encoder::output, hg::Dense<3>, hg::Softmax>, T>(
            rng, hg::CategoricalCrossEntropy{});
    };
    oracle::check_model(build, values(6, 4, 1), distributions(3, 3, 4, 2));
    using Windows = hg::Chain<hg::Shape{2, 3}, hg::Dense<4>, hg::Tanh>;
    const auto each_step = []<class T>(hg::Rng& rng) {
        return hg::autoencoder<Windows, hg::Chain<Windows::output, hg::Dense<3>, hg::Softmax>, T>(
            rng, hg::CategoricalCrossEntropy{});
    };
    oracle::check_model(each_step, values(6, 4, 3), distributions(3, 9, 4, 4));
}

TEST_CASE("a classifier learns, and its frozen part stays as it is") {
    using Encoder = hg::Chain<hg::Shape{2}, hg::Dense<16>, hg::Tanh>;
    hg::Rng rng{3};
    auto model = hg::autoencoder<Encoder, hg::Chain<Encoder::output, hg::Dense<2>, hg::Softmax>>(
        rng, hg::CategoricalCrossEntropy{});
    const Eigen::MatrixXf x = values(2, 400, 1, -1, 1).cast<float>();
    Eigen::VectorXi labels(x.cols());
    for (hg::Index j = 0; j < x.cols(); ++j) labels[j] = x(0, j) * x(1, j) > 0;  // no line separates the two
    const Eigen::MatrixXf target = hg::one_hot(labels, 2);
    auto tape = model.tape();

    const Eigen::VectorXf encoder = model.encoder_parameters();
    hg::Adam of_decoder{{.learning_rate = 1e-2}};
    const float before = model.loss(x, target);
    for (int step = 0; step < 200; ++step) {
        model.gradient(x, target, tape, rng);
        const auto [begin, size] = model.decoder_slice();
        of_decoder.step(model.decoder_parameters(), tape.gradient().segment(begin, size));
    }
    const float frozen = model.loss(x, target);
    CHECK(frozen < before);
    CHECK(Eigen::VectorXf(model.encoder_parameters()) == encoder);

    hg::Adam adam{{.learning_rate = 1e-2}};
    for (int step = 0; step < 500; ++step) {
        model.gradient(x, target, tape, rng);
        adam.step(model.parameters(), tape.gradient());
    }
    CHECK(model.loss(x, target) < frozen / 2);
    CHECK(hg::accuracy(model.reconstruct(x), labels) > 0.95);
    CHECK((model.reconstruct(x).colwise().sum().array() - 1).abs().maxCoeff() < 1e-6f);
}
