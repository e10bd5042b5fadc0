// Layers that change how a sample's values are arranged, and no value.
#pragma once

#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/layers/linear_map.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The same values under another shape. In a chain nothing is copied, unless it comes first.
template <auto... Extents>
struct Reshape : LinearMap<Reshape<Extents...>> {
    static constexpr Shape target{Extents...};
    static constexpr std::string_view name = "Reshape";
    static constexpr bool in_place = true, keeps_values = true, needs_input = false, needs_output = false;

    static constexpr Shape output(Shape in) {
        if (in.size() != target.size())
            fail("Reshape: the number of values must stay the same: ", text(in), " does not fit ", text(target));
        return target;
    }

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y) const {
        if (x.data() != y.data()) flat(y) = flat(x);
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
        flat(dx) += flat(dy);
    }
    template <Shape In, class T>
    void backward_in_place(ConstView<T>, View<T>) const {}

    /// Back to the shape before.
    template <Shape In>
    constexpr Reshape<In> mirror() const {
        return {};
    }
};

/// A sequence as one plain vector, channels of the first position first.
struct Flatten : LinearMap<Flatten> {
    static constexpr std::string_view name = "Flatten";
    static constexpr bool in_place = true, keeps_values = true, needs_input = false, needs_output = false;

    static constexpr Shape output(Shape in) { return {in.size()}; }

    template <Shape In, class T>
    void forward(std::span<const T, 0> w, ConstView<T> x, View<T> y) const {
        Reshape<output(In)>{}.template forward<In>(w, x, y);
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0> w, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
        Reshape<output(In)>{}.template backward<In>(w, x, y, dy, dx);
    }
    template <Shape In, class T>
    void backward_in_place(ConstView<T>, View<T>) const {}

    template <Shape In>
    constexpr Reshape<In> mirror() const {
        return {};
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
