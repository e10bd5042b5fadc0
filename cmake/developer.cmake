# What hourglass's own tests, examples and benchmarks are compiled with. Users of the target get none of it.
option(HOURGLASS_NATIVE "Compile hourglass's own programs for this very processor, at -O3" OFF)
option(HOURGLASS_WERROR "Treat warnings in hourglass's own programs as errors" OFF)

set(hourglass_warnings -Wall -Wextra -Wconversion -Wshadow -Wpedantic)
if(HOURGLASS_WERROR)
    list(APPEND hourglass_warnings -Werror)
endif()

add_library(hourglass_developer INTERFACE)
target_link_libraries(hourglass_developer INTERFACE hourglass::hourglass)
target_compile_options(hourglass_developer INTERFACE ${hourglass_warnings})
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # In a precompiled header g++ forgets where Eigen turns this warning off.
    target_compile_options(hourglass_developer INTERFACE -Wno-ignored-attributes)
endif()
if(HOURGLASS_NATIVE)
    target_compile_options(hourglass_developer INTERFACE -O3 -march=native)
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
        # For a processor it does not know, g++ 12 takes the tuning of the last AMD one it does, which reads one factor of
        # Eigen's AVX-512 product four times over: a quarter of the speed. Its general tuning does not.
        target_compile_options(hourglass_developer INTERFACE -mtune=generic)
        # g++ 12 sees uninitialised variables in its own AVX-512 intrinsics.
        target_compile_options(hourglass_developer INTERFACE -Wno-maybe-uninitialized -Wno-uninitialized)
    endif()
endif()
