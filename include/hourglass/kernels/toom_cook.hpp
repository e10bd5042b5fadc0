// Sequences and kernels as polynomials known at a few points, where their product takes few multiplications.
#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include "hourglass/kernels/pack.hpp"
#include "hourglass/kernels/product_tile.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

inline constexpr Index filter_points = 6;  // where polynomials are known
inline constexpr Index filter_unit = 16;  // channels are worked in multiples of this many: whole packs of any processor
// The most channels that are summed over at once, and that are worked at once on either side.
inline constexpr Index deepest_block = 64, longest_block = 128;
// How much of a kernel, and of two sequences, is known at each point at a time: little enough for the nearest caches.
template <class T>
inline constexpr Index kernel_block = 8192 / static_cast<Index>(sizeof(T));
template <class T>
inline constexpr Index sequences_block = 8192 / static_cast<Index>(sizeof(T));

// What is summed at once, so that the sums fill the registers: packs of rows, tiles and points.
inline constexpr Index packs_together = many_registers ? 1 : 2, tiles_together = many_registers ? 4 : 2,
                       points_together = many_registers ? 6 : 3, products_together = packs_together * tiles_together;

/// Frames of a batch of sequences: value i of frame g of a sample lies at first + g·step + i of the sample's
/// `size` values, and is zero outside of them.
template <class T>
struct Frames {
    T* data;
    Index first, step, size;
};

// Where `count` frames from frame g on lie, `values` values of each, and how far apart: in a copy where some are
// outside of the sample.
template <class T>
std::pair<const T*, Index> read_frames(const Frames<const T>& in, Index sample, Index g, Index count, Index values,
                                       T* copy) {
    const T* const from = in.data + sample * in.size;
    const Index begin = in.first + g * in.step;
    if (begin >= 0 && begin + (count - 1) * in.step + values <= in.size) return {from + begin, in.step};
    for (Index t = 0; t < count; ++t)
        for (Index i = 0; i < values; ++i) {
            const Index at = begin + t * in.step + i;
            copy[t * values + i] = 0 <= at && at < in.size ? from[at] : T(0);
        }
    return {copy, values};
}

// Six positions of the input, `step` apart, at the points: `values` at each, a multiple of what a pack holds.
template <class T>
void input_at_points(const T* x, Index step, Index values, T* at, Index point_step) {
    using P = Pack<T>;
    for (Index i = 0; i < values; i += P::lanes) {
        const auto position = [&](Index t) { return P::load(x + i + t * step); };
        const auto put = [&](Index p, const P& value) { value.store(at + i + p * point_step); };
        const P x1 = position(1), x2 = position(2), x3 = position(3), x4 = position(4);
        const P even = x4 - 4 * x2, odd = x3 - 4 * x1, even2 = x4 - x2, odd2 = 2 * (x3 - x1);
        put(0, even + 4 * position(0) - x2);
        put(1, even + odd);
        put(2, even - odd);
        put(3, even2 + odd2);
        put(4, even2 - odd2);
        put(5, position(5) - x3 - 2 * odd2);
    }
}

// The polynomial with `taps` coefficients, `step` apart, at the points, with the factors that the interpolation would
// divide by. Pack i of point p lies at[i·pack_step + p·point_step].
template <class T>
void taps_at_points(const T* w, Index step, Index taps, Index values, T* at, Index pack_step, Index point_step) {
    for (Index i = 0; i < values; i += Pack<T>::lanes, w += Pack<T>::lanes, at += pack_step) {
        Pack<T> tap = Pack<T>::load(w), even = tap, odd = T(0), even2 = tap, odd2 = T(0);
        (tap * T(0.25)).store(at);
        for (Index t = 1; t < taps; ++t) {
            tap = Pack<T>::load(w + t * step);
            (t % 2 == 0 ? even : odd) += tap;
            (t % 2 == 0 ? even2 : odd2) += static_cast<T>(1 << t) * tap;
        }
        ((even + odd) * T(-1. / 6)).store(at + point_step);
        ((even - odd) * T(-1. / 6)).store(at + 2 * point_step);
        ((even2 + odd2) * T(1. / 24)).store(at + 3 * point_step);
        ((even2 - odd2) * T(1. / 24)).store(at + 4 * point_step);
        tap.store(at + 5 * point_step);
    }
}

