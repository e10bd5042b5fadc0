// The three products behind every 2-D convolution, and behind grouped ones of any dimension: forward, its transpose,
// and the kernel's gradient. Sizes are run-time values, so all layers share one compiled copy.
//
// A convolution joins a long picture (channels × columns × rows) and a short one (filters × out_columns × out_rows):
// position (p, q) of the short one sees positions (p·stride + i·dilation − top, q·stride + k·dilation − left) of the
// long one, i and k over the kernel's rows and columns; what lies outside is zero. Channels fall into `groups` of as
// many, and filters too: those of one group see each other alone. The kernel is W of filters × (channels/groups ·
// columns · rows), column-major: filters fastest, then a group's channels, then the kernel's columns, then its rows.
//
// Without groups and dilation pictures are read where they lie (direct_convolution.hpp) or by minimal filtering
// (filtered_pictures.hpp), but for rows too wide for their copies, and gradients that would leave registers empty. Else
// what some dozens of positions see is copied side by side into a panel that stays in the nearest cache, and multiplied
// there: one product for all taps, whatever the padding, stride and dilation.
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "hourglass/core/shape.hpp"
#include "hourglass/kernels/columns.hpp"
#include "hourglass/kernels/convolution.hpp"
#include "hourglass/kernels/direct_convolution.hpp"
#include "hourglass/kernels/filtered_pictures.hpp"
#include "hourglass/kernels/picture_phases.hpp"
#include "hourglass/kernels/product.hpp"

// Eigen's packets are vectors with attributes, which g++ remarks that it leaves out of a template's name.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

/// The sizes of one convolution, see above.
struct Convolution2D {
    Index channels;
    Extent size;  // of the long picture
    Index filters;
    Extent positions;  // of the short one
    Extent kernel, stride, dilation;
    Extent before;  // how far the first window sticks out: top, left
    Index groups = 1;

    constexpr Index group_channels() const { return channels / groups; }
    constexpr Index group_filters() const { return filters / groups; }
    /// Values that one position sees, of a group.
    constexpr Index depth() const { return kernel.count() * group_channels(); }
    constexpr Index long_size() const { return channels * size.count(); }
    constexpr Index short_size() const { return filters * positions.count(); }
    /// Whether what a position sees of a row is one run of the long picture.
    constexpr bool is_without_gaps() const { return groups == 1 && dilation == Extent{1}; }
    constexpr PictureFrames frames() const { return {channels, size, positions, stride, kernel, before}; }
    /// Whether every position sees itself alone, so that both pictures are factors as they lie.
    constexpr bool is_pointwise() const {
        return kernel.count() == 1 && stride.count() == 1 && groups == 1 && before == Extent{0} && positions == size;
    }
};

// A part of a convolution: values `k` to `k + depth` of what the positions first … first + count − 1 see, of one group.
// Positions are numbered through all samples.
struct PanelPart {
    Index group, k, depth, first, count;
};

// Where a panel has value k of position j: [k + j·depth], so that what a position sees is a run of memory; or, where
// such runs are short, [k·count + j], so that neighbours in a row are one.
enum class PanelOrder { ByPosition, ByValue };
inline PanelOrder order_of(const Convolution2D& c) {
    const bool runs_join = c.dilation.columns == 1 && c.groups == 1;
    return (runs_join ? c.kernel.columns : 1) * c.group_channels() < 8 ? PanelOrder::ByValue : PanelOrder::ByPosition;
}

// Calls use(p, q, first, count) for each stretch of a part's positions that lie in one row of one sample: row p of the
// short picture from column q on, `first` behind the part's first position; and the sample's number.
template <class Use>
void each_row_of(const Convolution2D& c, const PanelPart& part, Use use) {
    for (Index j = 0; j < part.count;) {
        const Index row = (part.first + j) / c.positions.columns, q = (part.first + j) % c.positions.columns;
        const Index count = std::min(c.positions.columns - q, part.count - j);
        use(row % c.positions.rows, q, j, count, row / c.positions.rows);
        j += count;
    }
}

// The columns of the short picture, counted from `q`, whose tap `right` columns to the right of their first exists in
// the long one: from the first to behind the last, of `count`.
struct Stretch {
    Index begin, end;
};
inline Stretch inside_of(const Convolution2D& c, Index q, Index count, Index right) {
    const Index step = c.stride.columns;
    const Index least = right < 0 ? (-right + step - 1) / step : 0, most = (c.size.columns - 1 - right + step) / step;
    const Index begin = std::clamp(least - q, Index{0}, count);
    return {begin, std::clamp(most - q, begin, count)};
}

