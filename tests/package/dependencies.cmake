# cmake/dependencies.sh says one line of what it installs, all that apt says where that fails, and nothing where all is there.
# apt and dpkg are here scripts that install nothing.
cmake_minimum_required(VERSION 3.24)
set(work ${BINARY_DIR}/dependencies)
file(REMOVE_RECURSE ${work})
find_program(SH sh)

# program(<name> <text>): a program of that name comes before the system's.
function(program name text)
    file(WRITE ${work}/${name} "#!/bin/sh\n${text}\n")
    file(CHMOD ${work}/${name} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
endfunction()
program(dpkg-query "case $3 in g++|cmake) printf installed;; *) exit 1;; esac")
program(sudo "exec \"$@\"")

# expect(<status> <regex>) of the script and what it says.
function(expect ends text)
    execute_process(COMMAND ${CMAKE_COMMAND} -E env PATH=${work}:$ENV{PATH} ${SH} ${SOURCE_DIR}/cmake/dependencies.sh
        RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT status EQUAL ends OR NOT output MATCHES "${text}")
        message(FATAL_ERROR "Expected ${ends} and '${text}', got ${status} and '${output}'")
    endif()
endfunction()

program(apt-get "echo Unpacking and setting up; echo a warning >&2")
expect(0 "^installing: ninja-build [^\n]* python3\n$")
program(apt-get "case $* in *install*) echo Unpacking; echo E: no space left >&2; exit 100;; esac")
expect(100 "^installing: [^\n]*\nUnpacking\nE: no space left\n$")
program(apt-get "case $* in *update*) echo E: no network >&2; exit 7;; esac")
expect(7 "^installing: [^\n]*\nE: no network\n$")
program(dpkg-query "printf installed")
expect(0 "^$")
