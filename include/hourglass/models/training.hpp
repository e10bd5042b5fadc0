// One step of training: lay out, corrupt, forward, objective, back.
#pragma once

#include <concepts>

#include "hourglass/core/cause_of_non_finite.hpp"
#include "hourglass/models/objective.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace models {

/// A step of a model's training on a tape. Made, it is laid out; its methods are called in their order. What it is made
/// of must outlive it.
template <class T, class Pipeline, class Objective>
class TrainingStep {
    using Layers = typename Pipeline::Layers;
    using Passes = typename Objective::Passes;
    using Buffers = typename Passes::Buffers;

  public:
    TrainingStep(const Passes& passes, const Objective& objective, const Batch<T>& x, const Input<T>& target,
                 Tape<T>& tape, Index first_sample)
        : passes_(passes), objective_(objective), x_(x), target_(target), tape_(tape) {
        const Index n = x.cols(), k = Objective::replicas(passes), scratch = Objective::scratch_room(n),
                    weighted = Objective::weighted_room(target.rows(), n, k);
        core::Arena<T> arena{tape.arena(Passes::training_room(n, k, Pipeline::code_end) + core::room_for(x, n) +
                                        core::room_for(target, n) + scratch + weighted + Objective::added_room(n))};
        clean_ = core::packed(x.x, 0, n, arena);
        // x is its own target: the same memory, size and stride. The address alone does not tell.
        const bool itself =
            target.data() == x.x.data() && target.rows() == x.rows() && target.outerStride() == x.x.outerStride();
        wanted_ = itself ? clean_ : core::packed(target, 0, n, arena);
        buffers_ = Passes::training(arena, Pipeline::corrupts ? arena.take(x.rows() * n) : clean_, n, k,
                                    Pipeline::code_end, Pipeline::compared, false);
        if (x.is_given) buffers_.condition = core::packed(x.condition, 0, n, arena);
        buffers_.statistics = tape.statistics_memory();
        buffers_.first = first_sample;
        scratch_ = arena.take(scratch);
        weighted_ = arena.take(weighted);
        if constexpr (Pipeline::on_weights) Objective::take_added(arena, n, buffers_.added);
    }

    void corrupt(const Stream& random) {
        buffers_.random = &random;
        if constexpr (Pipeline::corrupts)
            objective_.corrupt(passes_, {clean_, x_.rows(), x_.cols()}, {buffers_.activation[0], x_.rows(), x_.cols()},
                               random.from_sample(buffers_.first), buffers_.team);
    }
    void forward() { passes_.run_forward(buffers_, 0, Pipeline::compared); }

    TrainingStep(const TrainingStep&) = delete;  // its buffers point into it
    TrainingStep& operator=(const TrainingStep&) = delete;

    /// The objective; its gradients are written to the buffers and added to θ's. `Error` where it is not finite, unless
    /// the tape says otherwise.
    T objective() {
        T* const d = tape_.gradient().data();
        clear_accumulated(d);
        typename Objective::Step step{buffers_, {wanted_, target_.rows(), target_.cols()}, scratch_, weighted_, d};
        const auto [reconstruction, penalty] = objective_.gradient(passes_, step);
        tape_.record(reconstruction, penalty);
        if constexpr (std::floating_point<T>)
            if (tape_.non_finite == NonFinite::Throw && !is_finite(reconstruction + penalty))
                fail("Autoencoder::gradient: the objective is not finite: ", Objective::loss_name, " is ",
                     reconstruction, ", the code terms add ", penalty, "; ",
                     core::cause_of_non_finite(passes_, x_, target_, Objective::left_out, buffers_, 0,
                                               Pipeline::compared, 0, Pipeline::name));
        return reconstruction + penalty;
    }
    /// To θ's gradient and, unless it is null, to that of the encoder's input.
    void backward(Matrix<T>* dx) {
        tape_.note_gradient_on_team(
            passes_.run_backward(buffers_, Pipeline::compared, tape_.gradient().data(), accumulate_, dx != nullptr));
        if (dx) core::assign_columns(*dx, buffers_.gradient[0], x_.rows(), x_.cols());
    }

  private:
    // Clears the gradients that are added to before the way back comes to their layers, by terms or by who shares their
    // weights; all others will be assigned.
    void clear_accumulated(T* d) {
        for (std::size_t i = 0; i < Layers::depth; ++i)
            accumulate_[i] = Passes::plan.shared[i] || (Pipeline::on_weights && i < Pipeline::code_begin) ||
                             (Pipeline::has_code_term && i == Pipeline::code_begin);
        Passes::clear_gradients(d, accumulate_);
        clear<T>({d + Layers::parameters, Objective::learned, 1});
    }

    const Passes& passes_;
    const Objective& objective_;
    const Batch<T>& x_;
    const Input<T>& target_;
    Tape<T>& tape_;
    Buffers buffers_;
    typename Passes::template Each<bool> accumulate_{};
    const T *clean_, *wanted_;
    T *scratch_, *weighted_;
};

}  // namespace models
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
