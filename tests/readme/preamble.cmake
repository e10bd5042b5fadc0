# Precompiles PREAMBLE, what comes before fragments of the README.
cmake_minimum_required(VERSION 3.24)
include(${CMAKE_CURRENT_LIST_DIR}/../support/compile.cmake)
precompile(${PREAMBLE} "#include \"${CMAKE_CURRENT_LIST_DIR}/preamble.hpp\"\n")
