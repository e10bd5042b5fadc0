// A convolutional autoencoder finds what does not belong in a series: premature beats in an electrocardiogram, or, with
// --data FILE, whatever is unlike the first half of a CSV file (one column per channel; text is left out; a column
// called anomaly holds labels). Writes series_anomalies.png into the current folder. Prints the loss, the threshold and
// how many windows are above it; with labels, how many of these are right. On the electrocardiogram all should be
// found, and nothing else; of a series without labels look at what the picture marks.
#include <algorithm>
#include <hourglass/hourglass.hpp>
#include <iostream>

#include "support/arguments.hpp"
#include "support/chart.hpp"
#include "support/ecg.hpp"
#include "support/table.hpp"

namespace hg = hourglass;

constexpr hg::Index length = 96;  // of a window: three quarters of a second of the electrocardiogram

// The convolutions find waves; eight numbers say which and where. Every channel is a series by itself.
using Encoder = hg::Chain<hg::Shape{1, length}, hg::Conv1D<16, 9, 4, hg::Padding::Same>, hg::ReLU,
                          hg::Conv1D<16, 9, 4, hg::Padding::Same>, hg::ReLU, hg::Flatten, hg::Dense<8>>;

struct Series {
    Eigen::MatrixXf values;          // standardised on the first part
    hg::Index train;                 // steps of that part, which is taken to be normal
    std::vector<hg::Index> windows;  // first steps of the windows that are judged, all behind that part
    std::vector<bool> anomaly;       // of these windows, if it is known
};

static Series make_ecg(double seconds, hg::Rng& rng) {
    const support::Ecg normal = support::generate_ecg({.seconds = seconds}, rng);
    const support::Ecg mixed = support::generate_ecg({.seconds = seconds, .ectopic = 0.1}, rng);
    Series series{Eigen::MatrixXf(1, normal.signal.size() + mixed.signal.size()), normal.signal.size(), {}, {}};
    series.values << normal.signal, mixed.signal;
    for (const support::Beat& beat : mixed.beats) {  // a window around the middle of each beat
        const hg::Index begin = series.train + (beat.begin + beat.end - length) / 2;
        if (begin < series.train || begin + length > series.values.cols()) continue;
        series.windows.push_back(begin);
        series.anomaly.push_back(beat.ectopic);
    }
    return series;
}

static Series read_series(const std::string& path) {
    const support::Table table = support::read_table(path);
    Series series{table.values.cast<float>(), table.values.cols() / 2, {}, {}};
    for (hg::Index begin = series.train; begin + length <= series.values.cols(); begin += length / 2) {
        series.windows.push_back(begin);
        if (table.anomaly.size() > 0)
            series.anomaly.push_back((table.anomaly.segment(begin, length).array() != 0).any());
    }
    return series;
}

int main(int argc, char** argv) try {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.data = "", .epochs = 15});
    hg::Rng rng{arguments.seed};
    Series series = arguments.data.empty() ? make_ecg(arguments.small ? 40 : 300, rng) : read_series(arguments.data);
    hg::StandardScaler scaler;
    scaler.fit(series.values.leftCols(series.train));
    series.values = scaler.transform(series.values);

    // All channels' windows of the first part, one every four steps.
    const hg::Index channels = series.values.rows();
    const hg::Index count = hg::window_count("04_series_anomalies", series.train, length, 4);
    Eigen::MatrixXf train(length, channels * count);
    for (hg::Index channel = 0; channel < channels; ++channel)
        train.middleCols(channel * count, count) =
            hg::sliding_windows(series.values.row(channel).leftCols(series.train), length, 4);

    auto model = hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    hg::Adam adam{{.learning_rate = 2e-3}};
    for (int epoch = 1; epoch <= arguments.epochs; ++epoch) {
        for (const auto& batch : hg::minibatches(train, 64, rng)) {
            model.gradient(batch, tape, rng);
            adam.step(model, tape);
        }
        std::cout << "epoch " << epoch << ": loss " << model.loss(train, tape) << std::endl;
    }

    // Flagged is what scores higher than any window of the first part; of the channels, the worst one counts.
    const double threshold = hg::quantile_threshold(model.reconstruction_error(train), 1);
    Eigen::VectorXf scores = Eigen::VectorXf::Zero(static_cast<hg::Index>(series.windows.size()));
    for (hg::Index i = 0; i < scores.size(); ++i)
        for (hg::Index channel = 0; channel < channels; ++channel) {
            const Eigen::VectorXf window =
                series.values.row(channel).segment(series.windows[static_cast<std::size_t>(i)], length);
            scores[i] = std::max(scores[i], model.reconstruction_error(window)[0]);
        }
    std::cout << "threshold " << threshold << ": " << (scores.cast<double>().array() > threshold).count() << " of "
              << scores.size() << " windows flagged\n";
    if (std::count(series.anomaly.begin(), series.anomaly.end(), true) > 0) {
        const hg::Classification counts = hg::classify(scores, series.anomaly, threshold);
        std::cout << "precision " << counts.precision() << "  recall " << counts.recall() << "  F1 " << counts.f1()
                  << "  ROC-AUC " << hg::roc_auc(scores, series.anomaly) << '\n';
    }

    // The picture: steps around the highest score, and the score of the first channel as it would have come in.
    hg::Index worst = 0;
    scores.maxCoeff(&worst);
    const hg::Index begin = std::max<hg::Index>(series.windows[static_cast<std::size_t>(worst)] - 800, 0);
    const hg::Index end = std::min(begin + 2000, series.values.cols());
    hg::StreamingScorer scorer{model, {1, length}, {.threshold = threshold}};
    support::Curve values{"first channel"}, score{"score of the newest window"}, line{"threshold"},
        alarm{"alarm", {}, {}, "points pt 7 ps 0.4"};
    for (hg::Index step = begin; step < end; ++step) {
        const float value = series.values(0, step);
        values.add(step, value);
        if (const auto window = scorer.push(value)) {
            score.add(step, window->value);
            if (window->exceeds) alarm.add(step, value);
        }
        line.add(step, threshold);
    }
    support::draw_chart("series_anomalies.png", "what the autoencoder does not rebuild", "step",
                        {{"standardised", {values, alarm}}, {"mean squared error", {score, line}}});
} catch (const hg::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
