// Layers that change how a sample's values are arranged, and no value.
#pragma once

#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/layers/linear_map.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The same values under another shape. In a chain nothing is copied.
template <auto... Extents>
struct Reshape : layers::LinearMap<Reshape<Extents...>> {
    static constexpr Shape target{Extents...};
    static constexpr std::string_view name = "Reshape";
    static constexpr Traits traits{
        .needs_input = false, .needs_output = false, .in_place = true, .keeps_values = true, .linear = true};

    static constexpr Shape output(Shape in) {
        if (in.size() != target.size())
            fail("Reshape: the number of values must stay the same: ", text(in), " does not fit ", text(target));
        return target;
    }

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>&) const {
        if (x.data() != y.data()) flat(y) = flat(x);
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (context.accumulate)
            flat(dx) += flat(dy);
        else
            flat(dx) = flat(dy);
    }

    /// Back to the shape before.
    template <Shape In>
    constexpr Reshape<In> mirror() const {
        return {};
    }
};

/// A series or picture as one plain vector, channels of the first position first.
struct Flatten : layers::LinearMap<Flatten> {
    static constexpr std::string_view name = "Flatten";
    static constexpr Traits traits{
        .needs_input = false, .needs_output = false, .in_place = true, .keeps_values = true, .linear = true};

    static constexpr Shape output(Shape in) { return {in.size()}; }

    template <Shape In, class T>
    void forward(std::span<const T, 0> w, ConstView<T> x, View<T> y, const Context<T>& context) const {
        Reshape<output(In)>{}.template forward<In>(w, x, y, context);
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0> w, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        Reshape<output(In)>{}.template backward<In>(w, x, y, dy, dx, context);
    }

    template <Shape In>
    constexpr Reshape<In> mirror() const {
        return {};
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
