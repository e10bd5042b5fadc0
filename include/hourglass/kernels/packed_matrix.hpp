// A matrix of known size times one vector: inference, a sample at a time.
//
// W is read once for each vector, so its values are laid out in the order in which they are read: panels of as many
// rows as have their sums in registers, column after column, the bias first. Only Eigen's packets are used.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <utility>

#include "hourglass/kernels/pack.hpp"

// Eigen's packets are vectors with attributes, which g++ remarks that it leaves out of a template's name.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

/// y = W x + b for W of Rows × Columns.
template <class T, Index Rows, Index Columns>
class PackedMatrix {
    // The widest vectors of which one that rows would fill by half or less is not taken.
    static constexpr Index fitting(Index many) { return many >= 8 && many / 2 >= Rows ? fitting(many / 2) : many; }
    static constexpr Index lanes = fitting(Pack<T>::lanes);
    using Packet = typename Pack<T, lanes>::Register;

    // A panel's rows fill up to eight vectors. Where they fill fewer, neighbouring columns have sums of their own: an
    // addition waits for the one before it.
    static constexpr Index vectors = (Rows + lanes - 1) / lanes, panels = (vectors + 7) / 8,
                           tall = (vectors + panels - 1) / panels, chains = std::max<Index>(1, 8 / tall);
    static constexpr Index panel_rows = tall * lanes;

  public:
    /// Values of memory that `pack` writes, and those that `product` writes: behind the rows come zeros.
    static constexpr Index size = panels * panel_rows * (Columns + 1), padded_rows = panels * panel_rows;

    /// Lays out W(i, k) = weight(i, k) and b(i) = bias(i).
    template <class Weight, class Bias>
    static void pack(T* to, const Weight& weight, const Bias& bias) {
        for (Index panel = 0; panel < panels; ++panel)
            for (Index k = -1; k < Columns; ++k)
                for (Index r = 0; r < panel_rows; ++r) {
                    const Index row = panel * panel_rows + r;
                    *to++ = row >= Rows ? T(0) : k < 0 ? bias(row) : weight(row, k);
                }
    }

    /// y = W x + b; y is not the memory of x.
    static void product(const T* packed, const T* x, T* y) {
        constexpr std::make_index_sequence<static_cast<std::size_t>(tall * chains)> sums;
        for (Index panel = 0; panel < panels; ++panel)
            add_panel(sums, packed + panel * panel_rows * (Columns + 1), x, y + panel * panel_rows);
    }

  private:
    // Sum number I belongs to vector I % tall of the panel's rows and to every column k ≡ I / tall (mod chains). The
    // folds unroll at any optimisation level, so that the sums live in registers.
    template <std::size_t... I>
    static void add_panel(std::index_sequence<I...>, const T* w, const T* x, T* y) {
        namespace packets = Eigen::internal;
        constexpr auto height = static_cast<std::size_t>(tall);
        const auto at = [](const T* from, std::size_t i) { return from + static_cast<Index>(i) * lanes; };
        Packet sum[] = {(I < height ? packets::ploadu<Packet>(at(w, I % height)) : packets::pset1<Packet>(T(0)))...};
        w += panel_rows;
        constexpr Index even = Columns - Columns % chains;
        for (Index k = 0; k < even; k += chains, w += chains * panel_rows)
            ((sum[I] = packets::pmadd(packets::ploadu<Packet>(at(w, I)),
                                      packets::pset1<Packet>(x[k + static_cast<Index>(I / height)]), sum[I])),
             ...);
        for (Index k = even; k < Columns; ++k, w += panel_rows)
            ((I < height ? void(sum[I] = packets::pmadd(packets::ploadu<Packet>(at(w, I % height)),
                                                        packets::pset1<Packet>(x[k]), sum[I]))
                         : void()),
             ...);
        ((I >= height ? void(sum[I % height] = packets::padd(sum[I % height], sum[I])) : void()), ...);
        ((I < height ? packets::pstoreu(y + static_cast<Index>(I) * lanes, sum[I]) : void()), ...);
    }
};

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#pragma GCC diagnostic pop
