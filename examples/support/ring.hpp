// Points in the plane around eight places on a circle: the usual test whether a generative model finds all of a
// distribution or forgets some of it.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <hourglass/core/random.hpp>

namespace support {

/// A mixture of eight equal Gaussians whose centres lie evenly on a circle.
struct Ring {
    static constexpr float radius = 2, deviation = 0.05f;

    /// The centres, 2 × 8.
    static Eigen::MatrixXf centres() {
        constexpr float turn = 6.2831853f;
        const Eigen::ArrayXf angles = Eigen::ArrayXf::LinSpaced(9, 0, turn).head(8);
        Eigen::MatrixXf centres(2, 8);
        centres.row(0) = radius * angles.cos();
        centres.row(1) = radius * angles.sin();
        return centres;
    }

    /// `n` points, 2 × n.
    static Eigen::MatrixXf sample(Eigen::Index n, hourglass::Rng& rng) {
        const Eigen::MatrixXf centres = Ring::centres();
        Eigen::MatrixXf points(2, n);
        for (Eigen::Index j = 0; j < n; ++j) {
            const auto mode = static_cast<Eigen::Index>(rng.below(8));
            for (Eigen::Index i = 0; i < 2; ++i)
                points(i, j) = centres(i, mode) + deviation * static_cast<float>(rng.normal());
        }
        return points;
    }
};

/// How well points cover a `Ring`, as Srivastava et al. 2017 count: a point within three standard deviations of a
/// centre is close to it, and a centre with any point close is covered. How many are says little of how evenly: for
/// that there is the part of the points that are close to the centre that has fewest.
struct Coverage {
    int modes = 0;     ///< centres covered
    double close = 0;  ///< part of the points that are close to a centre
    double least = 1;  ///< part that are close to the loneliest
};

inline Coverage coverage(const Eigen::MatrixXf& points) {
    const Eigen::MatrixXf centres = Ring::centres();
    Coverage result;
    for (Eigen::Index mode = 0; mode < centres.cols(); ++mode) {
        const auto distances = (points.colwise() - centres.col(mode)).colwise().norm().array();
        const double share =
            static_cast<double>((distances < 3 * Ring::deviation).count()) / static_cast<double>(points.cols());
        result.modes += share > 0;
        result.close += share;
        result.least = std::min(result.least, share);
    }
    return result;
}

}  // namespace support
