# What users tell the compiler, the standard library and Eigen, its default order in memory above all, changes nothing: the
# program computes the same bits, without a warning from a header of hourglass. Where floating-point rules are given up the
# loss is the same to four digits; a narrower index is refused.
cmake_minimum_required(VERSION 3.24)
include(${CMAKE_CURRENT_LIST_DIR}/../support/compile.cmake)
set(work ${BINARY_DIR}/flags)
file(MAKE_DIRECTORY ${work})
set(program ${CMAKE_CURRENT_LIST_DIR}/flags.cpp)

# result(<variable> <compiler> <flags>...): what the program prints when compiled with them.
function(result variable compiler)
    compile(status output ${compiler} ${ARGN} ${program} -o ${work}/program)
    if(NOT status EQUAL 0 OR output MATCHES "include/hourglass/[^\n]*warning:")
        first_lines(shown 40 "${output}")
        message(NOTICE "${shown}")
        message(FATAL_ERROR "${compiler} with '${ARGN}': this does not compile, or not without warnings")
    endif()
    execute_process(COMMAND ${work}/program RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
    if(NOT status EQUAL 0 OR NOT output MATCHES "^loss [0-9.]+\n.*\nerror [0-9a-f ]+\n$")
        message(NOTICE "${output}${errors}")
        message(FATAL_ERROR "${compiler} with '${ARGN}': the program ends with ${status}")
    endif()
    set(${variable} "${output}" PARENT_SCOPE)
endfunction()

# same_bits(<compiler> <flags>...): the program prints what it prints without the flags.
result(expected ${COMPILER} -O0 ${warnings})
function(same_bits compiler)
    result(printed ${compiler} ${ARGN})
    if(NOT printed STREQUAL expected)
        message(NOTICE "${expected}\nbut with ${ARGN}\n${printed}")
        message(FATAL_ERROR "${compiler} with '${ARGN}': other bits come out")
    endif()
endfunction()

# Old headers of other people's define these, and not always before all others.
file(WRITE ${work}/macros.hpp "#include <Eigen/Core>
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
")
same_bits(${COMPILER} -O0 ${warnings} -std=c++2b -D_GLIBCXX_DEBUG -DEIGEN_DEFAULT_TO_ROW_MAJOR
    -DEIGEN_INITIALIZE_MATRICES_BY_NAN -include ${work}/macros.hpp)

# Eigen not as a system's header, by the other compiler too where there is one.
find_program(OTHER NAMES clang++)
if(NOT OTHER)
    set(OTHER ${COMPILER})
endif()
function(same_bits_beside_eigen)
    string(REPLACE "," ";-I" eigen "-I${EIGEN}")
    set(EIGEN "")
    same_bits(${OTHER} -O0 -std=c++2b ${eigen} -Wall -Wextra -DEIGEN_NO_DEBUG -DEIGEN_INITIALIZE_MATRICES_BY_ZERO
        -include ${work}/macros.hpp)
endfunction()
same_bits_beside_eigen()

# What only optimisation warns of, with -Wall and by itself.
foreach(optimised "-O2" "-O2;-Wall" "-O3;-Wall" "-O3;-Wall;-ffast-math" "-O3;-Wall;-march=native")
    compile(status output ${COMPILER} ${optimised} -c ${CMAKE_CURRENT_LIST_DIR}/optimised.cpp -o ${work}/optimised.o)
    if(NOT status EQUAL 0 OR output MATCHES "warning:")
        first_lines(shown 40 "${output}")
        message(NOTICE "${shown}")
        message(FATAL_ERROR "${COMPILER} with '${optimised}': this does not compile, or not without warnings")
    endif()
endforeach()

result(printed ${COMPILER} ${warnings} -Os -ffast-math)
string(REGEX MATCH "^[^\n]*" loss "${expected}")
if(NOT printed MATCHES "^${loss}\n")
    message(FATAL_ERROR "With -Os -ffast-math there is another loss than ${loss}: ${printed}")
endif()

compile(status output ${COMPILER} -fsyntax-only -DEIGEN_DEFAULT_DENSE_INDEX_TYPE=int ${program})
string(REGEX MATCHALL "error:[^\n]*" errors "${output}")
list(LENGTH errors count)
if(NOT count EQUAL 1 OR NOT errors MATCHES "hourglass needs Eigen's index as wide as std::ptrdiff_t")
    first_lines(shown 20 "${output}")
    message(NOTICE "${shown}")
    message(FATAL_ERROR "With an index of 32 bits there are ${count} errors")
endif()
