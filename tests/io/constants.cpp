// Parameters as a constant of a program: the text, and what is refused on the way there and back. That compilers read
// the bits that were written is tests/constants.
#include <hourglass/io/constants.hpp>

#include <Eigen/Core>
#include <array>
#include <filesystem>
#include <hourglass/hourglass.hpp>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/files.hpp"

namespace hg = hourglass;

namespace {

using Net = hg::Chain<hg::Shape{2}, hg::Dense<1>, hg::BatchNormalization>;
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
// Kernel, bias; scale, shift; mean, variance.
constexpr std::array<float, 7> values{0.75f, -0.5f, 3, 1, 0, 0.15625f, 1};

auto network() {
    hg::Rng rng{3};
    auto made = hg::network<Net>(rng);
    hg::set_weights(made, values);
    return made;
}
std::string written(const auto& model, std::string_view name = "pump_weights") {
    std::ostringstream out;
    hg::export_constants(out, name, model);
    return out.str();
}

}  // namespace

TEST_CASE("a header with constants is written as it is to be read") {
    CHECK(written(network()) ==
          "// 0 Dense: 2 to 1, 3 parameters\n"
          "// 1 BatchNormalization: 1 to 1, 2 parameters\n"
          "// Parameters, then running values; written by hourglass::export_constants, to be read by "
          "hourglass::set_weights.\n"
          "#pragma once\n\n"
          "#include <array>\n\n"
          "inline constexpr std::array<float, 7> pump_weights{{\n"
          "    0x1.8p-1f, -0x1p-1f, 0x1.8p+1f, 0x1p+0f, 0x0p+0f, 0x1.4p-3f,\n"
          "    0x1p+0f,\n"
          "}};\n");
    hg::Rng rng{3};
    auto wide = hg::network<hg::Chain<hg::Shape{1}, hg::Dense<1, false>>, double>(rng);
    hg::set_weights(wide, std::vector<double>{0.1});
    CHECK(written(wide).find("std::array<double, 1> pump_weights{{\n    0x1.999999999999ap-4,\n}};\n") !=
          std::string::npos);
    CHECK(written(hg::network<hg::Chain<hg::Shape{2}, hg::ReLU>>(rng)).find("std::array<float, 0>") !=
          std::string::npos);
}

TEST_CASE("weights are taken in the order of parameters and running values") {
    const auto made = network();
    CHECK(made.parameters() == Eigen::Map<const Eigen::VectorXf>(values.data(), 5));
    CHECK(made.state() == Eigen::Map<const Eigen::VectorXf>(values.data() + 5, 2));
}

TEST_CASE("weights that do not fit are refused, and nothing has changed") {
    auto made = network();
    const auto refused = [&](std::vector<float> given) { return error_of([&] { hg::set_weights(made, given); }); };
    CHECK(refused({1, 2, 3, 4, 5, 6}) == "set_weights: 6 values for a network of 5 parameters and 2 running values");
    CHECK(refused({1, 2, 3, 4, 5, 6, 7, 8}) ==
          "set_weights: 8 values for a network of 5 parameters and 2 running values");
    CHECK(refused({1, 2, not_a_number, 4, 5, 6, 7}) == "set_weights: 0.bias: value 0 of 1 is nan, which is not finite");
    CHECK(refused({1, 2, 3, 4, 5, 6, -7}) == "set_weights: 1.moving_variance: value 0 of 1 is -7, expected at least 0");
    CHECK(made.parameters() == network().parameters());
    CHECK(made.state() == network().state());
    const auto moved = std::move(made);
    CHECK(refused({1, 2, 3, 4, 5, 6, 7}) ==
          "set_weights: the network has no parameters any more: it has been moved from");
}

TEST_CASE("what would not compile or not load is not written") {
    const Folder folder("constants");
    const std::string path = folder / "weights.hpp";
    auto made = network();
    const auto refused = [&](std::string_view name) {
        return error_of([&] { hg::export_constants(path, name, made); });
    };
    CHECK(refused("pump_weights") == "nothing was thrown");
    const std::string before = text_of(path);
    CHECK(before == written(made));
    for (const char* name : {"", "2nd", "pump-weights", "pump weights", "a::b", "float", "xor_eq", "std", "main", "_w",
                             "_W", "pump__weights"})
        CHECK(refused(name) ==
              "export_constants: \"" + std::string{name} + "\" is no name that a constant can have in C++");
    for (const char* name : {"floats", "w_", "or_", "Float"}) CHECK_NOTHROW(written(made, name));
    made.state()[1] = -1;
    CHECK(refused("w") == "export_constants: 1.moving_variance: value 0 of 1 is -1, expected at least 0");
    made.parameters()[1] = not_a_number;
    CHECK(refused("w") == "export_constants: 0.kernel: value 1 of 2 is nan, which is not finite");
    CHECK(text_of(path) == before);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
    made = network();
    CHECK(error_of([&] { hg::export_constants(folder / "no/weights.hpp", "w", made); }) != "nothing was thrown");
    std::ostringstream broken;
    broken.setstate(std::ios::badbit);
    CHECK(error_of([&] { hg::export_constants(broken, "w", made); }).starts_with("export_constants: "));
    const auto moved = std::move(made);
    CHECK(refused("w") == "export_constants: the network has no parameters any more: it has been moved from");
}
