// The passes of a network: where a pass finds its buffers, forward, back, and evaluation block by block.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hourglass/core/arena.hpp"
#include "hourglass/core/batch.hpp"
#include "hourglass/core/checks.hpp"
#include "hourglass/core/huge_pages.hpp"
#include "hourglass/core/packed.hpp"
#include "hourglass/core/runner.hpp"
#include "hourglass/core/slice.hpp"
#include "hourglass/core/tape.hpp"
#include "hourglass/core/term.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

// Shows an array by its name, its extents without trailing ones, its values, and where that is asked for what its layer
// says of it.
template <class T, class Use>
void show_array(const std::string& name, const Weight& w, T* values, Use& use) {
    using Values = Eigen::Map<std::conditional_t<std::is_const_v<T>, const Vector<std::remove_const_t<T>>, Vector<T>>>;
    const std::span<const Index> extents{w.extents.values.data(), w.extents.rank()};
    if constexpr (std::is_invocable_v<Use&, std::string_view, std::span<const Index>, Values, const Weight&>)
        use(std::string_view{name}, extents, Values{values, w.size()}, w);
    else
        use(std::string_view{name}, extents, Values{values, w.size()});
}

/// A network's parameters, running values and layers, and what a pass does with them: see `Runner`.
template <class T, class Layers, std::size_t... Marks>
class Passes : public Runner<T, Layers, Marks...> {
    using Base = Runner<T, Layers, Marks...>;

  public:
    using typename Base::Buffers;
    template <class V>
    using Each = typename Base::template Each<V>;
    using Base::condition_of;
    using Base::depth;
    using Base::layers_;
    using Base::plan;
    using Base::run_backward;
    using Base::run_forward;
    using Base::state_;
    using Base::theta_;
    static constexpr Index layer_parameters = Layers::parameters;

    /// `learned` values, 0 at first, follow the layers' parameters: those of a loss that learns.
    Passes(const Layers& layers, Rng& rng, Index learned)
        : Base(layers, Layers::parameters + learned), values_(theta_.size()) {
        prefer_huge_pages(theta_.data(), theta_.size());
        layers_.initialize(theta_.data(), rng);
        std::fill_n(theta_.data() + Layers::parameters, learned, T(0));
        layers_.initialize_state(state_.data());
    }

    /// θ, all parameters as one vector.
    Eigen::Map<Vector<T>> parameters() { return {theta_.data(), theta_.size()}; }
    Eigen::Map<const Vector<T>> parameters() const { return {theta_.data(), theta_.size()}; }
    /// Running values that are no parameters, such as the moving averages of `BatchNormalization`.
    Eigen::Map<Vector<T>> state() { return {state_.data(), state_.size()}; }
    Eigen::Map<const Vector<T>> state() const { return {state_.data(), state_.size()}; }
    /// Memory for one training loop; see `Tape`.
    Tape<T> tape() const { return Tape<T>(theta_.size(), state_.size()); }

    /// Whether all parameters and running values are there: not in what has been moved from.
    bool has_values() const { return theta_.size() == values_ && state_.size() == Layers::state; }
    void require_values(std::string_view function, std::string_view who) const {
        if (!has_values()) fail(function, ": the ", who, " has no parameters any more: it has been moved from");
    }

    /// Takes a batch's statistics into the running values, unless one is not finite; whether it did.
    bool fold(const Tape<T>& tape) {
        if constexpr (std::floating_point<T>)
            if (first_non_finite(tape.statistics().data(), tape.statistics().size()) >= 0) return false;
        layers_.fold(state_.data(), tape.statistics().data());
        return true;
    }

    /// Calls use(name, extents, values) for each array of the parameters, or of the running values, that begin at
    /// `values`; `name(i)` is how the names of layer i's begin.
    template <class V, class Name, class Use>
    static void each_weight(V* values, const Name& name, Use& use) {
        Layers::each_weight([&](std::size_t i, const Weight& w, Index at) {
            show_array(name(i) + std::string{w.name}, w, values + at, use);
        });
    }
    template <class V, class Name, class Use>
    static void each_state(V* values, const Name& name, Use& use) {
        Layers::each_state([&](std::size_t i, const Weight& w, Index at) {
            show_array(name(i) + std::string{w.name}, w, values + at, use);
        });
    }
    static std::vector<Slice> undecayed() {
        std::vector<Slice> slices;
        Layers::each_weight([&](std::size_t, const Weight& w, Index at) {
            if (!w.decays) slices.push_back({at, w.size()});
        });
        return slices;
    }

