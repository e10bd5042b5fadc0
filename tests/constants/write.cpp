// Writes the header with the constants that read.cpp includes.
#include <fstream>
#include <hourglass/io/constants.hpp>

#include "models.hpp"

int main() {
    hourglass::Rng rng{7};
    auto network = constants::network(rng);
    auto autoencoder = constants::autoencoder(rng);
    constants::fill(network, rng);
    constants::fill(autoencoder, rng);
    hourglass::export_constants("network_weights.hpp", "network_weights", network);
    std::ofstream out("autoencoder_weights.hpp");
    hourglass::export_constants(out, "autoencoder_weights", autoencoder);
}
