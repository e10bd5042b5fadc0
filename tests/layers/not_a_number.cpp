// What is not a number stays so behind every activation; this file is also compiled with -ffast-math, where compilers
// take the operands of a minimum in any order.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <hourglass/kernels/pack.hpp>
#include <hourglass/layers/activations.hpp>
#include <limits>
#include <string_view>
#include <type_traits>

#include "support/catch.hpp"

namespace hg = hourglass;

namespace {

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <class T>
constexpr auto of_infinity = std::bit_cast<Bits<T>>(std::numeric_limits<T>::infinity());

template <class T>
bool is_nan(T x) {
    constexpr Bits<T> all_but_sign = ~Bits<T>{0} >> 1;
    return (std::bit_cast<Bits<T>>(x) & all_but_sign) > of_infinity<T>;
}

template <class T, class Formula>
void check(std::string_view name, const Formula& formula) {
    constexpr std::size_t size = 37;  // whole packs and one that is not
    for (const std::size_t at : {std::size_t{5}, size - 1}) {
        std::array<T, size> x, y;
        x.fill(T(.25));
        volatile Bits<T> bits = of_infinity<T> + 1;  // of a NaN that the compiler does not see
        x[at] = std::bit_cast<T>(Bits<T>{bits});
        hg::kernels::each_pack(
            static_cast<hg::Index>(size),
            [&](const hg::kernels::Pack<T>& from, hg::kernels::Pack<T>& to) { to = formula(from); },
            static_cast<const T*>(x.data()), y.data());
        for (std::size_t i = 0; i < size; ++i) {
            CAPTURE(name, sizeof(T), at, i);
            CHECK(is_nan(y[i]) == (i == at));
        }
    }
}

template <class Activation>
void check(const Activation& activation) {
    const auto value = [&](const auto& x) { return activation.value(x); };
    check<float>(Activation::name, value);
    check<double>(Activation::name, value);
}

}  // namespace

TEST_CASE("What is not a number stays so behind every activation") {
    check(hg::ReLU{});
    check(hg::LeakyReLU{});
    check(hg::ELU{});
    check(hg::SELU{});
    check(hg::Sigmoid{});
    check(hg::Tanh{});
    check(hg::Softplus{});
    check(hg::SiLU{});
    check(hg::GELU{});
    check(hg::Mish{});
    check(hg::HardSwish{});
}

TEST_CASE("What is not a number stays so under functions of packs") {
    const auto check_both = [](std::string_view name, const auto& formula) {
        check<float>(name, formula);
        check<double>(name, formula);
    };
    check_both("exp", [](const auto& x) { return exp(x); });
    check_both("log", [](const auto& x) { return log(x); });
    check_both("max", [](const auto& x) { return max(x, decltype(x + x)(1)); });
    check_both("min", [](const auto& x) { return min(x, decltype(x + x)(1)); });
}
