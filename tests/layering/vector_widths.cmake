# Files compiled for different vector widths lay out Eigen objects differently. One that hands such an object to the other
# must fail to link, not crash: the library's inline namespace carries the alignment.
cmake_minimum_required(VERSION 3.24)
include(${CMAKE_CURRENT_LIST_DIR}/../support/compile.cmake)

set(work ${BINARY_DIR}/vector_widths)
file(WRITE ${work}/user.cpp "#include \"hourglass/core/random.hpp\"
double drawn(hourglass::Rng& rng);
int main() { hourglass::Rng rng{1}; return drawn(rng) < 1 ? 0 : 1; }
")
file(WRITE ${work}/maker.cpp "#include \"hourglass/core/random.hpp\"
double drawn(hourglass::Rng& rng) { return rng.uniform(); }
")

# object(<name> <processor>): compiles <name>.cpp to <name>.<processor>.o
function(object name processor)
    compile(status output ${COMPILER} -march=${processor} -c ${work}/${name}.cpp -o ${work}/${name}.${processor}.o)
    if(NOT status EQUAL 0)
        message(NOTICE "${output}")
        message(FATAL_ERROR "${name}.cpp does not compile for ${processor}")
    endif()
endfunction()

object(user x86-64)
foreach(processor x86-64 x86-64-v3 x86-64-v4)
    object(maker ${processor})
    compile(status output ${COMPILER} ${work}/user.x86-64.o ${work}/maker.${processor}.o -o ${work}/program)
    message(NOTICE "${output}")
    if(processor STREQUAL "x86-64")
        if(NOT status EQUAL 0)
            message(FATAL_ERROR "Two files for the same processor must link")
        endif()
    elseif(status EQUAL 0)
        message(FATAL_ERROR "A file for x86-64 linked with one for ${processor}")
    elseif(NOT output MATCHES "undefined reference to .*drawn.*hourglass::")
        message(FATAL_ERROR "Linking x86-64 with ${processor} failed, but not for the missing function")
    endif()
endforeach()
