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

#include "hourglass/core/batch.hpp"
#include "hourglass/core/chain.hpp"
#include "hourglass/core/checks.hpp"
#include "hourglass/core/flush_denormals.hpp"
#include "hourglass/core/huge_pages.hpp"
#include "hourglass/core/packed.hpp"
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

/// Parameters θ, running values and layers of a network, and what a pass does with them. `Marks` are activations where
/// a pass may also begin or end.
template <class T, class Layers, std::size_t... Marks>
class Passes {
  public:
    static constexpr std::size_t depth = Layers::depth;
    static constexpr Index layer_parameters = Layers::parameters;
    static constexpr Plan<depth> plan = Layers::template marked_plan<Marks...>();
    template <class V>
    using Each = std::array<V, depth + 1>;

    /// Where one pass finds each activation, its gradient and each layer's cache.
    struct Buffers {
        Each<T*> activation{}, gradient{}, cache{};
        Each<bool> written{};                // by plan.owner[i]: the gradient of activation i holds something already
        Index samples = 0, replicas = 1;     // columns, and how many a sample has …
        std::size_t replicated = depth + 1;  // … from this activation on
        const T* condition = nullptr;        // the values given with each sample
        const Stream* random = nullptr;      // of a training pass
        T* statistics = nullptr;

        Index columns(std::size_t i) const { return i < replicated ? samples : samples * replicas; }
    };

