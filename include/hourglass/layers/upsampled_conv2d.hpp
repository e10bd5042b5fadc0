// A convolution behind an upsampling that repeats positions, as one: the upsampled picture is never made.
#pragma once

#include <algorithm>
#include <span>
#include <utility>

#include "hourglass/core/layer.hpp"
#include "hourglass/kernels/convolution2d.hpp"
#include "hourglass/kernels/transpose.hpp"
#include "hourglass/layers/convolution_layer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace layers {

/// `Conv`, of stride 1, of what `Up` makes of a picture. A position of the small picture stands at Size.rows ×
/// Size.columns positions of the large one, so the taps that see it there may be summed first: what is left is a
/// transposed convolution of stride Size with a kernel of K + Size − 1 rows and columns, (K + Size − 1)² products for a
/// position of the small picture in place of K²·Size². Weights are `Conv`'s, in its layout.
template <class Up, Extent Size, class Conv, Index Filters, Extent Kernel, bool UseBias>
struct UpSampledConv2D {
    static constexpr std::string_view name = Conv::name;
    static constexpr Traits traits = Conv::traits;

    static constexpr Shape output(Shape in) { return Conv::output(Up::output(in)); }
    static constexpr Index parameters(Shape in) { return Conv::parameters(Up::output(in)); }
    /// Whether it is worth while, and the summed kernel has room on the stack.
    static constexpr bool pays(Shape in) {
        return Kernel.count() > 1 && Size.count() > 1 && summed.count() * Filters * in.channels <= most_values;
    }

    template <Shape In, class T>
    void forward(std::span<const T, parameters(In)> w, ConstView<T> x, View<T> y, const Context<T>&) const {
        T kernel[summed_size(In)];
        sum_taps(In.channels, w.data(), kernel);
        Passes::forward(convolution(In), kernel, UseBias ? w.data() + kernel_size(In) : nullptr, x, y);
    }
    template <Shape In, class T>
    void backward(std::span<const T, parameters(In)> w, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        T kernel[summed_size(In)];
        sum_taps(In.channels, w.data(), kernel);
        Passes::backward(convolution(In), kernel, dy, dx, context.accumulate);
    }
    template <Shape In, class T>
    void gradient(std::span<const T, parameters(In)>, ConstView<T> x, ConstView<T>, ConstView<T> dy,
                  std::span<T, parameters(In)> dw, const Context<T>& context) const {
        if (!context.accumulate) clear<T>({dw.data(), parameters(In), 1});
        T kernel[summed_size(In)];
        std::fill_n(kernel, summed_size(In), T(0));
        Passes::gradient(convolution(In), x, dy, kernel, UseBias ? dw.data() + kernel_size(In) : nullptr);
        share_out(In.channels, kernel, dw.data());
    }

  private:
    using Passes = ConvolutionPasses<Side::Long>;
    static constexpr Extent summed{Kernel.rows + Size.rows - 1, Kernel.columns + Size.columns - 1};
    static constexpr Index most_values = 8192;

    static constexpr Index summed_size(Shape in) { return summed.count() * Filters * in.channels; }
    static constexpr Index kernel_size(Shape in) { return Kernel.count() * Filters * in.channels; }
    static constexpr kernels::Convolution2D convolution(Shape in) {
        const auto laid = Conv::windows(Up::output(in));
        return {Filters,     laid.count(),
                in.channels, {in.length, in.columns},
                summed,      Size,
                1,           {Kernel.rows - 1 - laid.before().rows, Kernel.columns - 1 - laid.before().columns}};
    }
    // Calls use(tap, first, last) for each tap of the summed kernel with the taps of W that it is the sum of: those in
    // rows and columns first to last − 1.
    template <class Use>
    static void each_tap(Use use) {
        const auto first = [](Index i, Index kernel) { return std::max<Index>(kernel - 1 - i, 0); };
        const auto last = [](Index i, Index kernel, Index size) { return std::min(kernel - 1 - i + size, kernel); };
        for (Index i = 0; i < summed.rows; ++i)
            for (Index k = 0; k < summed.columns; ++k)
                use(i * summed.columns + k, Extent{first(i, Kernel.rows), first(k, Kernel.columns)},
                    Extent{last(i, Kernel.rows, Size.rows), last(k, Kernel.columns, Size.columns)});
    }
    // The summed kernel has a tap's channels fastest, W its filters.
    template <class T>
    static void sum_taps(Index channels, const T* w, T* kernel) {
        T sum[most_values / summed.count()];
        const Index size = Filters * channels;
        each_tap([&](Index tap, Extent first, Extent last) {
            std::fill_n(sum, size, T(0));
            for (Index row = first.rows; row < last.rows; ++row)
                for (Index column = first.columns; column < last.columns; ++column) {
                    const T* const from = w + (row * Kernel.columns + column) * size;
                    for (Index v = 0; v < size; ++v) sum[v] += from[v];
                }
            kernels::transpose(channels, Filters, sum, Filters, kernel + tap * size);
        });
    }
    // The way back: every tap of W has the gradients of the sums that it is in.
    template <class T>
    static void share_out(Index channels, const T* kernel, T* dw) {
        T transposed[most_values / summed.count()];
        const Index size = Filters * channels;
        each_tap([&](Index tap, Extent first, Extent last) {
            kernels::transpose(Filters, channels, kernel + tap * size, channels, transposed);
            for (Index row = first.rows; row < last.rows; ++row)
                for (Index column = first.columns; column < last.columns; ++column) {
                    T* const to = dw + (row * Kernel.columns + column) * size;
                    for (Index v = 0; v < size; ++v) to[v] += transposed[v];
                }
        });
    }
};

}  // namespace layers
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
