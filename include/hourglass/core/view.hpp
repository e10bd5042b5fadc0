// How data reaches kernels: maps of memory, one column per sample; only an `Input` may own what it maps.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "hourglass/core/shape.hpp"
#include "hourglass/core/slice.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Eigen's matrices and column vectors of T. The order of storage is spelt out, as a program may change Eigen's default
/// (EIGEN_DEFAULT_TO_ROW_MAJOR).
template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;
template <class T>
using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

/// A batch inside the library: size × n values without gaps. Sizes are run-time values on purpose: every layer then
/// shares one instantiation of Eigen's product instead of compiling its own.
template <class T>
using View = Eigen::Map<Matrix<T>>;
template <class T>
using ConstView = Eigen::Map<const Matrix<T>>;

/// The same memory as one long array, for element by element work.
template <class T>
using Flat = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
template <class T>
using ConstFlat = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;

namespace core {

// Values of another scalar type: a sentence instead of all that Eigen tried.
template <class T, class Given>
constexpr void require_scalar() {
    static_assert(std::same_as<Given, T>,
                  "hourglass: these values are of another scalar type than is computed in here: x.cast<float>() or "
                  "x.cast<double>() converts them; autoencoder<Encoder, Decoder, double> computes in double");
}

// Whether such a matrix lies in memory, and whether it does so column by column, each without gaps. In 3.4,
// Eigen::IndexedView says the first of itself, but gives no address.
template <class X>
inline constexpr bool in_memory = (X::Flags & Eigen::DirectAccessBit) != 0 && requires(const X& values) {
    values.data();
};
template <class X>
inline constexpr bool in_columns = in_memory<X> && !X::IsRowMajor && X::InnerStrideAtCompileTime == 1;

// The temporary that an input may have to be evaluated into. A base, to be there before the map of it. (An Eigen::Ref
// would have one too, but compile the evaluation for every type it is made of, also where none is needed.)
template <class T>
struct Evaluated {
    Matrix<T> evaluated;
};

}  // namespace core

/// What the public functions take: any column-major matrix, block or map of it without a copy; other storage orders and
/// expressions are evaluated into a temporary first.
template <class T>
class Input : core::Evaluated<T>, public Eigen::Map<const Matrix<T>, 0, Eigen::OuterStride<>> {
    using Map = Eigen::Map<const Matrix<T>, 0, Eigen::OuterStride<>>;

  public:
    template <class X>
    Input(const Eigen::DenseBase<X>& values) : Map(map(values.derived())) {}
    Input(const Input&) = delete;  // its map would be of the other's temporary
    Input& operator=(const Input&) = delete;

  private:
    template <class X>
    Map map(const X& values) {
        core::require_scalar<T, typename X::Scalar>();
        constexpr bool known = std::same_as<typename X::Scalar, T>;
        if constexpr (known && core::in_memory<X>) {
            const Index down = X::IsRowMajor ? values.outerStride() : values.innerStride();
            const Index across = X::IsRowMajor ? values.innerStride() : values.outerStride();
            if (core::in_columns<X> || down == 1 || values.rows() == 1)
                return {values.data(), values.rows(), values.cols(), Eigen::OuterStride<>(across)};
        }
        if constexpr (known && !core::in_columns<X>) this->evaluated.noalias() = values.matrix();
        const Matrix<T>& own = this->evaluated;
        return {own.data(), own.rows(), own.cols(), Eigen::OuterStride<>(own.rows())};
    }
};

namespace core {

// What a message about a matrix of another number of rows ends in.
inline const char* if_transposed(Index columns, Index expected_rows) {
    return columns == expected_rows ? "; it has as many columns: is it transposed?" : "";
}

/// How many values a cache line holds.
template <class T>
inline constexpr Index line_values = sizeof(T) < 64 ? static_cast<Index>(64 / sizeof(T)) : 1;

}  // namespace core

/// A view's memory as one long array.
template <class T>
Flat<T> flat(const View<T>& view) {
    return {const_cast<T*>(view.data()), view.size()};
}
template <class T>
ConstFlat<T> flat(const ConstView<T>& view) {
    return {view.data(), view.size()};
}

namespace core {

/// Some columns of a batch.
template <class T>
ConstView<T> columns_of(const ConstView<T>& view, const Slice& some) {
    return {view.data() + some.begin * view.rows(), view.rows(), some.size};
}
template <class T>
View<T> columns_of(const View<T>& view, const Slice& some) {
    return {const_cast<T*>(view.data()) + some.begin * view.rows(), view.rows(), some.size};
}

}  // namespace core

/// Sets every value to zero.
template <class T>
EIGEN_DONT_INLINE void clear(const View<T>& view) {
    std::fill_n(const_cast<T*>(view.data()), view.size(), T(0));
}

/// Whether `value` is neither infinite nor NaN, read from its bits: `-ffast-math` lets the compiler assume that
/// `std::isfinite` is true, but not what an integer comparison says.
template <std::floating_point T>
constexpr bool is_finite(T value) {
    if constexpr (sizeof(T) == 4) {
        return (std::bit_cast<std::uint32_t>(value) & 0x7f80'0000u) != 0x7f80'0000u;
    } else {
        static_assert(sizeof(T) == 8, "hourglass computes in float or double");
        return (std::bit_cast<std::uint64_t>(value) & 0x7ff0'0000'0000'0000u) != 0x7ff0'0000'0000'0000u;
    }
}

namespace core {

/// Whether `value` is NaN, by its bits.
template <class T>
constexpr bool is_nan(const T& value) {
    if constexpr (sizeof(T) == 4 && std::floating_point<T>)
        return (std::bit_cast<std::uint32_t>(value) & 0x7fff'ffffu) > 0x7f80'0000u;
    else if constexpr (std::floating_point<T>)
        return (std::bit_cast<std::uint64_t>(value) & 0x7fff'ffff'ffff'ffffu) > 0x7ff0'0000'0000'0000u;
    else
        return !(value == value);  // dual numbers, to check derivatives with. NOLINT(misc-redundant-expression)
}

}  // namespace core

/// Position of the first value that is infinite or NaN, or -1.
template <std::floating_point T>
Index first_non_finite(const T* values, Index count) {
    // Whole blocks first, without an exit inside, so that the loop vectorises. One added to the lowest bit of an
    // exponent whose bits are all set, as in an infinity or a NaN and nowhere else, carries into the sign's bit.
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    constexpr Bits exponent = std::bit_cast<Bits>(std::numeric_limits<T>::infinity());
    constexpr Bits lowest = exponent & (~exponent + 1);
    constexpr Index block = 64;
    Index i = 0;
    for (; i + block <= count; i += block) {
        Bits carry = 0;
        for (Index k = 0; k < block; ++k) carry |= (std::bit_cast<Bits>(values[i + k]) & exponent) + lowest;
        if (carry > exponent) break;
    }
    for (; i < count; ++i)
        if (!is_finite(values[i])) return i;
    return -1;
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
