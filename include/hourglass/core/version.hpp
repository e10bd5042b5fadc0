// What comes before all else: the version, the language the library is written in, the name of what it compiles to.
// CMakeLists.txt reads the three numbers from here.
#pragma once

#define HOURGLASS_VERSION_MAJOR 0
#define HOURGLASS_VERSION_MINOR 1
#define HOURGLASS_VERSION_PATCH 0

// A file that is not there is an error after which compilers stop: behind an #error a thousand more would follow.
#if __cplusplus <= 201703L && !(defined(_MSVC_LANG) && _MSVC_LANG > 201703L)
#include "hourglass needs C++20: compile with -std=c++20 or later"
#endif

#include <Eigen/Core>
#include <cstddef>

#if defined(min) || defined(max)
#include "hourglass: undefine the macros min and max here, or include hourglass.hpp, which sets them aside"
#endif

static_assert(EIGEN_VERSION_AT_LEAST(3, 4, 0), "hourglass needs Eigen 3.4 or later");
static_assert(sizeof(Eigen::Index) == sizeof(std::ptrdiff_t),
              "hourglass needs Eigen's index as wide as std::ptrdiff_t: EIGEN_DEFAULT_DENSE_INDEX_TYPE is not");

#define HOURGLASS_CONCAT_(a, b) a##b
#define HOURGLASS_CONCAT(a, b) HOURGLASS_CONCAT_(a, b)
#define HOURGLASS_TEXT_(a) #a
#define HOURGLASS_TEXT(a) HOURGLASS_TEXT_(a)

// What is only run when something is wrong stays out of the functions it is called from, and is compiled for size.
#if defined(__GNUC__)
#define HOURGLASS_COLD [[gnu::cold, gnu::noinline]]
#else
#define HOURGLASS_COLD
#endif

// Of a lambda, behind its arguments: a compiler that optimises for size, too, makes no call of it.
#if defined(__GNUC__)
#define HOURGLASS_INLINE __attribute__((always_inline))
#else
#define HOURGLASS_INLINE
#endif

/// The version as text, "0.1.0".
#define HOURGLASS_VERSION                   \
    HOURGLASS_TEXT(HOURGLASS_VERSION_MAJOR) \
    "." HOURGLASS_TEXT(HOURGLASS_VERSION_MINOR) "." HOURGLASS_TEXT(HOURGLASS_VERSION_PATCH)

// Everything lives in an inline namespace named after what two translation units must agree on before they may hand
// each other an object or share a function: v0_1_0_align16, and without exceptions where errors go. Those that do not
// agree do not link. Built for different vector widths they would pass each other Eigen objects of different layout and
// crash; of two versions, or of two ways with errors, the linker would keep one.
#if defined(__cpp_exceptions)
#define HOURGLASS_ERRORS
#elif defined(HOURGLASS_ERROR_HANDLER)
#define HOURGLASS_ERRORS HOURGLASS_CONCAT(_errors_to_, HOURGLASS_ERROR_HANDLER)
#else
#define HOURGLASS_ERRORS _errors_abort
#endif
#define HOURGLASS_NAME_(major, minor, patch, align, errors) v##major##_##minor##_##patch##_align##align##errors
#define HOURGLASS_NAME(...) HOURGLASS_NAME_(__VA_ARGS__)
#define HOURGLASS_ABI                                                                                                \
    HOURGLASS_NAME(HOURGLASS_VERSION_MAJOR, HOURGLASS_VERSION_MINOR, HOURGLASS_VERSION_PATCH, EIGEN_MAX_ALIGN_BYTES, \
                   HOURGLASS_ERRORS)
