// Large arrays are marked for large pages, where Linux offers them.
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <hourglass/hourglass.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"

namespace hg = hourglass;

namespace {

// Whether the system marks the memory in which `address` lies as wished on large pages.
bool wished_on_huge_pages(const void* address) {
    std::ifstream maps("/proc/self/smaps");
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    bool here = false;
    for (std::string line; std::getline(maps, line);) {
        std::istringstream words(line);
        std::uintptr_t begin = 0, end = 0;
        char dash = 0;
        if (words >> std::hex >> begin >> dash >> end && dash == '-')
            here = begin <= wanted && wanted < end;
        else if (here && line.starts_with("VmFlags:"))
            return (line + ' ').find(" hg ") != std::string::npos;
    }
    return false;
}

using Encoder = hg::Chain<hg::Shape{1000}, hg::Dense<1000>>;
using Decoder = hg::Chain<hg::Shape{1000}, hg::Dense<1000>>;

}  // namespace

TEST_CASE("the parameters, gradients, scratch and moments of a large model lie on huge pages") {
    if (!std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled")) {
        WARN("skipped: this system has no transparent huge pages");
        return;
    }
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    const Eigen::MatrixXf x = Eigen::MatrixXf::Constant(1000, 256, 0.5f);
    model.gradient(x, tape, rng);
    hg::Adam adam;
    adam.step(model.parameters(), tape.gradient());

    CHECK(wished_on_huge_pages(model.parameters().data() + model.parameters().size() / 2));
    CHECK(wished_on_huge_pages(tape.gradient().data() + tape.gradient().size() / 2));
    CHECK(wished_on_huge_pages(adam.moments<float>().data() + adam.moments<float>().size() / 2));
    CHECK(wished_on_huge_pages(tape.memory(1) + 500'000));
    CHECK_FALSE(wished_on_huge_pages(&rng));  // on the stack
}

TEST_CASE("any memory may be asked for, and keeps its contents") {
    hg::prefer_huge_pages(static_cast<float*>(nullptr), 0);
    std::vector<double> large(600'000, 2.);
    hg::prefer_huge_pages(large.data() + 1, 599'999);
    CHECK(std::count(large.begin(), large.end(), 2.) == 600'000);
}
