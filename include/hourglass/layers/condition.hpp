// Values that the caller gives with each sample, such as its label.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "hourglass/core/layer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// y = [x; c]: behind the channels of each position stand the `Values` values c that the caller has given with the
/// sample, `given(x, c)`. All conditions of a model read the same values, so a conditional model has one in the encoder
/// and one in the decoder (Kingma, Rezende, Mohamed and Welling 2014; Sohn, Lee and Yan 2015).
template <Index Values>
struct Condition {
    static_assert(Values > 0, "hourglass: Condition needs at least one value");

    static constexpr std::string_view name = "Condition";
    static constexpr Traits traits{
        .needs_input = false, .needs_output = false, .linear = true, .by_sample = true, .condition = Values};

    static constexpr Shape output(Shape in) { return {in.channels + Values, in.length, in.columns}; }

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>& context) const {
        const Index copies = x.cols() / context.condition.cols();  // of each sample
        each_position<In>(x.cols(), [&](Index j, Index from, Index to) {
            const T* const values = context.condition.data() + j / copies * Values;
            std::copy_n(values, Values, std::copy_n(x.data() + from, In.channels, y.data() + to));
        });
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        each_position<In>(dy.cols(), [&](Index, Index at, Index from) {
            for (Index i = 0; i < In.channels; ++i)
                dx.data()[at + i] = context.accumulate ? dx.data()[at + i] + dy.data()[from + i] : dy.data()[from + i];
        });
    }
    // The condition does not move when x does.
    template <Shape In, class T>
    void tangent(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T> v, View<T> t) const {
        each_position<In>(v.cols(), [&](Index, Index from, Index to) {
            std::fill_n(std::copy_n(v.data() + from, In.channels, t.data() + to), Values, T(0));
        });
    }
    template <Shape In, class T>
    void curvature(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T>, ConstView<T>, std::span<T, 0>,
                   View<T>) const {}

  private:
    // Calls use(sample, where x has the position, where y has it).
    template <Shape In, class Use>
    static void each_position(Index samples, Use use) {
        for (Index j = 0, at = 0; j < samples; ++j)
            for (Index p = 0; p < In.positions(); ++p, ++at) use(j, at * In.channels, at * (In.channels + Values));
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
