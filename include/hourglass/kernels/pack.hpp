// Formulas worked on whole vector registers: written once as if for one number, without an expression type of their own
// for every operation. A formula over Eigen's arrays makes a compiler instantiate some ten class templates for each of
// its operators; here all formulas share one class for each scalar type. Only Eigen's packets are used.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "hourglass/core/view.hpp"

// Eigen's packets are vectors with attributes, which g++ remarks that it leaves out of a template's name.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"
#if !defined(__clang__) && __GNUC__ == 12
// Its own intrinsics for AVX-512, which Eigen computes with, name registers that hold nothing (GCC's PR 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

// Eigen's register R, or a half of a half of it, that holds so many values of T: of one value, T itself.
template <class R>
inline constexpr Index register_values = Eigen::internal::unpacket_traits<R>::size;
template <class T, class R>
using HalfRegister =
    std::conditional_t<(register_values<typename Eigen::internal::unpacket_traits<R>::half> < register_values<R>),
                       typename Eigen::internal::unpacket_traits<R>::half, T>;
template <class T, Index Lanes, class R = typename Eigen::internal::packet_traits<T>::type>
auto register_of() {
    if constexpr (register_values<R> == Lanes)
        return R{};
    else
        return register_of<T, Lanes, HalfRegister<T, R>>();
}

// The larger and the smaller one; where a is NaN the result is NaN, as in std::max(a, b). The processor's instructions
// have that for one order of their operands, which compilers exchange as they like under -ffast-math: there they are
// named.
#if defined(__GNUC__) && defined(__x86_64__) && __FINITE_MATH_ONLY__
#ifdef __AVX__
#define HOURGLASS_OF_TWO(instruction, first, result) \
    __asm__("v" instruction " {%1, %0, %0|%0, %0, %1}" : "+v"(result) : "v"(first))
#else
#define HOURGLASS_OF_TWO(instruction, first, result) __asm__(instruction " {%1, %0|%0, %1}" : "+x"(result) : "x"(first))
#endif
#define HOURGLASS_OF_TWO_OR(instruction, operation)    \
    R result = b;                                      \
    if constexpr (std::is_same_v<R, float>)            \
        HOURGLASS_OF_TWO(instruction "ss", a, result); \
    else if constexpr (std::is_same_v<R, double>)      \
        HOURGLASS_OF_TWO(instruction "sd", a, result); \
    else if constexpr (std::is_same_v<T, float>)       \
        HOURGLASS_OF_TWO(instruction "ps", a, result); \
    else if constexpr (std::is_same_v<T, double>)      \
        HOURGLASS_OF_TWO(instruction "pd", a, result); \
    else                                               \
        result = operation(a, b);                      \
    return result
#else
#define HOURGLASS_OF_TWO_OR(instruction, operation) return operation(a, b)
#endif
template <class T, class R>
R larger(const R& a, const R& b) {
    HOURGLASS_OF_TWO_OR("max", Eigen::internal::pmax);
}
template <class T, class R>
R smaller(const R& a, const R& b) {
    HOURGLASS_OF_TWO_OR("min", Eigen::internal::pmin);
}
#undef HOURGLASS_OF_TWO_OR
#undef HOURGLASS_OF_TWO

// Whether compilers take it that no number is NaN.
#if __FINITE_MATH_ONLY__
inline constexpr bool finite_math = true;
#else
inline constexpr bool finite_math = false;
#endif

// y, a function of Eigen's that is a number for every number x, but NaN where x is NaN: it may have lost that under
// -ffast-math.
template <class T, class R>
R keep_nan([[maybe_unused]] const R& x, const R& y) {
    if constexpr (finite_math && std::is_floating_point_v<T>)
        return smaller<T, R>(larger<T, R>(x, y), y);
    else
        return y;
}

// x, of which the compiler knows nothing. It stays in its register, where Eigen's barrier has clang take it to memory.
template <class R>
R unforeseen(R x) {
#if defined(__GNUC__) && defined(__x86_64__)
    __asm__("" : "+v"(x));
#else
    EIGEN_OPTIMIZATION_BARRIER(x);
#endif
    return x;
}
// The same under -ffast-math, where x == x is true to the compiler, and x times 1 or 0 one of two.
template <class T, class R>
R maybe_nan(const R& x) {
    if constexpr (finite_math && (std::is_same_v<T, float> || std::is_same_v<T, double>))
        return unforeseen(x);
    else
        return x;
}
// The same of a sum that others are added to: -ffast-math would take them in another order for a column alone than for
// several at once.
template <class T, class R>
R partial_sum(const R& x) {
    return maybe_nan<T>(x);
}

