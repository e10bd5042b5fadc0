// Another standard library: all headers compile, a model trains and comes back from a file, and numbers in text are
// read as std::from_chars reads them, which libc++ has for floating-point numbers since version 20.
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "hourglass/hourglass.hpp"
#include "hourglass/io/safetensors.hpp"
#include "hourglass/tensor.hpp"

namespace hg = hourglass;

struct Number {
    std::string text;
    std::size_t length;
    bool in_range;
    double value;
};

// How many numbers are read otherwise than std::from_chars does.
int misread() {
    constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<Number> numbers{
        {"1", 1, true, 1},
        {"2.5", 3, true, 2.5},
        {"-3", 2, true, -3},
        {"4e2", 3, true, 400},
        {".5", 2, true, 0.5},
        {"6.", 2, true, 6},
        {"0", 1, true, 0},
        {"1E-3", 4, true, 0.001},
        {"1e-999", 6, false, 0},
        {"4.9406564584124654e-324", 23, true, 4.9406564584124654e-324},
        {"1e999", 5, false, 0},
        {"-1e999", 6, false, 0},
        {"1e400", 5, false, 0},
        {"abc", 0, true, 0},
        {"1x", 1, true, 1},
        {"0x10", 1, true, 0},
        {"1e", 1, true, 1},
        {"--1", 0, true, 0},
        {"+-1", 0, true, 0},
        {"1 2", 1, true, 1},
        {"1,", 1, true, 1},
        {"e5", 0, true, 0},
        {"-", 0, true, 0},
        {"+", 0, true, 0},
        {"1_000", 1, true, 1},
        {".", 0, true, 0},
        {"", 0, true, 0},
        {"nan", 3, true, nan},
        {"NaN", 3, true, nan},
        {"-nan", 4, true, nan},
        {"inf", 3, true, infinity},
        {"-Infinity", 9, true, -infinity},
        {"infinit", 3, true, infinity},
        {"1.5.2", 3, true, 1.5},
        {"1e5.5", 3, true, 100000},
        {"1e+", 1, true, 1},
        {"1e-", 1, true, 1},
        {"1-2", 1, true, 1},
        {"1+2", 1, true, 1},
        {"+7", 0, true, 0},
        {"1e+5", 4, true, 100000},
        {"-.5e-3", 6, true, -0.00050000000000000001},
        {"-0", 2, true, -0},
        {"00012", 5, true, 12},
        {"1e0005", 6, true, 100000},
        {"18.324918539200002", 18, true, 18.324918539200002},
        {"9007199254740993", 16, true, 9007199254740992},
        {"2.2250738585072011e-308", 23, true, 2.2250738585072009e-308},
        {"1.7976931348623157e308", 22, true, 1.7976931348623157e+308},
        {"1.7976931348623159e308", 22, false, 0},
        {"-e", 0, true, 0},
        {"1ee5", 1, true, 1},
        {".e1", 0, true, 0},
        {"-.", 0, true, 0},
        {"0e999", 5, true, 0},
        {"-1e-999", 7, false, 0},
        {"0.0e-999", 8, true, 0},
        {"nanx", 3, true, nan},
        {"infx", 3, true, infinity},
        {"1;2", 1, true, 1},
        {"1e5x", 3, true, 100000},
        {" 1", 0, true, 0},
        {std::string(400, '9'), 400, false, 0},
        {"0." + std::string(400, '0') + "1", 403, false, 0},
    };
    int wrong = 0;
    for (const Number& n : numbers) {
        const hg::core::ParsedNumber read = hg::core::parse_number(n.text);
        const bool same = read.value == n.value || (std::isnan(read.value) && std::isnan(n.value));
        if (read.length == n.length && read.in_range == n.in_range && (same || n.length == 0 || !n.in_range)) continue;
        std::printf("\"%s\": %zu characters, %s, %.17g\n", n.text.c_str(), read.length,
                    read.in_range ? "in range" : "out of range", read.value);
        ++wrong;
    }
    return wrong;
}

int main() {
    std::istringstream table("a,b,c,d\n0.1,0.2,0.3,4e-1\n.4,0.3,0.2,4.9406564584124654e-324\n");
    const Eigen::MatrixXf x = hg::read_csv(table).values.cast<float>();
    hg::Rng rng{42};
    using Encoder = hg::Chain<hg::Shape{4}, hg::Dense<2>, hg::Tanh>;
    auto model = hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::MeanSquaredError{});
    hg::Adam adam{{.learning_rate = 0.01}};
    auto tape = model.tape();
    const float before = model.loss(x, tape);
    for (int step = 0; step < 100; ++step) {
        model.gradient(x, tape, rng);
        adam.step(model, tape);
    }
    const float after = model.loss(x, tape);
    std::vector<std::byte> file;
    hg::save(file, model, adam);
    auto loaded = hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::MeanSquaredError{});
    hg::load(std::span<const std::byte>{file}, loaded, adam);
    std::printf("loss %g, then %g\n", static_cast<double>(before), static_cast<double>(after));
    return misread() + (after < before ? 0 : 1) + (loaded.loss(x, tape) == after ? 0 : 1);
}