// Calls use(in panel, in x, values) for each run of values that part `part` of the panel has, where it is in order of
// positions; `in x` is negative for what lies outside.
template <class Use>
void each_run_by_position(const Convolution2D& c, const PanelPart& part, Use use) {
    const Index channels = c.group_channels(), end = part.k + part.depth, step = c.stride.columns * c.channels;
    const bool joined = c.dilation.columns == 1 && c.groups == 1;  // the taps of a kernel's row lie side by side
    const Index taps = joined ? c.kernel.columns : 1, run = taps * channels, runs_per_row = c.kernel.columns / taps;
    each_row_of(c, part, [&](Index p, Index q, Index first, Index count, Index sample) {
        for (Index r = part.k / run; r * run < end; ++r) {
            const Index from = std::max(part.k, r * run), to = std::min(end, (r + 1) * run), values = to - from;
            const Index row = p * c.stride.rows + r / runs_per_row * c.dilation.rows - c.before.rows;
            const Index left = r % runs_per_row * c.dilation.columns - c.before.columns;  // of the run's first tap
            const bool exists = row >= 0 && row < c.size.rows;
            // Columns whose run lies wholly inside.
            Stretch whole{count, count};
            if (exists) {
                whole.begin = inside_of(c, q, count, left).begin;
                whole.end = std::max(whole.begin, inside_of(c, q, count, left + taps - 1).end);
            }
            Index panel = first * part.depth + from - part.k;
            const auto at = [&](Index i) {  // where the run's value `from` of column q + i would lie
                return ((sample * c.size.rows + row) * c.size.columns + (q + i) * c.stride.columns + left) *
                           c.channels +
                       part.group * channels + from - r * run;
            };
            const auto at_an_end = [&](Index i) {
                Index begin = from, behind = to;  // the values that exist; of taps that go one by one, all or none
                if (exists && joined) {
                    const Index column = (q + i) * c.stride.columns + left;
                    begin = std::clamp(r * run - column * channels, from, to);
                    behind = std::clamp(r * run + (c.size.columns - column) * channels, begin, to);
                } else {
                    begin = to;
                }
                if (from < begin) use(panel, Index{-1}, begin - from);
                if (begin < behind) use(panel + begin - from, at(i) + begin - from, behind - begin);
                if (behind < to && begin < to) use(panel + behind - from, Index{-1}, to - behind);
            };
            Index i = 0;
            for (; i < whole.begin; ++i, panel += part.depth) at_an_end(i);
            for (Index x = at(i); i < whole.end; ++i, panel += part.depth, x += step) use(panel, x, values);
            for (; i < count; ++i, panel += part.depth) at_an_end(i);
        }
    });
}

// The same in order of values: calls use(in panel, in x, values, step in x).
template <class Use>
void each_run_by_value(const Convolution2D& c, const PanelPart& part, Use use) {
    const Index channels = c.group_channels(), step = c.stride.columns * c.channels;
    for (Index k = 0; k < part.depth; ++k) {
        const Index tap = (part.k + k) / channels, channel = (part.k + k) % channels;
        const Index down = tap / c.kernel.columns * c.dilation.rows - c.before.rows;
        const Index right = tap % c.kernel.columns * c.dilation.columns - c.before.columns;
        each_row_of(c, part, [&](Index p, Index q, Index first, Index count, Index sample) {
            const Index row = p * c.stride.rows + down, panel = k * part.count + first;
            const bool exists = row >= 0 && row < c.size.rows;
            const Stretch inside = exists ? inside_of(c, q, count, right) : Stretch{count, count};
            if (inside.begin > 0) use(panel, Index{-1}, inside.begin, step);
            if (inside.begin < inside.end) {
                const Index column = (q + inside.begin) * c.stride.columns + right;
                const Index at = ((sample * c.size.rows + row) * c.size.columns + column) * c.channels;
                use(panel + inside.begin, at + part.group * channels + channel, inside.end - inside.begin, step);
            }
            if (inside.end < count) use(panel + inside.end, Index{-1}, count - inside.end, step);
        });
    }
}

