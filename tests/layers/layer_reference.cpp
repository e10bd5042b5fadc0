// Layers against numbers frozen from another framework.
#include <map>
#include <string>

#include "hourglass/hourglass.hpp"
#include "support/gradient_check.hpp"
#include "support/reference.hpp"

namespace hg = hourglass;

namespace {

const reference::Numbers& numbers() {
    static const reference::Numbers all("layers.txt");
    return all;
}

template <class T, hg::Shape In, class Layer>
void check_in(const Layer& layer, const std::string& name) {
    const auto of = [&](const char* what) { return numbers()[name + "/" + what]; };
    const hg::Matrix<T> x = of("x").template matrix<T>(), dy = of("dy").template matrix<T>();
    constexpr auto count = static_cast<std::size_t>(hg::core::parameters_of<Layer>(In));
    hg::Vector<T> w(count), expected_dw(count), dw = hg::Vector<T>::Zero(count);
    const auto collect = [&](const char* kernel, const char* bias, hg::Vector<T>& into) {
        if constexpr (count > 0) {
            const hg::Vector<T> k = of(kernel).template vector<T>();
            into.head(k.size()) = k;
            if (numbers().contains(name + "/" + bias))
                into.tail(into.size() - k.size()) = of(bias).template vector<T>();
        }
    };
    collect("kernel", "bias", w);
    collect("dkernel", "dbias", expected_dw);

    hg::Matrix<T> y(Layer::output(In).size(), x.cols()), dx = hg::Matrix<T>::Zero(x.rows(), x.cols());
    const std::span<const T, count> weights(w.data(), count);
    layer.template forward<In>(weights, oracle::read(x), oracle::write(y), {});
    layer.template backward<In>(weights, oracle::read(x), oracle::read(y), oracle::read(dy), oracle::write(dx), {});
    if constexpr (count > 0)
        layer.template gradient<In>(weights, oracle::read(x), oracle::read(y), oracle::read(dy),
                                    std::span<T, count>(dw.data(), count), {});
    CHECK(oracle::difference(y, of("y").template matrix<double>()) <= oracle::tolerance<T>);
    CHECK(oracle::difference(dx, of("dx").template matrix<double>()) <= oracle::tolerance<T>);
    CHECK(oracle::difference(dw, expected_dw) <= oracle::tolerance<T>);
}

template <hg::Shape In, class Layer>
void check(const Layer& layer, const std::string& name) {
    CAPTURE(name);
    check_in<double, In>(layer, name);
    check_in<float, In>(layer, name);
}

}  // namespace

TEST_CASE("layers agree with the frozen numbers") {
    constexpr hg::Shape six{6};
    check<hg::Shape{4}>(hg::Dense<3>{}, "dense");
    check<hg::Shape{4}>(hg::Dense<3, false>{}, "dense_without_bias");
    check<hg::Shape{3, 4}>(hg::Dense<5>{}, "dense_sequence");
    check<hg::Shape{3, 4}>(hg::Dense<5, false>{}, "dense_sequence_without_bias");
    check<six>(hg::ReLU{}, "relu");
    check<six>(hg::LeakyReLU{}, "leaky_relu");
    check<six>(hg::ELU{}, "elu");
    check<six>(hg::SELU{}, "selu");
    check<six>(hg::GELU{}, "gelu");
    check<six>(hg::GELU{true}, "gelu_tanh");
    check<six>(hg::SiLU{}, "silu");
    check<six>(hg::Sigmoid{}, "sigmoid");
    check<six>(hg::Tanh{}, "tanh");
    check<six>(hg::Softplus{}, "softplus");
    check<six>(hg::Softmax{}, "softmax");
    check<hg::Shape{3, 4}>(hg::Softmax{}, "softmax_sequence");
}
