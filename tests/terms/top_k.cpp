// TopK and BatchTopK: what is kept, also among equal values and NaN; gradients; the threshold of evaluation.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "hourglass/hourglass.hpp"
#include "support/model_check.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;
using oracle::read;
using oracle::values;
using oracle::write;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

// The largest k by sorting, of equal ones the first.
template <class T>
std::vector<T> sorted_choice(const std::vector<T>& x, std::size_t k) {
    std::vector<std::size_t> order(x.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return x[a] > x[b]; });
    std::vector<T> kept(x.size());
    for (std::size_t i = 0; i < k; ++i) kept[order[i]] = x[order[i]];
    return kept;
}
template <class T>
std::vector<T> choice(const std::vector<T>& x, std::size_t k) {
    std::vector<T> y(x.size(), T(not_a_number));
    hg::terms::keep_largest<T>(x.data(), static_cast<hg::Index>(x.size()), static_cast<hg::Index>(k), y.data());
    return y;
}

template <hg::Shape In, class Term>
Eigen::MatrixXd evaluate(const Term& term, const Eigen::MatrixXd& x) {
    Eigen::MatrixXd y = oracle::poisoned<double>(x.rows(), x.cols());
    term.template forward<In, double>({}, read(x), write(y), {});
    return y;
}
template <hg::Shape In, class Term>
Eigen::MatrixXd train(const Term& term, const Eigen::MatrixXd& x) {
    Eigen::MatrixXd y = oracle::poisoned<double>(x.rows(), x.cols());
    term.template forward<In, double>({}, read(x), write(y), {.training = true});
    return y;
}

const auto x = values(6, 4, 21, 0.05, 0.95), target = values(6, 4, 22, 0.05, 0.95);

}  // namespace

TEMPLATE_TEST_CASE("top k: the same values as by sorting", "", float, double) {
    hg::Rng rng{3};
    for (const std::size_t size : {1u, 2u, 5u, 16u, 37u, 300u})
        for (int round = 0; round < 20; ++round) {
            std::vector<TestType> v(size);
            for (TestType& value : v) {
                // All orders of magnitude, or few different values, of either sign.
                value = static_cast<TestType>(round % 2 ? rng.normal() * std::pow(10, rng.uniform(-30, 30))
                                                        : std::round(2 * rng.normal()) / 2);
                if (round % 5 == 4) value = std::max(value, TestType(0));
            }
            for (const std::size_t k : {std::size_t{1}, size / 3 + 1, size})
                REQUIRE(choice(v, k) == sorted_choice(v, k));
        }
}

TEST_CASE("top k: values and not magnitudes; of equal values the first") {
    using Numbers = std::vector<double>;
    CHECK(choice<double>({-5, 1, 2, -7}, 2) == Numbers{0, 1, 2, 0});
    CHECK(choice<double>({-5, -1, -2, -7}, 2) == Numbers{0, -1, -2, 0});
    CHECK(choice<double>({1, 3, 1, 1}, 2) == Numbers{1, 3, 0, 0});
    CHECK(choice<double>({2, 2, 2}, 2) == Numbers{2, 2, 0});
    CHECK(choice<double>({infinity, -infinity, 1e308, infinity}, 1) == Numbers{infinity, 0, 0, 0});
    CHECK(choice<double>({-infinity, -infinity, -1e308}, 2) == Numbers{-infinity, 0, -1e308});
    CHECK(choice<double>({1e-320, 0, 2e-320, -1e-320}, 2) == Numbers{1e-320, 0, 2e-320, 0});
}

TEST_CASE("top k: NaN always stays") {
    for (const std::size_t k : {1u, 2u, 3u, 4u})
        for (const double sign : {1.0, -1.0}) {
            const std::vector<double> y = choice<double>({1, 1, std::copysign(not_a_number, sign), infinity}, k);
            CHECK(!hg::is_finite(y[2]));
            CHECK(y[3] == (k > 1 ? infinity : 0));
            CHECK(y[0] == (k > 2 ? 1 : 0));
            CHECK(y[1] == (k > 3 ? 1 : 0));
        }
    const std::vector<float> all(100, std::numeric_limits<float>::quiet_NaN());
    for (const float y : choice(all, 7)) CHECK(!hg::is_finite(y));
}

