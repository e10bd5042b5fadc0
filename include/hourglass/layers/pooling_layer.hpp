// What poolings over series and over pictures have in common. A series of n positions is a picture of n rows and one
// column here.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/kernels/pack.hpp"
#include "hourglass/layers/linear_map.hpp"
#include "hourglass/layers/padding.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace layers {

// A window as it lies in memory: `rows` runs of `columns` positions, `row_step` values apart, from value `from` on; its
// output begins at value `to`.
struct PoolingWindow {
    Index from, rows, columns, row_step, to;

    constexpr Index positions() const { return rows * columns; }
};

/// Channel by channel one value for each window of Pool positions, Stride apart. `Derived` says where windows lie,
/// `picture_windows(Shape in)`.
template <class Derived, Extent Pool, Extent Stride, Padding Pad>
struct Pooling {
    static_assert(Pool.rows > 0 && Pool.columns > 0, "hourglass: a pooling needs windows of at least one position");
    static_assert(Pad != Padding::Causal, "hourglass: a pooling knows no Padding::Causal, which is for Conv1D alone");
    static_assert(Stride.rows > 0 && Stride.columns > 0, "hourglass: the stride of a pooling must be at least 1");

    static constexpr Shape output(Shape in) {
        const Extent count = Derived::picture_windows(in).count();
        return {in.channels, count.rows, count.columns};
    }

    /// Calls use(window) for every window of every sample; what sticks out is left out.
    template <Shape In, class Use>
    static void each_window(Index samples, Use use) {
        constexpr PictureWindows laid = Derived::picture_windows(In);
        const Index row_step = In.columns * In.channels;
        Index to = 0;
        for (Index j = 0; j < samples; ++j)
            for (Index p = 0; p < laid.rows.count; ++p) {
                const Index top = p * Stride.rows - laid.rows.left, row = std::max<Index>(top, 0);
                const Index rows = std::min(top + Pool.rows, In.length) - row;
                for (Index q = 0; q < laid.columns.count; ++q, to += In.channels) {
                    const Index left = q * Stride.columns - laid.columns.left, column = std::max<Index>(left, 0);
                    const Index columns = std::min(left + Pool.columns, In.columns) - column;
                    use(PoolingWindow{((j * In.length + row) * In.columns + column) * In.channels, rows, columns,
                                      row_step, to});
                }
            }
    }
    /// Whether each position lies in one window and no other.
    template <Shape In>
    static constexpr bool tiles() {
        constexpr PictureWindows laid = Derived::picture_windows(In);
        return Pool == Stride && laid.rows.count * Stride.rows >= In.length &&
               laid.columns.count * Stride.columns >= In.columns;
    }
    /// Calls use(first value of a position) for each of a window's, in the order of memory.
    template <Shape In, class Use>
    static void each_position(const PoolingWindow& window, Use use) {
        for (Index row = 0; row < window.rows; ++row)
            for (Index column = 0; column < window.columns; ++column)
                use(window.from + row * window.row_step + column * In.channels);
    }
};

