// The constants that write.cpp has written are those of its models to the bit, and so are models that take them.
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <hourglass/freeze.hpp>
#include <hourglass/io/constants.hpp>
#include <type_traits>

#include "autoencoder_weights.hpp"
#include "models.hpp"
#include "network_weights.hpp"

namespace {

static_assert(std::is_same_v<decltype(network_weights)::value_type, float>);
static_assert(std::is_same_v<decltype(autoencoder_weights)::value_type, double>);
static_assert(network_weights.size() == (3 * 2 * 4 + 4) + 2 * 4 + (4 * 3 + 3) + 2 * 4);
static_assert(network_weights[0] == std::numeric_limits<float>::max());

bool is_same(const auto& one, const auto& other) {
    return one.size() == other.size() &&
           std::memcmp(one.data(), other.data(), sizeof(*one.data()) * static_cast<std::size_t>(one.size())) == 0;
}

int wrong = 0;
void expect(bool holds, const char* what) {
    if (!holds) std::printf("%s: other bits\n", what);
    wrong += !holds;
}

}  // namespace

int main() {
    hourglass::Rng rng{7};
    auto network = constants::network(rng);
    auto autoencoder = constants::autoencoder(rng);
    constants::fill(network, rng);
    constants::fill(autoencoder, rng);

    auto read_network = constants::network(rng);
    auto read_autoencoder = constants::autoencoder(rng);
    hourglass::set_weights(read_network, network_weights);
    hourglass::set_weights(read_autoencoder, autoencoder_weights);
    expect(is_same(read_network.parameters(), network.parameters()), "the network's parameters");
    expect(is_same(read_network.state(), network.state()), "the network's running values");
    expect(is_same(read_autoencoder.parameters(), autoencoder.parameters()), "the autoencoder's parameters");
    expect(is_same(read_autoencoder.state(), autoencoder.state()), "the autoencoder's running values");

    // As numbers that a network computes with.
    for (float& value : network.parameters()) value = std::fabs(value) < 10 ? value : 1.0f;
    for (float& value : read_network.parameters()) value = std::fabs(value) < 10 ? value : 1.0f;
    std::array<float, 24> x{};
    for (float& value : x) value = static_cast<float>(rng.normal());
    std::array<float, 30> y{}, read_y{};
    hourglass::freeze(network).evaluate(x, y);
    hourglass::freeze(read_network).evaluate(x, read_y);
    expect(is_same(y, read_y), "the frozen network's output");
    return wrong;
}
