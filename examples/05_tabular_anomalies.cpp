// An autoencoder learns what is normal in a table and says which lines are not, and because of which columns: readings
// of a pump that is made up here, or, with --data FILE, a CSV file (columns of text are left out; a column called
// anomaly holds labels). Writes tabular_anomalies.png into the current folder. Prints how many lines are above the
// threshold, with labels how many of these are right, and the worst lines with the columns that say so: of the pump the
// ROC-AUC should be above .99, and the columns be those of its faults (vibration of a bearing, flow of a seal).
#include <algorithm>
#include <cmath>
#include <hourglass/hourglass.hpp>
#include <iostream>
#include <numeric>

#include "support/arguments.hpp"
#include "support/chart.hpp"
#include "support/table.hpp"

namespace hg = hourglass;

// The model is compiled for this many features; a table with fewer is filled up with zeros, which are always rebuilt.
constexpr hg::Index widest = 32;
using Encoder = hg::Chain<hg::Shape{widest}, hg::Dense<32>, hg::Tanh, hg::Dense<3>>;
using Decoder = hg::Chain<Encoder::output, hg::Dense<32>, hg::Tanh, hg::Dense<widest>>;

// Readings of a pump at a random speed, load and air temperature; one in twenty of a pump with a fault, whose every
// reading could also be that of a healthy one.
static support::Table make_readings(hg::Index lines, hg::Rng& rng) {
    support::Table table;
    table.names = {"speed", "torque", "power", "current", "flow", "pressure", "temperature", "vibration"};
    table.values.resize(8, lines);
    table.anomaly.resize(lines);
    for (hg::Index j = 0; j < lines; ++j) {
        const double speed = rng.uniform(0.5, 1.5), load = rng.uniform(0.5, 1.5), air = rng.uniform(0, 30);
        const double power = speed * load;
        const std::uint64_t fault = rng.below(60);                                      // 0 … 2, else none
        table.values.col(j) << speed, load, power, 4 * power * (fault == 0 ? 1.4 : 1),  // a winding takes more
            speed * (fault == 1 ? 0.7 : 1), speed * speed * (fault == 1 ? 0.7 : 1),     // a seal leaks
            air + 20 * power + (fault == 2 ? 12 : 0), speed * (fault == 2 ? 1.5 : 1);   // a bearing wears out
        for (hg::Index i = 0; i < 8; ++i) table.values(i, j) *= 1 + 0.02 * rng.normal();
        table.anomaly[j] = fault < 3;
    }
    return table;
}

