// What the programs that reproduce published figures share: the data, training, five seeds, the table and its verdict.
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <future>
#include <hourglass/hourglass.hpp>
#include <iomanip>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"

namespace published {

namespace hg = hourglass;

/// A figure for each of the five seeds.
using Figures = std::array<double, 5>;

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
            adam.step(model.parameters(), tape.gradient());
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

/// measure(seed) for the seeds 1 … 5, on as many threads as the machine has. `measure` keeps its model and its tape to
/// itself, so the figures do not depend on how many those are.
template <class Measure>
Figures five_seeds(Measure measure) {
    Figures figures{};
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (std::size_t i = next++; i < figures.size(); i = next++) figures[i] = measure(std::uint64_t{i} + 1);
    };
    std::vector<std::future<void>> workers(std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 5));
    for (auto& worker : workers) worker = std::async(std::launch::async, work);
    for (auto& worker : workers) worker.get();
    return figures;
}

/// What a table says at the end.
class Verdict {
  public:
    /// The program's exit status: 0 when all figures were reached; else 1, having said which were not.
    int verdict() const {
        if (missed_.empty()) {
            std::cout << "all reached\n";
            return 0;
        }
        std::cout << "not reached:" << missed_ << '\n';
        return 1;
    }

  protected:
    /// Ends the row `name` of the table.
    void judge(const std::string& name, bool reached) {
        if (!reached) missed_ += (missed_.empty() ? " " : "; ") + name;
        std::cout << (reached ? "  reached" : "  MISSED") << std::endl;
    }

  private:
    std::string missed_;
};

/// Measured figures beside published ones: each row is printed as it comes.
class Table : public Verdict {
  public:
    explicit Table(std::string_view title) {
        std::cout << title << '\n'
                  << std::left << std::setw(name_width) << "" << std::right << std::setw(width) << "published"
                  << std::setw(width) << "tolerance" << std::setw(width) << "median" << std::setw(width) << "lowest"
                  << std::setw(width) << "highest" << std::endl;
    }

    /// Five seeds: reached when their median is within `tolerance` of the published figure.
    void row(const std::string& name, double published, double tolerance, Figures five) {
        std::sort(five.begin(), five.end());
        print(name, published, tolerance, five[2]);
        std::cout << std::setw(width) << five.front() << std::setw(width) << five.back();
        judge(name, std::abs(five[2] - published) <= tolerance);  // false for NaN
    }
    /// A figure that depends on no seed.
    void row(const std::string& name, double published, double tolerance, double measured) {
        print(name, published, tolerance, measured);
        std::cout << std::setw(2 * width) << "";
        judge(name, std::abs(measured - published) <= tolerance);
    }

  private:
    static constexpr int name_width = 32, width = 11;

    static void print(const std::string& name, double published, double tolerance, double measured) {
        std::cout << std::left << std::setw(name_width) << name << std::right << std::fixed << std::setprecision(6)
                  << std::setw(width) << published << std::setw(width) << hg::text(tolerance) << std::setw(width)
                  << measured;
    }
};

}  // namespace published
