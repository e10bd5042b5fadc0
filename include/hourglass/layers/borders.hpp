// Zeros around a series or picture, and a margin cut off: what gives back odd lengths.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/layers/linear_map.hpp"
#include "hourglass/layers/padding.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace layers {

/// A part of a larger picture, Before it and After it a margin: cut out of it, or, with `Grows`, put into zeros.
template <class Derived, bool Grows, Extent Before, Extent After>
struct Border : LinearMap<Derived> {
    static_assert(Before.rows >= 0 && Before.columns >= 0 && After.rows >= 0 && After.columns >= 0,
                  "hourglass: a border is at least 0 wide");
    static constexpr Traits traits{
        .needs_input = false, .needs_output = false, .linear = true, .by_sample = true, .by_channel = true};

    static constexpr Shape output(Shape in) {
        const Index rows = Before.rows + After.rows, columns = Before.columns + After.columns;
        if constexpr (Grows) return {in.channels, in.length + rows, in.columns + columns};
        if (in.length <= rows || in.columns <= columns)
            fail(Derived::name, ": nothing is left of ", text(in), " when ", rows, " rows and ", columns,
                 " columns are cut off");
        return {in.channels, in.length - rows, in.columns - columns};
    }
    std::string hyperparameters() const { return "before " + text(Before) + ", after " + text(After); }

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>&) const {
        if constexpr (Grows) clear(y);
        each_run<In>(x.cols(),
                     [&](Index in, Index out, Index values) { std::copy_n(x.data() + in, values, y.data() + out); });
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (!context.accumulate) clear(dx);
        each_run<In>(dx.cols(), [&](Index in, Index out, Index values) {
            Flat<T>{dx.data() + in, values} += ConstFlat<T>{dy.data() + out, values};
        });
    }

  private:
    // Calls use(value of x, value of y, values) for each row of the part.
    template <Shape In, class Use>
    static void each_run(Index samples, Use use) {
        constexpr Shape out = output(In), large = Grows ? out : In, part = Grows ? In : out;
        for (Index j = 0; j < samples; ++j)
            for (Index row = 0; row < part.length; ++row) {
                const Index at =
                    ((j * large.length + row + Before.rows) * large.columns + Before.columns) * In.channels;
                const Index inside = (j * part.length + row) * part.columns * In.channels;
                use(Grows ? inside : at, Grows ? at : inside, part.columns * In.channels);
            }
    }
};

// The same of a series, which must be one.
template <class Derived, bool Grows, Index Before, Index After>
struct SeriesBorder : Border<Derived, Grows, Extent{Before, 0}, Extent{After, 0}> {
    static constexpr Shape output(Shape in) {
        require_series(Derived::name, in);
        return Border<Derived, Grows, Extent{Before, 0}, Extent{After, 0}>::output(in);
    }
    std::string hyperparameters() const { return "before " + text(Before) + ", after " + text(After); }
};

}  // namespace layers

/// A series without its first Before and last After positions.
template <Index Before = 1, Index After = Before>
struct Cropping1D;
/// Before positions of zeros in front of a series, and After behind it.
template <Index Before = 1, Index After = Before>
struct ZeroPadding1D : layers::SeriesBorder<ZeroPadding1D<Before, After>, true, Before, After> {
    static constexpr std::string_view name = "ZeroPadding1D";
    template <Shape In>
    constexpr Cropping1D<Before, After> mirror() const {
        return {};
    }
};
template <Index Before, Index After>
struct Cropping1D : layers::SeriesBorder<Cropping1D<Before, After>, false, Before, After> {
    static constexpr std::string_view name = "Cropping1D";
    template <Shape In>
    constexpr ZeroPadding1D<Before, After> mirror() const {
        return {};
    }
};

/// A picture without its first rows and columns, Before of them, and its last, After; numbers, or `Extent{rows,
/// columns}`.
template <Extent Before = 1, Extent After = Before>
struct Cropping2D;
/// Before rows and columns of zeros in front of a picture's, and After behind them; numbers, or `Extent{rows,
/// columns}`.
template <Extent Before = 1, Extent After = Before>
struct ZeroPadding2D : layers::Border<ZeroPadding2D<Before, After>, true, Before, After> {
    static constexpr std::string_view name = "ZeroPadding2D";
    template <Shape In>
    constexpr Cropping2D<Before, After> mirror() const {
        return {};
    }
};
template <Extent Before, Extent After>
struct Cropping2D : layers::Border<Cropping2D<Before, After>, false, Before, After> {
    static constexpr std::string_view name = "Cropping2D";
    template <Shape In>
    constexpr ZeroPadding2D<Before, After> mirror() const {
        return {};
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
