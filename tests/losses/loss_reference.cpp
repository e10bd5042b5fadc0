// Losses against numbers frozen from another framework.
#include <string>

#include "hourglass/hourglass.hpp"
#include "support/gradient_check.hpp"
#include "support/reference.hpp"

namespace hg = hourglass;

namespace {

template <class T, class Loss>
void check_in(const Loss& loss, const std::string& name) {
    const reference::Numbers numbers("losses.txt");
    const hg::Matrix<T> x = numbers[name + "/x"].matrix<T>(), target = numbers[name + "/target"].matrix<T>();
    hg::Matrix<T> dx(x.rows(), x.cols());
    const T value = loss.template gradient<T>(oracle::read(x), oracle::read(target), oracle::write(dx));
    CHECK(std::abs(static_cast<double>(value) - numbers[name + "/value"].number()) <= oracle::tolerance<T>);
    CHECK(oracle::difference(dx, numbers[name + "/dx"].matrix<double>()) <= oracle::tolerance<T>);
}

template <class Loss>
void check(const Loss& loss, const std::string& name) {
    CAPTURE(name);
    check_in<double>(loss, name);
    check_in<float>(loss, name);
}

}  // namespace

TEST_CASE("losses agree with the frozen numbers") {
    check(hg::MeanSquaredError{}, "mean_squared_error");
    check(hg::MeanAbsoluteError{}, "mean_absolute_error");
    check(hg::Huber{}, "huber");
    check(hg::Huber{0.5}, "huber_half");
    check(hg::BinaryCrossEntropy{}, "binary_cross_entropy");
    check(hg::BinaryCrossEntropy::from_logits(), "binary_cross_entropy_from_logits");
}
