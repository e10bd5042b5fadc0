// A network: one chain of layers with its parameters and running values, trained by a loop of the caller's.
#pragma once

#include <Eigen/Core>
#include <array>
#include <ostream>
#include <string>
#include <string_view>

#include "hourglass/core/cause_of_non_finite.hpp"
#include "hourglass/core/loss_at.hpp"
#include "hourglass/core/trainable.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

template <class T, class Encoder, class Decoder, class Loss, class... Terms>
class BasicAutoencoder;

/// A chain with parameters, trained by itself: a classifier, a critic, a generator.
///
///     auto critic = hg::network<Critic>(rng);
///     auto tape = critic.tape();
///     const auto score = critic.forward(x, tape, rng);
///     critic.backward(dscore, tape);  // or backward(dscore, tape, dx), with the gradient of x as well
///     adam.step(critic, tape);
///
/// With a loss of the library's the two are one: `gradient(x, target, loss, tape, rng)`. Batches are matrices of one
/// column per sample. All parameters are one flat vector, layer after layer. Methods throw `Error`, before they change
/// anything, for a batch that does not fit. Const methods may run on several threads, each with its own tape. `Layers`
/// is a `Chain`. An autoencoder is built on a network of its layers in one sequence, whose passes also begin and end at
/// `Marks`: the encoder's output and the code.
template <class T, class Layers, std::size_t... Marks>
class Network : public core::Trainable<Network<T, Layers, Marks...>, T> {
    using Base = core::Trainable<Network, T>;
    using Passes = core::Passes<T, Layers, Marks...>;
    using Buffers = typename Passes::Buffers;
    static constexpr std::size_t depth = Layers::depth;
    static_assert(core::plan_is_sound<Layers, sizeof...(Marks) == 0>());

  public:
    /// Draws the first parameters from `rng`.
    explicit Network(Rng& rng) : Network(Layers{}, rng) {}
    Network(const Layers& layers, Rng& rng) : passes_(layers, rng, 0) {}

    /// The chain's output for a batch in training (dropout acts, batches are normalised by themselves), output × n: a
    /// view of the tape's memory, valid until its next use. x is copied onto the tape. One `backward` or
    /// `backward_input` may follow. `rng` gives the step's noise. A part of a batch says which number its first sample
    /// has in the whole, and draws the noise that the whole would draw for these.
    ConstView<T> forward(const Batch<T>& x, Tape<T>& tape, Rng& rng, Index first_sample = 0) const {
        check("Network::forward", x, tape);
        const Index n = x.cols();
        Buffers b = on_tape(tape, n);
        core::copy_columns(x.x, 0, n, b.activation[0]);
        if (x.is_given) core::copy_columns(x.condition, 0, n, const_cast<T*>(b.condition));
        const Stream random = rng.stream();
        b.random = &random, b.first = first_sample;
        passes_.run_forward(b, 0, depth);
        tape.pend(this, &Passes::plan, n, random, first_sample);
        return Passes::activation_at(b, depth);
    }
    /// The way back of the last `forward`, from the gradient with respect to its result, output × n: assigns
    /// `tape.gradient()`, and dx, input × n, where it is asked for. `backward_input` leaves the tape's gradient as it
    /// is. Errors: no forward pass on this tape whose way back is still to come, another size.
    void backward(const Input<T>& dy, Tape<T>& tape) const {
        go_back("Network::backward", dy, tape, tape.gradient().data(), nullptr);
    }
    void backward(const Input<T>& dy, Tape<T>& tape, Matrix<T>& dx) const {
        go_back("Network::backward", dy, tape, tape.gradient().data(), &dx);
    }
    void backward_input(const Input<T>& dy, Tape<T>& tape, Matrix<T>& dx) const {
        go_back("Network::backward_input", dy, tape, nullptr, &dx);
    }

    /// Forward, a loss and back in one: returns the loss of a batch and assigns its gradient to the tape's. `target` is
    /// output × n. A loss that belongs to the last activation is computed from what goes into that. `first_sample`: as
    /// in `forward`. `Error` when the loss is not finite, unless `tape.non_finite` says otherwise.
    template <class Loss>
    T gradient(const Batch<T>& x, const Input<T>& target, const Loss& loss, Tape<T>& tape, Rng& rng,
               Index first_sample = 0) const {
        static_assert(core::learned_by<Loss>() == 0, "hourglass: a network has no parameters for a loss that learns");
        using At = core::LossAt<Layers, Loss>;
        constexpr std::size_t end = At::activation(0);
        constexpr std::string_view function = "Network::gradient";
        const Index n = x.cols();
        check(function, x, tape);
        core::require_target(function, target, Layers::output, n, tape);
        loss.check();
        core::Arena<T> arena{tape.arena(Passes::training_room(n) + core::room_for(x, n) + core::room_for(target, n))};
        Buffers b = Passes::training(arena, core::packed(x.x, 0, n, arena), n, 1, depth + 1, end, false);
        if (x.is_given) b.condition = core::packed(x.condition, 0, n, arena);
        const ConstView<T> wanted{core::packed(target, 0, n, arena), target.rows(), n};
        const Stream random = rng.stream();
        b.random = &random, b.first = first_sample;
        b.statistics = tape.statistics_memory();
        passes_.run_forward(b, 0, end);
        const T value = Passes::loss_gradient(b, end, wanted, [&](Index first) -> decltype(auto) {
            return At::template bind<At::fused_from(0), end, T>(loss, {function, first}, nullptr, nullptr, 0);
        });
        tape.record(value, T(0));
        if constexpr (std::floating_point<T>)
            if (tape.non_finite == NonFinite::Throw && !is_finite(value))
                fail(function, ": the loss is not finite: ", core::name_of<Loss>(), " is ", value, "; ",
                     core::cause_of_non_finite(passes_, x, target, core::may_be_missing<Loss>(), b, 0, end, 0, name));
        b.written[Passes::plan.owner[end]] = true;
        go_back(b, end, tape, tape.gradient().data(), false);
        return value;
    }

