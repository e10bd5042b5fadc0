// Runs the layers of a network forward and back: on one thread, or on a team's.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "hourglass/core/arena.hpp"
#include "hourglass/core/buffers.hpp"
#include "hourglass/core/chain.hpp"
#include "hourglass/core/flush_denormals.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

/// Parameters θ, running values and layers of a network, and how they are run. `Marks` are activations where a pass may
/// also begin or end.
///
/// A team has the same work in other pieces. What is computed sample by sample is divided by samples, a run of layers
/// at a time; weights' gradients come when all of the way back has been gone, divided by weights, so that each is
/// summed by one thread in one order. A layer that knows no parts of its weights gives its gradient shard by shard of
/// the samples, without a team too.
template <class T, class Layers, std::size_t... Marks>
class Runner {
  public:
    static constexpr std::size_t depth = Layers::depth;
    static constexpr Plan<depth> plan = Layers::template fused_plan<Marks...>();
    template <class V>
    using Each = std::array<V, depth + 1>;
    using Buffers = core::Buffers<T, depth>;

    /// Runs layers begin … end − 1: on the team's threads. A layer in training that looks across the batch is
    /// called once and divides its own work.
    void run_forward(const Buffers& b, std::size_t begin, std::size_t end) const {
        if (is_divided(b))
            b.passes->forward(this, &b, begin, end);
        else
            run_layers(b, begin, end);
    }
    /// The way back from the gradient of activation `end`: to θ's at `d`, unless that is null, and with `to_input` to
    /// that of activation 0. Weights' gradients are assigned, or added to where `accumulate` says so of a layer.
    /// Returns whether it was divided among threads.
    bool run_backward(Buffers& b, std::size_t end, T* d, const Each<bool>& accumulate, bool to_input = false) const {
        const std::size_t begin = to_input ? 0 : d ? plan.first_trained : end;
        if (d) clear_shared_shards(b);
        const bool divided = is_divided(b);
        if (divided)
            b.passes->backward(this, &b, begin, end, d, accumulate.data(), to_input);
        else
            go_back(b, begin, end, d, accumulate.data(), to_input);
        return divided;
    }
    // Its address tells kinds of networks apart. Not a constant, which a linker may fold with another's.
    static inline char identity = 0;
    /// What a tape that is made with a team knows of these passes. A function, in which a class is complete: clang 19
    /// does not find in a static member's initializer what is declared behind it.
    static const TeamPasses& team_passes() {
        static constexpr TeamPasses passes{
            &identity,
            [](const void* runner, const void* buffers, std::size_t begin, std::size_t end) {
                static_cast<const Runner*>(runner)->forward_on_team(*static_cast<const Buffers*>(buffers), begin, end);
            },
            [](const void* runner, void* buffers, std::size_t begin, std::size_t end, void* d, const bool* accumulate,
               bool to_input) {
                static_cast<const Runner*>(runner)->backward_on_team(*static_cast<Buffers*>(buffers), begin, end,
                                                                     static_cast<T*>(d), accumulate, to_input);
            }};
        return passes;
    }
    static ConstView<T> condition_of(const Buffers& b) {
        return {b.condition, b.condition ? Layers::condition : 0, b.condition ? b.samples : 0};
    }

    Layers layers_;
    Vector<T> theta_, state_;

  protected:
    Runner(const Layers& layers, Index parameters) : layers_(layers), theta_(parameters), state_(Layers::state) {}

