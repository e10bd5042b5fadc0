// The layers of a frozen network: their weights as they are read, and one sample through a run of them.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>

#include "hourglass/core/flush_denormals.hpp"
#include "hourglass/core/layer_call.hpp"
#include "hourglass/frozen/plan.hpp"
#include "hourglass/kernels/pack.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace frozen {

/// The layers of a network with their weights, read only. `Call` says what of a sample a call works on; `Marks` are
/// activations where a call may begin or end.
template <class T, class Layers, class Call, std::size_t... Marks>
class FrozenLayers {
    using Plan = FrozenPlan<T, Layers, Call, Marks...>;
    static constexpr std::size_t depth = Layers::depth;
    static constexpr const auto& plan = Plan::plan;
    static constexpr auto offsets = Plan::offsets();
    static constexpr auto activations = Plan::activations();
    template <std::size_t I>
    using Layer = typename Plan::template Layer<I>;
    template <std::size_t I>
    using Matrix = typename Plan::template Matrix<I>;
    template <std::size_t I>
    static constexpr FrozenWay way = Plan::template way<I>();
    template <std::size_t I>
    static constexpr Slice shared = Plan::template shared<I>();
    template <std::size_t I>
    static constexpr ProductFacts product = Plan::template product<I>;
    static constexpr Shape shape(std::size_t i) { return Plan::shape(i); }
    static constexpr auto histories = Plan::histories();
    static constexpr Index size = offsets[depth];
    static constexpr bool in_object = size * static_cast<Index>(sizeof(T)) <= Index{1} << 20;

  public:
    /// Values of memory on the stack that a call takes.
    static constexpr Index room = activations.room;

    /// Of a network that has its values.
    template <class Passes>
    explicit FrozenLayers(const Passes& passes) : layers_(passes.layers_) {
        if constexpr (in_object)
            weights_.fill(T(0));
        else
            weights_ = Vector<T>::Zero(size);
        Layers::each([&]<std::size_t I>() { store<I>(passes.theta_.data(), passes.state_.data()); });
        // A denormal weight costs many times another, and is nothing.
        if constexpr (std::floating_point<T>)
            for (Index i = 0; i < size; ++i)
                if (T& w = weights_.data()[i]; std::abs(w) < std::numeric_limits<T>::min()) w = T(0);
    }

    // What is moved from is copied: it works on, as it does with weights in the object.
    FrozenLayers(const FrozenLayers&) = default;
    FrozenLayers& operator=(const FrozenLayers&) = default;

    /// Positions that layers look back at, the newest of each overwriting the oldest: zeros before the first.
    struct History {
        std::array<T, static_cast<std::size_t>(std::max<Index>(histories[depth], 1))> values{};
        std::array<Index, depth + 1> next{};  // where each layer's next position goes
    };

    /// y = what layers Begin … End − 1 make of x, `condition` being what the caller gives with it.
    template <std::size_t Begin, std::size_t End>
    void run(const T* x, const T* condition, T* y) const noexcept {
        static_assert(histories[depth] == 0);
        const core::FlushDenormals scope;
        run_layers<Begin, End>(x, condition, y, nullptr);
    }
    /// The same of the next position, `history` being what came before it.
    template <std::size_t Begin, std::size_t End>
    void run(const T* x, History& history, T* y) const noexcept {
        const core::FlushDenormals scope;
        run_layers<Begin, End>(x, nullptr, y, &history);
    }

