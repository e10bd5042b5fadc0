// A scope in which the processor treats denormal numbers as zero.
#pragma once

#include <cstdint>

#include "hourglass/core/error.hpp"

#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

/// While it lives, this thread's denormal results become zero and denormal arguments are read as zero; its end puts the
/// control register back as it was found, also when an exception passes. On a processor that is neither x86 with SSE2
/// nor 64-bit ARM it does nothing.
///
/// Denormals cost 20 to 40 times a normal operation. The running averages of an optimiser end in them whenever a
/// gradient stays zero, and so may weights that decay, and activations behind a saturated one. The compiler knows
/// nothing of the register and may move arithmetic across this object: put the arithmetic into a function that is not
/// inlined.
class FlushDenormals {
  public:
#if defined(__aarch64__) && defined(__GNUC__)
    using Register = std::uint64_t;
#else
    using Register = unsigned int;
#endif
    FlushDenormals() : found_(read()) { write(found_ | flush); }
    /// Instead, computes in the mode that `read` gave on another thread, denormals and rounding: for a part of its
    /// work.
    explicit FlushDenormals(Register as) : found_(read()) { write(as); }
    ~FlushDenormals() { write(found_); }
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

#if defined(__SSE2__) || defined(_M_X64)
    static Register read() { return _mm_getcsr(); }
#elif defined(__aarch64__) && defined(__GNUC__)
    static Register read() {
        Register value;
        __asm__ __volatile__("mrs %0, fpcr" : "=r"(value));
        return value;
    }
#else
    static Register read() { return 0; }
#endif

  private:
#if defined(__SSE2__) || defined(_M_X64)
    static constexpr Register flush = 0x8000 | 0x0040;  // results (FTZ) and arguments (DAZ)
    static void write(Register value) { _mm_setcsr(value); }
#elif defined(__aarch64__) && defined(__GNUC__)
    static constexpr Register flush = Register{1} << 24;  // FZ: results and arguments
    static void write(Register value) { __asm__ __volatile__("msr fpcr, %0" : : "r"(value) : "memory"); }
#else
    static constexpr Register flush = 0;
    static void write(Register) {}
#endif

    Register found_;
};

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
