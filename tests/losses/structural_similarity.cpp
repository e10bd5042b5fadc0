// The structural similarity as a loss and as a metric, and the peak signal-to-noise ratio.
#include <cmath>
#include <hourglass/io/safetensors.hpp>
#include <limits>
#include <sstream>
#include <string>

#include "hourglass/hourglass.hpp"
#include "support/error_of.hpp"
#include "support/gradient_check.hpp"
#include "support/reference.hpp"

namespace hg = hourglass;

using Catch::Matchers::ContainsSubstring;
using oracle::values;

namespace {

template <hg::Shape Output>
constexpr auto loss(double range = 1) {
    return hg::StructuralSimilarity{range}.from_output<Output>({});
}

// scikit-image's pictures are rows × columns × channels, which is one sample here.
template <hg::Shape Shape>
void check_reference(const std::string& name, double range) {
    CAPTURE(name);
    const reference::Numbers numbers("structural_similarity.txt");
    const Eigen::VectorXd x = numbers[name + "/x"].vector<double>(), y = numbers[name + "/y"].vector<double>();
    const double wanted = numbers[name + "/value"].number();
    CHECK(std::abs(hg::structural_similarity(x, y, Shape, range)[0] - wanted) < 1e-12);
    CHECK(std::abs(hg::structural_similarity(y, x, Shape, range)[0] - wanted) < 1e-12);
    const double off = loss<Shape>(range).template value<double>(oracle::read(x), oracle::read(y)) - (1 - wanted);
    CHECK(std::abs(off) < 1e-12);
    const Eigen::VectorXf xf = x.cast<float>(), yf = y.cast<float>();
    const float in_float =
        loss<Shape>(range).template value<float>({xf.data(), xf.size(), 1}, {yf.data(), yf.size(), 1});
    CHECK(std::abs(static_cast<double>(in_float) - (1 - wanted)) < 1e-5);
}

}  // namespace

TEST_CASE("structural similarity agrees with scikit-image") {
    check_reference<hg::Shape{1, 11, 11}>("smallest", 1);
    check_reference<hg::Shape{1, 12, 17}>("wide", 1);
    check_reference<hg::Shape{3, 15, 13}>("channels", 255);
}

TEST_CASE("the gradient of structural similarity agrees with dual numbers") {
    const auto check = [](auto l, hg::Index size) {
        oracle::check_loss(l, values(size, 2, 1, 0, 1), values(size, 2, 2, 0, 1));
    };
    check(loss<hg::Shape{1, 11, 12}>(), 132);
    check(loss<hg::Shape{2, 12, 11}>(), 264);
    check(loss<hg::Shape{1, 12, 11}>(4), 132);
}

TEST_CASE("structural similarity trains a decoder of pictures, and is kept in files as a loss of its range") {
    using Encoder = hg::Chain<hg::Shape{1, 12, 12}, hg::Flatten, hg::Dense<6>>;
    using Decoder = hg::Chain<hg::Shape{6}, hg::Dense<144>, hg::Sigmoid, hg::Reshape<1, 12, 12>>;
    hg::Rng rng{3};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::StructuralSimilarity{2});
    const Eigen::MatrixXf x = values(144, 8, 5, 0, 1).cast<float>();
    auto tape = model.tape();
    hg::Adam adam{{.learning_rate = 1e-2}};
    const float before = model.loss(x, tape);
    for (int step = 0; step < 200; ++step) {
        model.gradient(x, tape, rng);
        adam.step(model, tape);
    }
    const float after = model.loss(x, tape);
    CHECK(after < 0.5F * before);
    const Eigen::VectorXd similarity = hg::structural_similarity(x, model.reconstruct(x), hg::Shape{1, 12, 12}, 2);
    CHECK(std::abs(1 - similarity.mean() - static_cast<double>(after)) < 1e-5);
    const Eigen::VectorXf each = model.reconstruction_error(x, tape);
    for (hg::Index j = 0; j < 8; ++j) CHECK(std::abs(1 - similarity[j] - static_cast<double>(each[j])) < 1e-5);
    // Models of two ranges side by side do not share what one of them keeps.
    auto other = hg::autoencoder<Encoder, Decoder>(rng, hg::StructuralSimilarity{1});
    other.parameters() = model.parameters();
    CHECK(other.loss(x, tape) != after);
    CHECK(model.loss(x, tape) == after);
    // In a file.
    std::stringstream file;
    hg::save(file, model);
    hg::load(file, other);
    CHECK(other.loss(x, tape) == after);
}

TEST_CASE("structural similarity is the same whatever the range of the values") {
    const Eigen::VectorXf x = values(144, 1, 1, 0, 1).cast<float>(), y = values(144, 1, 2, 0, 1).cast<float>();
    const float wanted = loss<hg::Shape{1, 12, 12}>().value<float>({x.data(), 144, 1}, {y.data(), 144, 1});
    for (const double range : {1e-15, 1e-9, 1e9, 1e15}) {
        CAPTURE(range);
        const Eigen::VectorXf large_x = static_cast<float>(range) * x, large_y = static_cast<float>(range) * y;
        Eigen::VectorXf d(144);
        const float found = loss<hg::Shape{1, 12, 12}>(range).gradient<float>(
            {large_x.data(), 144, 1}, {large_y.data(), 144, 1}, {d.data(), 144, 1});
        CHECK(std::abs(found - wanted) < 1e-5F);
        CHECK(hg::first_non_finite(d.data(), d.size()) < 0);
    }
}

TEST_CASE("what compares pictures refuses what it cannot compare") {
    const Eigen::MatrixXd a = values(144, 3, 1, 0, 1);
    Eigen::MatrixXd b = a;
    CHECK((hg::structural_similarity(a, b, {1, 12, 12}).array() == 1).all());
    CHECK((hg::peak_signal_to_noise_ratio(a, b).array() == std::numeric_limits<double>::infinity()).all());
    b.array() += 0.1;
    CHECK((hg::peak_signal_to_noise_ratio(a, b).array() - 20).abs().maxCoeff() < 1e-9);
    CHECK((hg::peak_signal_to_noise_ratio(a, b, 10).array() - 40).abs().maxCoeff() < 1e-9);
    CHECK_THAT(error_of([&] {
                   hg::structural_similarity(a, b.leftCols(2), {1, 12, 12});
               }),
               ContainsSubstring("144 x 3 and 144 x 2, expected two batches of one size"));
    CHECK_THAT(error_of([&] {
                   hg::structural_similarity(a, b, {1, 12, 13});
               }),
               ContainsSubstring("144 values, expected 156"));
    CHECK_THAT(error_of([&] {
                   hg::structural_similarity(a, b, {1, 8, 18});
               }),
               ContainsSubstring("8 x 18, expected at least 11 rows and columns"));
    CHECK_THAT(error_of([&] { hg::peak_signal_to_noise_ratio(a, b, 0); }),
               ContainsSubstring("the range must lie in [1e-15, 1e15], got 0"));
    CHECK_THAT(error_of([&] { hg::StructuralSimilarity{1e16}; }), ContainsSubstring("the range must lie in"));
    b(5, 1) = std::numeric_limits<double>::quiet_NaN();
    CHECK_THAT(error_of([&] { hg::peak_signal_to_noise_ratio(a, b); }),
               ContainsSubstring("value 5 of sample 1 of the second batch is not finite"));
}
