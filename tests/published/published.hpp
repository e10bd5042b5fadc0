// What the programs that reproduce published figures share: the data, training, seeds, the table and its verdict.
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <future>
#include <hourglass/hourglass.hpp>
#include <iomanip>
#include <iostream>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"
#include "support/welch.hpp"

namespace published {

namespace hg = hourglass;

/// A figure for each seed.
using Figures = std::vector<double>;

/// The pictures of optdigits (UCI, Alpaydin and Kaynak 1998) in one of its files, optdigits.tra or optdigits.tes: 64 ×
/// n in [0, 1]. Where the file is missing, says so and ends the program with status 77, "skipped".
inline Eigen::MatrixXf load_optdigits(const std::string& name) {
    const std::string directory = HOURGLASS_DATA_DIR;
    std::ifstream file(directory + "/optdigits/" + name);
    if (directory.empty() || !file) {
        std::cout << "skipped: there is no optdigits/" << name << " in HOURGLASS_DATA_DIR, \"" << directory
                  << "\".\nThe file is part of the UCI Machine Learning Repository's \"Optical Recognition of "
                     "Handwritten Digits\".\n";
        std::exit(77);
    }
    return hg::read_csv(file, {.header = hg::CsvHeader::Absent, .except = {64}}).values.cast<float>() / 16.0f;
}

/// Fashion-MNIST from where the examples look for it; ends the program with status 77 where it is missing.
inline support::FashionMnist load_fashion_mnist() { return support::load_fashion_mnist(support::Arguments{}.data); }

/// Mean squared test errors of projecting on the first 0, 1, …, d principal components of the training data.
inline Eigen::VectorXd pca_errors(const Eigen::MatrixXf& train, const Eigen::MatrixXf& test) {
    const Eigen::VectorXf mean = train.rowwise().mean();
    Eigen::MatrixXf covariance = Eigen::MatrixXf::Zero(train.rows(), train.rows());
    covariance.selfadjointView<Eigen::Lower>().rankUpdate(train.colwise() - mean);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance.cast<double>());  // eigenvalues ascend
    const Eigen::MatrixXf basis = solver.eigenvectors().rowwise().reverse().cast<float>();
    const Eigen::MatrixXf scores = basis.transpose() * (test.colwise() - mean);
    const Eigen::VectorXd explained = scores.rowwise().squaredNorm().cast<double>();

    Eigen::VectorXd errors(train.rows() + 1);
    errors[0] = explained.sum();
    for (Eigen::Index k = 0; k < train.rows(); ++k) errors[k + 1] = errors[k] - explained[k];
    return errors / static_cast<double>(test.size());
}

/// Trains with Adam on shuffled batches of `batch_size`; `schedule` gives each step its learning rate.
template <class Model, class Schedule>
void train(Model& model, const Eigen::MatrixXf& images, hg::Index batch_size, int epochs, const Schedule& schedule,
           hg::Rng& rng) {
    hg::Adam adam;
    auto tape = model.tape();
    auto batches = hg::minibatches(images, batch_size, rng);
    for (int epoch = 0; epoch < epochs; ++epoch, batches.shuffle(rng))
        for (const auto& batch : batches) {
            model.gradient(batch, tape, rng);
            adam.learning_rate(schedule(adam.steps()));
            adam.step(model, tape);
        }
}

/// Test error of a linear autoencoder with K numbers for a code: one `Dense` each way, mean squared error, cosine
/// decay.
template <hg::Index Features, hg::Index K>
double linear_autoencoder_error(const Eigen::MatrixXf& images, const Eigen::MatrixXf& test, hg::Index batch_size,
                                int epochs, double learning_rate, std::uint64_t seed) {
    using Encoder = hg::Chain<hg::Shape{Features}, hg::Dense<K>>;
    using Decoder = hg::Chain<Encoder::output, hg::Dense<Features>>;
    hg::Rng rng{seed};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
    const hg::Index steps = (images.cols() + batch_size - 1) / batch_size * epochs;
    const hg::CosineDecay schedule{{.initial_learning_rate = learning_rate, .decay_steps = steps}};
    train(model, images, batch_size, epochs, schedule, rng);
    return static_cast<double>(model.loss(test));
}

/// measure(seed) for the seeds 1 … `count`, on as many threads as the machine has. `measure` keeps its model and its
/// tape to itself, so the figures do not depend on how many those are.
template <class Measure>
Figures each_seed(std::size_t count, Measure measure) {
    Figures figures(count);
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (std::size_t i = next++; i < count; i = next++) figures[i] = measure(std::uint64_t{i} + 1);
    };
    std::vector<std::future<void>> workers(std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, count));
    for (auto& worker : workers) worker = std::async(std::launch::async, work);
    for (auto& worker : workers) worker.get();
    return figures;
}