/// The largest value of each window; its gradient goes to the first position that holds it. NaN stays NaN.
template <class Derived, Extent Pool, Extent Stride, Padding Pad>
struct MaxPooling : Pooling<Derived, Pool, Stride, Pad> {
    static constexpr Traits traits{.by_sample = true, .by_channel = true};

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>&) const {
        this->template each_window<In>(x.cols(), [&](const PoolingWindow& window) {
            kernels::each_pack_size<T>(0, In.channels, [&]<class Pack>(Index c, Pack) {
                Pack largest = Pack::load(x.data() + window.from + c);
                this->template each_position<In>(window, [&](Index from) {
                    largest = kernels::larger_or_nan(largest, Pack::load(x.data() + from + c));
                });
                largest.store(y.data() + window.to + c);
            });
        });
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        // Windows that meet each position once write it; others add to it.
        const bool accumulate = context.accumulate || !this->template tiles<In>();
        if (!context.accumulate && accumulate) clear(dx);
        this->template each_window<In>(x.cols(), [&](const PoolingWindow& window) {
            kernels::each_pack_size<T>(0, In.channels, [&]<class Pack>(Index c, Pack) {
                const Pack largest = Pack::load(y.data() + window.to + c), zero(T(0));
                Pack rest = Pack::load(dy.data() + window.to + c);  // of the gradient, until a holder takes it
                this->template each_position<In>(window, [&](Index from) {
                    const Pack in = Pack::load(x.data() + from + c);
                    T* const down = dx.data() + from + c;
                    const Pack share = kernels::where_equal_or_nan(in, largest, rest, zero);
                    (accumulate ? Pack::load(down) + share : share).store(down);
                    rest = kernels::where_equal_or_nan(in, largest, zero, rest);
                });
            });
        });
    }
    // Which position is the largest does not change in a small neighbourhood: linear there.
    template <Shape In, class T>
    void tangent(std::span<const T, 0>, ConstView<T> x, ConstView<T> y, ConstView<T> v, View<T> t) const {
        each_largest<In>(x, y, [&](Index from, Index to) { t.data()[to] = v.data()[from]; });
    }
    template <Shape In, class T>
    void curvature(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T>, ConstView<T>, std::span<T, 0>,
                   View<T>) const {}

  private:
    // Calls use(value of x, value of y) for every output and the first position of its window that holds it.
    template <Shape In, class T, class Use>
    void each_largest(ConstView<T> x, ConstView<T> y, Use use) const {
        this->template each_window<In>(x.cols(), [&](const PoolingWindow& window) {
            for (Index c = 0; c < In.channels; ++c) {
                const T largest = y.data()[window.to + c];
                Index holder = -1, last = 0;
                this->template each_position<In>(window, [&](Index from) {
                    const T value = x.data()[from + c];
                    const bool holds_it =
                        value >= largest || !(value == value);  // NOLINT(misc-redundant-expression): NaN
                    if (holder < 0 && holds_it) holder = from;
                    last = from;
                });
                use((holder < 0 ? last : holder) + c, window.to + c);
            }
        });
    }
};

/// The mean of each window; positions that stick out count neither above nor below the fraction.
template <class Derived, Extent Pool, Extent Stride, Padding Pad>
struct AveragePooling : Pooling<Derived, Pool, Stride, Pad>, LinearMap<Derived> {
    static constexpr Traits traits{
        .needs_input = false, .needs_output = false, .linear = true, .by_sample = true, .by_channel = true};

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>&) const {
        this->template each_window<In>(x.cols(), [&](const PoolingWindow& window) {
            Flat<T> mean{y.data() + window.to, In.channels};
            mean.setConstant(T(0));
            this->template each_position<In>(window, [&](Index from) {
                mean += ConstFlat<T>{x.data() + from, In.channels};
            });
            mean /= T(static_cast<double>(window.positions()));
        });
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (!context.accumulate) clear(dx);
        this->template each_window<In>(dy.cols(), [&](const PoolingWindow& window) {
            const ConstFlat<T> up{dy.data() + window.to, In.channels};
            this->template each_position<In>(window, [&](Index from) {
                Flat<T>{dx.data() + from, In.channels} += up / T(static_cast<double>(window.positions()));
            });
        });
    }
};

/// Repeats every position Size times in each direction.
template <class Derived, Extent Size>
struct Repetition : LinearMap<Derived> {
    static_assert(Size.rows > 0 && Size.columns > 0, "hourglass: an upsampling repeats every position at least once");
    static constexpr Traits traits{
        .needs_input = false, .needs_output = false, .linear = true, .by_sample = true, .by_channel = true};

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>&) const {
        const Index row = In.columns * Size.columns * In.channels;
        const T* in = x.data();
        T* out = y.data();
        for (Index i = 0; i < In.length * x.cols(); ++i) {
            const T* const first = out;
            for (Index k = 0; k < In.columns; ++k, in += In.channels)
                for (Index copy = 0; copy < Size.columns; ++copy) out = std::copy_n(in, In.channels, out);
            for (Index copy = 1; copy < Size.rows; ++copy) out = std::copy_n(first, row, out);
        }
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        constexpr Index row = In.columns * Size.columns * In.channels;
        const T* up = dy.data();
        T* down = dx.data();
        for (Index i = 0; i < In.length * dx.cols(); ++i, up += (Size.rows - 1) * row)
            for (Index k = 0; k < In.columns; ++k, down += In.channels, up += Size.columns * In.channels)
                kernels::each_pack_size<T>(0, In.channels, [&]<class Pack>(Index c, Pack) {
                    Pack sum = context.accumulate ? Pack::load(down + c) : Pack(T(0));
                    for (Index copy = 0; copy < Size.rows; ++copy)
                        for (Index again = 0; again < Size.columns; ++again)
                            sum += Pack::load(up + copy * row + again * In.channels + c);
                    sum.store(down + c);
                });
    }
};

}  // namespace layers
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
