// What pointwise activations have in common.
#pragma once

#include "hourglass/core/layer.hpp"
#include "hourglass/kernels/pack.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

namespace layers {

/// The traits of a pointwise activation.
constexpr Traits pointwise_traits(bool needs_input = false, bool needs_output = true, Link link = Link::None) {
    return {
        .needs_input = needs_input, .needs_output = needs_output, .in_place = true, .pointwise = true, .link = link};
}

}  // namespace layers

/// What every y = f(x), value by value, has in common. `Derived` gives three formulas over packs of values, `value(x)`,
/// `derivative(x, y)` = f′(x) and `second_derivative(x, y)` = f″(x), in terms of y where it can be: only then can the
/// layer overwrite its input; else it says so in traits of its own. Where f has a kink, both are those of its lower
/// side.
template <class Derived>
struct Pointwise {
    static constexpr Traits traits = layers::pointwise_traits();

    static constexpr Shape output(Shape in) { return in; }

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>&) const {
        apply(x.size(), x.data(), y.data());
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        go_back(x.size(), x.data(), y.data(), dy.data(), dx.data(), context.accumulate);
    }
    template <Shape In, class T>
    void tangent(std::span<const T, 0>, ConstView<T> x, ConstView<T> y, ConstView<T> v, View<T> t) const {
        go_back(x.size(), x.data(), y.data(), v.data(), t.data(), false);  // a diagonal J is its own transpose
    }
    template <Shape In, class T>
    void curvature(std::span<const T, 0>, ConstView<T> x, ConstView<T> y, ConstView<T> u, ConstView<T> v,
                   std::span<T, 0>, View<T> dx) const {
        using Pack = kernels::Pack<T>;
        kernels::each_pack(
            x.size(),
            [this](Pack& d, const Pack& in, const Pack& out, const Pack& up, const Pack& along) {
                d += self().second_derivative(in, out) * up * along;
            },
            dx.data(), x.data(), y.data(), u.data(), v.data());
    }
    /// Its own counterpart in a mirrored decoder.
    template <Shape In>
    constexpr Derived mirror() const {
        return self();
    }

  private:
    constexpr const Derived& self() const { return static_cast<const Derived&>(*this); }

    // Apart from the shape, so that layers of all shapes share them.
    template <class T>
    void apply(Index n, const T* x, T* y) const {
        using Pack = kernels::Pack<T>;
        kernels::map_packs(
            n, y, [this](const Pack& in) { return self().value(in); }, x);
    }
    template <class T>
    void go_back(Index n, const T* x, const T* y, const T* dy, T* dx, bool accumulate) const {
        using Pack = kernels::Pack<T>;
        if (accumulate) {
            kernels::each_pack(
                n,
                [this](Pack& d, const Pack& in, const Pack& out, const Pack& up) {
                    d += self().derivative(in, out) * up;
                },
                dx, x, y, dy);
            return;
        }
        if constexpr (Derived::traits.needs_input)
            kernels::map_packs(
                n, dx,
                [this](const Pack& in, const Pack& out, const Pack& up) { return up * self().derivative(in, out); }, x,
                y, dy);
        else  // one array less to read
            kernels::map_packs(
                n, dx, [this](const Pack& out, const Pack& up) { return up * self().derivative(out, out); }, y, dy);
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
