// Samples to train on, and samples to judge by.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/random.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The two parts of a data set: `const auto [train, test] = …`.
template <class T>
struct Split {
    Matrix<T> train;  ///< features × samples to train on
    Matrix<T> test;   ///< features × samples to judge by
};
/// The same with the label of each sample.
template <class T>
struct LabelledSplit {
    Matrix<T> train;               ///< features × samples to train on
    Matrix<T> test;                ///< features × samples to judge by
    Eigen::VectorXi train_labels;  ///< of the columns of `train`
    Eigen::VectorXi test_labels;   ///< of the columns of `test`
};

// What is not for users.
namespace data {

/// Puts `test_size` of these samples, rounded, but at least one and not all, drawn at random, behind `test`, the others
/// behind `train`.
inline void split_samples(std::vector<Index> samples, double test_size, Rng& rng, std::vector<Index>& train,
                          std::vector<Index>& test) {
    hourglass::shuffle(std::span{samples}, rng);
    const auto n = static_cast<Index>(samples.size());
    const Index tests = std::clamp<Index>(std::llround(test_size * static_cast<double>(n)), 1, n - 1);
    for (Index i = 0; i < n; ++i) (i < tests ? test : train).push_back(samples[static_cast<std::size_t>(i)]);
}

/// `Error` unless the fraction leaves some to train on, and there are samples for two parts.
inline void check_split(double test_size, Index samples) {
    if (!(is_finite(test_size) && test_size > 0 && test_size < 1))
        fail("train_test_split: the fraction to test must lie between 0 and 1, got ", test_size);
    if (samples < 2)
        fail("train_test_split: expected at least two samples, one to train and one to test, got ", samples);
}
/// Copies of these samples.
template <class T>
Matrix<T> gather_samples(const Input<T>& x, const std::vector<Index>& samples) {
    Matrix<T> some(x.rows(), static_cast<Index>(samples.size()));
    for (Index j = 0; j < some.cols(); ++j)
        std::copy_n(x.data() + samples[static_cast<std::size_t>(j)] * x.outerStride(), x.rows(),
                    some.data() + j * some.rows());
    return some;
}

}  // namespace data

/// Parts a data set at random: the fraction `test_size` of its samples to judge by, the others to train on.
///
///     const auto [train, test] = hg::train_test_split(images, 0.2, rng);
///
/// `x`: features × n. `test_size`: in (0, 1); n · test_size samples, rounded, at least one and not all. Samples come in
/// random order: windows of one series overlap, and are to be split by time instead (`leftCols`, `rightCols`). Returns
/// copies. Errors: a fraction outside, fewer than two samples.
template <class X>
Split<typename X::Scalar> train_test_split(const Eigen::MatrixBase<X>& x, double test_size, Rng& rng) {
    using T = typename X::Scalar;
    const Input<T> all(x.derived());
    data::check_split(test_size, all.cols());
    std::vector<Index> samples(static_cast<std::size_t>(all.cols())), train, test;
    std::iota(samples.begin(), samples.end(), Index{0});
    data::split_samples(std::move(samples), test_size, rng, train, test);
    return {data::gather_samples<T>(all, train), data::gather_samples<T>(all, test)};
}

/// The same for samples with labels, stratified: of each class the fraction `test_size`, rounded, at least one and not
/// all, so that no class is missing in a part.
///
///     const auto [train, test, train_labels, test_labels] = hg::train_test_split(images, classes, 0.2, rng);
///
/// `labels`: n whole numbers. Both parts are in random order, labels with their samples.
/// Errors: as above, another number of labels, a class of one sample.
template <class X>
LabelledSplit<typename X::Scalar> train_test_split(const Eigen::MatrixBase<X>& x,
                                                   const Eigen::Ref<const Eigen::VectorXi>& labels, double test_size,
                                                   Rng& rng) {
    using T = typename X::Scalar;
    const Input<T> all(x.derived());
    data::check_split(test_size, all.cols());
    if (labels.size() != all.cols())
        fail("train_test_split: there are ", all.cols(), " samples and ", labels.size(), " labels");
    std::vector<Index> order(static_cast<std::size_t>(all.cols())), train, test;
    std::iota(order.begin(), order.end(), Index{0});
    std::sort(order.begin(), order.end(),
              [&](Index a, Index b) { return labels[a] != labels[b] ? labels[a] < labels[b] : a < b; });
    for (auto begin = order.begin(); begin != order.end();) {
        const auto end =
            std::find_if(begin, order.end(), [&](Index sample) { return labels[sample] != labels[*begin]; });
        if (end - begin == 1)
            fail("train_test_split: label ", labels[*begin], " has one sample, which cannot be in both parts");
        data::split_samples({begin, end}, test_size, rng, train, test);
        begin = end;
    }
    hourglass::shuffle(std::span{train}, rng);  // the classes among each other
    hourglass::shuffle(std::span{test}, rng);
    const auto labels_of = [&](const std::vector<Index>& samples) {
        Eigen::VectorXi some(static_cast<Index>(samples.size()));
        for (Index j = 0; j < some.size(); ++j) some[j] = labels[samples[static_cast<std::size_t>(j)]];
        return some;
    };
    return {data::gather_samples<T>(all, train), data::gather_samples<T>(all, test), labels_of(train), labels_of(test)};
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
