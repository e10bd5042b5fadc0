# clang's own standard library, libc++, where a clang that is new enough for C++20 in it is installed.
cmake_minimum_required(VERSION 3.24)
include(${CMAKE_CURRENT_LIST_DIR}/../support/compile.cmake)
set(work ${BINARY_DIR}/libcxx)
file(WRITE ${work}/probe.cpp "#include <version>
#if _LIBCPP_VERSION < 190000
#error too old
#endif
int main() {}
")
foreach(name clang++-21 clang++-20 clang++-19 clang++)
    find_program(CLANG_${name} ${name})
    if(CLANG_${name})
        compile(status output ${CLANG_${name}} -stdlib=libc++ ${work}/probe.cpp -o ${work}/probe)
        if(status EQUAL 0)
            set(clang ${CLANG_${name}})
            break()
        endif()
    endif()
endforeach()
if(NOT clang)
    message(FATAL_ERROR "SKIPPED: needs clang with libc++ 19 or newer (Debian: clang-19 libc++-19-dev libc++abi-19-dev)")
endif()

compile(status output ${clang} -stdlib=libc++ -O0 ${warnings} ${CMAKE_CURRENT_LIST_DIR}/libcxx.cpp -o ${work}/program)
if(NOT status EQUAL 0)
    first_lines(shown 40 "${output}")
    message(NOTICE "${shown}")
    message(FATAL_ERROR "${clang} -stdlib=libc++: this does not compile")
endif()
execute_process(COMMAND ${work}/program RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
message(NOTICE "${output}")
if(NOT status EQUAL 0)
    message(FATAL_ERROR "The program ends with ${status}")
endif()
