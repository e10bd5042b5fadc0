// A detector inside a service: a class that owns scaler, model and tapes, scores readings as they come, and trains on
// what it has collected, on a thread of its own. Each time the readings have become four times as many the model goes
// on learning, and a copy of it takes over between two readings: no reading waits for a training. Prints a line for
// each model: how many readings it learned from and scored, how many of these while the next one trained, and what it
// found. Every model should find nearly all faults, with one or two false alarms in a hundred readings, and all but the
// last should have scored during a training. When a model takes over depends on the machine, and the figures with it.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <hourglass/hourglass.hpp>
#include <iomanip>
#include <iostream>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "support/arguments.hpp"
#include "support/pump.hpp"

namespace hg = hourglass;

class Service {
  public:
    struct Score {
        int model = 0;  // 0: there is none yet
        hg::Index learned_from = 0;
        bool alarm = false, while_training = false;
    };

    Service(std::uint64_t seed, int epochs, hg::Index first) : rng_{seed}, epochs_{epochs}, wanted_{first} {
        trainer_ = std::thread([this] { run(); });
    }
    ~Service() {  // waits for a training that is on its way
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_one();
        trainer_.join();
    }

    /// Called by one thread, with one reading after the other.
    Score score(const Eigen::VectorXf& reading) {
        Score score;
        std::shared_ptr<const Trained> now;  // lives on here if another one takes over
        {
            const std::lock_guard lock(mutex_);
            now = trained_;
            score.while_training = training_;
        }
        if (now) {
            const float error = now->model.reconstruction_error(now->scaler.transform(reading), scoring_tape_)[0];
            score.model = now->number, score.learned_from = now->learned_from;
            score.alarm = static_cast<double>(error) > now->threshold;
        }
        if (!score.alarm) {  // what does not belong is nothing to learn from
            const std::lock_guard lock(mutex_);
            collected_.col(count_++ % collected_.cols()) = reading;  // over the oldest, when all columns are taken
            if (count_ == wanted_) wake_.notify_one();
        }
        return score;
    }

  private:
    // What scores, never changed once it is handed over: any number of threads may read it, each with its own tape.
    struct Trained {
        int number;
        hg::Index learned_from;
        pump::Detector model;
        hg::StandardScaler<> scaler;
        double threshold;
    };

    void run() {
        for (int number = 1;; ++number) {
            Eigen::MatrixXf readings;
            {
                std::unique_lock lock(mutex_);
                training_ = false;
                wake_.wait(lock, [this] { return stopping_ || count_ >= wanted_; });
                if (stopping_) return;
                training_ = true;
                readings = collected_.leftCols(std::min(count_, collected_.cols()));
                wanted_ *= 4;
            }
            try {
                auto next = std::make_shared<const Trained>(train(readings, number));
                const std::lock_guard lock(mutex_);
                trained_ = std::move(next);
            } catch (const hg::Error& error) {  // the old model stays
                std::cerr << "training failed: " << error.what() << '\n';
            }
        }
    }
    Trained train(const Eigen::MatrixXf& readings, int number) {
        const auto [learned, held_back] = hg::train_test_split(readings, 0.2, rng_);
        hg::StandardScaler<> scaler;
        const Eigen::MatrixXf x = scaler.fit_transform(learned);
        hg::Adam adam{{.learning_rate = 5e-3}};
        auto batches = hg::minibatches(x, 32, rng_);
        for (int epoch = 0; epoch < epochs_; ++epoch, batches.shuffle(rng_))
            for (const auto& batch : batches) {
                model_.gradient(batch, tape_, rng_);
                adam.step(model_, tape_);
            }
        const Eigen::VectorXf errors = model_.reconstruction_error(scaler.transform(held_back), tape_);
        // Not the largest error: among the readings may be a few faults that the models before have missed.
        return {number, readings.cols(), model_, scaler, 1.5 * hg::quantile_threshold(errors, 0.95)};
    }

    // The training thread's own.
    hg::Rng rng_;
    int epochs_;
    pump::Detector model_{rng_};
    hg::Tape<float> tape_ = model_.tape();
    // The scoring thread's own.
    hg::Tape<float> scoring_tape_ = model_.tape();
    // Both threads', under the mutex.
    std::mutex mutex_;
    std::condition_variable wake_;
    std::shared_ptr<const Trained> trained_;
    Eigen::MatrixXf collected_{static_cast<hg::Index>(pump::columns.size()), 4096};
    hg::Index count_ = 0, wanted_;
    bool training_ = false, stopping_ = false;

    std::thread trainer_;
};

int main(int argc, char** argv) {
    const auto arguments = support::read_arguments(argc, argv, {.epochs = 60, .takes_data = false});
    const hg::Index first = arguments.small ? 100 : 250, last = arguments.small ? 500 : 5000;
    struct Tally {
        hg::Index learned_from = 0, scored = 0, while_training = 0, faults = 0, found = 0, false_alarms = 0;
    };
    std::vector<Tally> models(1);  // by number
    Service service{arguments.seed, arguments.epochs, first};
    hg::Rng rng{arguments.seed + 1};
    while (models.size() < 4 || models[3].scored < last) {
        const pump::Reading reading = pump::reading(models.size() > 1 ? 20 : 0, rng);  // at first all goes well
        const auto values = Eigen::Map<const Eigen::VectorXd>(reading.values.data(), 8).cast<float>();
        const Service::Score score = service.score(values);
        const auto number = static_cast<std::size_t>(score.model);
        if (number >= models.size()) models.resize(number + 1);
        Tally& of = models[number];
        of.learned_from = score.learned_from;
        ++of.scored;
        of.while_training += score.while_training;
        of.faults += reading.faulty;
        of.found += reading.faulty && score.alarm;
        of.false_alarms += !reading.faulty && score.alarm;
        std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    for (std::size_t i = 1; i < models.size(); ++i) {
        const Tally& of = models[i];
        std::cout << "model " << i << ", from " << of.learned_from << " readings: " << of.scored << " scored, "
                  << of.while_training << " of them during a training; " << of.found << " of " << of.faults
                  << " faults found, " << of.false_alarms << " false alarms (" << std::fixed << std::setprecision(1)
                  << 100. * static_cast<double>(of.false_alarms) /
                         static_cast<double>(std::max<hg::Index>(of.scored, 1))
                  << " %)\n";
    }
}
