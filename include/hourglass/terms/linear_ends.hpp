// The linear layers at an encoder's two ends. Their Jacobians F and B are the same for all samples, so that what a step
// needs of them is worked once: the products of the rows of F, or of the columns of B, with each other.
#pragma once

#include <algorithm>
#include <cstddef>

#include "hourglass/kernels/pack.hpp"
#include "hourglass/kernels/symmetric_product.hpp"
#include "hourglass/terms/jacobian.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace terms {

/// Where the two ends of an encoder's layers lie: the front is [0, front), the back [back, depth). No residual block
/// reaches over the end of either.
template <class Encoder>
struct LinearEnds {
    static constexpr std::size_t depth = Encoder::depth;

    template <std::size_t I>
    static constexpr Traits traits = core::traits_of<typename Encoder::template Layer<I>>();

    static constexpr std::size_t front = [] {
        std::size_t front = 0;
        Encoder::each([&]<std::size_t I>() {
            if (front == I && traits<I>.linear) ++front;
        });
        for (std::size_t i = depth; i-- > front;)
            if (Encoder::plan.branch[i] < front) {
                front = Encoder::plan.branch[i];
                i = depth;
            }
        return front;
    }();
    static constexpr std::size_t back = [] {
        std::size_t curved = front;  // behind the last layer that is not linear
        Encoder::each([&]<std::size_t I>() {
            if (I >= front && !traits<I>.linear) curved = I + 1;
        });
        for (std::size_t i = curved; i < depth; ++i)
            if (Encoder::plan.branch[i] < curved) curved = i + 1;
        return curved;
    }();
    /// Whether all layers between the two are pointwise, so that J = B D F with a diagonal D.
    static constexpr bool pointwise_between = [] {
        bool pointwise = true;
        Encoder::each([&]<std::size_t I>() {
            if (I >= front && I < back && !traits<I>.pointwise && !traits<I>.keeps_values) pointwise = false;
        });
        return pointwise;
    }();
    /// The layer whose weights begin with F itself, in columns: a dense one on a flat input, alone in the front but for
    /// layers that keep values. `front` for none.
    static constexpr std::size_t kernel = [] {
        std::size_t kernel = front, others = 0;
        Encoder::each([&]<std::size_t I>() {
            using Layer = typename Encoder::template Layer<I>;
            if (I >= front || traits<I>.keeps_values) return;
            ++others;
            if constexpr (requires { Layer::begins_with_jacobian(Encoder::plan.shapes[I]); })
                if (Layer::begins_with_jacobian(Encoder::plan.shapes[I])) kernel = I;
        });
        return others == 1 ? kernel : front;
    }();
    static constexpr bool knows_front = kernel < front;
};

// Parts of F's rows or columns end with whole packs, and with whole tiles of a product.
inline constexpr Index tile_unit = 48;

/// use(part) for a part of [0, size) for each of a team's threads.
template <class Use>
void each_part(core::Team* team, Index size, const Use& use) {
    const Index parts = team ? team->size() : 1;
    core::each_task(team, parts, [&](Index t) {
        if (const Slice part = core::part_of(size, parts, t, tile_unit); part.size > 0) use(part);
    });
}

/// The front, and F of units × inputs: where it does not lie among the weights `Block` of its rows at a time, from
/// products with the identity; all of them for the products of rows.
template <class Encoder, class T, Index Block>
class LinearFront {
    using Ends = LinearEnds<Encoder>;
    using Sweep = JacobianSweep<Encoder, T>;
    using Pack = kernels::Pack<T>;
    static constexpr std::size_t front = Ends::front;
    static constexpr Index inputs = Encoder::input.size(), units = Encoder::plan.shapes[front].size(),
                           in_memory = Ends::knows_front ? 0 : Block;

  public:
    LinearFront(const core::EncoderPass<T>& pass, core::Arena<T>& arena)
        : pass_(pass), rows_(pass, Columns::Any, in_memory, 0, front, arena) {}
    static Index room() { return Sweep::room(in_memory, 0, front); }

