// Data-parallel training on the ranks of an MPI job: the steps of one rank, the same bits everywhere and in every run,
// one decision about what is not finite. Each rank runs all of this; mpirun ends the others when one of them fails.
#include "hourglass/train/mpi.hpp"

#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <hourglass/hourglass.hpp>
#include <hourglass/workers.hpp>
#include <limits>
#include <string>
#include <vector>

#include "support/error_of.hpp"
#include "support/gradient_check.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;
using hg::Index;
using oracle::difference, oracle::values;

namespace {

// Alive before the first test and behind the last one.
struct Mpi {
    std::string before_init = error_of([] { hg::DataParallel{MPI_COMM_WORLD}; });
    Mpi() { MPI_Init(nullptr, nullptr); }
    ~Mpi() {
        MPI_Finalize();
        const std::string after = error_of([] { hg::DataParallel{MPI_COMM_WORLD}; });
        if (after == "DataParallel: MPI_Finalize has been called") return;
        std::printf("after MPI_Finalize: %s\n", after.c_str());
        std::_Exit(EXIT_FAILURE);
    }
} const mpi;

using E = hg::Chain<hg::Shape{12}, hg::Dense<10>, hg::Dropout, hg::Tanh, hg::Dense<8>>;
using D = hg::Chain<hg::Shape{4}, hg::Dense<10>, hg::Tanh, hg::Dense<12>>;
template <class T = double>
auto variational(std::uint64_t seed = 1) {
    hg::Rng rng{seed};
    return hg::autoencoder<E, D, T>(rng, hg::GaussianLikelihood{1.0}, hg::GaussianNoise{0.2}, hg::GaussianLatent{});
}
auto contractive() {
    hg::Rng rng{2};
    using Code = hg::Chain<hg::Shape{12}, hg::Dense<10>, hg::Tanh, hg::Dense<4>>;
    return hg::autoencoder<Code, D, double>(rng, hg::MeanSquaredError{}, hg::MaskingNoise{0.3},
                                            hg::Contractive{.weight = 0.1, .probes = 2});
}
template <class T = double>
auto normalised() {
    hg::Rng rng{3};
    using Code = hg::Chain<hg::Shape{12}, hg::Dense<10>, hg::BatchNormalization, hg::Tanh, hg::Dense<4>>;
    return hg::autoencoder<Code, D, T>(rng, hg::MeanSquaredError{});
}

/// θ and running values after some steps; `gradient(model, x, tape, rng)` is one's or all ranks'.
template <class Model, class Gradient>
hg::Vector<typename Model::Scalar> train(Model model, const hg::Matrix<typename Model::Scalar>& x, hg::Workers* workers,
                                         Gradient gradient) {
    auto tape = workers ? model.tape(*workers) : model.tape();
    hg::Rng rng{5};
    hg::Adam adam{{.learning_rate = 1e-2}};
    hg::Vector<typename Model::Scalar> result(4 + model.parameters().size() + model.state().size());
    for (int step = 0; step < 4; ++step) {
        result[step] = gradient(model, x, tape, rng);
        adam.step(model, tape);
    }
    result.tail(result.size() - 4) << model.parameters(), model.state();
    return result;
}
const auto on_one = [](const auto& model, const auto& x, auto& tape, hg::Rng& rng) {
    return model.gradient(x, tape, rng);
};
const auto on_all = [](const auto& model, const auto& x, auto& tape, hg::Rng& rng) {
    return hg::DataParallel{MPI_COMM_WORLD}.gradient(model, x, tape, rng);
};

/// Whether `mine` is the same, bit for bit, on all ranks.
template <class T>
bool same_everywhere(const hg::Vector<T>& mine) {
    hg::Vector<T> first = mine;
    MPI_Bcast(first.data(), static_cast<int>(first.size() * static_cast<Index>(sizeof(T))), MPI_BYTE, 0,
              MPI_COMM_WORLD);
    int same = std::memcmp(first.data(), mine.data(), static_cast<std::size_t>(first.size()) * sizeof(T)) == 0;
    MPI_Allreduce(MPI_IN_PLACE, &same, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    return same == 1;
}

/// Columns that a rank has when they are dealt out unevenly: 1, 2, 3 … and the last rank the rest.
hg::Slice uneven(const hg::DataParallel& ranks, Index samples) {
    const Index begin = ranks.rank() * (ranks.rank() + 1) / 2;
    return {begin, ranks.rank() + 1 == ranks.size() ? samples - begin : ranks.rank() + 1};
}

}  // namespace

TEST_CASE("ranks together take the steps of one rank, noise included, also where parts are unequal or empty") {
    const auto check = [](const auto& model, Index samples) {
        const Eigen::MatrixXd x = values(12, samples, 21, 0.05, 0.95);
        const Eigen::VectorXd one = train(model, x, nullptr, on_one);
        CHECK(difference(train(model, x, nullptr, on_all), one) < 1e-12);
        const auto of_shards = [](const auto& m, const auto& batch, auto& tape, hg::Rng& rng) {
            const hg::DataParallel ranks{MPI_COMM_WORLD};
            const hg::Slice mine = uneven(ranks, batch.cols());
            return ranks.gradient_of_shards(m, batch.middleCols(mine.begin, mine.size), tape, rng);
        };
        CHECK(difference(train(model, x, nullptr, of_shards), one) < 1e-12);
    };
    for (const Index samples : {48, 13, 6}) {
        check(variational(), samples);
        check(contractive(), samples);
    }
    // Not enough for all: some ranks have none.
    const Eigen::MatrixXd x = values(12, 1, 22, 0.05, 0.95);
    CHECK(difference(train(variational(), x, nullptr, on_all), train(variational(), x, nullptr, on_one)) < 1e-12);
}

TEST_CASE("targets, conditions and the two parts of the objective are those of the whole batch") {
    hg::Rng rng{4};
    using Conditional = hg::Chain<hg::Shape{12}, hg::Condition<3>, hg::Dense<10>, hg::Tanh, hg::Dense<4>>;
    const auto model = hg::autoencoder<Conditional, D, double>(rng, hg::MeanSquaredError{}, hg::L1{0.1});
    const Eigen::MatrixXd x = values(12, 9, 23), target = values(12, 9, 24), condition = values(3, 9, 25);
    auto one = model.tape(), all = model.tape();
    model.gradient(hg::given(x, condition), target, one, rng);
    const hg::DataParallel ranks{MPI_COMM_WORLD};
    const double objective = ranks.gradient(model, hg::given(x, condition), target, all, rng);
    CHECK(difference(all.gradient(), one.gradient()) < 1e-13);
    CHECK(std::abs(all.reconstruction() - one.reconstruction()) < 1e-13);
    CHECK(std::abs(all.penalty() - one.penalty()) < 1e-13);
    CHECK(objective == all.reconstruction() + all.penalty());
    CHECK_THAT(error_of([&] { ranks.gradient(model, x, target.leftCols(8), all, rng); }),
               ContainsSubstring("the target has 8 columns, expected 9"));
}

TEST_CASE("all ranks get the same bits, in every run and with threads") {
    const Eigen::MatrixXf x = values(12, 67, 26, 0.05, 0.95).cast<float>();
    const auto check = [&](const auto& model) {
        const Eigen::VectorXf once = train(model, x, nullptr, on_all);
        CHECK(same_everywhere(once));
        CHECK(once == train(model, x, nullptr, on_all));
        hg::Workers workers{2};
        CHECK(once == train(model, x, &workers, on_all));
        std::uint64_t bits = 0xcbf29ce484222325u;  // printed, so that runs can be compared
        for (Index i = 0; i < once.size(); ++i) bits = (bits ^ std::bit_cast<std::uint32_t>(once[i])) * 0x100000001b3u;
        if (hg::DataParallel{MPI_COMM_WORLD}.rank() == 0)
            std::printf("bits %016llx\n", static_cast<unsigned long long>(bits));
    };
    check(variational<float>());
    check(normalised<float>());
}

TEST_CASE("running values get the mean of the ranks' batch statistics") {
    const hg::DataParallel ranks{MPI_COMM_WORLD};
    const Eigen::MatrixXd x = values(12, 11, 27);
    auto model = normalised();
    auto tape = model.tape(), whole = model.tape();
    hg::Rng rng{6};
    Eigen::VectorXd mean = Eigen::VectorXd::Zero(model.state().size());
    for (int rank = 0; rank < ranks.size(); ++rank) {
        const hg::Slice some = hg::core::part_of(11, ranks.size(), rank, 1);
        model.gradient(x.middleCols(some.begin, some.size), tape, rng);
        mean += tape.statistics() * static_cast<double>(some.size) / 11;
    }
    ranks.gradient(model, x, whole, rng);
    CHECK(difference(whole.statistics(), mean) < 1e-14);
    hg::Adam{}.step(model, whole);
    CHECK(same_everywhere<double>(model.state()));
    CHECK(difference(model.state().head(10), 0.01 * mean.head(10)) < 1e-14);
}

TEST_CASE("a model that is broadcast is rank 0's everywhere") {
    const hg::DataParallel ranks{MPI_COMM_WORLD};
    auto model = normalised();
    const Eigen::VectorXd first = model.parameters();
    model.parameters().array() += ranks.rank();
    model.state().array() += ranks.rank();
    ranks.broadcast(model);
    CHECK(model.parameters() == first);
    CHECK(model.state().head(10).isZero(0));
}

TEST_CASE("what is not finite on one rank is so for all: they throw, or skip the step, together") {
    const hg::DataParallel ranks{MPI_COMM_WORLD};
    auto model = variational();
    auto tape = model.tape();
    Eigen::MatrixXd x = values(12, 16, 28);
    x(3, 14) = std::numeric_limits<double>::quiet_NaN();  // the last rank's
    hg::Rng rng{7};
    const std::string error = error_of([&] { ranks.gradient(model, x, tape, rng); });
    if (ranks.rank() + 1 == ranks.size())
        CHECK_THAT(error, ContainsSubstring("Autoencoder::gradient") && ContainsSubstring("feature 3"));
    else
        CHECK(error == "DataParallel::gradient: the objective is not finite on another rank");
    CHECK(tape.non_finite == hg::NonFinite::Throw);

    tape.non_finite = hg::NonFinite::Continue;
    CHECK(!hg::is_finite(ranks.gradient(model, x, tape, rng)));
    hg::Adam adam{{.non_finite = hg::NonFinite::Skip}};
    CHECK(!adam.step(model, tape));

    tape.non_finite = hg::NonFinite::Throw;  // what has been left on the tape is nowhere in the next gradient
    CHECK(hg::is_finite(ranks.gradient(model, x.leftCols(1), tape, rng)));
    CHECK(adam.step(model, tape));
    CHECK(same_everywhere<double>(model.parameters()));
}

TEST_CASE("batches that are not the same are refused") {
    const hg::DataParallel ranks{MPI_COMM_WORLD};
    const auto model = variational();
    auto tape = model.tape();
    hg::Rng rng{8};
    const Eigen::MatrixXd x = values(12, 1000 + (ranks.rank() == 0), 29);
    const Eigen::MatrixXd of_other_size = values(12, ranks.rank() == 0 ? 128 : 64, 31);  // whose shares add up to 1
    for (const Eigen::MatrixXd* batch : {&x, &of_other_size})
        if (ranks.size() > 1)
            CHECK_THAT(error_of([&] { ranks.gradient(model, *batch, tape, rng); }),
                       ContainsSubstring("DataParallel: the ranks computed"));
    CHECK_THAT(error_of([&] { ranks.gradient(model, x.leftCols(0), tape, rng); }),
               ContainsSubstring("expected at least one sample, got 0"));
    CHECK_THAT(error_of([&] { ranks.gradient_of_shards(model, x.leftCols(0), tape, rng); }),
               ContainsSubstring("no rank has a sample"));
}

TEST_CASE("a network is trained by hand on its part of the batch") {
    const hg::DataParallel ranks{MPI_COMM_WORLD};
    hg::Rng rng{9};
    const auto network = hg::network<hg::Chain<hg::Shape{12}, hg::Dense<6>, hg::Dropout, hg::Dense<12>>, double>(rng);
    const Eigen::MatrixXd x = values(12, 10, 30);
    auto one = network.tape(), all = network.tape();
    hg::Rng same = rng;
    const double loss = network.gradient(x, x, hg::MeanSquaredError{}, one, same);
    const hg::DataParallel::Part mine = ranks.part(10);
    const auto some = x.middleCols(mine.samples.begin, mine.samples.size);
    network.gradient(some, some, hg::MeanSquaredError{}, all, rng, mine.samples.begin);
    CHECK(std::abs(ranks.average(all, mine) - loss) < 1e-13);
    CHECK(difference(all.gradient(), one.gradient()) < 1e-13);
}

TEST_CASE("MPI's errors are the library's") {
    CHECK(mpi.before_init == "DataParallel: MPI_Init comes first");
    const hg::DataParallel ranks{MPI_COMM_WORLD};
    if (ranks.size() != 2) return;  // of more, one that reports an error may leave others waiting
    hg::Rng rng{10};
    auto small = hg::network<hg::Chain<hg::Shape{3}, hg::Dense<2>>>(rng);
    auto large = hg::network<hg::Chain<hg::Shape{3}, hg::Dense<3>>>(rng);
    const std::string error = error_of([&] { ranks.rank() == 0 ? ranks.broadcast(large) : ranks.broadcast(small); });
    if (ranks.rank() == 1) CHECK_THAT(error, ContainsSubstring("DataParallel: MPI_Bcast: MPI_ERR_TRUNCATE"));
}
