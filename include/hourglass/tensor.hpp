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

/// A batch as the models take it, without a copy: a rank-2 tensor of (features, samples) or a rank-3 one of (channels,
/// length, samples), column-major, is a matrix of channels · length × samples.
///
///     model.gradient(hg::matrix(batch), tape, rng);
template <class T, int Options, class Index_>
ConstView<T> matrix(const Eigen::Tensor<T, 2, Options, Index_>& tensor) {
    static_assert((Options & Eigen::RowMajor) == 0, "hourglass: only column-major tensors can be seen without a copy");
    return {tensor.data(), static_cast<Index>(tensor.dimension(0)), static_cast<Index>(tensor.dimension(1))};
}
template <class T, int Options, class Index_>
ConstView<T> matrix(const Eigen::Tensor<T, 3, Options, Index_>& tensor) {
    static_assert((Options & Eigen::RowMajor) == 0, "hourglass: only column-major tensors can be seen without a copy");
    return {tensor.data(), static_cast<Index>(tensor.dimension(0) * tensor.dimension(1)),
            static_cast<Index>(tensor.dimension(2))};
}

/// The way back: a matrix, or view, of features × samples seen as a tensor of (channels, length, samples), which it
/// must outlive. `Error` when the shape has another number of values than the matrix has rows.
template <class T>
Eigen::TensorMap<const Eigen::Tensor<T, 3>> tensor(const Matrix<T>& matrix, Shape shape) {
    if (matrix.rows() != shape.size())
        fail("tensor: the matrix has ", matrix.rows(), " rows, the shape ", text(shape), " has ", shape.size(),
             " values");
    return {matrix.data(), shape.channels, shape.length, matrix.cols()};
}
template <class T>
Eigen::TensorMap<const Eigen::Tensor<T, 3>> tensor(Matrix<T>&&, Shape) = delete;  // it would see freed memory
template <class T>
Eigen::TensorMap<const Eigen::Tensor<T, 3>> tensor(const ConstView<T>& matrix, Shape shape) {
    if (matrix.rows() != shape.size())
        fail("tensor: the matrix has ", matrix.rows(), " rows, the shape ", text(shape), " has ", shape.size(),
             " values");
    return {matrix.data(), shape.channels, shape.length, matrix.cols()};
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#pragma pop_macro("max")
#pragma pop_macro("min")