TEST_CASE("TopK: each sample keeps its own, over all positions of a sequence") {
    Eigen::MatrixXd code(4, 2);
    code << 1, -1, 2, -2, 3, -3, 4, -4;
    Eigen::MatrixXd expected(4, 2);
    expected << 0, -1, 0, -2, 3, 0, 4, 0;
    CHECK(evaluate<hg::Shape{4}>(hg::TopK<2>{}, code) == expected);
    CHECK(evaluate<hg::Shape{2, 2}>(hg::TopK<2>{}, code) == expected);
}

TEST_CASE("TopK and BatchTopK: gradients agree with dual numbers") {
    oracle::check_layer<hg::Shape{7}>(hg::TopK<3>{});
    oracle::check_layer<hg::Shape{3, 5}>(hg::TopK<4>{});
    oracle::check_layer<hg::Shape{70}>(hg::TopK<70>{});
    oracle::check_layer<hg::Shape{7}>(hg::BatchTopK<3>{});
    oracle::check_layer<hg::Shape{40}>(hg::BatchTopK<5>{.threshold = 0.1});  // which training does not look at
}

TEST_CASE("TopK: the gradient passes to a kept 0 and to nothing that was dropped") {
    Eigen::MatrixXd code(6, 1), up(6, 1), expected(6, 1);
    code << 0, -1, 5, 0, -2, 0;
    up << 1, 2, 3, 4, 5, 6;
    expected << 11, 10, 13, 14, 10, 10;
    const Eigen::MatrixXd y = evaluate<hg::Shape{6}>(hg::TopK<3>{}, code);
    Eigen::MatrixXd dx = Eigen::MatrixXd::Constant(6, 1, 10);
    hg::TopK<3>{}.backward<hg::Shape{6}, double>({}, read(code), read(y), read(up), write(dx), {});
    CHECK(dx == expected);
}

TEST_CASE("TopK: a whole model, denoising") {
    using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<7>, hg::Tanh, hg::Dense<8>>;
    using Decoder = hg::Chain<Encoder::output, hg::Dense<6>, hg::Sigmoid>;
    const auto build = []<class Term>(const Term& term) {
        return [=]<class T>(hg::Rng& rng) {
            return hg::autoencoder<Encoder, Decoder, T>(rng, hg::BinaryCrossEntropy{}, hg::MaskingNoise{0.25}, term,
                                                        hg::L1{0.05});
        };
    };
    oracle::check_model(build(hg::TopK<3>{}), x, target, oracle::InputGradient::BehindCorruption);
    oracle::check_model(build(hg::BatchTopK<3>{}), x, target, oracle::InputGradient::BehindCorruption);
}

TEST_CASE("TopK: the model's codes have exactly K values, and it decodes what training decoded") {
    using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<20>>;
    using Decoder = hg::Chain<Encoder::output, hg::Dense<6>>;
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Encoder, Decoder, double>(rng, hg::MeanSquaredError{}, hg::TopK<5>{});
    const Eigen::MatrixXd code = model.encode(x);
    CHECK(((code.array() != 0).colwise().count() == 5).all());
    CHECK(model.reconstruct(x) == model.decode(code));
    auto tape = model.tape();
    CHECK(model.gradient(x, tape, rng) == Approx(model.loss(x)).epsilon(1e-14));
    CHECK(model.encode(x.col(2)) == code.col(2));
}

TEST_CASE("BatchTopK: training shares K·n values out over the batch") {
    Eigen::MatrixXd code(3, 2), expected(3, 2);
    code << 9, 1, 8, 2, 7, 3;
    expected << 9, 0, 8, 0, 7, 3;
    CHECK(train<hg::Shape{3}>(hg::BatchTopK<2>{}, code) == expected);
}