// to = from, or to += from, from value `i` on: packets, then halves of one, for runs too short to be worth a call.
template <bool Add, class Packet, class T>
void move_run(Index i, Index count, const T* from, T* to) {
    namespace packets = Eigen::internal;
    using Traits = packets::unpacket_traits<Packet>;
    constexpr Index lanes = Traits::size;
    for (; i + lanes <= count; i += lanes) {
        const Packet moved = packets::ploadu<Packet>(from + i);
        packets::pstoreu(to + i, Add ? packets::padd(packets::ploadu<Packet>(to + i), moved) : moved);
    }
    if constexpr (packets::unpacket_traits<typename Traits::half>::size < lanes)
        move_run<Add, typename Traits::half>(i, count, from, to);
    else
        for (; i < count; ++i) to[i] = Add ? to[i] + from[i] : from[i];
}
template <bool Add, class T>
void move_run(Index count, const T* from, T* to) {
    move_run<Add, typename Eigen::internal::packet_traits<T>::type>(0, count, from, to);
}

// panel = what the positions see.
template <class T>
void gather(const Convolution2D& c, const PanelPart& part, PanelOrder order, const T* x, T* panel) {
    if (order == PanelOrder::ByPosition)
        each_run_by_position(c, part, [=](Index to, Index from, Index count) {
            if (from < 0)
                std::fill_n(panel + to, count, T(0));
            else
                move_run<false>(count, x + from, panel + to);
        });
    else
        each_run_by_value(c, part, [=](Index to, Index from, Index count, Index step) {
            if (from < 0)
                std::fill_n(panel + to, count, T(0));
            else if (step == 1)
                std::copy_n(x + from, count, panel + to);
            else
                for (Index i = 0; i < count; ++i) panel[to + i] = x[from + i * step];
        });
}

// x += the panel, each value where it was seen.
template <class T>
void scatter(const Convolution2D& c, const PanelPart& part, PanelOrder order, const T* panel, T* x) {
    if (order == PanelOrder::ByPosition)
        each_run_by_position(c, part, [=](Index from, Index to, Index count) {
            if (to >= 0) move_run<true>(count, panel + from, x + to);
        });
    else
        each_run_by_value(c, part, [=](Index from, Index to, Index count, Index step) {
            if (step == 1)
                for (Index i = 0; i < count && to >= 0; ++i) x[to + i] += panel[from + i];
            else
                for (Index i = 0; i < count && to >= 0; ++i) x[to + i * step] += panel[from + i];
        });
}

// Values of a panel, most of what one position sees of it, and fewest positions.
template <class T>
inline constexpr Index panel_values = std::max((Index{1} << 15) / static_cast<Index>(sizeof(T)), Index{16});
template <class T>
inline constexpr Index panel_depth = panel_values<T> / 16;

// Calls use(part) for all parts of a convolution over `samples` samples, whatever one sees deeper than a panel split.
// Positions of two samples come into one part only if `samples_meet`.
template <class T, class Use>
void each_part(const Convolution2D& c, Index samples, bool samples_meet, Use use) {
    const Index depth = std::min(c.depth(), panel_depth<T>), at_once = panel_values<T> / depth;
    const Index run = samples_meet ? samples * c.positions.count() : c.positions.count();
    for (Index start = 0; start < samples * c.positions.count(); start += run)
        for (Index first = 0; first < run; first += at_once)
            for (Index group = 0; group < c.groups; ++group)
                for (Index k = 0; k < c.depth(); k += depth)
                    use(PanelPart{group, k, std::min(depth, c.depth() - k), start + first,
                                  std::min(at_once, run - first)});
}

// The three products through panels. Not inlined: who goes another way does not carry their memory.
template <class T>
EIGEN_DONT_INLINE void add_panels_convolution(const Convolution2D& c, const T* w, const T* x, T* y, Index samples,
                                              const Initial<T>& initial) {
    const PanelOrder order = order_of(c);
    T panel[panel_values<T>];
    // Sample by sample, so that one has the same parts, and gives the same bits, whichever batch it stands in.
    each_part<T>(c, samples, false, [&](const PanelPart& part) {
        gather(c, part, order, x, panel);
        const Index filter = part.group * c.group_filters();
        const Initial<T> from{initial.accumulate || part.k > 0, initial.column ? initial.column + filter : nullptr};
        add_product(c.group_filters(), part.count, part.depth, w + filter + part.k * c.filters, c.filters,
                    order == PanelOrder::ByPosition ? Factor<T>{panel, 1, part.depth} : Factor<T>{panel, part.count, 1},
                    y + part.first * c.filters + filter, c.filters, from);
    });
}
template <class T>
EIGEN_DONT_INLINE void add_panels_transposed_convolution(const Convolution2D& c, const T* w, const T* y, T* x,
                                                         Index samples, const Initial<T>& initial) {
    if (!initial.accumulate) fill_columns<T>(c.channels, c.size.count() * samples, initial.column, x);
    const PanelOrder order = order_of(c);
    T panel[panel_values<T>];
    each_part<T>(c, samples, false, [&](const PanelPart& part) {
        const Index filter = part.group * c.group_filters();
        const T* const block = w + filter + part.k * c.filters;
        const T* const from = y + part.first * c.filters + filter;
        if (order == PanelOrder::ByPosition)
            add_transposed_product(part.depth, part.count, c.group_filters(), block, c.filters, from, c.filters, panel,
                                   part.depth, Initial<T>{false});
        else
            add_transposed_product(part.count, part.depth, c.group_filters(), from, c.filters, block, c.filters, panel,
                                   part.count, Initial<T>{false});
        scatter(c, part, order, panel, x);
    });
}
template <class T>
EIGEN_DONT_INLINE void add_panels_kernel_gradient(const Convolution2D& c, const T* y, const T* x, T* dw,
                                                  Index samples) {
    const PanelOrder order = order_of(c);
    T panel[panel_values<T>];
    each_part<T>(c, samples, true, [&](const PanelPart& part) {
        gather(c, part, order, x, panel);
        const Index filter = part.group * c.group_filters();
        add_product(c.group_filters(), part.depth, part.count, y + part.first * c.filters + filter, c.filters,
                    order == PanelOrder::ByPosition ? Factor<T>{panel, part.depth, 1} : Factor<T>{panel, 1, part.count},
                    dw + filter + part.k * c.filters, c.filters);
    });
}

