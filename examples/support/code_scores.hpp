// A detector for tables that sees the code: reconstruction error, Mahalanobis distance and nearest neighbours of codes,
// and the error combined with either.
#pragma once

#include <hourglass/hourglass.hpp>
#include <vector>

#include "support/table.hpp"

namespace support {

inline constexpr Eigen::Index widest = 32;  // a table with fewer features is filled up with zeros

/// Samples that train and samples that are scored, standardised on the former: features × n.
struct TrainAndTest {
    Eigen::MatrixXf train, test;
    std::vector<Eigen::Index> lines;  ///< which of the table's lines are scored
    Eigen::VectorXi anomaly;          ///< of those; empty without labels
};

/// Of a table with labels the first half of the normal lines train, and what is left is scored: normal lines, then
/// anomalies. Without labels all lines do both.
inline TrainAndTest train_and_test(const Table& table) {
    const Eigen::Index features = table.values.rows(), lines = table.values.cols();
    if (features > widest) hourglass::fail("the table has ", features, " columns, this program takes up to ", widest);
    TrainAndTest data;
    std::vector<Eigen::Index> normal, anomalous;
    for (Eigen::Index j = 0; j < lines; ++j)
        (table.anomaly.size() > 0 && table.anomaly[j] != 0 ? anomalous : normal).push_back(j);
    data.lines = normal;
    if (!anomalous.empty()) {
        const auto half = static_cast<std::ptrdiff_t>(normal.size() / 2);
        data.lines.assign(normal.begin() + half, normal.end());
        data.lines.insert(data.lines.end(), anomalous.begin(), anomalous.end());
        data.anomaly = table.anomaly(data.lines);
        normal.resize(static_cast<std::size_t>(half));
    }
    hourglass::StandardScaler<double> scaler;
    scaler.fit(table.values(Eigen::all, normal));
    Eigen::MatrixXf x = Eigen::MatrixXf::Zero(widest, lines);
    x.topRows(features) = scaler.transform(table.values).cast<float>();
    data.train = x(Eigen::all, normal);
    data.test = x(Eigen::all, data.lines);
    return data;
}

/// Of each sample of the test, the higher the stranger.
struct CodeScores {
    Eigen::VectorXd error, mahalanobis, neighbors, error_and_mahalanobis, error_and_neighbors;
};

/// Trains a linear autoencoder with `Code` numbers for a code, of whose inputs MaskingNoise hides the share `masked`,
/// and scores. What is learnt from few of the features leans on those which others confirm.
template <Eigen::Index Code>
CodeScores code_scores(const TrainAndTest& data, double masked, int epochs, std::uint64_t seed) {
    namespace hg = hourglass;
    using Encoder = hg::Chain<hg::Shape{widest}, hg::Dense<Code>>;
    using Decoder = hg::Chain<hg::Shape{Code}, hg::Dense<widest>>;
    hg::Rng rng{seed};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}, hg::MaskingNoise{masked});
    auto tape = model.tape();
    auto batches = hg::minibatches(data.train, 64, rng);
    hg::Adam adam;
    const hg::CosineDecay schedule{{.initial_learning_rate = 1e-2, .decay_steps = batches.size() * epochs}};
    for (int epoch = 0; epoch < epochs; ++epoch, batches.shuffle(rng))
        for (const auto& batch : batches) {
            model.gradient(batch, tape, rng);
            adam.learning_rate(schedule(adam.steps()));
            adam.step(model, tape);
        }

    const Eigen::MatrixXf code = model.encode(data.train), test_code = model.encode(data.test);
    hg::MahalanobisDistance mahalanobis;
    mahalanobis.fit(code);
    hg::NearestNeighbors neighbors{5};
    neighbors.fit(code);
    const Eigen::VectorXf error = model.reconstruction_error(data.train);

    CodeScores scores;
    scores.error = model.reconstruction_error(data.test).template cast<double>();
    scores.mahalanobis = mahalanobis.distance(test_code).template cast<double>();
    scores.neighbors = neighbors.mean_distance(test_code).template cast<double>();
    hg::CombinedScore combined;
    combined.fit(error, mahalanobis.distance(code));
    scores.error_and_mahalanobis = combined.score(scores.error, scores.mahalanobis);
    combined.fit(error, neighbors.mean_distance());
    scores.error_and_neighbors = combined.score(scores.error, scores.neighbors);
    return scores;
}

}  // namespace support
