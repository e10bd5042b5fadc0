// Pooling over sequences, and its counterpart.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/layers/linear_map.hpp"
#include "hourglass/layers/padding.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Repeats every position Size times.
template <Index Size = 2>
struct UpSampling1D;

namespace layers {

/// What the poolings have in common: channel by channel, one value for each window of Pool positions, Stride apart.
template <Index Pool, Index Stride, Padding Pad>
struct Pooling1D {
    static_assert(Pool > 0, "hourglass: a pooling needs windows of at least one position");
    static_assert(Stride > 0, "hourglass: the stride of a pooling must be at least 1");

    /// Calls use(first value of the window, its positions, values before its output) for every window of every sample;
    /// what sticks out of the sequence is left out.
    template <class Use>
    static void each_window(Shape in, Windows laid, Index samples, Use use) {
        for (Index j = 0; j < samples; ++j)
            for (Index t = 0; t < laid.count; ++t) {
                const Index at = t * Stride - laid.left;
                const Index begin = std::max<Index>(at, 0), end = std::min(at + Pool, in.length);
                use((j * in.length + begin) * in.channels, end - begin, (j * laid.count + t) * in.channels);
            }
    }

    /// An upsampling back to the input's shape. Does not compile where that has another length.
    template <Shape In, Index Count>
    static constexpr UpSampling1D<Stride> way_back() {
        static_assert(Count * Stride == In.length,
                      "hourglass: an upsampling by the stride of this pooling does not give back its input's length, "
                      "which must be a multiple of the stride");
        return {};
    }
    std::string hyperparameters() const { return window_text(Pool, Stride, Pad); }
};

}  // namespace layers

/// The largest value of each window; its gradient goes to the first position that holds it. NaN stays NaN.
template <Index Pool = 2, Index Stride = Pool, Padding Pad = Padding::Valid>
struct MaxPooling1D : layers::Pooling1D<Pool, Stride, Pad> {
    static constexpr std::string_view name = "MaxPooling1D";

    static constexpr layers::Windows windows(Shape in) { return layers::windows_over(name, in, Pool, Stride, Pad); }
    static constexpr Shape output(Shape in) { return {in.channels, windows(in).count}; }

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>&) const {
        const Index channels = In.channels;
        this->each_window(In, windows(In), x.cols(), [&](Index from, Index positions, Index to) {
            const T* in = x.data() + from;
            T* const largest = y.data() + to;
            std::copy_n(in, channels, largest);
            for (Index k = 1; k < positions; ++k) {
                in += channels;
                for (Index c = 0; c < channels; ++c) {  // NaN compares false: it takes over, and then stays
                    const T& now = largest[c];
                    largest[c] = in[c] <= now || !(now == now) ? now : in[c];  // NOLINT(misc-redundant-expression)
                }
            }
        });
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (!context.accumulate) clear(dx);
        each_largest<In>(x, y, [&](Index from, Index to) { dx.data()[from] += dy.data()[to]; });
    }
    // Which position is the largest does not change in a small neighbourhood: linear there.
    template <Shape In, class T>
    void tangent(std::span<const T, 0>, ConstView<T> x, ConstView<T> y, ConstView<T> v, View<T> t) const {
        each_largest<In>(x, y, [&](Index from, Index to) { t.data()[to] = v.data()[from]; });
    }
    template <Shape In, class T>
    void curvature(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T>, ConstView<T>, std::span<T, 0>,
                   View<T>) const {}
    /// Every position of an output repeated Stride times.
    template <Shape In>
    constexpr auto mirror() const {
        return this->template way_back<In, windows(In).count>();
    }

  private:
    // Calls use(value of x, value of y) for every output and the first position of its window that holds it.
    template <Shape In, class T, class Use>
    void each_largest(ConstView<T> x, ConstView<T> y, Use use) const {
        const Index channels = In.channels;
        this->each_window(In, windows(In), x.cols(), [&](Index from, Index positions, Index to) {
            const T* const in = x.data() + from;
            for (Index c = 0; c < channels; ++c) {
                const T& largest = y.data()[to + c];
                const auto holds_it = [&](const T& value) {
                    return value >= largest || !(value == value);  // NOLINT(misc-redundant-expression): NaN
                };
                Index k = 0;
                while (k + 1 < positions && !holds_it(in[k * channels + c])) ++k;
                use(from + k * channels + c, to + c);
            }
        });
    }
};

/// The mean of each window; positions that stick out of the sequence count neither above nor below the fraction.
template <Index Pool = 2, Index Stride = Pool, Padding Pad = Padding::Valid>
struct AveragePooling1D : layers::Pooling1D<Pool, Stride, Pad>, layers::LinearMap<AveragePooling1D<Pool, Stride, Pad>> {
    static constexpr std::string_view name = "AveragePooling1D";
    static constexpr Traits traits{.needs_input = false, .needs_output = false, .linear = true};

    static constexpr layers::Windows windows(Shape in) { return layers::windows_over(name, in, Pool, Stride, Pad); }
    static constexpr Shape output(Shape in) { return {in.channels, windows(in).count}; }

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>&) const {
        this->each_window(In, windows(In), x.cols(), [&](Index from, Index positions, Index to) {
            Flat<T> mean{y.data() + to, In.channels};
            mean = ConstFlat<T>{x.data() + from, In.channels};
            for (Index k = 1; k < positions; ++k) mean += ConstFlat<T>{x.data() + from + k * In.channels, In.channels};
            mean /= T(static_cast<double>(positions));
        });
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (!context.accumulate) clear(dx);
        this->each_window(In, windows(In), dy.cols(), [&](Index from, Index positions, Index to) {
            const ConstFlat<T> up{dy.data() + to, In.channels};
            for (Index k = 0; k < positions; ++k)
                Flat<T>{dx.data() + from + k * In.channels, In.channels} += up / T(static_cast<double>(positions));
        });
    }
    /// Every position of an output repeated Stride times.
    template <Shape In>
    constexpr auto mirror() const {
        return this->template way_back<In, windows(In).count>();
    }
};

template <Index Size>
struct UpSampling1D : layers::LinearMap<UpSampling1D<Size>> {
    static_assert(Size > 0, "hourglass: UpSampling1D repeats every position at least once");

    static constexpr std::string_view name = "UpSampling1D";
    static constexpr Traits traits{.needs_input = false, .needs_output = false, .linear = true};

    static constexpr Shape output(Shape in) {
        layers::require_series(name, in);
        return {in.channels, in.length * Size};
    }
    std::string hyperparameters() const { return "size " + text(Size); }

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>&) const {
        T* out = y.data();
        for (const T* in = x.data(); in != x.data() + x.size(); in += In.channels)
            for (Index k = 0; k < Size; ++k) out = std::copy_n(in, In.channels, out);
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (!context.accumulate) clear(dx);
        const T* up = dy.data();
        for (T* down = dx.data(); down != dx.data() + dx.size(); down += In.channels)
            for (Index k = 0; k < Size; ++k, up += In.channels)
                Flat<T>{down, In.channels} += ConstFlat<T>{up, In.channels};
    }
    /// The mean of the repeated positions.
    template <Shape In>
    constexpr AveragePooling1D<Size> mirror() const {
        return {};
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
