// Training on many machines, data-parallel over MPI: a header of its own, for programs that have it.
#pragma once

// The C interface alone: that of C++ is a library of its own, and no longer part of MPI.
#pragma push_macro("OMPI_SKIP_MPICXX")
#pragma push_macro("MPICH_SKIP_MPICXX")
#undef OMPI_SKIP_MPICXX
#undef MPICH_SKIP_MPICXX
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>
#undef OMPI_SKIP_MPICXX
#undef MPICH_SKIP_MPICXX
#pragma pop_macro("OMPI_SKIP_MPICXX")
#pragma pop_macro("MPICH_SKIP_MPICXX")

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <utility>

#include "hourglass/core/checks.hpp"
#include "hourglass/core/slice.hpp"
#include "hourglass/core/tape.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The ranks of an MPI communicator that train one model together, each on its part of every batch. The loop is the one
/// for a single machine but for two lines:
///
///     hg::DataParallel ranks{MPI_COMM_WORLD};
///     ranks.broadcast(model);
///     for (const auto& batch : hg::minibatches(images, 256, rng)) {
///         const float loss = ranks.gradient(model, batch, tape, rng);
///         adam.step(model, tape);
///     }
///
/// Every rank holds the model, an optimiser of its own and an `Rng` of the same seed. Each batch's gradient, running
/// statistics and loss are averaged over its samples, wherever they are, in one `MPI_Allreduce`, whose result MPI
/// requires to be the same on all ranks (MPI 3.1, section 5.9.6); so every rank makes the same step, and the models
/// stay the same. That is the step of a single rank to rounding, noise included, but for what looks across the batch
/// (`BatchNormalization`, `BatchTopK`, `KlSparsity`, `MaximumMeanDiscrepancy`, free bits of `GaussianLatent`), which
/// sees its rank's samples. It is the same bits run after run for the same number of ranks as far as the MPI sums in a
/// fixed order, as the standard recommends and Open MPI does.
///
/// All ranks call the same methods in the same order. What MPI reports of their messages is an `Error`. An error on one
/// rank alone, such as a file that is not there, leaves the others waiting: catch it around the loop and call
/// `MPI_Abort`.
class DataParallel {
  public:
    /// Where a rank's samples lie in a batch of `whole` samples.
    struct Part {
        Slice samples;    ///< this rank's; it may have none
        Index whole = 0;  ///< those of all ranks
    };

    /// Between MPI_Init and MPI_Finalize, which it must not outlive. Its messages are kept apart from all others of
    /// the communicator. `Error` before and after, and of `MPI_COMM_NULL`; what else is wrong with the communicator is
    /// reported by its own handler, which ends the program unless you have set another.
    explicit DataParallel(MPI_Comm communicator) {
        int is_ready = 0;
        MPI_Initialized(&is_ready);
        if (!is_ready) fail("DataParallel: MPI_Init comes first");
        if (is_over()) fail("DataParallel: MPI_Finalize has been called");
        if (communicator == MPI_COMM_NULL) fail("DataParallel: the communicator is MPI_COMM_NULL");
        require("MPI_Comm_dup", MPI_Comm_dup(communicator, &communicator_));
        MPI_Comm_set_errhandler(communicator_, MPI_ERRORS_RETURN);
        MPI_Comm_rank(communicator_, &rank_);
        MPI_Comm_size(communicator_, &size_);
    }
    ~DataParallel() {
        if (!is_over()) MPI_Comm_free(&communicator_);
    }
    DataParallel(const DataParallel&) = delete;
    DataParallel& operator=(const DataParallel&) = delete;

    /// This rank's number, from 0, and how many there are.
    int rank() const { return rank_; }
    int size() const { return size_; }

    /// Parameters and running values of every rank become those of rank 0: before the first step.
    template <class Model>
    void broadcast(Model& model) const {
        for (auto values : {model.parameters(), model.state()})
            each_message(values, [&](auto* begin, int count, MPI_Datatype type) {
                require("MPI_Bcast", MPI_Bcast(begin, count, type, 0, communicator_));
            });
    }

    /// The objective of a batch that every rank holds, and its gradient on the tape, the same on all ranks: each
    /// computes the part of it that `part` says. With a target: as `model.gradient`. `Error` on all ranks when the
    /// objective is not finite, unless `tape.non_finite` says otherwise. Batches of different sizes are an `Error`, on
    /// some ranks at least.
    template <class Model, class T = typename Model::Scalar>
    T gradient(const Model& model, const Batch<typename Model::Scalar>& batch, Tape<T>& tape, Rng& rng) const {
        return gradient(model, batch, batch.x, tape, rng);
    }
    template <class Model, class T = typename Model::Scalar>
    T gradient(const Model& model, const Batch<typename Model::Scalar>& batch,
               const Input<typename Model::Scalar>& target, Tape<T>& tape, Rng& rng) const {
        core::require_same_columns<T>("DataParallel::gradient", "the target", batch.cols(), target);
        const Part mine = part(batch.cols());
        return gradient_of(mine, model, batch, target, mine.samples, tape, rng);
    }
    /// The same of a batch that is the ranks' shards put together, in the order of their numbers: for data that are
    /// divided among the machines. A rank may have more samples than another.
    template <class Model, class T = typename Model::Scalar>
    T gradient_of_shards(const Model& model, const Batch<typename Model::Scalar>& shard, Tape<T>& tape,
                         Rng& rng) const {
        return gradient_of_shards(model, shard, shard.x, tape, rng);
    }
    template <class Model, class T = typename Model::Scalar>
    T gradient_of_shards(const Model& model, const Batch<typename Model::Scalar>& shard,
                         const Input<typename Model::Scalar>& target, Tape<T>& tape, Rng& rng) const {
        return gradient_of(place(shard.cols()), model, shard, target, {0, shard.cols()}, tape, rng);
    }