  private:
    template <std::size_t I>
    void store(const T* theta, const T* state) {
        const T* const w = theta + plan.offsets[I];
        T* to = weights_.data() + offsets[I];
        if constexpr (way<I> == FrozenWay::Packed) {
            if constexpr (constexpr std::size_t next = std::min(I + 1, depth - 1); way<next> == FrozenWay::Folded)
                pack<I>(theta, w, to, affine<next>(theta + plan.offsets[next], state + plan.states[next]));
            else
                pack<I>(theta, w, to, [](Index) { return Affine{T(1), T(0)}; });
        } else if constexpr (way<I> == FrozenWay::Scaled) {
            // The mean apart: it may be large beside the deviation, and x − μ then is what has the digits.
            constexpr Index channels = shape(I).channels;
            const auto of_channel = affine<I>(w, state + plan.states[I]);
            std::copy_n(state + plan.states[I], channels, to);
            for (Index c = 0; c < channels; ++c) to[channels + c] = of_channel(c).factor;
            std::copy_n(w + channels, channels, to + 2 * channels);
        } else if constexpr (way<I> == FrozenWay::AsItIs) {
            to = std::copy_n(theta + shared<I>.begin, shared<I>.size, to);
            to = std::copy_n(w, core::parameters_of<Layer<I>>(shape(I)), to);
            std::copy_n(state + plan.states[I], core::state_of<Layer<I>>(shape(I)), to);
        }
    }
    // A dense layer's W and b, each row multiplied by a factor, and a shift added to b.
    template <std::size_t I, class OfRow>
    static void pack(const T* theta, const T* w, T* to, const OfRow& of_row) {
        constexpr Index rows = product<I>.outputs, channels = shape(I).channels, columns = product<I>.taps * channels;
        constexpr Index groups = product<I>.groups, of_group = channels / groups;
        constexpr bool tied = core::is_tied<Layer<I>>;  // to the W of columns × rows that leads there
        constexpr Index before_bias = tied ? 0 : rows * columns / groups;
        const T* const matrix = tied ? theta + shared<I>.begin : w;
        const auto weight = [&](Index i, Index k) {
            if constexpr (tied) return matrix[k + i * columns];
            if constexpr (groups == 1) return matrix[i + k * rows];
            const Index channel = k % channels, tap = k / channels;
            const bool sees = channel / of_group == i / (rows / groups);
            const T own = matrix[i + (tap * of_group + channel % of_group) * rows];  // of its own group's channel
            return sees ? own : T(0);
        };
        Matrix<I>::pack(
            to, [&](Index i, Index k) { return of_row(i).factor * weight(i, k); },
            [&](Index i) {
                const auto [factor, shift] = of_row(i);
                if constexpr (core::parameters_of<Layer<I>>(shape(I)) > before_bias)
                    return factor * w[before_bias + i] + shift;
                else
                    return shift;
            });
    }
    // A normalisation of channel c by running averages: γ (x − μ)/√(σ² + ε) + β = factor · x + shift.
    struct Affine {
        T factor, shift;
    };
    template <std::size_t I>
    auto affine(const T* w, const T* state) const {
        const T epsilon = static_cast<T>(layers_.template layer<I>().epsilon);
        return [=](Index c) {
            using std::sqrt;
            constexpr Index channels = shape(I).channels;
            const T factor = w[c] / sqrt(state[channels + c] + epsilon);
            return Affine{factor, w[channels + c] - factor * state[c]};
        };
    }

    // Not inlined, so that no arithmetic leaves the scope in which denormals are flushed.
    template <std::size_t Begin, std::size_t End>
    EIGEN_DONT_INLINE void run_layers(const T* x, const T* condition, T* y,
                                      [[maybe_unused]] History* history) const noexcept {
        constexpr bool at_once = activations.may_write_result(Begin, End);
        alignas(64) T memory[static_cast<std::size_t>(std::max<Index>(room, 1))];
        const auto made = [&](std::size_t i) {
            return at_once && activations.owner[i] == activations.owner[End] ? y : memory + activations.at[i];
        };
        const auto activation = [&](std::size_t i) { return i == Begin ? x : made(i); };
        Layers::each([&]<std::size_t I>() {
            if constexpr (Begin <= I && I < End) {
                constexpr std::size_t from = plan.branch[I];
                run_layer<I>(activation(I), made(I + 1), from < Begin ? nullptr : activation(from), condition, history);
            }
        });
        if constexpr (!at_once) std::copy_n(activation(End), shape(End).size(), y);
    }
    template <std::size_t I>
    void run_layer(const T* x, T* y, [[maybe_unused]] const T* branch, [[maybe_unused]] const T* condition,
                   [[maybe_unused]] History* history) const {
        constexpr Shape in = shape(I);
        const T* const w = weights_.data() + offsets[I];
        if constexpr (way<I> == FrozenWay::Packed) {
            const auto on_each = [&](const auto& sums) { return on_sums<I + 1>(sums); };
            if constexpr (product<I>.past() > 0) {
                T window[static_cast<std::size_t>(product<I>.taps * in.channels)];
                remember<I>(x, *history, window);
                Matrix<I>::product(w, window, y, on_each);
            } else {
                Matrix<I>::product(w, x, y, on_each);
            }
        } else if constexpr (way<I> == FrozenWay::Scaled) {
            for (Index i = 0; i < in.size(); i += in.channels)
                kernels::map_packs(
                    in.channels, y + i,
                    [](const kernels::Pack<T>& value, const kernels::Pack<T>& mean, const kernels::Pack<T>& factor,
                       const kernels::Pack<T>& shift) { return factor * (value - mean) + shift; },
                    x + i, w, w + in.channels, w + 2 * in.channels);
        } else if constexpr (way<I> == FrozenWay::AsItIs) {
            if (core::traits_of<Layer<I>>().keeps_values && x == y) return;
            constexpr Index own = core::parameters_of<Layer<I>>(in), running = core::state_of<Layer<I>>(in);
            const T* const mine = w + shared<I>.size;
            const Context<T> context{.state = {mine + own, static_cast<std::size_t>(running)},
                                     .condition = {condition, condition ? Layers::condition : 0, condition ? 1 : 0},
                                     .branch = branch};
            const auto values = weights_at<I>(w, mine);
            const ConstView<T> from{x, in.size(), 1};
            const View<T> to{y, shape(I + 1).size(), 1};
            const auto& layer = layers_.template layer<I>();
            if constexpr (core::MethodsOf<Layer<I>, in, T>::forward == core::Method::WithContext)
                layer.template forward<in>(values, from, to, context);
            else
                layer.template forward<in>(values, from, to);
        }
    }

