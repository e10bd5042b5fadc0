// Loads the detector that 17_detector_training wrote, pump.safetensors or the file named first, and scores readings as
// they come in, CSV from the standard input: each line that does not belong is said, with the readings that say so, and
// each that lacks a number. Of the 200 lines that 17 makes up about ten should be flagged.
//
//     18_detector_scoring pump.safetensors < readings_to_score.csv
#include <algorithm>
#include <cmath>
#include <hourglass/hourglass.hpp>
#include <hourglass/io/safetensors.hpp>
#include <iostream>

#include "support/pump.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) try {
    hg::Rng rng{0};  // for parameters that are replaced at once
    pump::Detector detector(rng);
    hg::StandardScaler scaler;
    double threshold = 0;
    hg::load(argc > 1 ? argv[1] : "pump.safetensors", detector, scaler, hg::named("threshold", threshold));

    hg::CsvLines lines{std::cin, ','};
    if (!lines.next() || lines.fields() != pump::columns) hg::fail("the first line does not name the pump's readings");
    auto tape = detector.tape();
    Eigen::VectorXf reading(static_cast<hg::Index>(pump::columns.size()));
    hg::Index flagged = 0, broken = 0, scored = 0;
    while (lines.next()) {
        std::string missing;
        for (std::size_t i = 0; i < pump::columns.size(); ++i) {
            double value = 0;
            if (i >= lines.fields().size() ||
                hg::parse_csv_number(lines.fields()[i], '.', value) != hg::CsvField::Number ||
                !hg::is_finite(static_cast<float>(value)))
                missing += (missing.empty() ? "" : ", ") + pump::columns[i];
            reading[static_cast<hg::Index>(i)] = static_cast<float>(value);
        }
        if (!missing.empty()) {  // a reading that is not there is an alarm of its own
            std::cout << "line " << lines.line() << ": no number for " << missing << '\n';
            ++broken;
            continue;
        }
        ++scored;
        const Eigen::MatrixXf x = scaler.transform(reading);
        const float error = detector.reconstruction_error(x, tape)[0];
        if (static_cast<double>(error) <= threshold) continue;
        ++flagged;
        std::cout << "line " << lines.line() << ": error " << error << ',';
        const Eigen::MatrixXf parts = hg::error_contributions(x, detector.reconstruct(x));
        for (const hg::Contribution& part : hg::top_contributions(parts.col(0), 3, pump::columns))
            std::cout << ' ' << part.name << ' ' << std::lround(100 * part.share) << " %";
        std::cout << '\n';
    }
    std::cout << scored << " lines scored at a threshold of " << threshold << ", " << flagged << " flagged, " << broken
              << " without a number\n";
} catch (const hg::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
