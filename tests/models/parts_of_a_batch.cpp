// A batch computed in parts, each of which says where it begins in the whole: the mean of the parts' gradients,
// weighted by their samples, is the whole batch's to rounding, whatever draws random numbers.
#include <array>
#include <hourglass/hourglass.hpp>
#include <hourglass/workers.hpp>
#include <vector>

#include "support/gradient_check.hpp"

namespace hg = hourglass;
using hg::Index;
using hg::Slice;
using oracle::difference, oracle::values;

namespace {

constexpr Index samples = 48;
const std::vector<std::vector<Slice>> divisions{{{0, 24}, {24, 24}}, {{0, 7}, {7, 40}, {47, 1}}};

struct Result {
    double loss;
    Eigen::VectorXd gradient;
    Eigen::MatrixXd dx;
};

/// `step(part, tape, rng, dx)` gives the loss of samples part.begin … part.end() − 1 and leaves the gradient on the
/// tape.
template <class Step>
void check_parts(hg::Tape<double> tape, const Step& step) {
    const hg::Rng rng{7};
    const auto whole_or_part = [&](const Slice& part) {
        hg::Rng own = rng;
        Result result;
        result.loss = step(part, tape, own, result.dx);
        result.gradient = tape.gradient();
        return result;
    };
    const Result whole = whole_or_part({0, samples});
    for (const std::vector<Slice>& division : divisions) {
        Result sum{0, Eigen::VectorXd::Zero(whole.gradient.size()), whole.dx};
        for (const Slice& part : division) {
            const double share = static_cast<double>(part.size) / static_cast<double>(samples);
            const Result result = whole_or_part(part);
            sum.loss += share * result.loss;
            sum.gradient += share * result.gradient;
            sum.dx.middleCols(part.begin, part.size) = share * result.dx;
        }
        CHECK(std::abs(sum.loss - whole.loss) <= 1e-13 * std::abs(whole.loss));
        CHECK(difference(sum.gradient, whole.gradient) <= 1e-13);
        CHECK(difference(sum.dx, whole.dx) <= 1e-13);
    }
    // Else all of this would say nothing of random numbers.
    CHECK(difference(step.without_first(tape, rng), whole.gradient) > 1e-6);
}

const Eigen::MatrixXd x = values(12, samples, 31, 0.05, 0.95), target = values(12, samples, 32, 0.05, 0.95);

template <class Model>
struct TrainModel {
    const Model& model;

    double operator()(const Slice& part, hg::Tape<double>& tape, hg::Rng& rng, Eigen::MatrixXd& dx) const {
        return model.gradient(x.middleCols(part.begin, part.size), target.middleCols(part.begin, part.size), tape, rng,
                              dx, part.begin);
    }
    Eigen::VectorXd without_first(hg::Tape<double>& tape, hg::Rng rng) const {
        Eigen::VectorXd sum = Eigen::VectorXd::Zero(tape.gradient().size());
        for (const Index begin : {Index{0}, samples / 2}) {
            hg::Rng own = rng;
            model.gradient(x.middleCols(begin, samples / 2), target.middleCols(begin, samples / 2), tape, own);
            sum += tape.gradient() / 2;
        }
        return sum;
    }
};
template <class Model>
void check(const Model& model) {
    check_parts(model.tape(), TrainModel<Model>{model});
    hg::Workers workers{3};
    check_parts(model.tape(workers), TrainModel<Model>{model});
}

using E = hg::Chain<hg::Shape{3, 4}, hg::Conv1D<4, 2>, hg::Tanh, hg::Flatten, hg::Dense<6>, hg::Tanh>;
using D = hg::Chain<hg::Shape{6}, hg::Dense<12>, hg::Reshape<3, 4>>;
using Wide = hg::Chain<hg::Shape{3, 4}, hg::Flatten, hg::Dense<12>>;

}  // namespace

