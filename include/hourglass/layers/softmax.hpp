// Softmax: probabilities of scores.
#pragma once

#include <Eigen/Core>
#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/kernels/pack.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace layers {

// y = softmax(x) of so many channels, and dx += (∂y/∂x)ᵀ dy. Bits do not depend on where they lie in memory.
template <class T>
void softmax(Index channels, const T* x, T* y) {
    const T largest = ConstFlat<T>{x, channels}.maxCoeff();
    kernels::each_pack_unfilled(
        channels, [largest](auto& power, const auto& in) { power = exp(in - largest); }, y, x);
    const T sum = kernels::sum_packs_unfilled(
        channels, [](const auto& power) { return power; }, y);
    kernels::each_pack_unfilled(
        channels, [sum](auto& power) { power = power / sum; }, y);
}
template <class T>
void add_softmax_gradient(Index channels, const T* y, const T* dy, T* dx) {
    const T mean = kernels::sum_packs_unfilled(
        channels, [](const auto& p, const auto& up) { return p * up; }, y, dy);
    kernels::each_pack_unfilled(
        channels, [mean](auto& d, const auto& p, const auto& up) { d += p * (up - mean); }, dx, y, dy);
}

}  // namespace layers

/// e^{xᵢ} / Σⱼ e^{xⱼ} over the channels of each position.
struct Softmax {
    static constexpr std::string_view name = "Softmax";
    static constexpr Traits traits{.needs_input = false, .link = Link::Softmax, .by_sample = true};

    static constexpr Shape output(Shape in) { return in; }

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>&) const {
        for (Index i = 0; i < x.size(); i += In.channels) layers::softmax<T>(In.channels, x.data() + i, y.data() + i);
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (!context.accumulate) clear(dx);
        for (Index i = 0; i < y.size(); i += In.channels)
            layers::add_softmax_gradient<T>(In.channels, y.data() + i, dy.data() + i, dx.data() + i);
    }
    template <Shape In>
    constexpr Softmax mirror() const {
        return {};
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
