// The final activation of a decoder whose features fall into groups, each with a loss of its own.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/layers/activations.hpp"
#include "hourglass/layers/softmax.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// What belongs to the loss of each group of channels: softmax over a group under `CategoricalCrossEntropy`, a sigmoid
/// under `BinaryCrossEntropy` and `BernoulliLikelihood`, x as it is under any other. `Loss` is the `FeatureGroups` that
/// the decoder is trained with, which then is computed from x; what comes out is probabilities and numbers, as
/// `reconstruct` gives them. `Error`, at compile time, for a number of channels that is not the groups' together.
template <class Loss>
struct OutputActivation {
    static_assert(
        requires { Loss::groups; },
        "hourglass: OutputActivation takes a FeatureGroups; under another loss end the decoder in Sigmoid or Softmax");
    static constexpr std::string_view name = "OutputActivation";
    static constexpr auto groups = Loss::groups;
    static constexpr Traits traits{.needs_input = false, .link = Link::EachGroup, .by_sample = true};

    static constexpr Shape output(Shape in) {
        Index channels = 0;
        for (const core::LinkedChannels& group : groups) channels += group.channels;
        if (in.channels != channels)
            fail("OutputActivation: the groups of its loss have together ", channels, " features, not ", in.channels);
        return in;
    }

    /// "2, softmax of 3, sigmoid of 1".
    std::string hyperparameters() const {
        std::string all;
        for (const core::LinkedChannels& group : groups)
            all += (all.empty() ? "" : ", ") +
                   std::string{group.link == Link::Softmax    ? "softmax of "
                               : group.link == Link::Logistic ? "sigmoid of "
                                                              : ""} +
                   text(group.channels);
        return all;
    }

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>&) const {
        each_group(x.size(), [&](const core::LinkedChannels& group, Index at) {
            const T* const in = x.data() + at;
            T* const out = y.data() + at;
            if (group.link == Link::Softmax)
                layers::softmax<T>(group.channels, in, out);
            else if (group.link == Link::Logistic)
                kernels::map_packs(
                    group.channels, out, [](const kernels::Pack<T>& z) { return Sigmoid{}.value<T>(z); }, in);
            else
                std::copy_n(in, group.channels, out);
        });
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        using Pack = kernels::Pack<T>;
        if (!context.accumulate) clear(dx);
        each_group(y.size(), [&](const core::LinkedChannels& group, Index at) {
            const T *const out = y.data() + at, *const up = dy.data() + at;
            T* const d = dx.data() + at;
            if (group.link == Link::Softmax)
                layers::add_softmax_gradient<T>(group.channels, out, up, d);
            else if (group.link == Link::Logistic)
                kernels::map_packs(
                    group.channels, d,
                    [](const Pack& sum, const Pack& p, const Pack& u) {
                        return sum + u * Sigmoid{}.derivative<T>(p, p);
                    },
                    d, out, up);
            else
                for (Index i = 0; i < group.channels; ++i) d[i] += up[i];
        });
    }

  private:
    template <class Use>
    static void each_group(Index size, const Use& use) {
        for (Index at = 0; at < size;)
            for (const core::LinkedChannels& group : groups) {
                use(group, at);
                at += group.channels;
            }
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
