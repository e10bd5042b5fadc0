// One sample as an argument of a frozen model.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>

#include "hourglass/core/error.hpp"
#include "hourglass/core/shape.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace frozen {

// Names of calls, as arguments of templates.
inline constexpr char encode_call[] = "Frozen::encode", decode_call[] = "Frozen::decode",
                      reconstruct_call[] = "Frozen::reconstruct", evaluate_call[] = "Frozen::evaluate",
                      push_call[] = "StreamingNetwork::push";

// Whether V is an Eigen vector of N values that follow each other, as its type says.
template <class V, std::size_t N>
inline constexpr bool is_vector_of = requires {
    requires bool(V::IsVectorAtCompileTime);
    requires static_cast<std::size_t>(V::SizeAtCompileTime) == N;
    requires int(V::InnerStrideAtCompileTime) == 1;
};

/// The values of one sample as an argument of a frozen model, N of them, const where T is: a span or an array of that
/// size, or whatever has data() and size(), such as a std::vector, an Eigen vector or a column of a matrix. Where the
/// type does not tell their size they are looked at when they are handed over: `Error` for another one, or where values
/// do not follow each other, that begins with the name of the call.
template <class T, std::size_t N, const char* Call>
class SampleValues {
  public:
    constexpr SampleValues(std::span<T, N> values) noexcept : data_(values.data()) {}
    template <class V>
        requires(std::is_convertible_v<V&, std::span<T, N>>)
    // NOLINTNEXTLINE(bugprone-forwarding-reference-overload): one of these is no span
    constexpr SampleValues(V&& values) noexcept : data_(std::span<T, N>(values).data()) {}
    template <class V>
        requires(!std::is_convertible_v<V&, std::span<T, N>> && requires(V & v) {
            { v.data() } -> std::convertible_to<T*>;
            v.size();
        })
    // NOLINTNEXTLINE(bugprone-forwarding-reference-overload)
    SampleValues(V&& values)
    noexcept(is_vector_of<std::remove_cvref_t<V>, N>) : data_(values.data()) {
        if constexpr (requires { std::tuple_size<std::remove_cvref_t<V>>::value; })
            static_assert(std::tuple_size<std::remove_cvref_t<V>>::value == N,
                          "hourglass: an array given to a frozen model must have its size: input_size, code_size, …");
        if (static_cast<std::size_t>(values.size()) != N)
            fail(Call, ": expected ", N, " values, one sample, got ", values.size());
        if constexpr (requires { values.innerStride(); }) {
            if (values.rows() != 1 && values.cols() != 1)
                fail(Call, ": expected a vector or one column, got ", values.rows(), " x ", values.cols());
            if (values.innerStride() != 1)
                fail(Call, ": the values of a sample must follow each other in memory: give a copy");
        }
    }

    T* data() const { return data_; }

  private:
    T* data_;
};

/// How many values, as arrays count them.
constexpr std::size_t count(Index values) { return static_cast<std::size_t>(values); }

}  // namespace frozen
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