// eˣ = 2ᵐ eʳ, m whole and |r| ≤ ½ ln 2, with the polynomial of Cephes (Moshier 1992) that Eigen takes, within 2 ulp. 2ᵐ
// is made of its exponent's bits: Eigen's function, which scales by any power in four factors, takes half as long
// again. What is below 2⁻¹²⁶ √2 becomes 0.
//
// x / ln 2 is rounded to m by a sum so large that its last bit stands for 1: the processor's own rounding and
// conversion take as long as four additions. The sum's bits end in m + 126, the exponent of half of 2ᵐ, as 2¹²⁸ is no
// float; the polynomial is that of 2 eʳ in turn.
template <class T, class R>
R exponential(const R& x) {
    namespace packets = Eigen::internal;
    if constexpr (std::is_same_v<T, float> && requires { typename packets::unpacket_traits<R>::integer_packet; }) {
        using Whole = typename packets::unpacket_traits<R>::integer_packet;
        const auto number = [](float value) { return packets::pset1<R>(value); };
        const R inside = larger<T, R>(smaller<T, R>(x, number(88.8f)), number(-87.3f));  // NaN stays
        const R rounding = number(12582912 + 126);  // 1.5 · 2²³, so that it is large for negative m too
        // -ffast-math would leave the rounding out, and make one of the two factors.
        const R sum = unforeseen(packets::pmadd(inside, number(1.44269504f), rounding));
        const R m = packets::psub(sum, rounding);
        const R near = unforeseen(packets::pmadd(m, number(-0.693359375f), inside));  // exact: the factor has few bits
        const R r = packets::pmadd(m, number(2.12194440e-4f), near);
        const R r2 = packets::pmul(r, r);
        const R low = packets::pmadd(r, number(2 * 1.6666665459e-1f), number(2 * 5.0000001201e-1f));
        const R middle = packets::pmadd(r, number(2 * 8.3334519073e-3f), number(2 * 4.1665795894e-2f));
        const R high = packets::pmadd(r, number(2 * 1.9875691500e-4f), number(2 * 1.3981999507e-3f));
        const R linear = packets::pmadd(r, number(2), number(2));
        const R twice = packets::pmadd(packets::pmadd(packets::pmadd(high, r2, middle), r2, low), r2, linear);
        const Whole half = packets::plogical_shift_left<23>(packets::preinterpret<Whole>(sum));
        return packets::pmul(twice, packets::preinterpret<R>(half));
    } else {
        return keep_nan<T, R>(x, packets::pexp(x));
    }
}

/// As many values of T as a vector register holds (one, for a type the processor has no vectors of), or as one of
/// another size does. Operators and functions act on each value; a plain number stands for itself in every place.
template <class T, Index Lanes = static_cast<Index>(Eigen::internal::packet_traits<T>::size)>
struct Pack {
    using Register = decltype(register_of<T, Lanes>());
    static constexpr Index lanes = Lanes;

    Register values;

    Pack() = default;
    template <class N>
        requires(std::is_arithmetic_v<N> || std::is_same_v<N, T>)
    Pack(const N& number) : values(Eigen::internal::pset1<Register>(T(number))) {}

    static Pack of(const Register& register_) {
        Pack pack;
        pack.values = register_;
        return pack;
    }
    static Pack load(const T* from) { return of(Eigen::internal::ploadu<Register>(from)); }
    void store(T* to) const { Eigen::internal::pstoreu(to, values); }
    T sum() const { return Eigen::internal::predux(values); }

    friend Pack operator+(const Pack& a, const Pack& b) { return of(Eigen::internal::padd(a.values, b.values)); }
    friend Pack operator-(const Pack& a, const Pack& b) { return of(Eigen::internal::psub(a.values, b.values)); }
    friend Pack operator*(const Pack& a, const Pack& b) { return of(Eigen::internal::pmul(a.values, b.values)); }
    friend Pack operator/(const Pack& a, const Pack& b) { return of(Eigen::internal::pdiv(a.values, b.values)); }
    friend Pack operator-(const Pack& a) { return of(Eigen::internal::pnegate(a.values)); }
    friend Pack& operator+=(Pack& a, const Pack& b) { return a = a + b; }
    friend Pack& operator-=(Pack& a, const Pack& b) { return a = a - b; }
    friend Pack& operator*=(Pack& a, const Pack& b) { return a = a * b; }

