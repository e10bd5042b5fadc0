// The few arguments that the examples take.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

namespace support {

struct Arguments {
    std::string data =
        "/usr/share/datasets/fashion-mnist";  ///< --data DIR: the folder of the data set; empty: --data FILE, optional
    int epochs = 20;                          ///< --epochs N
    std::uint64_t seed = 42;                  ///< --seed N
    bool small = false;                       ///< --budget small: a few seconds instead of a minute
    bool takes_data = true;                   ///< false: the example makes its own, there is no --data
};

/// Reads the command line over the example's own `defaults`. Prints the usage and ends the program for --help (exit
/// status 0) and for what it does not know (2).
inline Arguments read_arguments(int argc, char** argv, const Arguments& defaults = {}) {
    Arguments arguments = defaults;
    const auto usage = [&](std::ostream& out, int status) {
        const bool folder = defaults.takes_data && !defaults.data.empty();
        out << "usage: " << argv[0]
            << (!defaults.takes_data ? ""
                : folder             ? " [--data DIR]"
                                     : " [--data FILE]")
            << " [--epochs N] [--seed N] [--budget small|full]\ndefaults: "
            << (folder ? "--data " + defaults.data + " " : "") << "--epochs " << defaults.epochs << " --seed "
            << defaults.seed << " --budget " << (defaults.small ? "small" : "full") << '\n';
        std::exit(status);
    };
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        if (option == "--help" || option == "-h") usage(std::cout, 0);
        const std::string value = i + 1 < argc ? argv[++i] : "";
        try {
            if (option == "--data" && defaults.takes_data && !value.empty()) {
                arguments.data = value;
            } else if (option == "--epochs" && std::stoi(value) > 0) {
                arguments.epochs = std::stoi(value);
            } else if (option == "--seed") {
                arguments.seed = std::stoull(value);
            } else if (option == "--budget" && (value == "small" || value == "full")) {
                arguments.small = value == "small";
            } else {
                std::cerr << "not understood: " << option << ' ' << value << '\n';
                usage(std::cerr, 2);
            }
        } catch (const std::exception&) {
            std::cerr << option << " takes a number, got \"" << value << "\"\n";
            usage(std::cerr, 2);
        }
    }
    return arguments;
}

}  // namespace support
