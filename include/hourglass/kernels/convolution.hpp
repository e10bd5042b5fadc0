// The three products behind every 1-D convolution: forward, its transpose, and the kernel's gradient. Sizes are
// run-time values, so all layers share one compiled copy.
//
// A convolution joins a long sequence (channels × length) and a short one (filters × positions): position q of the
// short one sees positions q·stride + k·dilation − left of the long one, k = 0 … kernel − 1; what lies outside is zero.
// The kernel is W of filters × (channels·kernel), column-major: filters fastest, then channels, then k. As channels are
// fastest in a sequence too, what q sees is one contiguous run of memory and the product needs no copy of it.
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "hourglass/kernels/columns.hpp"
#include "hourglass/kernels/minimal_filtering.hpp"
#include "hourglass/kernels/product.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

/// The sizes of one convolution, see above.
struct Convolution {
    Index channels, length;
    Index filters, positions;
    Index kernel, stride, dilation, left;
};

/// Windows that slide over a sequence: window t covers positions first + t·step … + taps − 1, those that exist.
struct SlidingWindows {
    Index first, step, taps, count;
};

/// Calls use(t, windows, tap, taps) for blocks of consecutive windows t … that see the same taps tap … tap + taps − 1
/// of themselves inside a sequence of `length` positions: those wholly inside at once, those at the ends one by one.
template <class Use>
void each_window_block(const SlidingWindows& s, Index length, Use use) {
    const auto at_most = [&](Index begin) {  // windows that begin at or before `begin`
        return begin < s.first ? 0 : std::min(s.count, (begin - s.first) / s.step + 1);
    };
    const Index inside = at_most(-1), end = std::max(inside, at_most(length - s.taps));
    const auto clipped = [&](Index t) {
        const Index begin = s.first + t * s.step;
        const Index tap = std::max<Index>(0, -begin), tap_end = std::min(s.taps, length - begin);
        if (tap < tap_end) use(t, 1, tap, tap_end - tap);
    };
    for (Index t = 0; t < inside; ++t) clipped(t);
    if (inside < end) use(inside, end - inside, 0, s.taps);
    for (Index t = end; t < s.count; ++t) clipped(t);
}

// Fewer windows than this are multiplied over samples at once instead of over positions.
inline constexpr Index few_windows = 12;

/// A batch of sequences, one sample after the other.
template <class T>
struct Sequences {
    T* data;
    Index channels, length;
};

// y(first rows, y_first + t·y_step) += A · window t of x, for every sample, or = initial + A · …. A(i, k) lies at
// a[i + k·a_step]; it has `tap_depth` columns for each tap: as many as x has channels, or fewer when a window has one
// tap. A window that sees no tap leaves y as it is.
template <class T>
void add_windows_product(const T* a, Index a_step, Index rows, Index tap_depth, const SlidingWindows& s,
                         Sequences<const T> x, Sequences<T> y, Index y_first, Index y_step, Index samples,
                         Initial<T> initial) {
    const Index x_size = x.channels * x.length, y_size = y.channels * y.length;
    each_window_block(s, x.length, [&](Index t, Index windows, Index tap, Index taps) {
        const T* const block = a + tap * tap_depth * a_step;
        const Index depth = taps * tap_depth;
        const T* const run = x.data + (s.first + t * s.step + tap) * x.channels;
        T* const out = y.data + (y_first + t * y_step) * y.channels;
        if (windows < few_windows && windows < samples)
            for (Index w = 0; w < windows; ++w)
                add_product(rows, samples, depth, block, a_step, {run + w * s.step * x.channels, 1, x_size},
                            out + w * y_step * y.channels, y_size, initial);
        else
            for (Index j = 0; j < samples; ++j)
                add_product(rows, windows, depth, block, a_step, {run + j * x_size, 1, s.step * x.channels},
                            out + j * y_size, y_step * y.channels, initial);
    });
}

