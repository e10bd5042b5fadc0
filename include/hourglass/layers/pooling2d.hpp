// Pooling over pictures, and its counterpart.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <type_traits>

#include "hourglass/core/term.hpp"
#include "hourglass/layers/pooling_layer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// How an upsampling fills in: every position repeated; or, between the centres of four positions, their mean weighted
/// by nearness, and beyond the outermost centres the outermost positions (half-pixel centres, as in Keras).
enum class Interpolation { Nearest, Bilinear };

/// Makes pictures Size times as large in each direction (a number, or `Extent{rows, columns}`).
template <Extent Size = 2, Interpolation How = Interpolation::Nearest>
struct UpSampling2D;

namespace layers {

// The sizes of a pooling over pictures, and the way back.
template <class Derived, Extent Pool, Extent Stride, Padding Pad>
struct Pooling2D {
    static constexpr PictureWindows picture_windows(Shape in) {
        return windows_over(Derived::name, in, Pool, Stride, Pad);
    }
    std::string hyperparameters() const { return window_text(Pool, Stride, Pad); }

    /// Every position of an output repeated Stride times. Does not compile where that does not give the input's size.
    template <Shape In>
    constexpr UpSampling2D<Stride> mirror() const {
        constexpr Extent count = picture_windows(In).count();
        static_assert(count.rows * Stride.rows == In.length && count.columns * Stride.columns == In.columns,
                      "hourglass: an upsampling by the stride of this pooling does not give back its input's rows and "
                      "columns: the number of its windows times the stride must be those; a ZeroPadding2D in front of "
                      "the pooling, which Mirror cuts off again, can make it so");
        return {};
    }
};

}  // namespace layers

/// The largest value of each window of Pool positions, Stride apart (numbers, or `Extent{rows, columns}`); its gradient
/// goes to the first position that holds it, row by row. NaN stays NaN.
template <Extent Pool = 2, Extent Stride = Pool, Padding Pad = Padding::Valid>
struct MaxPooling2D : layers::MaxPooling<MaxPooling2D<Pool, Stride, Pad>, Pool, Stride, Pad>,
                      layers::Pooling2D<MaxPooling2D<Pool, Stride, Pad>, Pool, Stride, Pad> {
    static constexpr std::string_view name = "MaxPooling2D";
};

/// The mean of each window; positions that stick out of the picture count neither above nor below the fraction.
template <Extent Pool = 2, Extent Stride = Pool, Padding Pad = Padding::Valid>
struct AveragePooling2D : layers::AveragePooling<AveragePooling2D<Pool, Stride, Pad>, Pool, Stride, Pad>,
                          layers::Pooling2D<AveragePooling2D<Pool, Stride, Pad>, Pool, Stride, Pad> {
    static constexpr std::string_view name = "AveragePooling2D";
};

namespace layers {

// An output position between two input positions: low + weight·(high − low).
struct Between {
    Index low, high;
    double weight;
};
// Output position i of an axis of `length` positions made `size` times as long, centres on centres.
constexpr Between between(Index i, Index length, Index size) {
    const double at = (static_cast<double>(i) + 0.5) / static_cast<double>(size) - 0.5;
    if (at <= 0) return {0, 0, 0};
    const auto low = static_cast<Index>(at);
    return low + 1 < length ? Between{low, low + 1, at - static_cast<double>(low)} : Between{length - 1, length - 1, 0};
}

/// What lies between the centres of four positions.
template <class Derived, Extent Size>
struct BilinearUpSampling : LinearMap<Derived> {
    static_assert(Size.rows > 0 && Size.columns > 0, "hourglass: an upsampling makes pictures no smaller");
    static constexpr Traits traits{
        .needs_input = false, .needs_output = false, .linear = true, .by_sample = true, .by_channel = true};

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>&) const {
        each_share<In>(x.cols(), [&](Index from, Index to, double share, bool first) {
            const ConstFlat<T> in{x.data() + from, In.channels};
            Flat<T> out{y.data() + to, In.channels};
            if (first)
                out = in * T(share);
            else
                out += in * T(share);
        });
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (!context.accumulate) clear(dx);
        each_share<In>(dx.cols(), [&](Index from, Index to, double share, bool) {
            Flat<T>{dx.data() + from, In.channels} += ConstFlat<T>{dy.data() + to, In.channels} * T(share);
        });
    }

  private:
    // Calls use(value of x, value of y, share, whether it is the output's first) for each pair that meets.
    template <Shape In, class Use>
    static void each_share(Index samples, Use use) {
        Index to = 0;
        for (Index j = 0; j < samples; ++j)
            for (Index p = 0; p < In.length * Size.rows; ++p) {
                const Between row = between(p, In.length, Size.rows);
                for (Index q = 0; q < In.columns * Size.columns; ++q, to += In.channels) {
                    const Between column = between(q, In.columns, Size.columns);
                    const auto at = [&](Index r, Index c) {
                        return ((j * In.length + r) * In.columns + c) * In.channels;
                    };
                    use(at(row.low, column.low), to, (1 - row.weight) * (1 - column.weight), true);
                    if (column.weight > 0) use(at(row.low, column.high), to, (1 - row.weight) * column.weight, false);
                    if (row.weight > 0) use(at(row.high, column.low), to, row.weight * (1 - column.weight), false);
                    if (row.weight > 0 && column.weight > 0)
                        use(at(row.high, column.high), to, row.weight * column.weight, false);
                }
            }
    }
};

}  // namespace layers

template <Extent Size, Interpolation How>
struct UpSampling2D
    : std::conditional_t<How == Interpolation::Nearest, layers::Repetition<UpSampling2D<Size, How>, Size>,
                         layers::BilinearUpSampling<UpSampling2D<Size, How>, Size>> {
    static constexpr std::string_view name = "UpSampling2D";

    static constexpr Shape output(Shape in) { return {in.channels, in.length * Size.rows, in.columns * Size.columns}; }
    std::string hyperparameters() const {
        return "size " + text(Size) + (How == Interpolation::Bilinear ? ", bilinear" : "");
    }
    /// The mean of what has been made of a position.
    template <Shape In>
    constexpr AveragePooling2D<Size> mirror() const {
        return {};
    }
};

/// The mean of each channel over all positions of a picture or series: channels values.
struct GlobalAveragePooling2D : layers::LinearMap<GlobalAveragePooling2D> {
    static constexpr std::string_view name = "GlobalAveragePooling2D";
    static constexpr Traits traits{
        .needs_input = false, .needs_output = false, .linear = true, .by_sample = true, .by_channel = true};

    static constexpr Shape output(Shape in) { return {in.channels}; }

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>&) const {
        using Sum = core::Accumulator<T>;  // of many values, whose rounding would add up
        const T* in = x.data();
        T* out = y.data();
        for (Index j = 0; j < x.cols(); ++j) {
            Sum sums[static_cast<std::size_t>(In.channels)];
            std::fill_n(sums, In.channels, Sum(0));
            for (Index i = 0; i < In.positions(); ++i)
                for (Sum& sum : sums) sum += Sum(*in++);
            for (const Sum& sum : sums) *out++ = T(sum / Sum(static_cast<double>(In.positions())));
        }
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (!context.accumulate) clear(dx);
        for (Index j = 0; j < dx.cols(); ++j) {
            const ConstFlat<T> up{dy.data() + j * In.channels, In.channels};
            for (Index i = 0; i < In.positions(); ++i)
                Flat<T>{dx.data() + (j * In.positions() + i) * In.channels, In.channels} +=
                    up / T(static_cast<double>(In.positions()));
        }
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
