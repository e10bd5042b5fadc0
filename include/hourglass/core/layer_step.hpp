// What a chain does with one of its layers: finds its weights, runs it, and takes it back.
//
// Templates of the layer alone: a template of the chain has a name that lists all layers, and a compiler pays for that
// name as often as there are layers.
#pragma once

#include <cstdint>
#include <span>

#include "hourglass/core/layer.hpp"
#include "hourglass/core/random.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The parameters one pass reads, or the gradient it adds to: the chain's own slice, and the whole model's vector, in
/// which a tied layer finds the weights it shares. With them, in evaluation, the chain's running values.
template <class T>
struct Slices {
    T* own;
    T* model;
    T* state = nullptr;
};

/// Whether a layer uses weights of another, see `TiedWeights`.
template <class L>
inline constexpr bool is_tied = requires {
    L::shared_offset;
};

// The layer's own part of a parameter or gradient vector, `weights.own`, as the span it asks for.
template <class L, Shape In, class T>
auto slice_of(Slices<T> weights) {
    constexpr auto size = static_cast<std::size_t>(parameters_of<L>(In));
    const std::span<T, size> own{weights.own, size};
    if constexpr (is_tied<L>) {
        constexpr auto shared = static_cast<std::size_t>(L::shared_parameters);
        return TiedWeights<T, shared, size>{std::span<T, shared>(weights.model + L::shared_offset, shared), own};
    } else {
        return own;
    }
}

/// One layer's place in a pass: where its input and output lie, their gradients, and its cache.
template <class T>
struct Place {
    T *x, *y, *dx, *dy, *cache;
    Index samples;
    T* statistics = nullptr;
};

template <Shape In, class L, class T>
Pass<T> pass_of(const Place<T>& p, const Stream& random) {
    return {{p.cache, cache_of<L>(In), p.samples},
            random,
            {p.statistics, static_cast<std::size_t>(p.statistics ? state_of<L>(In) : 0)}};
}

template <Shape In, class L, class T>
void initialize_layer(const L& layer, T* weights, Rng& rng) {
    constexpr auto size = static_cast<std::size_t>(parameters_of<L>(In));
    if constexpr (Initialized<L, In, T>) layer.template initialize<In>(std::span<T, size>{weights, size}, rng);
}

template <Shape In, class L, class T>
void forward_layer(const L& layer, Slices<const T> weights, const Place<T>& p, const Stream* random,
                   std::uint16_t purpose) {
    const ConstView<T> x{p.x, In.size(), p.samples};
    const View<T> y{p.y, L::output(In).size(), p.samples};
    if constexpr (cache_of<L>(In) > 0) {
        if (random) {
            Pass<T> pass = pass_of<In, L>(p, random->purpose(purpose));
            return layer.template forward<In>(slice_of<L, In>(weights), x, y, pass);
        }
    }
    if constexpr (state_of<L>(In) > 0)
        layer.template forward<In>(slice_of<L, In>(weights),
                                   std::span<const T>{weights.state, static_cast<std::size_t>(state_of<L>(In))}, x, y);
    else
        layer.template forward<In>(slice_of<L, In>(weights), x, y);
}

// What a layer's way back adds to, because others have been there or the caller wants it; the rest it assigns.
struct Adds {
    bool to_gradient, to_dx;
};

template <Shape In, bool InPlace, class L, class T>
void backward_layer(const L& layer, Slices<const T> weights, Slices<T> gradient, Adds adds, const Place<T>& p,
                    const Stream& random, std::uint16_t purpose) {
    constexpr Index size = L::output(In).size();
    const ConstView<T> x{p.x, In.size(), p.samples}, y{p.y, size, p.samples}, dy{p.dy, size, p.samples};
    if constexpr (parameters_of<L>(In) > 0 || is_tied<L>) {
        const auto dw = slice_of<L, In>(gradient);
        if constexpr (requires { layer.template gradient<In>(x, dy, dw, adds.to_gradient); }) {
            layer.template gradient<In>(x, dy, dw, adds.to_gradient);
        } else {
            if (!adds.to_gradient) clear<T>({gradient.own, parameters_of<L>(In), 1});
            if constexpr (cache_of<L>(In) > 0) {
                Pass<T> pass = pass_of<In, L>(p, random.purpose(purpose));
                layer.template gradient<In>(x, dy, dw, pass);
            } else {
                layer.template gradient<In>(x, dy, dw);
            }
        }
    }
    if constexpr (InPlace) {
        layer.template backward_in_place<In>(y, View<T>{p.dy, size, p.samples});
    } else {
        if (!p.dx) return;
        const View<T> dx{p.dx, In.size(), p.samples};
        const auto w = slice_of<L, In>(weights);
        if constexpr (requires { layer.template backward<In>(w, x, y, dy, dx, adds.to_dx); }) {
            layer.template backward<In>(w, x, y, dy, dx, adds.to_dx);
        } else {
            if (!adds.to_dx) clear(dx);
            if constexpr (cache_of<L>(In) > 0) {
                Pass<T> pass = pass_of<In, L>(p, random.purpose(purpose));
                layer.template backward<In>(w, x, y, dy, dx, pass);
            } else {
                layer.template backward<In>(w, x, y, dy, dx);
            }
        }
    }
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
