#include "hourglass/train/annealing.hpp"

#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;

TEST_CASE("annealing refuses a step before the first") {
    CHECK(hg::LinearAnnealing{.steps = 10}(0) == 0);
    CHECK(error_of([] { hg::LinearAnnealing{.steps = 10}(-1); }) ==
          "LinearAnnealing: the step must be at least 0, got -1");
    CHECK(error_of([] { hg::CyclicalAnnealing{.period = 10}(-3); }) ==
          "CyclicalAnnealing: the step must be at least 0, got -3");
}