/// y += W ∗ x for the long x and the short y, one sample after the other; y = initial + W ∗ x where `initial` says so.
template <class T>
EIGEN_DONT_INLINE void add_convolution(const Convolution2D& c, const T* w, const T* x, T* y, Index samples,
                                       const Initial<T>& initial = {}) {
    if (c.is_pointwise())
        add_product(c.filters, c.positions.count() * samples, c.channels, w, c.filters, {x, 1, c.channels}, y,
                    c.filters, initial);
    else if (c.is_without_gaps() && filtering_pays<T>(c.frames(), c.filters))
        add_filtered_convolution(c.frames(), c.filters, w, x, y, samples, initial);
    else if (c.is_without_gaps() && bands_fit<T>(c.frames()))
        add_direct_convolution(c.frames(), c.filters, w, x, y, samples, initial);
    else
        add_panels_convolution(c, w, x, y, samples, initial);
}

/// x += Wᵀ ∗ y, the transpose of `add_convolution`.
template <class T>
EIGEN_DONT_INLINE void add_transposed_convolution(const Convolution2D& c, const T* w, const T* y, T* x, Index samples,
                                                  const Initial<T>& initial = {}) {
    if (c.is_pointwise())
        add_transposed_product(c.channels, c.positions.count() * samples, c.filters, w, c.filters, y, c.filters, x,
                               c.channels, initial);
    else if (c.is_without_gaps() && falls_into_phases<T>(c.frames(), c.filters))
        add_transposed_by_phases(c.frames(), c.filters, w, y, x, samples, initial);
    else
        add_panels_transposed_convolution(c, w, y, x, samples, initial);
}

/// dW += ∂(yᵀ(W ∗ x))/∂W, and the gradient of a bias, as for one dimension.
template <Side Gradient, class T>
EIGEN_DONT_INLINE void add_kernel_gradient(const Convolution2D& c, const T* y, const T* x, T* dw, T* bias_gradient,
                                           Index samples) {
    if constexpr (Gradient == Side::Short) {
        if (bias_gradient) add_columns<T>(c.filters, c.positions.count() * samples, y, bias_gradient);
    } else {
        if (bias_gradient) add_columns<T>(c.channels, c.size.count() * samples, x, bias_gradient);
    }
    const bool direct = c.is_without_gaps() && bands_fit<T>(c.frames());
    if (c.is_pointwise())
        add_product(c.filters, c.channels, c.positions.count() * samples, y, c.filters, {x, c.channels, 1}, dw,
                    c.filters);
    else if (c.is_without_gaps() && filtered_gradient_pays<T>(c.frames(), c.filters))
        add_filtered_kernel_gradient(c.frames(), c.filters, y, x, dw, samples);
    else if (direct && c.filters == 1 && c.stride == Extent{1})
        add_direct_kernel_gradient_of_one(c.frames(), y, x, dw, samples);
    else if (direct && c.filters >= 4 && c.frames().run() >= 6)  // few filters and short runs leave registers empty
        add_direct_kernel_gradient(c.frames(), c.filters, y, x, dw, samples);
    else
        add_panels_kernel_gradient(c, y, x, dw, samples);
}

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#pragma GCC diagnostic pop
