# Without exceptions and run-time types, by both compilers where both are there: a program trains, saves and loads; an error
# goes to the function that HOURGLASS_ERROR_HANDLER names, or to standard error before the program aborts; and nothing that
# was compiled one way links with what was compiled another.
cmake_minimum_required(VERSION 3.24)
include(${CMAKE_CURRENT_LIST_DIR}/../support/compile.cmake)
set(work ${BINARY_DIR}/no_exceptions)
file(MAKE_DIRECTORY ${work})

# expect(<output's regex> <exit status's regex> <compiler> <flags>...) of the program.
function(expect text ends compiler)
    compile(status output ${compiler} -O0 ${warnings} -fno-exceptions -fno-rtti ${ARGN}
        ${CMAKE_CURRENT_LIST_DIR}/no_exceptions.cpp -o ${work}/program)
    if(NOT status EQUAL 0)
        first_lines(shown 40 "${output}")
        message(NOTICE "${shown}")
        message(FATAL_ERROR "${compiler} -fno-exceptions -fno-rtti ${ARGN}: this does not compile")
    endif()
    execute_process(COMMAND ${work}/program RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT status MATCHES "${ends}" OR NOT output MATCHES "${text}")
        message(FATAL_ERROR "${compiler} ${ARGN}: the program ends with ${status} after: ${output}")
    endif()
endfunction()

set(sentence "Autoencoder::encode: x has 3 rows, expected 4[^\n]*\n$")
find_program(OTHER NAMES clang++)
if(NOT OTHER)
    set(OTHER ${COMPILER})
endif()
expect("trained\nhandler: ${sentence}" "^3$" ${COMPILER} -DHOURGLASS_ERROR_HANDLER=report)
expect("trained\nhourglass: ${sentence}" "[Aa]bort" ${OTHER})

# An error thrown in one object would end in the other's function, or the other way round.
file(WRITE ${work}/user.cpp "#include \"hourglass/core/error.hpp\"
void check(const hourglass::Error* error);
int main() { check(nullptr); }
")
file(WRITE ${work}/maker.cpp "#include \"hourglass/core/error.hpp\"
void check(const hourglass::Error* error) { if (error) hourglass::fail(\"wrong\"); }
void report(const char*) {}
void log(const char*) {}
")
foreach(way throws reports logs)
    set(flags_throws "")
    set(flags_reports -fno-exceptions -DHOURGLASS_ERROR_HANDLER=report)
    set(flags_logs -fno-exceptions -DHOURGLASS_ERROR_HANDLER=log)
    compile(status output ${COMPILER} -O0 ${flags_${way}} -c ${work}/maker.cpp -o ${work}/${way}.o)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "${output}")
    endif()
endforeach()
compile(status output ${COMPILER} -O0 ${flags_reports} -c ${work}/user.cpp -o ${work}/user.o)
foreach(way reports throws logs)
    compile(status output ${COMPILER} ${work}/user.o ${work}/${way}.o -o ${work}/mixed)
    if(way STREQUAL "reports")
        if(NOT status EQUAL 0)
            message(FATAL_ERROR "Two objects compiled alike do not link: ${output}")
        endif()
    elseif(status EQUAL 0 OR NOT output MATCHES "undefined reference to .*check.*hourglass::")
        message(FATAL_ERROR "An object that reports errors links with one that ${way}: ${output}")
    endif()
endforeach()