/// Calls use(first, samples) for blocks of samples small enough that what one layer reads and writes of them stays in
/// the second-level cache.
template <class T, class Use>
void each_sample_block(const Convolution& c, Index samples, Use use) {
    constexpr Index cache = Index{1} << 18;
    const Index bytes = (c.channels * c.length + c.filters * c.positions) * static_cast<Index>(sizeof(T));
    const Index block = std::max(few_windows, cache / bytes);
    for (Index first = 0; first < samples; first += block) use(first, std::min(block, samples - first));
}

// The three products for one block of samples, term by term.

// y += W ∗ x, or y = initial + W ∗ x.
template <class T>
void add_plain_convolution(const Convolution& c, const T* w, const T* x, T* y, Index samples, Initial<T> initial) {
    const bool whole = c.dilation == 1;
    // One product for each position, and none without: only then can it write over what was there.
    const bool once = whole && c.left < c.kernel && (c.positions - 1) * c.stride - c.left < c.length;
    if (!initial.accumulate && !once) {
        fill_columns<T>(c.filters, c.positions * samples, initial.column, y);
        initial = {};
    }
    for (Index k = 0; k < (whole ? 1 : c.kernel); ++k)
        add_windows_product<T>(w + k * c.channels * c.filters, c.filters, c.filters, c.channels,
                               {k * c.dilation - c.left, c.stride, whole ? c.kernel : 1, c.positions},
                               {x, c.channels, c.length}, {y, c.filters, c.positions}, 0, 1, samples, initial);
}

// dW += ∂(yᵀ(W ∗ x))/∂W.
template <class T>
void add_plain_kernel_gradient(const Convolution& c, const T* y, const T* x, T* dw, Index samples) {
    const bool whole = c.dilation == 1;
    const Index x_size = c.channels * c.length, y_size = c.filters * c.positions;
    for (Index k = 0; k < (whole ? 1 : c.kernel); ++k) {
        const SlidingWindows s{k * c.dilation - c.left, c.stride, whole ? c.kernel : 1, c.positions};
        each_window_block(s, c.length, [&](Index t, Index windows, Index tap, Index taps) {
            T* const block = dw + (k + tap) * c.channels * c.filters;
            const T* const run = x + (s.first + t * s.step + tap) * c.channels;
            const T* const up = y + t * c.filters;
            if (windows < few_windows && windows < samples)
                for (Index v = 0; v < windows; ++v)
                    add_product(c.filters, taps * c.channels, samples, up + v * c.filters, y_size,
                                {run + v * s.step * c.channels, x_size, 1}, block, c.filters);
            else
                for (Index j = 0; j < samples; ++j)
                    add_product(c.filters, taps * c.channels, windows, up + j * y_size, c.filters,
                                {run + j * x_size, s.step * c.channels, 1}, block, c.filters);
        });
    }
}

// A block of Vᵣ, see below: rows × depth, value (i, k) at [i + k·rows], for channels from `channel` on, taps
// last − j·tap_step, j = 0 … taps − 1, and filters from `filter` on.
template <class T>
void pack_transposed(const Convolution& c, const T* w, Index channel, Index rows, Index last, Index tap_step,
                     Index taps, Index filter, Index filters, T* packed) {
    for (Index j = 0; j < taps; ++j) {
        const T* const from = w + ((last - j * tap_step) * c.channels + channel) * c.filters + filter;
        for (Index f = 0; f < filters; ++f)
            for (Index i = 0; i < rows; ++i) *packed++ = from[i * c.filters + f];
    }
}

