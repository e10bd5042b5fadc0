// A matrix transposed into a copy.
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "hourglass/kernels/pack.hpp"

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

// The side of the smallest squares below.
template <class Packet>
constexpr Index smallest_side() {
    using Traits = Eigen::internal::unpacket_traits<Packet>;
    constexpr Index side = Traits::size, half = Eigen::internal::unpacket_traits<typename Traits::half>::size;
    if constexpr (half < side)
        return smallest_side<typename Traits::half>();
    else
        return side;
}

// The rows of to = Aᵀ from `row` on, `rows` values a column, in squares of one packet a side that are transposed
// in registers, and then of half a packet; `rows % smallest_side<Packet>()` rows are left. A has `there` rows: those
// beyond are copies of the last.
template <class Packet, class T>
void transpose_squares(Index row, Index rows, Index depth, const T* a, Index a_step, T* to, Index there) {
    namespace packets = Eigen::internal;
    using Traits = packets::unpacket_traits<Packet>;
    constexpr Index side = Traits::size;
    const Index squares = depth / side * side;
    const auto of = [=](Index i) { return a + std::min(i, there - 1) * a_step; };
    for (; row + side <= rows; row += side) {
        for (Index k = 0; k < squares; k += side) {
            packets::PacketBlock<Packet, side> square;
            for (Index i = 0; i < side; ++i) square.packet[i] = packets::ploadu<Packet>(of(row + i) + k);
            packets::ptranspose(square);
            for (Index i = 0; i < side; ++i) packets::pstoreu(to + (k + i) * rows + row, square.packet[i]);
        }
        for (Index k = squares; k < depth; ++k)
            for (Index i = 0; i < side; ++i) to[k * rows + row + i] = of(row + i)[k];
    }
    if constexpr (packets::unpacket_traits<typename Traits::half>::size < side)
        transpose_squares<typename Traits::half>(row, rows, depth, a, a_step, to, there);
}

// to = Aᵀ, `rows` values a column. Where the last loops begin is said by `rows` alone: of bounds that it cannot compare
// g++ 12 at -O3 says that they are never met.
template <class T>
void transpose(Index rows, Index depth, const T* a, Index a_step, T* to) {
    using Packet = typename Eigen::internal::packet_traits<T>::type;
    transpose_squares<Packet>(0, rows, depth, a, a_step, to, rows);
    for (Index row = rows - rows % smallest_side<Packet>(); row < rows; ++row)
        for (Index k = 0; k < depth; ++k) to[k * rows + row] = a[row * a_step + k];
}

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#pragma GCC diagnostic pop
