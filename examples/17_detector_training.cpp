// Trains a detector of faults on the readings of a healthy pump, --data FILE (CSV), or made-up ones, and writes it to
// pump.safetensors with the scaler and the threshold it needs: one file, which 18_detector_scoring loads. Without a
// file of the user's it also writes readings to score, one in twenty of them faulty, into readings_to_score.csv. Prints
// the error of the readings that trained and of those held back: the two should be near each other.
#include <fstream>
#include <hourglass/hourglass.hpp>
#include <hourglass/io/safetensors.hpp>
#include <iostream>
#include <sstream>

#include "support/arguments.hpp"
#include "support/pump.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) try {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.data = "", .epochs = 60});
    hg::Rng rng{arguments.seed};
    std::stringstream made;
    if (arguments.data.empty()) {
        pump::write_readings(made, arguments.small ? 500 : 4000, 0, rng);
        std::ofstream later(pump::readings_to_score);
        pump::write_readings(later, 200, 20, rng);
        if (!later.flush()) hg::fail(pump::readings_to_score, ": cannot be written");
    }
    const hg::CsvOptions options{.columns = {pump::columns.begin(), pump::columns.end()}};
    const Eigen::MatrixXf readings =
        (arguments.data.empty() ? hg::read_csv<float>(made, options) : hg::read_csv<float>(arguments.data, options))
            .values;
    const hg::Index lines = readings.cols(), held_back = lines / 5;
    if (held_back < 20) hg::fail("100 lines are the least to learn from, got ", lines);

    hg::StandardScaler scaler;
    const Eigen::MatrixXf train = scaler.fit_transform(readings.leftCols(lines - held_back)),
                          validation = scaler.transform(readings.rightCols(held_back));
    pump::Detector detector(rng);
    auto tape = detector.tape();
    auto batches = hg::minibatches(train, 32, rng);
    hg::Adam adam;
    const hg::CosineDecay schedule{{.initial_learning_rate = 5e-3, .decay_steps = batches.size() * arguments.epochs}};
    for (int epoch = 0; epoch < arguments.epochs; ++epoch, batches.shuffle(rng))
        for (const auto& batch : batches) {
            detector.gradient(batch, tape, rng);
            adam.learning_rate(schedule(adam.steps()));
            adam.step(detector, tape);
        }

    // What is held back has errors as new readings will have: twice the largest of them is no longer normal.
    const double threshold = 2 * detector.reconstruction_error(validation, tape).maxCoeff();
    hg::save("pump.safetensors", detector, scaler, hg::named("threshold", threshold));
    std::cout << lines - held_back << " readings train, mean squared error " << detector.loss(train, tape)
              << ", of those held back " << detector.loss(validation, tape) << "; threshold " << threshold
              << "\npump.safetensors written\n";
} catch (const hg::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
