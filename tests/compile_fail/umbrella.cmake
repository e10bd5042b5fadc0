# Precompiles UMBRELLA, a header that includes hourglass's, for the cases here.
cmake_minimum_required(VERSION 3.24)
include(${CMAKE_CURRENT_LIST_DIR}/../support/compile.cmake)
precompile(${UMBRELLA} "#include <hourglass/hourglass.hpp>\n")