    // Where a is NaN the result is NaN.
    friend Pack max(const Pack& a, const Pack& b) { return of(larger<T, Register>(a.values, b.values)); }
    friend Pack min(const Pack& a, const Pack& b) { return of(smaller<T, Register>(a.values, b.values)); }
    friend Pack abs(const Pack& a) { return of(Eigen::internal::pabs(a.values)); }
    friend Pack square(const Pack& a) { return a * a; }
    friend Pack sqrt(const Pack& a) { return of(Eigen::internal::psqrt(a.values)); }
    friend Pack exp(const Pack& a) { return of(exponential<T>(a.values)); }
    friend Pack log(const Pack& a) { return of(Eigen::internal::plog(a.values)); }
};

// Where a > b the value of `yes`, elsewhere (also where one is NaN) that of `no`.
template <class T>
Pack<T> where_greater(const Pack<T>& a, const Pack<T>& b, const Pack<T>& yes, const Pack<T>& no) {
    if constexpr (Pack<T>::lanes == 1) {
        const bool numbers = !finite_math || (!core::is_nan(a.values) && !core::is_nan(b.values));
        return Pack<T>::of(maybe_nan<T>((numbers && a.values > b.values ? yes : no).values));
    } else {
        namespace packets = Eigen::internal;
        auto is_greater = packets::pcmp_lt(b.values, a.values);
        if constexpr (finite_math) {
            const auto is_number = [](const auto& x) { return packets::pcmp_eq(x, maybe_nan<T>(x)); };
            is_greater = packets::pand(is_greater, packets::pand(is_number(a.values), is_number(b.values)));
        }
        return Pack<T>::of(maybe_nan<T>(packets::pselect(is_greater, yes.values, no.values)));
    }
}

// The larger one; NaN where either is.
template <class T, Index Lanes>
Pack<T, Lanes> larger_or_nan(const Pack<T, Lanes>& a, const Pack<T, Lanes>& b) {
    if constexpr (Lanes == 1) {
        if (finite_math && core::is_nan(b.values)) return b;
        return b.values <= a.values || core::is_nan(a.values) ? a : b;
    } else {
        namespace packets = Eigen::internal;
        auto result = packets::pselect(packets::pcmp_le(b.values, a.values), a.values, b.values);
        if constexpr (finite_math)  // the comparison may be turned round, and b lost
            result = packets::pselect(packets::pcmp_eq(b.values, maybe_nan<T>(b.values)), result, b.values);
        const auto same = maybe_nan<T>(a.values);
        return Pack<T, Lanes>::of(packets::pselect(packets::pcmp_eq(a.values, same), result, a.values));
    }
}

// Where a = b, or a is NaN, the value of `yes`, elsewhere that of `no`.
template <class T, Index Lanes>
Pack<T, Lanes> where_equal_or_nan(const Pack<T, Lanes>& a, const Pack<T, Lanes>& b, const Pack<T, Lanes>& yes,
                                  const Pack<T, Lanes>& no) {
    if constexpr (Lanes == 1) {
        return a.values == b.values || core::is_nan(a.values) ? yes : no;
    } else {
        namespace packets = Eigen::internal;
        const auto same = maybe_nan<T>(a.values);
        const auto number = packets::pselect(packets::pcmp_eq(a.values, b.values), yes.values, no.values);
        return Pack<T, Lanes>::of(packets::pselect(packets::pcmp_eq(a.values, same), number, yes.values));
    }
}

// f of each value by itself: for functions that have no vector form.
template <class T, class F>
Pack<T> lane_by_lane(const Pack<T>& a, F f) {
    T values[static_cast<std::size_t>(Pack<T>::lanes)];
    a.store(values);
    for (T& value : values) value = f(value);
    return Pack<T>::load(values);
}

// One argument of a formula: a pack of its values, stored back where they came from if they may change.
template <class A>
struct Argument {
    using T = std::remove_const_t<A>;
    A* place;
    Pack<T> pack = Pack<T>::load(place);

    void store() const {
        if constexpr (!std::is_const_v<A>) pack.store(place);
    }
};
template <class F, class... A>
void evaluate(const F& formula, Argument<A>... arguments) {
    formula(arguments.pack...);
    (arguments.store(), ...);
}

// formula(pack…) for the last values of arrays, fewer than fill a pack: on copies, filled up with zeros.
template <class F, class... A>
void last_pack(Index count, const F& formula, A*... arrays) {
    using T = std::common_type_t<std::remove_const_t<A>...>;
    constexpr Index lanes = Pack<T>::lanes;
    const Index rest = std::min(count, lanes);  // always the first: the compiler wants to be told
    struct Copy {
        T values[static_cast<std::size_t>(lanes)] = {};
    };
    const auto few = [&](auto... copies) {
        (std::copy_n(arrays, rest, copies.values), ...);
        evaluate(formula, Argument<A>{copies.values}...);
        const auto put = [&]<class P>(P* to, const T* from) {
            if constexpr (!std::is_const_v<P>) std::copy_n(from, rest, to);
        };
        (put(arrays, copies.values), ...);
    };
    few((static_cast<void>(arrays), Copy{})...);
}

