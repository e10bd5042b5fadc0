// A layer's passes against numbers frozen from another framework.
#pragma once

#include <span>
#include <string>

#include "support/gradient_check.hpp"
#include "support/reference.hpp"

namespace reference {

template <class T, hourglass::Shape In, class Layer>
void check_layer_in(const Layer& layer, const Numbers& numbers, const std::string& name) {
    namespace hg = hourglass;
    const auto matrix = [&](const char* what) -> hg::Matrix<T> {
        return numbers[name + "/" + what].template matrix<T>();
    };
    const hg::Matrix<T> x = matrix("x"), dy = matrix("dy");
    constexpr auto count = static_cast<std::size_t>(hg::core::parameters_of<Layer>(In));
    const auto weights = [&](const std::string& prefix) {
        hg::Vector<T> all(count);
        hg::Index filled = 0;
        for (const char* part : {"kernel", "bias"})
            if (numbers.contains(name + "/" + prefix + part)) {
                const hg::Vector<T> values = numbers[name + "/" + prefix + part].template vector<T>();
                all.segment(filled, values.size()) = values;
                filled += values.size();
            }
        REQUIRE(filled == all.size());
        return all;
    };
    const hg::Vector<T> w = weights("");
    hg::Vector<T> dw = hg::Vector<T>::Zero(count);
    REQUIRE(x.rows() == In.size());
    REQUIRE(dy.rows() == Layer::output(In).size());
    hg::Matrix<T> y(dy.rows(), x.cols()), dx = hg::Matrix<T>::Zero(x.rows(), x.cols());
    const std::span<const T, count> span(w.data(), count);
    layer.template forward<In>(span, oracle::read(x), oracle::write(y), {});
    layer.template backward<In>(span, oracle::read(x), oracle::read(y), oracle::read(dy), oracle::write(dx), {});
    if constexpr (count > 0)
        layer.template gradient<In>(span, oracle::read(x), oracle::read(y), oracle::read(dy),
                                    std::span<T, count>(dw.data(), count), {});
    CHECK(oracle::difference(y, matrix("y")) <= oracle::tolerance<T>);
    CHECK(oracle::difference(dx, matrix("dx")) <= oracle::tolerance<T>);
    CHECK(oracle::difference(dw, weights("d")) <= oracle::tolerance<T>);
}

/// What `layer` makes of NAME/x, and of the gradient NAME/dy, with weights NAME/kernel and NAME/bias if it has any, in
/// double and in float.
template <hourglass::Shape In, class Layer>
void check_layer(const Layer& layer, const Numbers& numbers, const std::string& name) {
    CAPTURE(name);
    check_layer_in<double, In>(layer, numbers, name);
    check_layer_in<float, In>(layer, numbers, name);
}

}  // namespace reference
