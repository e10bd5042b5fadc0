// A matrix of known size times one vector: inference, a sample at a time.
//
// W is read once for each vector, so its values are laid out in the order in which they are read: panels of as many
// rows as have their sums in registers, column after column, the bias first; what a layer behind it makes of each sum
// is made before the sum is stored. Only Eigen's packets are used.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <type_traits>
#include <utility>

#include "hourglass/kernels/pack.hpp"
#include "hourglass/kernels/product_tile.hpp"

// Eigen's packets are vectors with attributes, which g++ remarks that it leaves out of a template's name.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

/// y = f(W x + b) for W of Rows × Columns, f a function of each value.
template <class T, Index Rows, Index Columns>
class PackedMatrix {
    // The widest vectors, but halves of them where all rows fit into one: less of what is read is padding. Where there
    // are few columns, padding is little.
    static constexpr Index fitting(Index many) {
        return many >= 8 && many / 2 >= Rows && Columns >= 64 ? fitting(many / 2) : many;
    }
    static constexpr Index lanes = fitting(Pack<T>::lanes);
    using Values = Pack<T, lanes>;

    // A panel's rows fill up to `most` vectors. Panels are as equal as can be: the first `taller` ones have a vector
    // more. Where rows fill few vectors, neighbouring columns have sums of their own, about eight in all: an addition
    // waits for the one before it, and takes as long as eight begin.
    static constexpr Index most = many_registers ? 16 : 8, vectors = (Rows + lanes - 1) / lanes,
                           panels = (vectors + most - 1) / most, low = vectors / panels, taller = vectors % panels;
    static constexpr Index chains = low > 4 ? 1 : low > 2 ? 2 : low > 1 ? 4 : 8;

  public:
    /// Values of memory that `pack` writes.
    static constexpr Index size = vectors * lanes * (Columns + 1);

    /// Lays out W(i, k) = weight(i, k) and b(i) = bias(i).
    template <class Weight, class Bias>
    static void pack(T* to, const Weight& weight, const Bias& bias) {
        for (Index panel = 0, row = 0; panel < panels; ++panel) {
            const Index end = row + (low + (panel < taller)) * lanes, there = std::min(end, Rows);
            const auto column = [&](const auto& value) {
                for (Index r = row; r < there; ++r) *to++ = value(r);
                to = std::fill_n(to, end - there, T(0));
            };
            // The bias not as a case among columns: what is read on a condition, g++ 12 vectorises wrongly at -O3.
            column(bias);
            for (Index k = 0; k < Columns; ++k) column([&](Index r) { return weight(r, k); });
            row = end;
        }
    }

    /// y = f(W x + b), f taking and giving a `Pack` of any size; y is not the memory of x.
    template <class F>
    static void product(const T* packed, const T* x, T* y, const F& f) {
        Index row = 0;
        const auto panel = [&](auto height) {
            constexpr Index tall = height();
            add_panel<tall>(std::make_index_sequence<static_cast<std::size_t>(tall * chains)>{},
                            packed + row * (Columns + 1), x, y, row, f);
            row += tall * lanes;
        };
        for (Index i = 0; i < taller; ++i) panel(std::integral_constant<Index, low + 1>{});
        for (Index i = taller; i < panels; ++i) panel(std::integral_constant<Index, low>{});
    }

  private:
    // Sum number I belongs to vector I % Tall of the panel's rows and to every column k ≡ I / Tall (mod chains). The
    // folds unroll at any optimisation level, so that the sums live in registers.
    template <Index Tall, std::size_t... I, class F>
    static void add_panel(std::index_sequence<I...>, const T* w, const T* x, T* y, Index row, const F& f) {
        namespace packets = Eigen::internal;
        using Packet = typename Values::Register;
        constexpr auto height = static_cast<std::size_t>(Tall);
        constexpr Index panel_rows = Tall * lanes;
        const auto at = [](const T* from, std::size_t i) { return from + static_cast<Index>(i) * lanes; };
        Packet sum[] = {(I < height ? packets::ploadu<Packet>(at(w, I % height)) : packets::pset1<Packet>(T(0)))...};
        w += panel_rows;
        constexpr Index even = Columns - Columns % chains;
        for (Index k = 0; k < even; k += chains, w += chains * panel_rows)
            ((sum[I] = packets::pmadd(packets::ploadu<Packet>(at(w, I)),
                                      packets::pset1<Packet>(x[k + static_cast<Index>(I / height)]), sum[I])),
             ...);
        for (Index k = even; k < Columns; ++k, w += panel_rows)
            ((I < height ? void(sum[I % height] = packets::pmadd(packets::ploadu<Packet>(at(w, I % height)),
                                                                 packets::pset1<Packet>(x[k]), sum[I % height]))
                         : void()),
             ...);
        add_chains<chains / 2, height>(std::index_sequence<I...>{}, sum);
        ((I < height ? put(f(Values::of(sum[I])), y, row + static_cast<Index>(I) * lanes) : void()), ...);
    }
    // Adds the sums of the latter half of the chains to those of the former, and so on: few additions wait for each
    // other.
    template <Index Half, std::size_t Height, std::size_t... I, class Packet>
    static void add_chains(std::index_sequence<I...> sums, Packet* sum) {
        if constexpr (Half > 0) {
            constexpr std::size_t kept = static_cast<std::size_t>(Half) * Height;
            ((I < kept ? void(sum[I] = Eigen::internal::padd(sum[I], sum[(I + kept) % sizeof...(I)])) : void()), ...);
            add_chains<Half / 2, Height>(sums, sum);
        }
    }
    // The rows of y from this one on; the last vector may reach beyond them.
    static void put(const Values& values, T* y, Index row) {
        if (Rows % lanes == 0 || row + lanes <= Rows) {
            values.store(y + row);
        } else {
            T last[static_cast<std::size_t>(lanes)];
            values.store(last);
            std::copy_n(last, Rows % lanes, y + row);
        }
    }
};

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#pragma GCC diagnostic pop
