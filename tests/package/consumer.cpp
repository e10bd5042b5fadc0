// The program that the package tests build in a project of its own.
#include <cstdio>

#include "hourglass/core/random.hpp"
#include "hourglass/core/version.hpp"

int main() {
    hourglass::Rng rng{42};
    const double drawn = rng.uniform();
    std::printf("hourglass %s drew %g\n", HOURGLASS_VERSION, drawn);
    return drawn >= 0 && drawn < 1 ? 0 : 1;
}