    /// norms[i] = the squared norm of row i.
    void squared_rows(T* norms) const {
        if constexpr (Ends::knows_front) {
            each_part(pass_.team, units, [&](const Slice& some) {
                std::fill_n(norms + some.begin, some.size, T(0));
                for (Index k = 0; k < inputs; ++k)
                    kernels::each_pack(
                        some.size, [](Pack& sum, const Pack& value) { sum += square(value); }, norms + some.begin,
                        kernel(pass_.theta) + k * units + some.begin);
            });
        } else {
            each_block([&](Index first, const Sweep& rows) {
                for (Index i = 0; i < rows.columns; ++i)
                    norms[first + i] = ConstView<T>{rows.u[0] + i * inputs, inputs, 1}.squaredNorm();
            });
        }
    }
    /// Adds the gradient of ½ Σ factors[i] · the squared norm of row i to θ's.
    void add_scaled_rows(const T* factors, T* gradient) const {
        if constexpr (Ends::knows_front) {
            each_part(pass_.team, inputs, [&](const Slice& some) {
                for (Index k = some.begin; k < some.end(); ++k)
                    kernels::each_pack(
                        units, [](Pack& d, const Pack& value, const Pack& factor) { d += factor * value; },
                        kernel(gradient) + k * units, kernel(pass_.theta) + k * units, factors);
            });
        } else {
            each_block([&](Index first, const Sweep& rows) {
                for (Index i = 0; i < rows.columns; ++i)
                    for (Index k = 0; k < inputs; ++k)
                        rows.v[0][i * inputs + k] = factors[first + i] * rows.u[0][i * inputs + k];
                add_rows(rows, gradient);
            });
        }
    }
    /// gram = F Fᵀ.
    void row_products(T* gram) const {
        if constexpr (Ends::knows_front) {
            kernels::symmetric_product(pass_.team, units, inputs, kernel(pass_.theta), gram);
        } else {
            static_assert(Block == units);
            show_rows(0, rows_);
            core::each_slice(pass_.team, units, [&](const Slice& some) {
                const Sweep rows = rows_.part(some);
                std::copy_n(rows.u[0], inputs * some.size, rows.v[0]);
                rows.up(0, front);
                std::copy_n(rows.v[front], units * some.size, gram + units * some.begin);
            });
        }
    }
    /// Adds the gradient of ½ Σ s[i, k] · (F Fᵀ)[i, k], s of units × units being symmetric, to θ's. After
    /// `row_products`.
    void add_row_products(const T* s, T* gradient) const {
        if constexpr (Ends::knows_front) {
            each_part(pass_.team, inputs, [&](const Slice& some) {
                const Index at = some.begin * units;
                kernels::add_product(units, some.size, units, s, units, {kernel(pass_.theta) + at, 1, units},
                                     kernel(gradient) + at, units);
            });
        } else {
            core::each_slice(pass_.team, units, [&](const Slice& some) {
                kernels::add_product(inputs, some.size, units, rows_.u[0], inputs, {s + some.begin * units, 1, units},
                                     rows_.v[0] + some.begin * inputs, inputs, kernels::Initial<T>{false});
            });
            add_rows(rows_, gradient);
        }
    }

  private:
    template <class P>
    static P* kernel(P* theta) {
        return theta + Encoder::plan.offsets[Ends::kernel];
    }

    // Rows first, … of F as columns u of activation 0.
    void show_rows(Index first, const Sweep& all) const {
        core::each_slice(pass_.team, all.columns, [&](const Slice& some) {
            const Sweep rows = all.part(some);
            T* const identity = rows.u[front];
            std::fill_n(identity, units * rows.columns, T(0));
            for (Index i = 0; i < rows.columns; ++i) identity[i * units + first + some.begin + i] = T(1);
            rows.down(0, front);
        });
    }
    template <class Use>
    void each_block(const Use& use) const {
        static_assert(Block > 0);
        for (Index first = 0; first < units; first += Block) {
            const Sweep rows = rows_.part({0, std::min(Block, units - first)});
            show_rows(first, rows);
            use(first, rows);
        }
    }
    void add_rows(const Sweep& rows, T* gradient) const {
        rows.curve(0, front);
        rows.curve_layers(0, front, gradient, pass_.team);
    }

    const core::EncoderPass<T>& pass_;
    Sweep rows_;
};

/// The back, and B of code × units.
template <class Encoder, class T>
class LinearBack {
    using Sweep = JacobianSweep<Encoder, T>;
    static constexpr std::size_t depth = Encoder::depth, back = LinearEnds<Encoder>::back;
    static constexpr Index code = Encoder::output.size(), units = Encoder::plan.shapes[back].size();

  public:
    /// `used` or not at all: B takes code · units values and more.
    LinearBack(const core::EncoderPass<T>& pass, bool used, core::Arena<T>& arena)
        : pass_(pass), rows_(pass, Columns::Any, used ? code : 0, back, depth, arena) {}
    static Index room(bool used) { return Sweep::room(used ? code : 0, back, depth); }

    /// gram = Bᵀ B.
    void column_products(T* gram) const {
        T* const identity = rows_.u[depth];
        std::fill_n(identity, code * code, T(0));
        for (Index i = 0; i < code; ++i) identity[i * code + i] = T(1);
        rows_.down(back, depth);
        kernels::symmetric_product(pass_.team, units, code, rows_.u[back], gram);
    }
    /// Adds the gradient of ½ Σ s[i, k] · (Bᵀ B)[i, k], s of units × units being symmetric, to θ's. After
    /// `column_products`.
    void add_column_products(const T* s, T* gradient) const {
        kernels::add_product(units, code, units, s, units, {rows_.u[back], 1, units}, rows_.v[back], units,
                             kernels::Initial<T>{false});
        rows_.curve(back, depth);
        rows_.curve_layers(back, depth, gradient, pass_.team);
    }

  private:
    const core::EncoderPass<T>& pass_;
    Sweep rows_;
};

}  // namespace terms
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
