# For test scripts that run compilers and programs by themselves.

# compile(<result> <output> <compiler> <arguments>...) runs the compiler on hourglass's include path; <result> becomes its
# exit status, 0 when all went well, and <output> all it printed.
function(compile result output compiler)
    string(REPLACE "," ";" system "${EIGEN},${MPI_INCLUDE}")
    list(REMOVE_ITEM system "")
    list(TRANSFORM system PREPEND -isystem)
    # Messages in English, whatever the user's language.
    execute_process(
        COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C.UTF-8
            ${compiler} -std=c++20 -I${SOURCE_DIR}/include ${system} ${ARGN}
        RESULT_VARIABLE status OUTPUT_VARIABLE printed ERROR_VARIABLE printed)
    set(${result} "${status}" PARENT_SCOPE)
    set(${output} "${printed}" PARENT_SCOPE)
endfunction()

# leave_out_mpi(<variable>): takes the header that needs MPI out of a list of headers, where there is none.
macro(leave_out_mpi headers)
    if("${MPI_INCLUDE}" STREQUAL "")
        message(NOTICE "no MPI: without train/mpi.hpp")
        list(FILTER ${headers} EXCLUDE REGEX "train/mpi.hpp$")
    endif()
endmacro()

set(warnings -Wall -Wextra -Wconversion -Wshadow -Wpedantic -Werror)

# precompile(<header> <text>): writes the header and precompiles it beside itself, where both compilers look for what
# `-include <header>` names. It is compiled with `warnings`; what comes behind it may ask for other warnings, but for nothing
# that changes the code.
function(precompile header text)
    file(WRITE ${header} "${text}")
    compile(status output ${COMPILER} ${warnings} -x c++-header ${header} -o ${header}.gch)
    if(NOT status EQUAL 0)
        message(NOTICE "${output}")
        message(FATAL_ERROR "This does not compile:\n${text}")
    endif()
endfunction()

# first_lines(<variable> <count> <text>) keeps the first lines of a text.
function(first_lines variable count text)
    set(kept "")
    foreach(line RANGE 1 ${count})
        string(FIND "${text}" "\n" end)
        if(end EQUAL -1)
            string(APPEND kept "${text}")
            break()
        endif()
        math(EXPR end "${end} + 1")
        string(SUBSTRING "${text}" 0 ${end} one)
        string(SUBSTRING "${text}" ${end} -1 text)
        string(APPEND kept "${one}")
    endforeach()
    set(${variable} "${kept}" PARENT_SCOPE)
endfunction()

# run_on_images(<result> <output> <program>) runs a program with Fashion-MNIST's test images, an IDX file, on its standard
# input. Where the data set is not installed the test ends here: ctest counts it as skipped for what is printed.
function(run_on_images result output program)
    set(images /usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz)
    if(NOT EXISTS ${images})
        message(FATAL_ERROR "SKIPPED: needs ${images} (Debian: dataset-fashion-mnist)")
    endif()
    execute_process(COMMAND gzip -dc ${images} COMMAND ${program}
        RESULT_VARIABLE status OUTPUT_VARIABLE printed ERROR_VARIABLE printed)
    set(${result} "${status}" PARENT_SCOPE)
    set(${output} "${printed}" PARENT_SCOPE)
endfunction()