    /// The chain's output in evaluation (no dropout, running averages), output × n. What is not finite is passed on.
    /// With a tape the result is a view of its memory, valid until the tape's next use, of which it may be an argument.
    Matrix<T> evaluate(const Batch<T>& x) const {
        require_batch("Network::evaluate", x);
        return passes_.evaluate(x, 0, depth);
    }
    ConstView<T> evaluate(const Batch<T>& x, Tape<T>& tape) const {
        require_batch("Network::evaluate", x, &tape);
        return passes_.evaluate(x, 0, depth, tape);
    }

    /// What it is made of, a line a layer: "0 Dense: 784 to 128, 100480 parameters".
    std::string architecture() const { return passes_.layers_.architecture(&Network::name); }

    /// A table: one row a layer (name, output shape, parameters, hyperparameters), then the total.
    friend std::ostream& operator<<(std::ostream& out, const Network& network) {
        return out << network.passes_.layers_;
    }

  private:
    template <class, class, class, class, class...>
    friend class BasicAutoencoder;
    friend Base;
    static constexpr std::string_view kind = "network", type_name = "Network";
    static constexpr std::array<Weight, 0> learned() { return {}; }
    template <class Self, class Use>
    static void each_part_of(Self& self, Use& use) {
        Base::each_layer_of(self.passes_, &Network::name, use);
    }
    Passes& passes() { return passes_; }
    const Passes& passes() const { return passes_; }

    struct ForModel {};
    // `values` values, 0 at first, follow the layers' parameters: those of a loss that learns.
    Network(ForModel, const Layers& layers, Rng& rng, Index values) : passes_(layers, rng, values) {}

    static std::string name(std::size_t i) { return Passes::plan.path(i, 0, depth); }

    void require_batch(std::string_view function, const Batch<T>& x, const Tape<T>* tape = nullptr) const {
        core::require_batch(function, "x", x, Layers::input, Layers::condition, tape);
        passes_.require_values(function, "network");
    }
    void check(std::string_view function, const Batch<T>& x, const Tape<T>& tape) const {
        require_batch(function, x, &tape);
        this->require_tape(function, tape);
    }
    // Where a pass of n samples lies on a tape, input and condition included.
    static Buffers on_tape(Tape<T>& tape, Index n) {
        core::Arena<T> arena{tape.arena(Passes::training_room(n))};
        T *const x = arena.take(Layers::input.size() * n), *const condition = arena.take(Layers::condition * n);
        Buffers b = Passes::training(arena, x, n, 1, depth + 1, depth, true);
        b.condition = Layers::condition > 0 ? condition : nullptr;
        b.statistics = tape.statistics_memory();
        return b;
    }
    void go_back(Buffers& b, std::size_t end, Tape<T>& tape, T* d, bool to_input) const {
        // Who shares weights adds to their gradient, perhaps before their owner assigns it.
        if (d) Passes::clear_gradients(d, Passes::plan.shared);
        const bool divided = passes_.run_backward(b, end, d, Passes::plan.shared, to_input);
        if (d) tape.note_gradient_on_team(divided);
    }
    void go_back(std::string_view function, const Input<T>& dy, Tape<T>& tape, T* d, Matrix<T>* dx) const {
        this->require_tape(function, tape);
        const core::PendingPass& pending = tape.pending();
        if (pending.network != this || pending.plan != &Passes::plan)
            fail(function, ": this tape holds no forward pass of this network that backward has not used yet");
        const Index n = pending.samples;
        const Stream random = pending.random;
        if (dy.rows() != Layers::output.size() || dy.cols() != n)
            fail(function, ": the gradient is ", dy.rows(), " x ", dy.cols(), ", expected ", Layers::output.size(),
                 " x ", n, " as forward returned");
        Buffers b = on_tape(tape, n);  // the memory that forward had
        b.random = &random, b.first = pending.first;
        core::copy_columns(dy, 0, n, b.gradient[depth]);
        b.written[Passes::plan.owner[depth]] = true;
        go_back(b, depth, tape, d, dx != nullptr);
        if (dx) core::assign_columns(*dx, b.gradient[0], Layers::input.size(), n);
    }

    Passes passes_;
};

/// A network from its type: `network<Critic>(rng)`, or `network<Critic, double>(rng)`.
template <class Layers, class T = float>
Network<T, Layers> network(Rng& rng) {
    return Network<T, Layers>(rng);
}
/// A network from a chain of layer values: `network(chain, rng)`; in double `network<double>(chain, rng)`.
template <class T = float, Shape Input, class... L>
Network<T, Chain<Input, L...>> network(const Chain<Input, L...>& layers, Rng& rng) {
    return {layers, rng};
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