// Positions of the long side that see the same taps r, r + stride, … of the kernel: position q·stride + offset, q from
// `begin` to `end`, sees position q − i of the short side through tap r + i·stride. A dilated kernel goes tap by tap.
struct Phase {
    Index offset, taps, begin, end;
};
inline Phase phase_at(Index offset, Index taps, Index stride, Index length, Index positions) {
    const Index begin = offset < 0 ? (-offset + stride - 1) / stride : 0;
    const Index end = std::min(positions + taps - 1, (length - 1 - offset + stride) / stride);
    return {offset, taps, begin, std::max(begin, end)};
}
inline Index phases_of(const Convolution& c) { return c.dilation == 1 ? std::min(c.stride, c.kernel) : c.kernel; }
inline Phase phase_of(const Convolution& c, Index r) {
    return phase_at(r * c.dilation - c.left, c.dilation == 1 ? (c.kernel - 1 - r) / c.stride + 1 : 1, c.stride,
                    c.length, c.positions);
}
// How many positions so many phases have together.
template <class PhaseOf>
Index reached_by(Index phases, PhaseOf phase_of_number) {
    Index sum = 0;
    for (Index r = 0; r < phases; ++r) {
        const Phase phase = phase_of_number(r);
        sum += phase.end - phase.begin;
    }
    return sum;
}

// x += Wᵀ ∗ y, or x = initial + Wᵀ ∗ y. Positions of x fall into `stride` phases; with the polyphase component Vᵣ of
// the kernel transposed it is again a product with windows of y, and each position of x is written once.
template <class T>
void add_plain_transposed_convolution(const Convolution& c, const T* w, const T* y, T* x, Index samples,
                                      Initial<T> initial) {
    constexpr Index most_rows = 32, most_depth = 256;
    T packed[most_rows * most_depth];
    const Index rows_at_once = std::min(most_rows, c.channels), filters_at_once = std::min(most_depth, c.filters);
    const Index taps_at_once = most_depth / filters_at_once;
    const Index reached = reached_by(phases_of(c), [&](Index r) { return phase_of(c, r); });
    const bool once = c.dilation == 1 && reached == c.length && phase_of(c, 0).taps <= taps_at_once;
    if (!initial.accumulate && !once) {
        fill_columns<T>(c.channels, c.length * samples, initial.column, x);
        initial = {};
    }
    for (Index r = 0; r < phases_of(c); ++r) {
        const auto [offset, taps, begin, end] = phase_of(c, r);
        for (Index channel = 0; channel < c.channels && begin < end; channel += rows_at_once)
            for (Index tap = 0; tap < taps; tap += taps_at_once)
                for (Index filter = 0; filter < c.filters; filter += filters_at_once) {
                    const Index rows = std::min(rows_at_once, c.channels - channel);
                    const Index some = std::min(taps_at_once, taps - tap);
                    const Index filters = std::min(filters_at_once, c.filters - filter);
                    pack_transposed(c, w, channel, rows, r + (taps - 1 - tap) * c.stride, c.stride, some, filter,
                                    filters, packed);
                    const Initial<T> from{initial.accumulate || filter > 0,
                                          initial.column ? initial.column + channel : nullptr};
                    add_windows_product<T>(packed, rows, rows, filters, {begin - taps + 1 + tap, 1, some, end - begin},
                                           {y + filter, c.filters, c.positions}, {x + channel, c.channels, c.length},
                                           begin * c.stride + offset, c.stride, samples, from);
                }
    }
}

// A convolution as a correlation of frames of `stride` positions of the long side, for minimal filtering.
template <class T>
FilteredKernel<T> filtered_kernel(const Convolution& c, T* w) {
    const Index taps = c.dilation == 1 ? (c.kernel - 1) / c.stride + 1 : 0;
    return {w, c.filters, c.kernel * c.channels, c.stride * c.channels, taps};
}
template <class T>
Frames<T> long_frames(const Convolution& c, T* x) {
    return {x, -c.left * c.channels, c.stride * c.channels, c.length * c.channels};
}
template <class T>
Frames<T> short_frames(const Convolution& c, T* y) {
    return {y, 0, c.filters, c.positions * c.filters};
}

// The same three products by minimal filtering.

