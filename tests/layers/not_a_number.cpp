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
using hg::core::is_nan;

namespace {

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <class T>
constexpr auto of_infinity = std::bit_cast<Bits<T>>(std::numeric_limits<T>::infinity());

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
    const auto one = []<class P>(const P&) { return P(1); };
    check_both("exp", [](const auto& x) { return exp(x); });
    check_both("log", [](const auto& x) { return log(x); });
    check_both("max", [&](const auto& x) { return max(x, one(x)); });
    check_both("min", [&](const auto& x) { return min(x, one(x)); });
    check_both("larger_or_nan, first", [&](const auto& x) { return larger_or_nan(x, one(x)); });
    check_both("larger_or_nan, second", [&](const auto& x) { return larger_or_nan(one(x), x); });
    check_both("where_greater, first", [&](const auto& x) { return where_greater(x, one(x), one(x), x); });
    check_both("where_greater, second", [&](const auto& x) { return where_greater(one(x), x, one(x) + one(x), x); });
    check_both("where_equal_or_nan", [&](const auto& x) { return where_equal_or_nan(x, one(x), x, one(x)); });
    check_both("what is kept of x", [&](const auto& x) { return x * where_greater(x, 0 * x, one(x), 0 * one(x)) + 0; });
}

TEST_CASE("Of equal numbers the first is the larger, in packs as one by one") {
    const auto check_in = []<class P>(P) {
        const P zero(0), negative = P(-1) * zero;
        CHECK(1 / larger_or_nan(zero, negative).sum() > 0);
        CHECK(1 / larger_or_nan(negative, zero).sum() < 0);
    };
    // Signs of zeros are nothing to -ffast-math.
    if constexpr (!hg::kernels::finite_math) {
        check_in(hg::kernels::Pack<float>());
        check_in(hg::kernels::Pack<double>());
        check_in(hg::kernels::Pack<float, 1>());
    }
}

// Of layers of few channels.
TEST_CASE("What is not a number stays so in a single value") {
    const auto check_in = []<class T>(T) {
        using One = hg::kernels::Pack<T, 1>;
        volatile Bits<T> bits = of_infinity<T> + 1;
        const One one(1), none(std::bit_cast<T>(Bits<T>{bits})), two(2);
        CHECK(is_nan(larger_or_nan(none, one).values));
        CHECK(is_nan(larger_or_nan(one, none).values));
        CHECK(larger_or_nan(one, two).values == 2);
        CHECK(where_equal_or_nan(none, one, two, one).values == 2);
        CHECK(where_equal_or_nan(two, one, two, one).values == 1);
        CHECK(is_nan(max(none, one).values));
        CHECK(is_nan(min(none, one).values));
    };
    check_in(1.f);
    check_in(1.);
}

TEST_CASE("A negative number has no logarithm") {
    const auto check_in = []<class T>(T) {
        std::array<T, 37> x, y;
        x.fill(T(1));
        x[7] = x[36] = T(-1);
        hg::kernels::each_pack(
            37, [](const hg::kernels::Pack<T>& from, hg::kernels::Pack<T>& to) { to = log(from); },
            static_cast<const T*>(x.data()), y.data());
        for (std::size_t i = 0; i < x.size(); ++i) CHECK(is_nan(y[i]) == (x[i] < 0));
    };
    check_in(1.f);
    check_in(1.);
}
