// What the programs that watch a pump share: the columns of its readings, the model, and readings to try them on.
#pragma once

#include <array>
#include <hourglass/hourglass.hpp>
#include <ostream>
#include <string>
#include <vector>

namespace pump {

inline const std::vector<std::string> columns = {"speed", "torque",   "power",       "current",
                                                 "flow",  "pressure", "temperature", "vibration"};

inline constexpr const char* readings_to_score = "readings_to_score.csv";  // what is made up for the second program

using Encoder = hourglass::Chain<hourglass::Shape{8}, hourglass::Dense<32>, hourglass::Tanh, hourglass::Dense<3>>;
using Decoder = hourglass::Chain<Encoder::output, hourglass::Dense<32>, hourglass::Tanh, hourglass::Dense<8>>;
using Detector = hourglass::Autoencoder<Encoder, Decoder, hourglass::MeanSquaredError>;

/// What the sensors of a pump say at one moment, at a random speed, load and air temperature, by name as `columns`.
struct Reading {
    std::array<double, 8> values;
    bool faulty;
};

/// A made-up reading. One in `every` (0: none) is of a pump with a fault, whose every value could also be that of a
/// healthy one.
inline Reading reading(std::uint64_t every, hourglass::Rng& rng) {
    const double speed = rng.uniform(0.5, 1.5), load = rng.uniform(0.5, 1.5), air = rng.uniform(0, 30);
    const double power = speed * load;
    const std::uint64_t fault = every > 0 && rng.below(every) == 0 ? rng.below(3) : 3;
    Reading made{{speed, load, power,
                  4 * power * (fault == 0 ? 1.4 : 1),  // a winding takes more
                  speed * (fault == 1 ? 0.7 : 1),
                  speed * speed * (fault == 1 ? 0.7 : 1),                                     // a seal leaks
                  air + 20 * power + (fault == 2 ? 12 : 0), speed * (fault == 2 ? 1.5 : 1)},  // a bearing wears out
                 fault < 3};
    for (double& value : made.values) value *= 1 + 0.02 * rng.normal();
    return made;
}

/// Writes so many of them as lines of CSV, under their names.
inline void write_readings(std::ostream& out, int lines, std::uint64_t every, hourglass::Rng& rng) {
    for (std::size_t i = 0; i < columns.size(); ++i) out << (i > 0 ? "," : "") << columns[i];
    out << '\n';
    for (int line = 0; line < lines; ++line) {
        const Reading made = reading(every, rng);
        for (std::size_t i = 0; i < made.values.size(); ++i) out << (i > 0 ? "," : "") << made.values[i];
        out << '\n';
    }
}

}  // namespace pump
