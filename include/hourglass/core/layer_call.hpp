// What a pass does with one layer: gives it its weights, its buffers and its context, forward and on the way back.
//
// A chain's pass is a loop over a table of these functions, so that any run of its layers is one loop. They are
// templates of the layer alone: a template of the chain has a name that lists all layers, and a compiler pays for that
// name as often as there are layers.
#pragma once

#include <span>

#include "hourglass/core/layer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

/// Where one layer of a pass finds everything. Null is what nobody asked for.
template <class T>
struct LayerCall {
    const T *w = nullptr, *theta = nullptr, *state = nullptr;    // its weights, the network's, its running values
    T *dw = nullptr, *dshared = nullptr, *statistics = nullptr;  // gradients of its weights and of those it uses of
                                                                 // another layer, and this batch's statistics
    T *x = nullptr, *y = nullptr, *dx = nullptr, *dy = nullptr, *cache = nullptr;
    const T* branch = nullptr;
    T* branch_gradient = nullptr;
    ConstView<T> condition;
    Index samples = 0, outputs = 0;  // columns of x and of y
    Stream random;
    bool training, accumulate_dw = true, accumulate_dx = true, accumulate_branch = true;
    Slice part = all_values, shared_part = all_values;  // of dw, and of what it shares
    Team* team = nullptr;                               // for a layer that looks across the batch
};

template <class T>
using LayerFunction = void (*)(const void* layer, const LayerCall<T>& call);

template <class T>
Context<T> context_of(const LayerCall<T>& call, Index cache, Index state, bool accumulate) {
    const auto size = [](const void* where, Index values) { return static_cast<std::size_t>(where ? values : 0); };
    return {call.training,
            accumulate,
            {call.cache, size(call.cache, cache * call.outputs)},
            call.random,
            {call.state, size(call.state, state)},
            {call.statistics, size(call.statistics, state)},
            call.condition,
            call.branch,
            call.branch_gradient,
            call.accumulate_branch,
            call.part,
            call.shared_part,
            call.team};
}

template <class L, Shape In, class T>
void forward_layer(const void* layer, const LayerCall<T>& call) {
    const L& l = *static_cast<const L*>(layer);
    const auto w = weights_at<L, In>(call.w, call.theta);
    const ConstView<T> x{call.x, In.size(), call.samples};
    const View<T> y{call.y, L::output(In).size(), call.outputs};
    if constexpr (MethodsOf<L, In, T>::forward == Method::WithContext)
        l.template forward<In>(w, x, y, context_of<T>(call, cache_of<L>(In), state_of<L>(In), true));
    else
        l.template forward<In>(w, x, y);
}

template <class L, Shape In, class T>
void backward_layer(const void* layer, const LayerCall<T>& call) {
    using Methods = MethodsOf<L, In, T>;
    const L& l = *static_cast<const L*>(layer);
    constexpr Index size = L::output(In).size(), cache = cache_of<L>(In), state = state_of<L>(In);
    const auto w = weights_at<L, In>(call.w, call.theta);
    const ConstView<T> x{call.x, In.size(), call.samples}, y{call.y, size, call.outputs},
        dy{call.dy, size, call.outputs};
    if constexpr (Methods::has_weights)
        if (call.dshared) {
            const auto dw = weights_in<L, In>(call.dw, call.dshared);
            if constexpr (Methods::gradient == Method::WithContext) {
                l.template gradient<In>(w, x, y, dy, dw, context_of<T>(call, cache, state, call.accumulate_dw));
            } else {
                if (!call.accumulate_dw) clear<T>({call.dw, parameters_of<L>(In), 1});
                l.template gradient<In>(w, x, y, dy, dw);
            }
        }
    // A layer that only reshapes has nothing to do where it works in place.
    if (!call.dx || (traits_of<L>().keeps_values && call.dx == call.dy)) return;
    const View<T> dx{call.dx, In.size(), call.samples};
    if constexpr (Methods::backward == Method::WithContext) {
        l.template backward<In>(w, x, y, dy, dx, context_of<T>(call, cache, state, call.accumulate_dx));
    } else {
        if (!call.accumulate_dx) clear(dx);
        l.template backward<In>(w, x, y, dy, dx);
    }
}

/// Two layers that are cheaper as one: `Second` of what `First` gives. Where they are, it is specialised as a layer
/// without hyperparameters for the input of First, with the weights of Second, and `pays(Shape in)`.
template <class First, class Second>
struct Fused {
    static constexpr bool pays(Shape) { return false; }
};

// What a pass calls for a layer: nothing for one that is left to the next, and in place of that one both.
template <class T>
void skip_layer(const void*, const LayerCall<T>&) {}
template <class Both, Shape In, class T>
void forward_fused(const void*, const LayerCall<T>& call) {
    static constexpr Both both{};
    forward_layer<Both, In, T>(&both, call);
}
template <class Both, Shape In, class T>
void backward_fused(const void*, const LayerCall<T>& call) {
    static constexpr Both both{};
    backward_layer<Both, In, T>(&both, call);
}

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