int main(int argc, char** argv) try {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.data = "", .epochs = 60});
    hg::Rng rng{arguments.seed};
    const support::Table table =
        arguments.data.empty() ? make_readings(arguments.small ? 500 : 4000, rng) : support::read_table(arguments.data);
    const hg::Index features = table.values.rows(), lines = table.values.cols();
    if (features > widest) hg::fail(arguments.data, ": ", features, " columns, this program takes up to ", widest);

    // With labels, half of the normal lines train and all others test. Without, all lines do both: anomalies are few.
    const bool labelled = (table.anomaly.array() != 0).any();
    std::vector<hg::Index> train, test;
    const hg::Index half = labelled ? (table.anomaly.array() == 0).count() / 2 : lines;
    for (hg::Index j = 0; j < lines; ++j)
        if (!labelled || (table.anomaly[j] == 0 && static_cast<hg::Index>(train.size()) < half))
            train.push_back(j);
        else
            test.push_back(j);
    if (!labelled) test = train;

    hg::StandardScaler<double> scaler;
    scaler.fit(table.values(Eigen::all, train));
    Eigen::MatrixXf x = Eigen::MatrixXf::Zero(widest, lines);
    x.topRows(features) = scaler.transform(table.values).cast<float>();
    const Eigen::MatrixXf x_train = x(Eigen::all, train), x_test = x(Eigen::all, test);

    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    auto batches = hg::minibatches(x_train, 32, rng);
    hg::Adam adam;
    const hg::CosineDecay schedule{{.initial_learning_rate = 5e-3, .decay_steps = batches.size() * arguments.epochs}};
    for (int epoch = 0; epoch < arguments.epochs; ++epoch, batches.shuffle(rng))
        for (const auto& batch : batches) {
            model.gradient(batch, tape, rng);
            adam.learning_rate(schedule(adam.steps()));
            adam.step(model, tape);
        }

    const Eigen::VectorXf trained = model.reconstruction_error(x_train), scores = model.reconstruction_error(x_test);
    const double threshold = hg::quantile_threshold(trained, 0.99);
    std::cout << x_train.cols() << " samples train, " << x_test.cols() << " test; threshold " << threshold
              << ", the 99 % quantile of the training errors: " << (scores.cast<double>().array() > threshold).count()
              << " flagged\n";
    const Eigen::VectorXi labels = labelled ? Eigen::VectorXi(table.anomaly(test)) : Eigen::VectorXi();
    if (labelled) {
        const auto print = [&](const char* name, double at) {
            const hg::Classification counts = hg::classify(scores, labels, at);
            std::cout << name << "precision " << counts.precision() << "  recall " << counts.recall() << "  F1 "
                      << counts.f1() << '\n';
        };
        std::cout << "ROC-AUC " << hg::roc_auc(scores, labels) << '\n';
        print("at the threshold:       ", threshold);
        print("at the best threshold:  ", hg::best_f1_threshold(scores, labels));
    }

    // Why the worst lines were flagged.
    const Eigen::MatrixXf parts = hg::error_contributions(x_test, model.reconstruct(x_test, tape)).topRows(features);
    std::vector<hg::Index> order(test.size());
    std::iota(order.begin(), order.end(), hg::Index{0});
    std::sort(order.begin(), order.end(), [&](hg::Index a, hg::Index b) { return scores[a] > scores[b]; });
    for (std::size_t i = 0; i < std::min<std::size_t>(order.size(), 5); ++i) {
        std::cout << "sample " << test[static_cast<std::size_t>(order[i])] << ", error " << scores[order[i]] << ":";
        for (const hg::Contribution& part : hg::top_contributions(parts.col(order[i]), 3, table.names))
            std::cout << "  " << part.name << ' ' << std::lround(100 * part.share) << " %";
        std::cout << '\n';
    }

    // The picture: how the errors are distributed, on a logarithmic axis.
    support::Curve normal{labelled ? "normal" : "all", {}, {}, "boxes"}, anomalous{"anomalous", {}, {}, "boxes"};
    constexpr int bins = 60;
    const double low = std::log10(std::max(1e-9, static_cast<double>(scores.minCoeff())));
    const double step =
        std::max(1e-3, (std::log10(std::max(1e-9, static_cast<double>(scores.maxCoeff()))) - low) / bins);
    for (int bin = 0; bin < bins; ++bin) {
        normal.add(low + (bin + 0.5) * step, 0);
        anomalous.add(low + (bin + 0.5) * step, 0);
    }
    for (hg::Index i = 0; i < scores.size(); ++i) {
        const double place = (std::log10(std::max(1e-9, static_cast<double>(scores[i]))) - low) / step;
        ++(labelled && labels[i] != 0 ? anomalous : normal)
              .y[static_cast<std::size_t>(std::clamp(static_cast<int>(place), 0, bins - 1))];
    }
    support::Curve line{"threshold",
                        {std::log10(threshold), std::log10(threshold)},
                        {0, *std::max_element(normal.y.begin(), normal.y.end())},
                        "lines lw 2"};
    support::draw_chart("tabular_anomalies.png", "reconstruction errors of the test samples",
                        "log10 of the mean squared error", {{"samples", {normal, anomalous, line}}});
} catch (const hg::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