    // Whether a layer gives its weights' gradient shard by shard: compiled only for such.
    static constexpr bool has_shards = [] {
        for (std::size_t i = 0; i < depth; ++i)
            if (plan.has_weights(i) && plan.by_sample[i] && !plan.in_parts[i] && !plan.is_tied(i)) return true;
        return false;
    }();
    // How many parts of a batch give their share of a layer's dw, one after the other or at once: a layer's own parts
    // are better, and many weights would take much memory.
    static constexpr Index shards_at(std::size_t i, Index n) {
        constexpr Index most_values = Index{1} << 19;
        if (i == depth || !plan.by_sample[i] || plan.in_parts[i]) return 1;
        const std::size_t owner = plan.tied_to[i];  // a layer that shares weights adds to the owner's shards
        if (!plan.by_sample[owner] || plan.in_parts[owner]) return 1;
        const Index size = plan.offsets[owner + 1] - plan.offsets[owner];
        return size == 0 ? 1 : std::min(shards_of(n), std::max<Index>(1, most_values / size));
    }
    // Values of memory for a layer's shards but the first.
    static constexpr Index shard_room(std::size_t i, Index n) {
        return i == depth ? 0 : (shards_at(i, n) - 1) * whole_lines<T>(plan.offsets[i + 1] - plan.offsets[i]);
    }
    // Where a shard puts its share of the gradient of layer i's weights: the first one where all of it shall be, d.
    static T* shard(const Buffers& b, std::size_t i, Index number, T* d) {
        return number == 0 ? d + plan.offsets[i]
                           : b.shards[i] + (number - 1) * whole_lines<T>(plan.offsets[i + 1] - plan.offsets[i]);
    }
    // Those of weights that several layers use, which all of them add to.
    static void clear_shared_shards(const Buffers& b) {
        if constexpr (has_shards)
            for (std::size_t i = 0; i < depth; ++i)
                if (plan.shared[i] && b.shards[i]) std::fill_n(b.shards[i], shard_room(i, b.samples), T(0));
    }

  private:
    // Samples in a slice. A picture or a series may be so much work that a few of them are worth waking threads for.
    static constexpr Index slice_unit = [] {
        Index values = 0;
        for (const Index size : plan.sizes) values += size;
        return values < 16384 ? samples_unit : large_samples_unit;
    }();
    // Of a tape that was made for another kind of network of as many parameters, a team knows nothing of these passes.
    static bool is_divided(const Buffers& b) {
        return b.team && b.passes->network == &identity && slices_of(b.team, b.samples, slice_unit) > 1;
    }
    void forward_on_team(const Buffers& b, std::size_t begin, std::size_t end) const {
        while (begin < end) {
            std::size_t behind = begin;
            while (behind < end && (!b.random || plan.by_sample[behind])) ++behind;
            if (behind > begin)
                each_slice(
                    b.team, b.samples, [&](const Slice& some) { run_layers(b.part(plan, some), begin, behind); },
                    slice_unit);
            else
                run_layers(b, begin, ++behind);
            begin = behind;
        }
    }
    // All gradients of activations come first, sample by sample, and then those of weights, which read them: but for a
    // layer that would write over what its own weights' gradient reads.
    void backward_on_team(Buffers& b, std::size_t begin, std::size_t end, T* d, const bool* accumulate,
                          bool to_input) const {
        Each<bool> done{};
        while (end > begin) {
            std::size_t first = end;
            while (first > begin && plan.by_sample[first - 1] &&
                   !(plan.in_place[first - 1] && plan.has_weights(first - 1)))
                --first;
            if (first == end) {
                done[--first] = true;
                go_back(b, first, end, d, accumulate, to_input);
            } else {
                Each<bool> written{};
                each_slice(
                    b.team, b.samples,
                    [&](const Slice& some) {
                        Buffers part = b.part(plan, some);
                        go_back(part, first, end, nullptr, accumulate, to_input);
                        if (some.begin == 0) written = part.written;
                    },
                    slice_unit);
                b.written = written;
                // Those that share another's weights add now, before that one, as they do on one thread; in parts they
                // do so by themselves.
                for (std::size_t behind = end; d && behind > first; --behind)
                    if (const std::size_t i = behind - 1; plan.is_tied(i) && !plan.in_parts[i]) {
                        each_task(b.team, shards_at(i, b.samples),
                                  [&](Index s) { shard_gradient(b, i, s, d, accumulate[i]); });
                        add_shards(b, i, d);
                        done[i] = true;
                    }
            }
            end = first;
        }
        if (d) weights_gradients(b, done, d, accumulate);
    }

