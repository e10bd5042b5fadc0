// Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): 28 × 28 grey pictures of clothes in ten classes, 60 000 for training
// and 10 000 for testing.
#pragma once

#include <Eigen/Core>
#include <cstdlib>
#include <hourglass/data/idx.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "support/gzip.hpp"

namespace support {

/// Pictures are 784 × n in [0, 1], labels are 0…9.
struct FashionMnist {
    Eigen::MatrixXf train, test;
    Eigen::VectorXi train_labels, test_labels;
};

/// Reads the four IDX files, gzipped or plain, in `directory`. Where one is missing, says where they come from and ends
/// the program with status 77, which test runners take for "skipped"; with 1 where one is damaged.
inline FashionMnist load_fashion_mnist(const std::string& directory) {
    const auto open = [&directory](const char* name) {
        std::unique_ptr<std::istream> file = open_file(directory + "/" + name);
        if (file == nullptr) {
            std::cout << "Fashion-MNIST is not in " << directory << ": there is no " << name << " or " << name
                      << ".gz.\n"
                         "Install Debian's package dataset-fashion-mnist, or download the four files from\n"
                         "https://github.com/zalandoresearch/fashion-mnist and pass their folder: --data DIR\n";
            std::exit(77);
        }
        return file;
    };
    try {
        return {hourglass::read_idx_images(*open("train-images-idx3-ubyte")),
                hourglass::read_idx_images(*open("t10k-images-idx3-ubyte")),
                hourglass::read_idx_labels(*open("train-labels-idx1-ubyte")),
                hourglass::read_idx_labels(*open("t10k-labels-idx1-ubyte"))};
    } catch (const hourglass::Error& error) {
        std::cerr << "Fashion-MNIST in " << directory << " is damaged: " << error.what() << '\n';
        std::exit(1);
    }
}

}  // namespace support
