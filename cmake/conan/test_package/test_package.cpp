// Reads the umbrella header, draws a number and says which version it has.
#include <hourglass/hourglass.hpp>
#include <iostream>

int main() {
    hourglass::Rng rng{42};
    std::cout << "hourglass " << HOURGLASS_VERSION << " drew " << rng.uniform() << '\n';
}
