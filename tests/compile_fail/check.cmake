# Checks one must-not-compile case, the file CASE, behind the precompiled header UMBRELLA.
cmake_minimum_required(VERSION 3.24)
include(${CMAKE_CURRENT_LIST_DIR}/../support/compile.cmake)

file(STRINGS ${CASE} first_line LIMIT_COUNT 1 ENCODING UTF-8)
if(NOT first_line MATCHES "^// expect: (.+)$")
    message(FATAL_ERROR "The first line of ${CASE} must be '// expect: ' and a sentence")
endif()
set(sentence "${CMAKE_MATCH_1}")

# g++ forgets, in what is precompiled, where the headers turn this warning off.
set(behind_umbrella ${warnings} -Wno-ignored-attributes -include ${UMBRELLA} -fsyntax-only)
compile(status output ${COMPILER} ${behind_umbrella} -DFIXED ${CASE})
if(NOT status EQUAL 0)
    message(NOTICE "${output}")
    message(FATAL_ERROR "With -DFIXED this must compile, and does not")
endif()

compile(status output ${COMPILER} ${behind_umbrella} ${CASE})
if(status EQUAL 0)
    message(FATAL_ERROR "This must not compile, and does; expected: ${sentence}")
endif()
first_lines(shown 15 "${output}")
string(FIND "${shown}" "${sentence}" found)
if(found EQUAL -1)
    message(NOTICE "${shown}")
    message(FATAL_ERROR "The 15 lines above must hold: ${sentence}")
endif()