    EIGEN_DONT_INLINE void run_layers(const Buffers& b, std::size_t begin, std::size_t end) const {
        [[maybe_unused]] static constexpr auto functions =
            Layers::template forward_functions<T, Layers::template fused<Marks...>>();
        const FlushDenormals scope;
        const auto layers = layers_.layers();
        LayerCall<T> call = call_of(b);
        // Unrolled, for calls that are known ahead: a loop over the table took 2 % of a small network's time on a
        // sample.
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            ((begin <= I && I < end ? (move_to(call, b, I), functions[I](layers[I], call)) : void()), ...);
        }
        (std::make_index_sequence<depth>{});
    }
    // Layers end − 1 … begin: the gradient of each one's weights, unless d is null, and of what it has read.
    EIGEN_DONT_INLINE void go_back(Buffers& b, std::size_t begin, std::size_t end, T* d, const bool* accumulate,
                                   bool to_input) const {
        static constexpr auto functions = Layers::template backward_functions<T, Layers::template fused<Marks...>>();
        const FlushDenormals scope;
        const auto layers = layers_.layers();
        const auto wanted = [&](std::size_t i) { return to_input || i > plan.first_trained; };
        LayerCall<T> c = call_of(b);
        // Not i-- > begin, whose end g++ 12 takes for an index.
        for (std::size_t behind = end; behind > begin; --behind) {
            const std::size_t i = behind - 1;
            if (d && plan.has_weights(i)) {
                for (Index s = 0; s < shards_at(i, b.samples); ++s) shard_gradient(b, i, s, d, accumulate[i]);
                add_shards(b, i, d);
            }
            if (!wanted(i)) continue;
            move_to(c, b, i);
            c.dy = b.gradient[i + 1];
            c.dx = b.gradient[i];
            c.accumulate_dx = c.dx != c.dy && b.written[plan.owner[i]];
            b.written[plan.owner[i]] = true;
            c.branch_gradient = nullptr, c.accumulate_branch = true;
            if (const std::size_t from = plan.branch[i]; from != i && wanted(from)) {
                c.branch_gradient = b.gradient[from];
                c.accumulate_branch = b.written[plan.owner[from]];
                b.written[plan.owner[from]] = true;
            }
            functions[i](layers[i], c);
            if (b.added[i]) add(b, i);
        }
    }
    // What a term over the encoder gives for activation i, whose gradient holds all the rest by now: not before, as it
    // may lie in the memory of the next one's.
    static void add(const Buffers& b, std::size_t i) {
        const Index size = plan.sizes[i];
        T* const gradient = b.gradient[i];
        const T* const more = b.added[i];
        for (Index k = 0; k < size * b.samples; ++k) gradient[k] += more[k];
    }
    // The gradient of layer i's weights, its own and those it shares: of those in `part` of θ, over all samples.
    void weights_gradient(const Buffers& b, std::size_t i, const Slice& part, T* d, bool accumulate) const {
        const auto of = [&](std::size_t k) { return Slice{part.begin - plan.offsets[k], part.size}; };
        weights_gradient(b, i, d + plan.offsets[i], d + plan.offsets[plan.tied_to[i]], of(i), of(plan.tied_to[i]),
                         accumulate);
    }
    static bool has_weights_in(const Slice& part, std::size_t i) {
        const auto has = [&](std::size_t k) {
            return plan.offsets[k] < part.end() && part.begin < plan.offsets[k + 1];
        };
        return has(i) || has(plan.tied_to[i]);
    }
    // The share of one shard of the samples: the first one's goes to d, those of the others beside it.
    void shard_gradient(const Buffers& b, std::size_t i, Index number, T* d, bool accumulate) const {
        const std::size_t owner = plan.tied_to[i];
        if constexpr (has_shards) {
            if (const Index shards = shards_at(i, b.samples); shards > 1)
                return weights_gradient(b.part(plan, part_of(b.samples, shards, number, samples_unit)), i,
                                        shard(b, i, number, d), shard(b, owner, number, d), all_values, all_values,
                                        number == 0 ? accumulate : plan.shared[i]);
        }
        weights_gradient(b, i, d + plan.offsets[i], d + plan.offsets[owner], all_values, all_values, accumulate);
    }
    EIGEN_DONT_INLINE void weights_gradient(const Buffers& b, std::size_t i, T* dw, T* dshared, const Slice& part,
                                            const Slice& shared_part, bool accumulate) const {
        static constexpr auto functions = Layers::template backward_functions<T, Layers::template fused<Marks...>>();
        const FlushDenormals scope;
        LayerCall<T> c = call_of(b);
        move_to(c, b, i);
        c.dw = dw, c.dshared = dshared, c.part = part, c.shared_part = shared_part;
        c.dy = b.gradient[i + 1];
        c.accumulate_dw = accumulate;
        functions[i](layers_.layers()[i], c);
    }
    // Adds what the other shards gave to that of the first.
    static void add_shards(const Buffers& b, std::size_t i, T* d) {
        const Index size = plan.offsets[i + 1] - plan.offsets[i];
        if constexpr (has_shards)
            for (Index s = 1; s < shards_at(i, b.samples); ++s) {
                const T* const share = shard(b, i, s, d);
                for (Index k = 0; k < size; ++k) d[plan.offsets[i] + k] += share[k];
            }
    }
    // The gradients of all weights but those of the layers that are `done`, on the team's threads.
    void weights_gradients(const Buffers& b, const Each<bool>& done, T* d, const bool* accumulate) const {
        const auto is_due = [&](std::size_t i) { return plan.has_weights(i) && !done[i] && b.gradient[i + 1]; };
        // A part of θ for each thread, the same as it steps: its gradient and moments stay in its caches. Layers
        // that give no part of their weights' gradient alone give their shards.
        struct Shard {
            std::size_t layer;
            Index number;
        };
        std::array<Shard, (depth + 1) * static_cast<std::size_t>(most_shards)> shards;
        std::size_t count = 0;
        for (std::size_t behind = depth; behind > plan.first_trained; --behind)
            if (const std::size_t i = behind - 1; is_due(i) && !plan.in_parts[i])
                for (Index number = 0; number < shards_at(i, b.samples); ++number) shards[count++] = {i, number};
        const Index parts = b.team->size();
        each_task(b.team, parts + static_cast<Index>(count), [&](Index t) {
            if (t >= parts) {
                const auto [layer, number] = shards[static_cast<std::size_t>(t - parts)];
                return shard_gradient(b, layer, number, d, accumulate[layer]);
            }
            const Slice part = part_of(theta_.size(), parts, t, parameters_unit);
            for (std::size_t behind = depth; behind > plan.first_trained; --behind)
                if (const std::size_t i = behind - 1; is_due(i) && plan.in_parts[i] && has_weights_in(part, i))
                    weights_gradient(b, i, part, d, accumulate[i]);
        });
        for (std::size_t i = plan.first_trained; i < depth; ++i)
            if (b.shards[i] && !done[i] && b.gradient[i + 1]) add_shards(b, i, d);
    }

    // What all layers of a pass are given. One call moves from layer to layer: to build one for each took a hundredth
    // of the time of a small network on one sample.
    LayerCall<T> call_of(const Buffers& b) const {
        return {.theta = theta_.data(),
                .condition = condition_of(b),
                .random = Stream{0, 0},
                .training = b.random != nullptr,
                .team = is_divided(b) ? b.team : nullptr};
    }
    void move_to(LayerCall<T>& call, const Buffers& b, std::size_t i) const {
        call.w = theta_.data() + plan.offsets[i];
        call.state = state_.data() + plan.states[i];
        call.statistics = b.statistics ? b.statistics + plan.states[i] : nullptr;
        call.x = b.activation[i], call.y = b.activation[i + 1];
        call.cache = b.cache[i];
        call.branch = b.activation[plan.branch[i]];
        call.samples = b.columns(i), call.outputs = b.columns(i + 1);
        if (b.random)  // its place is its substream; of codes drawn several times each is a sample
            call.random = b.random->substream(static_cast<std::uint16_t>(i))
                              .from_sample(b.first * (call.outputs / std::max<Index>(b.samples, 1)));
    }
};

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
