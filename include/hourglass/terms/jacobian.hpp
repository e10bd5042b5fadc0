// Products with the Jacobian J of a chain, without forming it, and how they change with weights and input.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <utility>

#include "hourglass/core/chain.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

// One layer's part, in templates of the layer alone, as in chain.hpp. A place names the layer's input and output, x and
// y, and the vectors u there, dx and dy.

// u at the input from u at the output: dx = Jᵀ dy.
template <Shape In, class L, class T>
void pull_back(const L& layer, Slices<const T> weights, const Place<T>& p) {
    constexpr Index out = L::output(In).size();
    const View<T> dx{p.dx, In.size(), p.samples};
    clear(dx);
    layer.template backward<In>(slice_of<L, In>(weights), ConstView<T>{p.x, In.size(), p.samples},
                                ConstView<T>{p.y, out, p.samples}, ConstView<T>{p.dy, out, p.samples}, dx);
}

// v at the output from v at the input: t = J v.
template <Shape In, class L, class T>
void push_forward(const L& layer, Slices<const T> weights, const Place<T>& p, const T* v, T* t) {
    constexpr Index out = L::output(In).size();
    layer.template tangent<In>(slice_of<L, In>(weights), ConstView<T>{p.x, In.size(), p.samples},
                               ConstView<T>{p.y, out, p.samples}, ConstView<T>{v, In.size(), p.samples},
                               View<T>{t, out, p.samples});
}

// The gradient of uᵀJv, added to that of the layer's weights and, at c, of its input; u stands at dy.
template <Shape In, class L, class T>
void add_curvature(const L& layer, Slices<const T> weights, Slices<T> gradient, const Place<T>& p, const T* v, T* c) {
    constexpr Index out = L::output(In).size();
    layer.template curvature<In>(slice_of<L, In>(weights), ConstView<T>{p.x, In.size(), p.samples},
                                 ConstView<T>{p.y, out, p.samples}, ConstView<T>{p.dy, out, p.samples},
                                 ConstView<T>{v, In.size(), p.samples}, slice_of<L, In>(gradient),
                                 View<T>{c, In.size(), p.samples});
}

/// `columns` vectors u, swept down the layers of a chain of which a forward pass has just been done, and as many v,
/// swept up. There is one column for each sample of the pass; any number over layers that are linear, whose J is the
/// same for all samples.
template <class C, class T>
struct JacobianSweep {
    static constexpr std::size_t depth = C::depth;
    // One past the last layer that is not linear: no gradient gathers behind it.
    static constexpr std::size_t curved = [] {
        std::size_t end = 0;
        C::each([&]<std::size_t I>() {
            if (!is_linear<typename C::template Layer<I>>()) end = I + 1;
        });
        return end;
    }();

    const C* chain;
    Slices<const T> weights;
    const Trace<T, depth>* trace;
    Index columns;
    std::array<T*, depth + 1> u{};  ///< at each activation
    std::array<T*, depth + 1> c{};  ///< at the input of each layer that is not linear, or before such: the gradient
                                    ///< with respect to it, as far as it has gathered
    T *v, *t;                       ///< v at the activation that `up` has come to, and room for the next

    /// Takes its vectors at activations 0 … last from `arena`; null pointers do where only their room is measured.
    JacobianSweep(const C* chain_, Slices<const T> weights_, const Trace<T, depth>* trace_, Index columns_,
                  std::size_t last, Arena<T>& arena)
        : chain(chain_), weights(weights_), trace(trace_), columns(columns_) {
        Index widest = 0;
        for (std::size_t i = 0; i <= last; ++i) {
            const Index size = C::plan.shapes[i].size();
            u[i] = arena.take(size * columns);
            if (i < curved && i < last) c[i] = arena.take(size * columns);
            widest = std::max(widest, size);
        }
        v = arena.take(widest * columns);
        t = arena.take(widest * columns);
    }

    /// u of activations Begin … End − 1 from that of activation End.
    template <std::size_t Begin, std::size_t End>
    void down() const {
        C::template each<End - Begin>([&]<std::size_t J>() {
            constexpr std::size_t i = End - 1 - J;
            pull_back<C::plan.shapes[i]>(chain->template layer<i>(), at(weights, i), place(u, i));
        });
    }
    /// v of activation End from that of activation Begin.
    template <std::size_t Begin, std::size_t End>
    void up() {
        C::template each<End - Begin>([&]<std::size_t J>() {
            constexpr std::size_t i = Begin + J;
            push_forward<C::plan.shapes[i]>(chain->template layer<i>(), at(weights, i), place(u, i), v, t);
            std::swap(v, t);
        });
    }
    /// From v of activation Begin: adds the gradient of uᵀJv, J that of layers Begin … End − 1, to `gradient` and to c.
    template <std::size_t Begin, std::size_t End>
    void curve(Slices<T> gradient) {
        C::template each<End - Begin>([&]<std::size_t J>() {
            constexpr std::size_t i = Begin + J;
            add_curvature<C::plan.shapes[i]>(chain->template layer<i>(), at(weights, i), at(gradient, i), place(u, i),
                                             v, c[i]);
            if constexpr (i + 1 < End) up<i, i + 1>();
        });
    }
    /// Forgets c; the chain's input is given c for its gradient, to add to, where the trace has room for it.
    void clear_gathered() {
        for (std::size_t i = 0; i < curved; ++i)
            if (i == 0 && trace->gradient[0])
                c[0] = trace->gradient[0];
            else
                clear<T>({c[i], C::plan.shapes[i].size(), columns});
    }
    /// The ordinary way back, of what c has gathered.
    void spread_gathered(Slices<T> gradient) const {
        if constexpr (curved > 1)
            C::template each<curved - 1>([&]<std::size_t J>() {
                constexpr std::size_t i = curved - 2 - J;
                Place<T> p = place(c, i);
                if (i == 0) p.dx = trace->gradient[0];
                constexpr bool in_place = false;
                constexpr Adds all{true, true};
                const Stream unused{0, 0};  // a layer with random numbers has no second derivative
                backward_layer<C::plan.shapes[i], in_place>(chain->template layer<i>(), at(weights, i), at(gradient, i),
                                                            all, p, unused, 0);
            });
    }

  private:
    template <class A>
    static Slices<A> at(Slices<A> weights, std::size_t i) {
        return {weights.own + C::plan.offsets[i], weights.model};
    }
    Place<T> place(const std::array<T*, depth + 1>& vectors, std::size_t i) const {
        return {trace->activation[i], trace->activation[i + 1], vectors[i], vectors[i + 1], nullptr, columns};
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
