// A transposed matrix times one column, to the bits that the column gets in a batch.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <utility>

#include "hourglass/kernels/pack.hpp"
#include "hourglass/kernels/product_last_rows.hpp"

// Eigen's packets are vectors with attributes, which g++ remarks that it leaves out of a template's name.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"
#if !defined(__clang__) && __GNUC__ == 12
// Its own intrinsics for AVX-512, which Eigen transposes with, name registers that hold nothing (GCC's PR 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

// sum[r] += Σᵢ a[i + r·a_step] b[i] for a square of A, i one after the other; it is transposed in registers.
template <class Packet, class T, std::size_t... I>
void add_square(std::index_sequence<I...>, const T* a, Index a_step, const T* b, Packet& sum) {
    namespace packets = Eigen::internal;
    packets::PacketBlock<Packet, static_cast<int>(sizeof...(I))> square;
    ((square.packet[I] = packets::ploadu<Packet>(a + static_cast<Index>(I) * a_step)), ...);
    packets::ptranspose(square);
    ((sum = partial_sum<T>(packets::pmadd(square.packet[I], packets::pset1<Packet>(b[I]), sum))), ...);
}

// c[r] += Σₖ a[k + r·a_step] b[k] for as many packets of rows as R has numbers, k one after the other as in a tile.
template <class Packet, class T, std::size_t... R>
void add_transposed_rows(std::index_sequence<R...>, Index depth, const T* a, Index a_step, const T* b, T* c) {
    namespace packets = Eigen::internal;
    constexpr Index side = packets::unpacket_traits<Packet>::size;
    constexpr std::make_index_sequence<static_cast<std::size_t>(side)> places;
    Packet sum[] = {((void)R, packets::pset1<Packet>(T(0)))...};
    const auto first = [](std::size_t r) { return static_cast<Index>(r) * side; };
    Index k = 0;
    for (; k + side <= depth; k += side)
        (add_square<Packet>(places, a + first(R) * a_step + k, a_step, b + k, sum[R]), ...);
    for (; k < depth; ++k) {
        T values[sizeof...(R) * static_cast<std::size_t>(side)];
        for (Index i = 0; i < static_cast<Index>(sizeof...(R)) * side; ++i) values[i] = a[i * a_step + k];
        ((sum[R] = packets::pmadd(packets::ploadu<Packet>(values + first(R)), packets::pset1<Packet>(b[k]), sum[R])),
         ...);
    }
    (packets::pstoreu(c + first(R), packets::padd(packets::ploadu<Packet>(c + first(R)), partial_sum<T>(sum[R]))), ...);
}

// The rows from `row` on, in packets and then in halves of one; returns the first that is left.
template <class Packet, class T>
Index add_transposed_packets(Index row, Index rows, Index depth, Index block_depth, const T* a, Index a_step,
                             const T* b, T* c) {
    using Traits = Eigen::internal::unpacket_traits<Packet>;
    constexpr Index lanes = Traits::size;
    const auto all_blocks = [&](Index first, auto packets_of_rows) {  // returns the first row behind
        for (Index k = 0; k < depth; k += block_depth)
            add_transposed_rows<Packet>(packets_of_rows, std::min(block_depth, depth - k), a + first * a_step + k,
                                        a_step, b + k, c + first);
        return first + static_cast<Index>(packets_of_rows.size()) * lanes;
    };
    while (row + 4 * lanes <= rows) row = all_blocks(row, std::make_index_sequence<4>{});  // each sum waits for itself
    while (row + lanes <= rows) row = all_blocks(row, std::make_index_sequence<1>{});
    if constexpr (constexpr Index half = Eigen::internal::unpacket_traits<typename Traits::half>::size;
                  half < lanes && half >= 4)
        return add_transposed_packets<typename Traits::half>(row, rows, depth, block_depth, a, a_step, b, c);
    return row;
}

/// c += Aᵀ b for A of depth × rows (`a[k + i·a_step]`), in blocks of `block_depth`.
template <class T>
void add_transposed_column(Index rows, Index depth, Index block_depth, const T* a, Index a_step, const T* b, T* c) {
    using Packet = typename Eigen::internal::packet_traits<T>::type;
    for (Index row = add_transposed_packets<Packet>(0, rows, depth, block_depth, a, a_step, b, c); row < rows; ++row)
        for (Index k = 0; k < depth; k += block_depth)
            add_last_rows(
                1, 1,
                Block<T>{
                    std::min(block_depth, depth - k), a + row * a_step + k, 1, {b + k, 1, 1}, c + row, 1, c + row, 1});
}

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#pragma GCC diagnostic pop
