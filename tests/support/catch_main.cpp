// Catch2's main, which takes long to compile: in a file of its own, so that it is compiled once. Version 3 has it in a
// library of its own, and this file is not compiled.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