    /// At least as many values of memory as a training pass of n samples takes, its input and condition included.
    static Index training_room(Index n, Index replicas = 1, std::size_t replicated = depth + 1) {
        if (n > std::numeric_limits<Index>::max() / 64 / per_sample / replicas)
            fail("Tape: a pass of ", n, " samples, ", replicas, " codes each, is more than memory can be addressed");
        Index room = whole_lines<T>(Layers::condition * n);
        for (std::size_t i = 0; i <= depth; ++i) {
            const Index columns = i < replicated ? n : n * replicas, out = i + 1 < replicated ? n : n * replicas;
            room += 2 * whole_lines<T>(plan.sizes[i] * columns) + whole_lines<T>(plan.caches[i] * out) +
                    Base::shard_room(i, n);
        }
        return room;
    }
    /// Lays out a training pass of layers 0 … end − 1 over the batch at `x`. The gradient of activation `end` lies in
    /// that activation's own memory when nobody needs its values any more, unless it is to be `apart`.
    static Buffers training(Arena<T>& arena, const T* x, Index n, Index replicas, std::size_t replicated,
                            std::size_t end, bool apart) {
        Buffers b;
        b.samples = n, b.replicas = replicas, b.replicated = replicated, b.team = arena.team, b.passes = arena.passes;
        b.activation[0] = const_cast<T*>(x);  // read only: nothing works in place on a chain's input
        b.gradient[0] = arena.take(plan.shapes[0].size() * n);
        for (std::size_t i = 0; i < end; ++i) {
            const Index size = plan.shapes[i + 1].size() * b.columns(i + 1);
            const bool over = !apart && i + 1 == plan.owner[end] && !plan.needed[end];
            b.activation[i + 1] = plan.in_place[i] ? b.activation[i] : arena.take(size);
            b.gradient[i + 1] = plan.in_place[i] ? b.gradient[i] : over ? b.activation[i + 1] : arena.take(size);
            if (plan.caches[i] > 0) b.cache[i] = arena.take(plan.caches[i] * b.columns(i + 1));
            if (const Index room = Base::shard_room(i, n); room > 0) b.shards[i] = arena.take(room);
        }
        return b;
    }

    /// A loss's value, and its gradient as that of activation `end`: shard by shard, on the team's threads, where the
    /// loss can tell what some samples give. bind(first) is the loss of the samples from number `first` on.
    template <class Bind>
    EIGEN_DONT_INLINE static T loss_gradient(const Buffers& b, std::size_t end, const ConstView<T>& target,
                                             const Bind& bind) {
        const ConstView<T> prediction = activation_at(b, end);
        const View<T> d = gradient_at(b, end);
        if constexpr (requires { bind(Index{0}).template gradient_of_part<T>(prediction, target, d, Index{1}); }) {
            const Index n = prediction.cols(), shards = shards_of(n), slices = std::min(slices_of(b.team, n), shards);
            std::array<T, static_cast<std::size_t>(most_shards)> shares;
            // Shards side by side for each thread: about those that it has made the predictions of.
            each_task(b.team, slices, [&](Index slice) {
                for (Index s = shards * slice / slices; s < shards * (slice + 1) / slices; ++s) {
                    const Slice some = part_of(n, shards, s, samples_unit);
                    shares[static_cast<std::size_t>(s)] =
                        bind(some.begin)
                            .template gradient_of_part<T>(columns_of(prediction, some), columns_of(target, some),
                                                          columns_of(d, some), n);
                }
            });
            T sum = shares[0];
            for (Index s = 1; s < shards; ++s) sum += shares[static_cast<std::size_t>(s)];
            return sum;
        } else {
            return bind(Index{0}).template gradient<T>(prediction, target, d);
        }
    }
    // The gradient of activation i, to be added to: cleared where nobody has written yet.
    static View<T> gradient_to_add_to(Buffers& b, std::size_t i) {
        const View<T> gradient = gradient_at(b, i);
        if (!b.written[plan.owner[i]]) clear(gradient);
        b.written[plan.owner[i]] = true;
        return gradient;
    }
    /// What a term over the encoder sees of a pass; `layers` are those of `Layers::layers()`.
    template <class All>
    EncoderPass<T> encoder_pass(const All& layers, const Buffers& b, T* scratch, const Stream& random) const {
        return {.layers = layers.data(),
                .activation = b.activation.data(),
                .theta = theta_.data(),
                .state = state_.data(),
                .gradient = nullptr,
                .added = nullptr,
                .scratch = scratch,
                .team = b.team,
                .condition = condition_of(b),
                .samples = b.samples,
                .random = random};
    }
    /// Clears the gradients of the layers that `accumulate` names, which are added to.
    static void clear_gradients(T* d, const Each<bool>& accumulate) {
        for (std::size_t i = 0; i < depth; ++i)
            if (accumulate[i]) clear<T>({d + plan.offsets[i], plan.offsets[i + 1] - plan.offsets[i], 1});
    }
    static ConstView<T> activation_at(const Buffers& b, std::size_t i) {
        return {b.activation[i], plan.shapes[i].size(), b.columns(i)};
    }
    static View<T> gradient_at(const Buffers& b, std::size_t i) {
        return {b.gradient[i], plan.shapes[i].size(), b.columns(i)};
    }

