// Eigen::Tensor in and out, as views: its own header, because Eigen's Tensor module is slow to compile.
#pragma once

// Where min and max are macros they are set aside until the end of this file.
#pragma push_macro("min")
#pragma push_macro("max")
#undef min
#undef max

#include <unsupported/Eigen/CXX11/Tensor>

#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// A batch as the models take it, without a copy: a column-major tensor of (features, samples), (channels, length,
/// samples) or (channels, columns, rows, samples) is a matrix whose columns are the samples.
///
///     model.gradient(hg::matrix(batch), tape, rng);
template <class T, int Rank, int Options, class Index_>
ConstView<T> matrix(const Eigen::Tensor<T, Rank, Options, Index_>& tensor) {
    static_assert((Options & Eigen::RowMajor) == 0, "hourglass: only column-major tensors can be seen without a copy");
    static_assert(Rank >= 2 && Rank <= 4, "hourglass: batches are tensors of rank 2, 3 or 4");
    const auto samples = static_cast<Index>(tensor.dimension(Rank - 1));
    Index values = 1;
    for (std::size_t axis = 0; axis + 1 < static_cast<std::size_t>(Rank); ++axis)
        values *= static_cast<Index>(tensor.dimension(axis));
    return {tensor.data(), values, samples};
}

/// The way back: a matrix, or view, of features × samples seen as a tensor of Rank 2, 3 or 4, (features, samples),
/// (channels, length, samples) or (channels, columns, rows, samples), which it must outlive. Without a rank it is 3.
/// `Error` when the shape has another number of values than the matrix has rows, or is a picture and the rank 3.
///
///     const auto pictures = hg::tensor<4>(model.reconstruct(x, tape), {3, 32, 32});
template <int Rank, class T>
Eigen::TensorMap<const Eigen::Tensor<T, Rank>> tensor(const ConstView<T>& matrix, Shape shape) {
    static_assert(Rank >= 2 && Rank <= 4, "hourglass: batches are tensors of rank 2, 3 or 4");
    if (matrix.rows() != shape.size())
        fail("tensor: the matrix has ", matrix.rows(), " rows, the shape ", text(shape), " has ", shape.size(),
             " values");
    if constexpr (Rank == 2) {
        return {matrix.data(), shape.size(), matrix.cols()};
    } else if constexpr (Rank == 3) {
        if (shape.columns != 1)
            fail("tensor: the shape ", text(shape), " is a picture, of which tensor<4> makes a view");
        return {matrix.data(), shape.channels, shape.length, matrix.cols()};
    } else {
        return {matrix.data(), shape.channels, shape.columns, shape.length, matrix.cols()};
    }
}
template <int Rank, class T>
Eigen::TensorMap<const Eigen::Tensor<T, Rank>> tensor(const Matrix<T>& matrix, Shape shape) {
    return tensor<Rank, T>(ConstView<T>{matrix.data(), matrix.rows(), matrix.cols()}, shape);
}
template <int Rank, class T>
Eigen::TensorMap<const Eigen::Tensor<T, Rank>> tensor(Matrix<T>&&, Shape) = delete;  // it would see freed memory
template <class T>
Eigen::TensorMap<const Eigen::Tensor<T, 3>> tensor(const ConstView<T>& matrix, Shape shape) {
    return tensor<3, T>(matrix, shape);
}
template <class T>
Eigen::TensorMap<const Eigen::Tensor<T, 3>> tensor(const Matrix<T>& matrix, Shape shape) {
    return tensor<3, T>(matrix, shape);
}
template <class T>
Eigen::TensorMap<const Eigen::Tensor<T, 3>> tensor(Matrix<T>&&, Shape) = delete;

}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#pragma pop_macro("max")
#pragma pop_macro("min")