TEST_CASE("BatchTopK: in evaluation no sample depends on its batch") {
    const Eigen::MatrixXd code = values(9, 30, 5);
    const auto check = [&](const auto& term) {
        const Eigen::MatrixXd y = evaluate<hg::Shape{9}>(term, code);
        for (Eigen::Index j = 0; j < code.cols(); ++j) CHECK(evaluate<hg::Shape{9}>(term, code.col(j)) == y.col(j));
        return y;
    };
    CHECK(check(hg::BatchTopK<4>{}) == evaluate<hg::Shape{9}>(hg::TopK<4>{}, code));
    CHECK(check(hg::BatchTopK<4>{.threshold = 0.3}) == (code.array() > 0.3).select(code, 0));
    CHECK(check(hg::BatchTopK<4>{.threshold = -0.3}) == (code.array() > -0.3).select(code, 0));

    Eigen::MatrixXd odd(3, 1);
    odd << not_a_number, 0.5, -1;
    const Eigen::MatrixXd y = evaluate<hg::Shape{3}>(hg::BatchTopK<1>{.threshold = 0.5}, odd);
    CHECK(!hg::is_finite(y(0)));
    CHECK(y(1) == 0);  // above, not at
    CHECK(!std::signbit(y(2)));
}

TEST_CASE("BatchTopK: the threshold is the smallest positive value kept, mean over batches") {
    Eigen::MatrixXd code(3, 4);
    code << 9, 1, -1, 5,  //
        8, 2, -2, 1,      //
        7, 3, -3, 4;
    // {9, 8, 7, 3} and {5, 4, 1, −1}
    CHECK(hg::BatchTopK<2>::estimate_threshold(code, 2) == Approx((3.0 + 1.0) / 2));
    CHECK(hg::BatchTopK<2>::estimate_threshold(code, 3) == Approx((1.0 + 4.0) / 2));  // a last batch of one sample
    CHECK(hg::BatchTopK<1>::estimate_threshold(code.cast<float>().eval(), 100) == Approx(5));

    CHECK_THROWS_WITH(hg::BatchTopK<2>::estimate_threshold(Eigen::MatrixXd(3, 0), 2),
                      ContainsSubstring("at least 2 values, got 3 x 0"));
    CHECK_THROWS_WITH(hg::BatchTopK<4>::estimate_threshold(code, 2), ContainsSubstring("at least 4 values, got 3 x 4"));
    CHECK_THROWS_WITH(hg::BatchTopK<2>::estimate_threshold(code, 0),
                      ContainsSubstring("batch size must be at least 1"));
    CHECK_THROWS_WITH(hg::BatchTopK<2>::estimate_threshold((-code.cwiseAbs()).eval(), 2),
                      ContainsSubstring("no value of the codes is positive"));
    code(1, 3) = not_a_number;
    CHECK_THROWS_WITH(hg::BatchTopK<2>::estimate_threshold(code, 2), ContainsSubstring("sample 3 is not finite"));
}

TEST_CASE("BatchTopK: a threshold estimated from a model keeps about K values of a sample") {
    using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<50>>;
    using Decoder = hg::Chain<Encoder::output, hg::Dense<6>>;
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}, hg::BatchTopK<8>{});
    const Eigen::MatrixXf images = values(6, 600, 9).cast<float>();
    auto& top = model.term<hg::BatchTopK<8>>();
    top.threshold = -1e30;
    const Eigen::MatrixXf raw = model.encode(images);
    CHECK(hg::mean_active_units(raw) == 50);
    top.threshold = hg::BatchTopK<8>::estimate_threshold(raw, 200);
    const double active = hg::mean_active_units(model.encode(images));
    CHECK(active > 7.9);
    CHECK(active < 8.1);

    top.threshold = not_a_number;
    CHECK_THROWS_WITH(model.loss(images), ContainsSubstring("BatchTopK: the threshold must be finite, got nan"));
}