template <class T>
void add_filtered_convolution(const Convolution& c, const T* w, const T* x, T* y, Index samples, Initial<T> initial) {
    add_filtered(filtered_kernel(c, w), long_frames(c, x), short_frames(c, y), 0, c.positions, samples, initial);
}
template <class T>
void add_filtered_kernel_gradient(const Convolution& c, const T* y, const T* x, T* dw, Index samples) {
    add_filtered_gradient(filtered_kernel(c, dw), short_frames(c, y), long_frames(c, x), c.positions, samples);
}
template <class T>
void add_filtered_transposed_convolution(const Convolution& c, const T* w, const T* y, T* x, Index samples,
                                         Initial<T> initial) {
    const auto kernel = filtered_kernel(c, w);
    const Index end = std::min(c.positions + kernel.taps - 1, (c.length + c.left + c.stride - 1) / c.stride);
    if (!initial.accumulate && end * c.stride < c.length + c.left) {  // positions that no frame reaches
        fill_columns<T>(c.channels, c.length * samples, initial.column, x);
        initial = {};
    }
    add_filtered_transposed(kernel, short_frames(c, y), long_frames(c, x), c.left / c.stride, end, samples, c.channels,
                            initial);
}

/// y += W ∗ x for the long x and the short y, one sample after the other; y = initial + W ∗ x where an initial column
/// is given. A causal one takes plain sums: in minimal filtering neighbouring outputs share sums of what both see.
template <class T>
void add_convolution(const Convolution& c, const T* w, const T* x, T* y, Index samples, Initial<T> initial = {}) {
    each_sample_block<T>(c, samples, [&](Index j, Index n) {
        const T* const long_side = x + j * c.channels * c.length;
        T* const short_side = y + j * c.filters * c.positions;
        const bool causal = c.left == (c.kernel - 1) * c.dilation;
        if (!causal && filtered_kernel(c, w).pays(c.positions))
            add_filtered_convolution(c, w, long_side, short_side, n, initial);
        else
            add_plain_convolution(c, w, long_side, short_side, n, initial);
    });
}
/// x += Wᵀ ∗ y, the transpose of `add_convolution`.
template <class T>
void add_transposed_convolution(const Convolution& c, const T* w, const T* y, T* x, Index samples,
                                Initial<T> initial = {}) {
    each_sample_block<T>(c, samples, [&](Index j, Index n) {
        const T* const short_side = y + j * c.filters * c.positions;
        T* const long_side = x + j * c.channels * c.length;
        if (filtered_kernel(c, w).pays(c.positions))
            add_filtered_transposed_convolution(c, w, short_side, long_side, n, initial);
        else
            add_plain_transposed_convolution(c, w, short_side, long_side, n, initial);
    });
}

/// dW += ∂(yᵀ(W ∗ x))/∂W, for a gradient y of the short side (a convolution's) or x of the long one (a transposed
/// one's). A bias belongs to the side whose gradient it is: db += the sum of its positions, unless `bias_gradient` is
/// null.
enum class Side { Short, Long };
template <Side Gradient, class T>
void add_kernel_gradient(const Convolution& c, const T* y, const T* x, T* dw, T* bias_gradient, Index samples) {
    each_sample_block<T>(c, samples, [&](Index j, Index n) {
        const T* const short_side = y + j * c.filters * c.positions;
        const T* const long_side = x + j * c.channels * c.length;
        if (filtered_kernel(c, dw).gradient_pays(c.positions))
            add_filtered_kernel_gradient(c, short_side, long_side, dw, n);
        else
            add_plain_kernel_gradient(c, short_side, long_side, dw, n);
        if (!bias_gradient) return;
        if constexpr (Gradient == Side::Short)
            add_columns<T>(c.filters, c.positions * n, short_side, bias_gradient);
        else
            add_columns<T>(c.channels, c.length * n, long_side, bias_gradient);
    });
}

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