/// How many seeds a program takes: its own number, or as many as its one argument says, to measure how the figures
/// spread.
inline std::size_t seeds(int argc, char** argv, std::size_t count) { return argc > 1 ? std::stoul(argv[1]) : count; }

/// f(a, b) for the seeds that both have: what two programs make of the same seed has less chance in it than their
/// means.
template <class F>
Figures combine(const Figures& a, const Figures& b, F f) {
    Figures result(std::min(a.size(), b.size()));
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = f(a[i], b[i]);
    return result;
}

inline oracle::SampleMean sample_mean(const Figures& figures) {
    const auto n = static_cast<double>(figures.size());
    const double mean = std::accumulate(figures.begin(), figures.end(), 0.0) / n;
    double squares = 0;
    for (const double figure : figures) squares += (figure - mean) * (figure - mean);
    return {mean, figures.size() > 1 ? std::sqrt(squares / (n - 1)) : 0, figures.size()};
}

inline constexpr double any = std::numeric_limits<double>::infinity();

/// Between what a row's mean is to lie; -any and any stand for no bound.
struct Bounds {
    double at_least = -any, at_most = any;
};

inline Bounds within(double published, double tolerance) { return {published - tolerance, published + tolerance}; }

/// Measured figures beside the bounds that published ones set: each row is printed as it comes. Its margin says how
/// many standard errors of its mean lie between the mean and the nearest bound. Another compiler or processor rounds
/// differently, which amounts to other seeds: the difference of two such means, over the square root of two standard
/// errors, follows Student's t. So a row of 5 seeds fails by chance less than once in 10 000 runs when its margin is
/// beyond 18, one of 10 seeds beyond 8.5, of 20 beyond 6.5, of 48 beyond 5.7. Each program says what its margins are.
class Table {
  public:
    explicit Table(std::string_view title) {
        std::cout << title << '\n' << std::left << std::setw(name_width) << "" << std::right;
        for (const char* column : {"at least", "at most", "mean", "deviation", "margin"})
            std::cout << std::setw(width) << column;
        std::cout << std::endl;
    }

    /// A figure for each seed: reached when their mean lies within the bounds.
    void row(const std::string& name, Bounds bounds, const Figures& figures) {
        const oracle::SampleMean sample = sample_mean(figures);
        row(name, bounds, sample, std::sqrt(sample.variance_of_mean()));
    }
    /// A figure that depends on no seed.
    void row(const std::string& name, Bounds bounds, double figure) { row(name, bounds, {figure, 0, 1}, 0); }

    /// A program beside its twin elsewhere, whose figures the `reference` sums up: reached when both means lie so close
    /// that two samples of one distribution lie further apart less than once in 10 000 runs.
    void twin_row(const std::string& name, const oracle::SampleMean& reference, const Figures& figures) {
        const oracle::SampleMean sample = sample_mean(figures);
        row(name, within(reference.mean, oracle::largest_difference(reference, sample, 1e-4)), sample,
            std::sqrt(reference.variance_of_mean() + sample.variance_of_mean()));
    }

    /// The program's exit status: 0 when all figures were reached; else 1, having said which were not.
    int verdict() const {
        std::cout << (missed_.empty() ? "all reached" : "not reached:" + missed_) << '\n';
        return missed_.empty() ? 0 : 1;
    }

  private:
    static constexpr int name_width = 36, width = 11;

    void row(const std::string& name, Bounds bounds, const oracle::SampleMean& sample, double error) {
        const auto print = [](double value, int digits, bool known) {
            std::cout << std::setw(width);
            if (known)
                std::cout << std::fixed << std::setprecision(digits) << value;
            else
                std::cout << '-';
        };
        const double margin = std::min(sample.mean - bounds.at_least, bounds.at_most - sample.mean) / error;
        std::cout << std::left << std::setw(name_width) << name << std::right;
        print(bounds.at_least, 6, std::isfinite(bounds.at_least));
        print(bounds.at_most, 6, std::isfinite(bounds.at_most));
        print(sample.mean, 6, true);
        print(sample.deviation, 6, error > 0);
        print(margin, 1, std::isfinite(margin));
        const bool reached = sample.mean >= bounds.at_least && sample.mean <= bounds.at_most;  // false for NaN
        if (!reached) missed_ += (missed_.empty() ? " " : "; ") + name;
        std::cout << (reached ? "  reached" : "  MISSED") << std::endl;
    }

    std::string missed_;
};

}  // namespace published