    // Takes x up as the present position, and gives the positions that layer I looks at, the oldest first.
    template <std::size_t I>
    static void remember(const T* x, History& history, T* window) {
        constexpr Index channels = shape(I).channels, positions = product<I>.past() + 1;
        T* const kept = history.values.data() + histories[I];
        const Index now = history.next[I];
        std::copy_n(x, channels, kept + now * channels);
        history.next[I] = now + 1 == positions ? 0 : now + 1;
        Index at = history.next[I];  // the oldest position: the one behind the present one, as they go round
        for (Index tap = 0; tap < product<I>.taps; ++tap, at += product<I>.dilation) {
            if (at >= positions) at -= positions;
            std::copy_n(kept + at * channels, channels, window + tap * channels);
        }
    }

    // What the activations from layer I on that act on a product's sums make of some of them.
    template <std::size_t I, Index Lanes>
    kernels::Pack<T, Lanes> on_sums(const kernels::Pack<T, Lanes>& sums) const {
        if constexpr (I < depth) {
            if constexpr (way<I> == FrozenWay::Folded)
                return on_sums<I + 1>(sums);
            else if constexpr (way<I> == FrozenWay::OnSums)
                return on_sums<I + 1>(activated<I>(sums));
        }
        return sums;
    }
    // An activation's formula is one for whole registers: smaller ones are filled up.
    template <std::size_t I, Index Lanes>
    kernels::Pack<T, Lanes> activated(const kernels::Pack<T, Lanes>& sums) const {
        using Pack = kernels::Pack<T>;
        if constexpr (Lanes == Pack::lanes) {
            return layers_.template layer<I>().value(sums);
        } else {
            T filled[static_cast<std::size_t>(Pack::lanes)] = {};
            sums.store(filled);
            layers_.template layer<I>().value(Pack::load(filled)).store(filled);
            return kernels::Pack<T, Lanes>::load(filled);
        }
    }

    template <std::size_t I>
    static auto weights_at(const T* before, const T* mine) {
        constexpr auto size_of = [](Index values) { return static_cast<std::size_t>(values); };
        constexpr std::size_t own = size_of(core::parameters_of<Layer<I>>(shape(I))), all = size_of(shared<I>.size);
        const std::span<const T, own> own_values(mine, own);
        if constexpr (core::is_tied<Layer<I>>)
            return TiedWeights<const T, all, own>{std::span<const T, all>(before, all), own_values};
        else
            return own_values;
    }

    Layers layers_;
    // In the object on a cache line; else in memory aligned as Eigen's vectors are.
    alignas(64) std::conditional_t<in_object, std::array<T, static_cast<std::size_t>(std::max<Index>(size, 1))>,
                                   Vector<T>> weights_;
};

}  // namespace frozen
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
