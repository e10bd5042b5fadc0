// 8-bit pictures, such as originals over their reconstructions, written as PNG. PNG needs libpng
// (HOURGLASS_EXAMPLES_PNG).
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <hourglass/core/error.hpp>
#include <iostream>
#include <string>
#include <vector>

#ifdef HOURGLASS_EXAMPLES_PNG
#include <png.h>
#endif

namespace support {

/// Pixels row by row, each of one value (grey) or three (red, green, blue).
struct Picture {
    int width = 0, height = 0, channels = 1;
    std::vector<std::uint8_t> pixels;
};

/// The size of the pictures in a matrix of one column each, and how they are laid out.
struct Tiles {
    int width = 28, height = 28, channels = 1;  ///< of one picture, in pixels
    int margin = 2;                             ///< white pixels around each picture, before enlarging
    int scale = 2;                              ///< each pixel becomes scale × scale
};

/// One picture of rows of pictures: the columns of the first matrix side by side, those of the next below them, and so
/// on. Columns hold height × width × channels values, channels fastest, of which 0 is black and 1 is full.
inline Picture grid(const std::vector<Eigen::MatrixXf>& rows, const Tiles& tiles = {}) {
    const auto values = static_cast<Eigen::Index>(tiles.width) * tiles.height * tiles.channels;
    for (const Eigen::MatrixXf& row : rows)
        if (row.rows() != values || row.cols() != rows[0].cols())
            hourglass::fail("grid: expected matrices of ", values, " rows and equal columns, got ", row.rows(), " x ",
                            row.cols(), " below ", rows[0].rows(), " x ", rows[0].cols());
    const int step_x = tiles.width + tiles.margin, step_y = tiles.height + tiles.margin, s = tiles.scale;
    Picture picture{(static_cast<int>(rows.at(0).cols()) * step_x + tiles.margin) * s,
                    (static_cast<int>(rows.size()) * step_y + tiles.margin) * s,
                    tiles.channels,
                    {}};
    picture.pixels.reserve(static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height) *
                           static_cast<std::size_t>(picture.channels));
    for (int row = 0; row < picture.height; ++row)
        for (int column = 0; column < picture.width; ++column)
            for (int channel = 0; channel < tiles.channels; ++channel) {
                // Position inside the tile; negative in the margin above or left of it.
                const int x = column / s % step_x - tiles.margin, y = row / s % step_y - tiles.margin;
                float value = 1;
                if (x >= 0 && y >= 0)
                    value = rows[static_cast<std::size_t>(row / s / step_y)](
                        (y * tiles.width + x) * tiles.channels + channel, column / s / step_x);
                picture.pixels.push_back(
                    static_cast<std::uint8_t>(std::lround(255 * std::min(std::max(value, 0.0f), 1.0f))));
            }
    return picture;
}

/// The columns of `originals` over those of `rebuilt`.
inline Picture over(const Eigen::MatrixXf& originals, const Eigen::MatrixXf& rebuilt, const Tiles& tiles = {}) {
    return grid({originals, rebuilt}, tiles);
}

/// Peak signal-to-noise ratio in decibels of values in [0, 1]: 10 log₁₀(1 / mean squared error).
inline float psnr(const Eigen::MatrixXf& x, const Eigen::MatrixXf& original) {
    return -10 * std::log10((x - original).squaredNorm() / static_cast<float>(x.size()));
}

/// Writes a PNG file and says so; without libpng, or when writing fails, says that it was skipped and why.
inline bool write_png(const std::string& path, const Picture& picture) {
#ifdef HOURGLASS_EXAMPLES_PNG
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(picture.width);
    image.height = static_cast<png_uint_32>(picture.height);
    image.format = picture.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    if (png_image_write_to_file(&image, path.c_str(), 0, picture.pixels.data(), 0, nullptr) != 0) {
        std::cout << path << " written\n";
        return true;
    }
    std::cout << path << " skipped: " << image.message << '\n';
#else
    static_cast<void>(picture);
    std::cout << path << " skipped: this program was built without libpng\n";
#endif
    return false;
}

}  // namespace support