    /// `learned` values, 0 at first, follow the layers' parameters: those of a loss that learns.
    Passes(const Layers& layers, Rng& rng, Index learned)
        : layers_(layers), theta_(Layers::parameters + learned), state_(Layers::state), values_(theta_.size()) {
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
            room += 2 * whole_lines<T>(plan.shapes[i].size() * columns) + whole_lines<T>(plan.caches[i] * out);
        }
        return room;
    }
    /// Lays out a training pass of layers 0 … end − 1 over the batch at `x`. The gradient of activation `end` lies in
    /// that activation's own memory when nobody needs its values any more, unless it is to be `apart`.
    static Buffers training(Arena<T>& arena, const T* x, Index n, Index replicas, std::size_t replicated,
                            std::size_t end, bool apart) {
        Buffers b;
        b.samples = n, b.replicas = replicas, b.replicated = replicated;
        b.activation[0] = const_cast<T*>(x);  // read only: nothing works in place on a chain's input
        b.gradient[0] = arena.take(plan.shapes[0].size() * n);
        for (std::size_t i = 0; i < end; ++i) {
            const Index size = plan.shapes[i + 1].size() * b.columns(i + 1);
            const bool over = !apart && i + 1 == plan.owner[end] && !plan.needed[end];
            b.activation[i + 1] = plan.in_place[i] ? b.activation[i] : arena.take(size);
            b.gradient[i + 1] = plan.in_place[i] ? b.gradient[i] : over ? b.activation[i + 1] : arena.take(size);
            if (plan.caches[i] > 0) b.cache[i] = arena.take(plan.caches[i] * b.columns(i + 1));
        }
        return b;
    }

    /// Runs layers begin … end − 1.
    void run_forward(const Buffers& b, std::size_t begin, std::size_t end) const {
        [[maybe_unused]] static constexpr auto functions = Layers::template forward_functions<T>();
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
    /// The way back from the gradient of activation `end`: to θ's at `d`, unless that is null, and with `to_input` to
    /// that of activation 0. Weights' gradients are assigned, or added to where `accumulate` says so of a layer.
    void run_backward(Buffers& b, std::size_t end, T* d, const Each<bool>& accumulate, bool to_input = false) const {
        static constexpr auto functions = Layers::template backward_functions<T>();
        const FlushDenormals scope;
        const auto layers = layers_.layers();
        const auto wanted = [&](std::size_t i) { return to_input || i > plan.first_trained; };
        const std::size_t begin = to_input ? 0 : d ? plan.first_trained : end;
        LayerCall<T> c = call_of(b);
        c.dtheta = d;
        // Not i-- > begin, whose end g++ 12 takes for an index.
        for (std::size_t behind = end; behind > begin; --behind) {
            const std::size_t i = behind - 1;
            move_to(c, b, i);
            c.dw = d ? d + plan.offsets[i] : nullptr;
            c.dy = b.gradient[i + 1];
            c.accumulate_dw = accumulate[i];
            c.dx = wanted(i) ? b.gradient[i] : nullptr;
            c.accumulate_dx = c.dx && c.dx != c.dy && b.written[plan.owner[i]];
            if (c.dx) b.written[plan.owner[i]] = true;
            c.branch_gradient = nullptr, c.accumulate_branch = true;
            if (const std::size_t from = plan.branch[i]; from != i && wanted(from)) {
                c.branch_gradient = b.gradient[from];
                c.accumulate_branch = b.written[plan.owner[from]];
                b.written[plan.owner[from]] = true;
            }
            functions[i](layers[i], c);
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
                .dx = nullptr,
                .scratch = scratch,
                .condition = condition_of(b),
                .samples = b.samples,
                .random = random};
    }
    /// Clears the gradients of the layers that `accumulate` names, which are added to.
    static void clear_gradients(T* d, const Each<bool>& accumulate) {
        for (std::size_t i = 0; i < depth; ++i)
            if (accumulate[i]) clear<T>({d + plan.offsets[i], plan.offsets[i + 1] - plan.offsets[i], 1});
    }
    static ConstView<T> condition_of(const Buffers& b) {
        return {b.condition, b.condition ? Layers::condition : 0, b.condition ? b.samples : 0};
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
        for (Index first = 0; first < x.cols(); first += block) {
            const Index n = std::min(block, x.cols() - first);
            Index room = extra(n) + room_for(x, n);
            for (std::size_t i = begin; i < end; ++i) room += whole_lines<T>(plan.shapes[i + 1].size() * n);
            Arena<T> arena{tape.memory(room)};
            Buffers b;
            b.samples = n;
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
            use(b, first, arena);
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

    /// Where a value that is not finite came from, for a message: x, its condition or the target, else the first layer
    /// behind which there is one, looked for by running layers begin … end − 1 again; `name(i)` is that of layer i, and
    /// the buffers' first sample is number `first` of the batch.
    template <class Name>
    std::string cause_of_non_finite(const Batch<T>& x, const Input<T>& target, const Buffers& b, std::size_t begin,
                                    std::size_t end, Index first, const Name& name) const {
        std::string cause = non_finite_value(begin == 0 ? "x" : "the code", x.x);
        if (cause.empty()) cause = non_finite_value("the condition", x.condition);
        if (cause.empty()) cause = non_finite_value("the target", target);
        if constexpr (std::floating_point<T>)
            for (std::size_t i = begin; i < end && cause.empty(); ++i) {
                run_forward(b, i, i + 1);
                const Index size = plan.shapes[i + 1].size(), columns = b.columns(i + 1);
                if (const Index at = first_non_finite(b.activation[i + 1], size * columns); at >= 0)
                    cause = message_of("x and the target are finite; the first value that is not comes out of layer ",
                                       name(i), " (", Layers::names()[i], "), for sample ",
                                       first + at / size / (columns / b.samples));
            }
        return cause.empty() ? "x, the target and all layers' outputs are finite" : cause;
    }

    Layers layers_;
    Vector<T> theta_, state_;

  private:
    Index values_;  // as many as θ has, if it has not been moved away
    static constexpr Index per_sample = [] {
        Index sum = 1;
        for (std::size_t i = 0; i <= depth; ++i) sum += plan.shapes[i].size() + plan.caches[i];
        return sum;
    }();

    // What all layers of a pass are given. One call moves from layer to layer: to build one for each took a hundredth
    // of the time of a small network on one sample.
    LayerCall<T> call_of(const Buffers& b) const {
        return {.theta = theta_.data(),
                .condition = condition_of(b),
                .random = Stream{0, 0},
                .training = b.random != nullptr};
    }
    void move_to(LayerCall<T>& call, const Buffers& b, std::size_t i) const {
        call.w = theta_.data() + plan.offsets[i];
        call.state = state_.data() + plan.states[i];
        call.statistics = b.statistics ? b.statistics + plan.states[i] : nullptr;
        call.x = b.activation[i], call.y = b.activation[i + 1];
        call.cache = b.cache[i];
        call.branch = b.activation[plan.branch[i]];
        call.samples = b.columns(i), call.outputs = b.columns(i + 1);
        if (b.random) call.random = b.random->substream(static_cast<std::uint16_t>(i));  // its place is its substream
    }
};

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