TEST_CASE("parts of a batch draw the noise of corruptions that the whole batch draws") {
    hg::Rng rng{1};
    check(hg::autoencoder<E, D, double>(rng, hg::MeanSquaredError{}, hg::GaussianNoise{0.3}, hg::MaskingNoise{0.25}));
    const hg::Corruption scale{[](auto in, auto out, const hg::Stream& random) {
        for (Index j = 0; j < in.cols(); ++j) {
            std::array<double, 1> factor;
            random.uniform(j, std::span<double>{factor});
            for (Index i = 0; i < in.rows(); ++i) out(i, j) = in(i, j) * factor[0];
        }
    }};
    check(hg::autoencoder<E, D, double>(rng, hg::MeanSquaredError{}, hg::SaltAndPepperNoise{0.3}, scale));
}

TEST_CASE("parts of a batch drop out what the whole batch drops out") {
    hg::Rng rng{2};
    const auto encoder = hg::chain<hg::Shape{3, 4}>(hg::Conv1D<4, 2>{}, hg::SpatialDropout{0.4}, hg::Tanh{},
                                                    hg::Dropout{0.3}, hg::Flatten{}, hg::Dense<6>{});
    check(hg::autoencoder<double>(encoder, D{}, rng, hg::MeanSquaredError{}));
}

TEST_CASE("parts of a batch draw the codes of a variational model that the whole batch draws") {
    hg::Rng rng{3};
    check(hg::autoencoder<Wide, D, double>(rng, hg::GaussianLikelihood{1.0}, hg::GaussianLatent{}));
    check(hg::autoencoder<Wide, D, double>(rng, hg::GaussianLikelihood{1.0}, hg::GaussianLatent{.samples = 3}));
}

TEST_CASE("parts of a batch draw the probes of a contractive term that the whole batch draws") {
    hg::Rng rng{4};
    check(hg::autoencoder<E, D, double>(rng, hg::MeanSquaredError{}, hg::Contractive{.weight = 0.5, .probes = 2}));
}

namespace {

template <class Network>
struct TrainNetwork {
    const Network& network;
    bool by_hand;

    double operator()(const Slice& part, hg::Tape<double>& tape, hg::Rng& rng, Eigen::MatrixXd& dx,
                      Index first = -1) const {
        const auto in = x.middleCols(part.begin, part.size), wanted = target.middleCols(part.begin, part.size);
        if (first < 0) first = part.begin;
        if (!by_hand) {
            dx.setZero(12, part.size);
            return network.gradient(in, wanted, hg::MeanSquaredError{}, tape, rng, first);
        }
        const Eigen::MatrixXd off = network.forward(in, tape, rng, first) - wanted;
        network.backward(2 * off / static_cast<double>(off.size()), tape, dx);
        return off.squaredNorm() / static_cast<double>(off.size());
    }
    Eigen::VectorXd without_first(hg::Tape<double>& tape, hg::Rng rng) const {
        Eigen::VectorXd sum = Eigen::VectorXd::Zero(tape.gradient().size());
        Eigen::MatrixXd dx;
        for (const Index begin : {Index{0}, samples / 2}) {
            hg::Rng own = rng;
            (*this)({begin, samples / 2}, tape, own, dx, 0);
            sum += tape.gradient() / 2;
        }
        return sum;
    }
};

}  // namespace

TEST_CASE("parts of a batch draw in a network what the whole batch draws, with a loss and by hand") {
    hg::Rng rng{5};
    const auto network = hg::network<double>(
        hg::chain<hg::Shape{12}>(hg::Dense<8>{}, hg::Dropout{0.4}, hg::Tanh{}, hg::Dense<12>{}), rng);
    for (const bool by_hand : {false, true})
        check_parts(
            network.tape(),
            TrainNetwork<
                hg::Network<double, hg::Chain<hg::Shape{12}, hg::Dense<8>, hg::Dropout, hg::Tanh, hg::Dense<12>>>>{
                network, by_hand});
}