/// Calls formula(pack…) for all values i of [0, n) of the given arrays, a pack of each at a time. What it assigns to
/// the packs of arrays that are not const is written back. The last pack is filled up with zeros.
template <class F, class... A>
void each_pack(Index n, F formula, A*... arrays) {
    constexpr Index lanes = Pack<std::common_type_t<std::remove_const_t<A>...>>::lanes;
    Index i = 0;
    for (; i + lanes <= n; i += lanes) evaluate(formula, Argument<A>{arrays + i}...);
    if (i < n) last_pack(n - i, formula, (arrays + i)...);
}

/// Calls use(k, P{}) for the runs of values k … k + P::lanes − 1 that make up [i, n): packs, then halves of one, down
/// to single values. For loops over something else that keep a pack of each array in registers.
template <class T, Index Lanes = Pack<T>::lanes, class Use>
void each_pack_size(Index i, Index n, const Use& use) {
    // Worked out ahead: g++ 12 warns of a loop without end where the next one begins at what this one leaves of i.
    const Index whole = i + (n - i) / Lanes * Lanes;
    for (; i < whole; i += Lanes) use(i, Pack<T, Lanes>{});
    if constexpr (Lanes > 1)
        if (whole < n)
            each_pack_size<T, register_values<HalfRegister<T, typename Pack<T, Lanes>::Register>>>(whole, n, use);
}

/// `each_pack` for a few values, where to fill up the last pack would cost more than to work on halves of one and
/// single values. The formula takes packs of every size: [](auto& out, const auto& in).
template <class F, class... A>
void each_pack_unfilled(Index n, const F& formula, A*... arrays) {
    using T = std::common_type_t<std::remove_const_t<A>...>;
    const auto put = []<class P>(P* to, const auto& pack) {
        if constexpr (!std::is_const_v<P>) pack.store(to);
    };
    // By value: of what it refers to the compiler would have to think that a store may change it.
    each_pack_size<T>(0, n, [=]<class P>(Index i, P) {
        const auto on = [&](auto... packs) {
            formula(packs...);
            (put(arrays + i, packs), ...);
        };
        on((static_cast<void>(arrays), P::load(arrays + i))...);
    });
}
// Σ f(x…) over n values that fill pairs of packs.
template <class T, class F, class... X>
EIGEN_ALWAYS_INLINE T sum_pairs_of_packs(Index n, const F& f, const T* first, const X*... x) {
    if (n == 0) return T(0);
    constexpr Index lanes = Pack<T>::lanes;
    Pack<T> even(T(0)), odd(T(0));  // two sums at a time: each addition waits for the one before it
    for (Index i = 0; i < n; i += 2 * lanes) {
        even += f(Pack<T>::load(first + i), Pack<T>::load(x + i)...);
        odd += f(Pack<T>::load(first + i + lanes), Pack<T>::load(x + i + lanes)...);
    }
    return (even + odd).sum();
}
/// Σ f(x…) over a few values, in the same way.
template <class F, class T, class... X>
T sum_packs_unfilled(Index n, const F& f, const T* first, const X*... x) {
    const Index pairs = n - n % (2 * Pack<T>::lanes);
    T sum = sum_pairs_of_packs(pairs, f, first, x...);
    each_pack_size<T>(pairs, n, [&]<class P>(Index k, P) { sum += f(P::load(first + k), P::load(x + k)...).sum(); });
    return sum;
}

/// y = f(x…), value by value; y may be one of the x.
template <class T, class F, class... X>
void map_packs(Index n, T* y, const F& f, const X*... x) {
    constexpr Index lanes = Pack<T>::lanes;
    Index i = 0;
    for (; i + lanes <= n; i += lanes) f(Pack<T>::load(x + i)...).store(y + i);
    if (i < n)
        last_pack(
            n - i, [&](Pack<T>& out, const auto&... in) { out = f(in...); }, y + i, (x + i)...);
}

/// Σ f(x…) over n values.
template <class T, class F, class... X>
T sum_packs(Index n, const F& f, const T* first, const X*... x) {
    constexpr Index two = 2 * Pack<T>::lanes;
    const Index pairs = n - n % two;
    T sum = sum_pairs_of_packs(pairs, f, first, x...);
    if (pairs < n) {
        T rest[static_cast<std::size_t>(two)];
        map_packs(n - pairs, rest, f, first + pairs, (x + pairs)...);
        for (Index k = 0; k < n - pairs; ++k) sum += rest[k];
    }
    return sum;
}

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#pragma GCC diagnostic pop