    /// Layers begin … end − 1 in evaluation, a block of samples at a time: enough for full products, few enough to stay
    /// in the nearer caches. The result goes to `y`, unless that is null; use(buffers, first, arena) sees each block,
    /// of which `extra(n)` more values of the arena are free.
    template <class Extra, class Use>
    void run(const Batch<T>& x, std::size_t begin, std::size_t end, T* y, Tape<T>& tape, Extra extra, Use use) const {
        constexpr Index block = 256;
        const Index at_once = tape.team() ? block * tape.team()->size() : block;
        for (Index first = 0, n = 0; first < x.cols(); first += n) {
            n = std::min(at_once, x.cols() - first);
            // A last sample that is alone on one thread is so on all of them: in a layer of a program's own, Eigen's
            // product of one column has other bits.
            if (n > block && n % block == 1) --n;
            Index room = extra(std::min(block, n)) + room_for(x, n);
            for (std::size_t i = begin; i < end; ++i) room += whole_lines<T>(plan.sizes[i + 1] * n);
            Arena<T> arena{tape.arena(room)};
            Buffers b;
            b.samples = n, b.team = arena.team, b.passes = arena.passes;
            b.activation[begin] = const_cast<T*>(packed(x.x, first, n, arena));
            if (x.is_given) b.condition = packed(x.condition, first, n, arena);
            T* const result = y ? y + first * plan.shapes[end].size() : nullptr;
            std::size_t last = end;  // the activation in whose memory the last one lies
            while (last > begin && plan.in_place[last - 1]) --last;
            for (std::size_t i = begin; i < end; ++i)
                b.activation[i + 1] = plan.in_place[i]          ? b.activation[i]
                                      : result && i + 1 == last ? result
                                                                : arena.take(plan.shapes[i + 1].size() * n);
            run_forward(b, begin, end);
            if (result && b.activation[end] != result)  // nothing but reshapes: what came in is what goes out
                std::copy_n(b.activation[end], plan.shapes[end].size() * n, result);
            for (Index from = 0; from < n; from += block) {  // blocks of one size, however many threads there are
                Arena<T> rest = arena;
                const Buffers some = n <= block ? b : b.part(plan, {from, std::min(block, n - from)});
                use(some, first + from, rest);
            }
        }
    }
    void run(const Batch<T>& x, std::size_t begin, std::size_t end, T* y, Tape<T>& tape) const {
        run(
            x, begin, end, y, tape, [](Index) { return Index{0}; }, [](const Buffers&, Index, Arena<T>&) {});
    }
    /// The output of layers begin … end − 1: a matrix, or a view of the tape's memory, valid until the tape's next use.
    Matrix<T> evaluate(const Batch<T>& x, std::size_t begin, std::size_t end) const {
        Tape<T> scratch(0);
        Matrix<T> y(plan.shapes[end].size(), x.cols());
        run(x, begin, end, y.data(), scratch);
        return y;
    }
    ConstView<T> evaluate(const Batch<T>& x, std::size_t begin, std::size_t end, Tape<T>& tape) const {
        T* const y = tape.result(plan.shapes[end].size() * x.cols(), x.x.data(), x.condition.data());
        run(x, begin, end, y, tape);
        return {y, plan.shapes[end].size(), x.cols()};
    }

    /// Whether NaN in x is a missing value.
    static constexpr bool takes_missing = [] {
        if constexpr (depth > 0)
            return traits_of<typename Layers::template Layer<0>>().takes_missing;
        else
            return false;
    }();

  private:
    Index values_;  // as many as θ has, if it has not been moved away
    static constexpr Index per_sample = [] {
        Index sum = 1;
        for (std::size_t i = 0; i <= depth; ++i) sum += plan.shapes[i].size() + plan.caches[i];
        return sum;
    }();
};

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