    /// For passes of other kinds, such as a network's: which samples of a batch of so many are this rank's …
    Part part(Index samples) const {
        if (samples < 1) fail("DataParallel::part: expected at least one sample, got ", samples);
        return {core::part_of(samples, size_, rank_, 1), samples};
    }
    /// … or where so many samples that only this rank holds lie in the batch of all of them; the ranks ask each other.
    Part place(Index samples) const {
        long long mine = samples, upto = 0, whole = 0;
        require("MPI_Scan", MPI_Scan(&mine, &upto, 1, MPI_LONG_LONG, MPI_SUM, communicator_));
        require("MPI_Allreduce", MPI_Allreduce(&mine, &whole, 1, MPI_LONG_LONG, MPI_SUM, communicator_));
        if (whole < 1) fail("DataParallel::place: no rank has a sample");
        return {{static_cast<Index>(upto) - samples, samples}, static_cast<Index>(whole)};
    }
    /// … and the average, over the ranks' samples, of what a pass of this part left on the tape: gradient, running
    /// statistics, reconstruction and penalty. Returns the sum of the last two. `Error`, on some ranks at least, where
    /// the parts are not those of one batch.
    template <class T>
    T average(Tape<T>& tape, const Part& mine) const {
        Eigen::Map<Vector<T>> sums = tape.sums();
        if (sums.size() < 4) fail("DataParallel::average: the tape has been moved from");
        T* const last = sums.data() + sums.size() - 4;
        last[0] = tape.reconstruction(), last[1] = tape.penalty(), last[2] = T(1);
        if (mine.samples.size > 0)
            sums *= static_cast<T>(static_cast<double>(mine.samples.size) / static_cast<double>(mine.whole));
        else
            sums.setZero();  // what lies there is an earlier batch's, and perhaps not finite
        last[3] = static_cast<T>(mine.samples.size);
        each_message(sums, [&](T* values, int count, MPI_Datatype type) {
            require("MPI_Allreduce", MPI_Allreduce(MPI_IN_PLACE, values, count, type, MPI_SUM, communicator_));
        });
        const T rounding = static_cast<T>(size_) * std::numeric_limits<T>::epsilon(),
                whole = static_cast<T>(mine.whole);
        if (std::abs(last[3] - whole) > rounding * whole || std::abs(last[2] - T(1)) > rounding)
            fail("DataParallel: the ranks computed ", last[3], " samples together, expected the ", mine.whole,
                 " of this rank's batch: have they been given batches of the same size?");
        tape.record(last[0], last[1]);
        tape.note_gradient_on_team(false);  // but on this thread
        return last[0] + last[1];
    }

  private:
    template <class Model, class T>
    T gradient_of(const Part& mine, const Model& model, const Batch<T>& batch, const Input<T>& target,
                  const Slice& columns, Tape<T>& tape, Rng& rng) const {
        const auto some = [&](const Input<T>& x) { return x.middleCols(columns.begin, columns.size); };
        const Rng before = rng;
        const auto pass = [&](Rng& noise) {
            batch.is_given ? model.gradient(given(some(batch.x), some(batch.condition)), some(target), tape, noise,
                                            mine.samples.begin)
                           : model.gradient(some(batch.x), some(target), tape, noise, mine.samples.begin);
        };
        // What is not finite here is so in the sum, and all ranks find it there.
        const NonFinite choice = std::exchange(tape.non_finite, NonFinite::Continue);
        struct Restore {
            NonFinite &to, from;
            ~Restore() { to = from; }
        };
        if (const Restore restore{tape.non_finite, choice}; columns.size > 0)
            pass(rng);
        else
            rng.stream();  // a step, as the others'
        const T objective = average(tape, mine);
        if (choice == NonFinite::Throw && !is_finite(objective)) {
            Rng again = before;
            if (columns.size > 0) pass(again);  // which says where, if it was here
            fail("DataParallel::gradient: the objective is not finite on another rank");
        }
        return objective;
    }

    // use(begin, count, type) for `values` in as few messages as the counts of MPI, which are int, allow.
    template <class Values, class Use>
    static void each_message(Values& values, const Use& use) {
        using T = typename Values::Scalar;
        static_assert(std::same_as<T, float> || std::same_as<T, double>,
                      "hourglass: DataParallel trains models of float or double");
        constexpr Index most = Index{1} << 30;
        for (Index begin = 0; begin < values.size(); begin += most)
            use(values.data() + begin, static_cast<int>(std::min(most, values.size() - begin)),
                std::same_as<T, float> ? MPI_FLOAT : MPI_DOUBLE);
    }
    static bool is_over() {
        int over = 0;
        MPI_Finalized(&over);
        return over != 0;
    }
    static void require(const char* call, int code) {
        if (code == MPI_SUCCESS) return;
        char text[MPI_MAX_ERROR_STRING] = "";
        int length = 0;
        MPI_Error_string(code, text, &length);
        fail("DataParallel: ", call, ": ", text);
    }

    MPI_Comm communicator_ = MPI_COMM_NULL;
    int rank_ = 0, size_ = 1;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