// Where the outputs of one tile go, the first `kept` of `outputs`, and what each is added to.
template <class T>
struct FilterOutputs {
    Index outputs, kept;
    const T* from;
    Index from_step;
    T* to;
    Index step;

    // The outputs of one pack of rows, from row `row` on, from what it is at each point.
    template <class Register>
    EIGEN_STRONG_INLINE void put(Index row, const Register (&at)[filter_points]) const {
        using P = Pack<T>;
        const P zero = P::of(at[0]), last = P::of(at[5]), even = P::of(at[1]) + P::of(at[2]),
                odd = P::of(at[1]) - P::of(at[2]), even2 = P::of(at[3]) + P::of(at[4]),
                odd2 = P::of(at[3]) - P::of(at[4]);
        put_output(0, row, zero + even + even2, last);
        put_output(1, row, odd + 2 * odd2, last);
        if (outputs > 2) put_output(2, row, even + 4 * even2, last);
        if (outputs > 3) put_output(3, row, odd + 8 * odd2, last);
        if (outputs > 4) put_output(4, row, even + 16 * even2, last);
    }

  private:
    EIGEN_STRONG_INLINE void put_output(Index j, Index row, const Pack<T>& finite, const Pack<T>& last) const {
        if (j >= kept) return;
        const Pack<T> sum = j + 1 == outputs ? finite + last : finite;
        (Pack<T>::load(from + row + j * from_step) + sum).store(to + row + j * step);
    }
};

/// Kernel columns of a correlation, `filters` values each: those of tap t are t·frame … (t + 1)·frame − 1, and zero
/// from `useful` on.
template <class T>
struct FilteredKernel {
    T* w;
    Index filters, useful, frame, taps;

    T* column(Index tap, Index c) const { return w + (tap * frame + c) * filters; }
    bool has(Index tap, Index c) const { return tap * frame + c < useful; }
    /// Whether minimal filtering takes this kernel, over sequences of `positions` frames: the multiplications it saves,
    /// a quarter or more, have to pay for the additions, and the channels to fill whole packs.
    bool fits(Index positions) const {
        return std::is_floating_point_v<std::remove_const_t<T>> && 2 <= taps && taps <= 5 &&
               filters % filter_unit == 0 && frame % filter_unit == 0 && positions >= 12 &&
               useful * (filter_points + 1 - taps) >= 8 * frame;
    }
    // When it is faster (benchmarks/convolution.cpp). With few and long registers the sums at the points wait for what
    // they multiply; a gradient at the points needs both sides there, once more for each block of a kernel.
    bool pays(Index positions) const {
        return (many_registers || sizeof(typename Pack<std::remove_const_t<T>>::Register) <= 16) && fits(positions);
    }
    bool gradient_pays(Index positions) const {
        const Index size = filters * frame;
        return (!many_registers || (size >= 512 && size <= 2 * kernel_block<T>)) && fits(positions);
    }
};

// The kernel's rows `row` … and columns `c` … of each tap at the points, in the opposite order if `reversed`. Pack i of
// column j at point p lies at[i·pack_step + j·column_step + p·point_step].
template <class T>
void kernel_at_points(const FilteredKernel<const T>& k, bool reversed, Index row, Index rows, Index c, Index columns,
                      T* at, Index pack_step, Index column_step, Index point_step) {
    T taps[(filter_points - 1) * longest_block];
    for (Index i = 0; i < columns; ++i) {
        for (Index t = 0; t < k.taps; ++t) {
            T* const to = taps + (reversed ? k.taps - 1 - t : t) * rows;
            if (k.has(t, c + i))
                std::copy_n(k.column(t, c + i) + row, rows, to);
            else
                std::fill_n(to, rows, T(0));
        }
        taps_at_points(taps, rows, k.taps, rows, at + i * column_step, pack_step, point_step);
    }
}

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
