// Layers around which their input goes on unchanged.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

#include "hourglass/core/chain.hpp"
#include "hourglass/kernels/pack.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace layers {

/// y = x + the activation before `Count` layers: the end of a residual block. Written by `Residual`, not by hand.
template <std::size_t Count>
struct Add {
    static constexpr std::string_view name = "Add";
    static constexpr Traits traits{.needs_input = false,
                                   .needs_output = false,
                                   .in_place = true,
                                   .linear = true,
                                   .pointwise = true,
                                   .branch = Count};

    static constexpr Shape output(Shape in) { return in; }
    std::string hyperparameters() const { return "over " + text(Count) + (Count == 1 ? " layer" : " layers"); }

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>& context) const {
        using Pack = kernels::Pack<T>;
        kernels::map_packs(
            x.size(), y.data(), [](const Pack& made, const Pack& kept) { return made + kept; }, x.data(),
            context.branch);
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (dx.data() != dy.data()) give(dy, dx.data(), context.accumulate);
        if (context.branch_gradient) give(dy, context.branch_gradient, context.accumulate_branch);
    }
    // Of x alone: who goes along the Jacobian adds the branch.
    template <Shape In, class T>
    void tangent(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T> v, View<T> t) const {
        give(v, t.data(), false);
    }
    template <Shape In, class T>
    void curvature(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T>, ConstView<T>, std::span<T, 0>,
                   View<T>) const {}
    template <Shape In>
    constexpr Add mirror() const {
        return {};
    }

  private:
    template <class T>
    static void give(const ConstView<T>& from, T* to, bool accumulate) {
        using Pack = kernels::Pack<T>;
        if (accumulate)
            kernels::each_pack(
                from.size(), [](Pack& d, const Pack& up) { d += up; }, to, from.data());
        else
            std::copy_n(from.data(), from.size(), to);
    }
};

}  // namespace layers

/// y = x + f(x) for the layers f, whose output has the shape of their input (He, Zhang, Ren and Sun 2016). A layer like
/// others: in a chain, in another residual block, default-constructed from its type or built from layer values,
/// `Residual{Dense<64>{}, ReLU{}, Dense<64>{}}`. Layers that do not give back their input's shape do not compile.
template <class... Layers>
struct Residual {
    static_assert(sizeof...(Layers) > 0, "hourglass: Residual needs at least one layer");

    std::tuple<Layers...> inside;  ///< f, layer by layer

    constexpr Residual() = default;
    constexpr explicit Residual(const Layers&... of) : inside(of...) {}

    // What it stands for in a chain.
    constexpr auto flattened() const {
        const auto all = std::apply([](const auto&... l) { return std::tuple_cat(core::layers_of(l)...); }, inside);
        return std::tuple_cat(all, std::tuple<layers::Add<std::tuple_size_v<decltype(all)>>>{});
    }
    static constexpr Shape shape_behind(Shape in) {
        Shape shape = in;
        ((shape = core::shape_behind<Layers>(shape)), ...);
        if (!(shape == in))
            fail("Residual: what its layers give is added to what they get, but they make ", text(shape), " of ",
                 text(in));
        return in;
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
