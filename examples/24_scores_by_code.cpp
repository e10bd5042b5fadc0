// Anomaly scores that also see the code. Prints how well they find the anomalies of labelled tables (ROC-AUC, mean of
// three seeds: 1 is perfect, .5 is chance): the reconstruction error, the Mahalanobis distance of the code, the mean
// distance of the five nearest codes, and the error combined with either by how rare each is among normal samples. The
// tables are made up here, each of anomalies of another kind; or, with --data, a CSV file or all of a folder (a column
// called anomaly holds labels; without one, the five strangest samples are named). Beside six tables of ADBench (Han et
// al. 2022) stand the figures published for a variational autoencoder and for the nearest neighbours of the features;
// how the configuration was chosen stands in tests/published/r7_scores_by_code.cpp.
#include <algorithm>
#include <filesystem>
#include <hourglass/hourglass.hpp>
#include <iomanip>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include "support/arguments.hpp"
#include "support/code_scores.hpp"
#include "support/table.hpp"

namespace hg = hourglass;

// Normal lines are 12 features of 4 hidden numbers, in two groups, and a little noise; anomalies have much noise, or
// hidden numbers too far out, or some that lie between the groups.
enum class Anomaly { Noise, Far, Between };
static support::Table make_table(Anomaly kind, hg::Index lines, hg::Rng& rng) {
    support::Table table;
    Eigen::MatrixXd mixing(12, 4);
    for (double& value : mixing.reshaped()) value = rng.normal();
    table.values.resize(12, lines);
    table.anomaly.resize(lines);
    for (hg::Index j = 0; j < lines; ++j) {
        const bool anomalous = rng.below(10) == 0;
        Eigen::Vector4d hidden;
        for (double& value : hidden) value = rng.normal() * (anomalous && kind == Anomaly::Far ? 2.5 : 1);
        if (!anomalous || kind != Anomaly::Between) hidden[0] += rng.below(2) == 0 ? 4 : -4;
        table.values.col(j) = mixing * hidden;
        for (double& value : table.values.col(j))
            value += rng.normal() * (anomalous && kind == Anomaly::Noise ? 3 : 0.3);
        table.anomaly[j] = anomalous;
    }
    return table;
}

struct Published {
    const char* table;
    double variational, neighbors;
};
constexpr Published published[] = {{"6_cardio", .9655, .9200},           {"38_thyroid", .9855, .9868},
                                   {"4_breastw", .9922, .9905},          {"2_annthyroid", .8544, .9281},
                                   {"7_Cardiotocography", .7890, .6211}, {"20_letter", .3023, .3543}};

static void print(const std::string& name, const support::Table& table, const support::Arguments& arguments) {
    const support::TrainAndTest data = support::train_and_test(table);
    const int seeds = arguments.small || data.anomaly.size() == 0 ? 1 : 3;
    Eigen::VectorXd auc = Eigen::VectorXd::Zero(5);
    for (int seed = 0; seed < seeds; ++seed) {
        const support::CodeScores scores =
            support::code_scores<4>(data, 0.8, arguments.epochs, arguments.seed + static_cast<std::uint64_t>(seed));
        if (data.anomaly.size() == 0) {
            std::vector<hg::Index> order(data.lines.size());
            std::iota(order.begin(), order.end(), hg::Index{0});
            std::sort(order.begin(), order.end(), [&](hg::Index a, hg::Index b) {
                return scores.error_and_neighbors[a] > scores.error_and_neighbors[b];
            });
            order.resize(std::min<std::size_t>(order.size(), 5));
            std::cout << name << " has no labels; its strangest samples, counted from 0, and their combined scores:";
            for (const hg::Index i : order) std::cout << "  " << i << " (" << scores.error_and_neighbors[i] << ')';
            std::cout << '\n';
            return;
        }
        hg::Index column = 0;
        for (const Eigen::VectorXd* score : {&scores.error, &scores.mahalanobis, &scores.neighbors,
                                             &scores.error_and_mahalanobis, &scores.error_and_neighbors})
            auc[column++] += hg::roc_auc(*score, data.anomaly) / seeds;
    }
    std::cout << std::left << std::setw(20) << name << std::right << std::fixed << std::setprecision(4);
    for (const double value : auc) std::cout << std::setw(13) << value;
    for (const Published& figures : published)
        if (name == figures.table)
            std::cout << std::setw(13) << figures.variational << std::setw(13) << figures.neighbors;
    std::cout << std::endl;
}

int main(int argc, char** argv) try {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.data = "", .epochs = 1600});
    std::vector<std::filesystem::path> files;
    if (std::filesystem::is_directory(arguments.data))
        for (const auto& entry : std::filesystem::directory_iterator(arguments.data))
            if (entry.path().extension() == ".csv") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    if (files.empty() && !arguments.data.empty()) files.push_back(arguments.data);
    std::vector<support::Table> tables;
    for (const auto& file : files) tables.push_back(support::read_table(file.string()));

    std::cout << std::left << std::setw(20) << "ROC-AUC" << std::right;
    for (const char* column : {"error", "Mahalanobis", "neighbours", "error + M.", "error + n."})
        std::cout << std::setw(13) << column;
    std::cout << (files.empty() ? "\n" : "   VAE, publ.   KNN, publ.\n");
    for (std::size_t i = 0; i < files.size(); ++i) print(files[i].stem().string(), tables[i], arguments);
    if (files.empty()) {
        hg::Rng rng{arguments.seed};
        const hg::Index lines = arguments.small ? 400 : 2000;
        print("much noise", make_table(Anomaly::Noise, lines, rng), arguments);
        print("far out", make_table(Anomaly::Far, lines, rng), arguments);
        print("between groups", make_table(Anomaly::Between, lines, rng), arguments);
    }
} catch (const hg::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
