// The learning rate falls when it is time, counted by hand after Keras's rules, and a run goes on from what was seen.
#include "hourglass/train/reduce_lr_on_plateau.hpp"

#include <limits>
#include <regex>
#include <sstream>
#include <vector>

#include "hourglass/io/safetensors.hpp"
#include "hourglass/optim/sgd.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;
using Options = hg::ReduceLROnPlateau::Options;

namespace {

// The epochs, from 0, in which the rate falls.
std::vector<int> falls(const Options& options, const std::vector<double>& metrics) {
    hg::ReduceLROnPlateau plateau{options};
    hg::Sgd sgd{{.learning_rate = 1}};
    std::vector<int> epochs;
    for (std::size_t epoch = 0; epoch < metrics.size(); ++epoch) {
        const double before = sgd.learning_rate();
        plateau = hg::ReduceLROnPlateau{plateau.options(), plateau.progress()};  // one that has seen the same
        const bool fell = plateau.update(metrics[epoch], sgd);
        CHECK(fell == (sgd.learning_rate() < before));
        if (fell) epochs.push_back(static_cast<int>(epoch));
    }
    return epochs;
}

}  // namespace

TEST_CASE("the rate falls after so many epochs without improvement") {
    const std::vector<double> flat{1, .9, .9, .9, .9, .9, .9, .9, .9};
    CHECK(falls({.patience = 2}, flat) == std::vector{3, 5, 7});
    CHECK(falls({.patience = 2, .cooldown = 1}, flat) == std::vector{3, 5, 7});
    CHECK(falls({.patience = 2, .cooldown = 2}, flat) == std::vector{3, 6});
    CHECK(falls({.patience = 2, .cooldown = 3}, flat) == std::vector{3, 7});
    CHECK(falls({.patience = 0}, {1, 2, .5, .5}) == std::vector{1, 3});
    CHECK(falls({.patience = 1}, flat) == std::vector{2, 3, 4, 5, 6, 7, 8});
    CHECK(falls({}, std::vector<double>(30, 1.0)) == std::vector{10, 20});
}

TEST_CASE("what counts as better") {
    CHECK(falls({.patience = 1, .min_delta = 0.1}, {1, .95, .85, .8}) == std::vector{1, 3});
    CHECK(falls({.patience = 1, .min_delta = 0}, {1, 1, 1 - 1e-9}) == std::vector{1});
    CHECK(falls({.patience = 1, .maximise = true}, {1, 2, 1.5, 3}) == std::vector{2});
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    CHECK(falls({.patience = 2}, {nan, infinity, 1, nan, .5}) == std::vector{1});
    CHECK(falls({.patience = 1, .maximise = true}, {1, infinity}) == std::vector{1});
}

TEST_CASE("the rate falls by the factor, and no further than the least") {
    hg::ReduceLROnPlateau plateau{{.factor = 0.5, .patience = 1, .min_learning_rate = 0.2}};
    hg::Sgd sgd{{.learning_rate = 1}};
    std::vector<double> rates;
    for (int epoch = 0; epoch < 6; ++epoch) {
        plateau.update(1, sgd);
        rates.push_back(sgd.learning_rate());
    }
    CHECK(rates == std::vector{1.0, 0.5, 0.25, 0.2, 0.2, 0.2});
}

TEST_CASE("what it has seen goes into a file and comes back") {
    const Options options{.factor = 0.5, .patience = 3, .cooldown = 4};
    hg::ReduceLROnPlateau plateau{options}, loaded;
    hg::Sgd sgd{{.learning_rate = 1}};
    for (const double metric : {3.0, 2.0, 2.0, 2.0, 2.0, 2.0}) plateau.update(metric, sgd);
    REQUIRE(plateau.progress().cooling > 0);
    std::stringstream file;
    hg::save(file, plateau, sgd);
    hg::load(file, loaded, sgd);
    CHECK(loaded.options().patience == 3);
    CHECK(loaded.options().factor == 0.5);
    CHECK(loaded.progress().any);
    CHECK(loaded.progress().best == 2);
    CHECK(loaded.progress().waited == plateau.progress().waited);
    CHECK(loaded.progress().cooling == plateau.progress().cooling);
    // What cannot be is refused, and changes nothing.
    std::stringstream spoilt(std::regex_replace(file.str(), std::regex("\"cooldown\\\\\":4"), "\"cooldown\\\":1"));
    REQUIRE(spoilt.str() != file.str());
    CHECK_THAT(error_of([&] { hg::load(spoilt, loaded, sgd); }), ContainsSubstring("patience and cooldown cannot be"));
    CHECK(loaded.options().cooldown == 4);
}

TEST_CASE("options and what was seen are refused where they cannot be") {
    const auto error = [](const Options& options, const hg::ReduceLROnPlateau::Progress& seen = {}) {
        return error_of([&] { hg::ReduceLROnPlateau(options, seen); });
    };
    for (const double factor : {0.0, 1.0, -1.0, std::numeric_limits<double>::quiet_NaN()})
        CHECK_THAT(error({.factor = factor}), ContainsSubstring("the factor must lie between 0 and 1"));
    CHECK_THAT(error({.patience = -1}), ContainsSubstring("patience and cooldown must be at least 0"));
    CHECK_THAT(error({.min_delta = -1}), ContainsSubstring("min_delta must be finite"));
    CHECK_THAT(error({.min_learning_rate = -1}), ContainsSubstring("min_learning_rate must be finite"));
    CHECK_THAT(error({}, {true, std::numeric_limits<double>::infinity(), 0, 0}),
               ContainsSubstring("the best metric is inf"));
    CHECK_THAT(error({.patience = 2}, {true, 1, 3, 0}), ContainsSubstring("after 3 epochs without improvement"));
    CHECK_THAT(error({}, {true, 1, 0, 1}), ContainsSubstring("with 1 that do not count"));
}
