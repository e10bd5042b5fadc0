// Patches of photographs. JPEG needs libjpeg-turbo (HOURGLASS_EXAMPLES_JPEG).
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#ifdef HOURGLASS_EXAMPLES_JPEG
#include <turbojpeg.h>
#endif

namespace support {

/// Ends the program with status 77, which test runners take for "skipped", saying why there are no photographs.
[[noreturn]] inline void no_photographs(const std::string& why) {
    std::cout << why << ".\nInstall Debian's package mate-backgrounds, or pass a folder of JPEG files: --data DIR\n";
    std::exit(77);
}

/// Square patches of `size` pixels of the photographs (*.jpg, in the order of their names) in a folder, each read at a
/// quarter of its size: 3·size² × n, red, green and blue of the first pixel first, in [0, 1]. Of each photograph the
/// left three quarters are for training, the rest for testing; patches lie `step` pixels apart.
struct Photographs {
    Eigen::MatrixXf train, test;
};

#ifdef HOURGLASS_EXAMPLES_JPEG
inline Photographs load_photographs(const std::string& folder, int size, int step) {
    std::error_code missing;
    std::vector<std::filesystem::path> files;
    for (const auto& file : std::filesystem::directory_iterator{folder, missing})
        if (file.path().extension() == ".jpg") files.push_back(file.path());
    if (files.empty()) no_photographs("A photograph is not in " + folder + ": there is no *.jpg");
    std::sort(files.begin(), files.end());

    std::vector<Eigen::VectorXf> train, test;
    const tjhandle decoder = tjInitDecompress();
    for (const std::filesystem::path& path : files) {
        std::ifstream file(path, std::ios::binary);
        std::vector<unsigned char> jpeg{std::istreambuf_iterator<char>(file), {}};
        int width = 0, height = 0, sampling = 0, space = 0;
        if (tjDecompressHeader3(decoder, jpeg.data(), static_cast<unsigned long>(jpeg.size()), &width, &height,
                                &sampling, &space) != 0)
            continue;  // not a JPEG file, whatever it is called
        width = TJSCALED(width, (tjscalingfactor{1, 4}));
        height = TJSCALED(height, (tjscalingfactor{1, 4}));
        std::vector<unsigned char> pixels(static_cast<std::size_t>(3 * width) * static_cast<std::size_t>(height));
        if (tjDecompress2(decoder, jpeg.data(), static_cast<unsigned long>(jpeg.size()), pixels.data(), width, 0,
                          height, TJPF_RGB, 0) != 0)
            continue;
        for (int top = 0; top + size <= height; top += step)
            for (int left = 0; left + size <= width; left += step) {
                const bool for_training = left + size <= width * 3 / 4;
                if (!for_training && left < width * 3 / 4) continue;  // on both sides
                Eigen::VectorXf patch(3 * size * size);
                for (int row = 0; row < size; ++row)
                    for (int value = 0; value < 3 * size; ++value)
                        patch[row * 3 * size + value] =
                            static_cast<float>(
                                pixels[static_cast<std::size_t>(((top + row) * width + left) * 3 + value)]) /
                            255;
                (for_training ? train : test).push_back(patch);
            }
    }
    tjDestroy(decoder);
    if (train.empty() || test.empty())
        no_photographs("A photograph is not in " + folder + ": no *.jpg can be read and is large enough");
    const auto side_by_side = [&](const std::vector<Eigen::VectorXf>& patches) {
        Eigen::MatrixXf all(3 * size * size, static_cast<Eigen::Index>(patches.size()));
        for (std::size_t j = 0; j < patches.size(); ++j) all.col(static_cast<Eigen::Index>(j)) = patches[j];
        return all;
    };
    return {side_by_side(train), side_by_side(test)};
}
#else
inline Photographs load_photographs(const std::string&, int, int) {
    no_photographs("This program was built without libjpeg-turbo, and reads no photographs");
}
#endif

}  // namespace support
