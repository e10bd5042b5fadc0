// What the processor does at most, on one thread: the figures that rates are held against.
#pragma once

#include <Eigen/Core>

#include "timing.hpp"

namespace support {

/// Multiplications and additions a second of a loop of float vectors that never leave the registers.
inline double fma_peak() {
    using Packet = Eigen::internal::packet_traits<float>::type;
    constexpr int lanes = Eigen::internal::packet_traits<float>::size, chains = 12, turns = 100'000;
    const Packet factor = Eigen::internal::pset1<Packet>(0.999f), addend = Eigen::internal::pset1<Packet>(0.001f);
    const double once = best_seconds(1.0, [&] {
        Packet sums[chains];  // of this very function: as someone else's they would be kept in memory
        for (Packet& sum : sums) sum = factor;
        for (int i = 0; i < turns; ++i)
            for (Packet& sum : sums) sum = Eigen::internal::pmadd(sum, factor, addend);
        volatile float kept = 0;
        for (const Packet& sum : sums) kept = Eigen::internal::pfirst(sum);
        (void)kept;
    });
    return 2.0 * lanes * chains * turns / once;
}

/// Bytes a second between memory and registers: a = b + s c (McCalpin's triad) over three arrays of 64 MB, which few
/// caches hold; two are read and one is written. What the processor reads of `a` before it writes is not counted.
inline double memory_rate() {
    constexpr Eigen::Index values = 16'000'000;
    Eigen::VectorXf a = Eigen::VectorXf::Zero(values), b = Eigen::VectorXf::Ones(values), c = b;
    const double once = best_seconds(0.5, [&] { a.noalias() = b + 0.5f * c; });
    volatile float kept = a[values / 2];
    (void)kept;
    return 3.0 * sizeof(float) * values / once;
}

}  // namespace support
