# The Conan recipe, by Conan itself and without its server: a package is made and a program built with it; C++17 is refused.
# Conan's Eigen is here this machine's.
cmake_minimum_required(VERSION 3.24)

find_program(CONAN conan)
if(NOT CONAN)
    message(FATAL_ERROR "SKIPPED: needs Conan 2 (PyPI: conan)")
endif()
set(work ${BINARY_DIR}/conan)
file(REMOVE_RECURSE ${work})
# Conan writes into the recipe's folder.
file(COPY ${SOURCE_DIR}/include ${SOURCE_DIR}/LICENSE DESTINATION ${work}/tree)
file(COPY ${SOURCE_DIR}/cmake/conan DESTINATION ${work}/tree/cmake)
string(REPLACE "," "', '" eigen "${EIGEN}")
file(WRITE ${work}/eigen/conanfile.py "from conan import ConanFile
class Eigen(ConanFile):
    name, version, package_type = 'eigen', '3.4.0', 'header-library'
    def package_info(self):
        self.cpp_info.set_property('cmake_file_name', 'Eigen3')
        self.cpp_info.set_property('cmake_target_name', 'Eigen3::Eigen')
        self.cpp_info.includedirs = ['${eigen}']
        self.cpp_info.bindirs = self.cpp_info.libdirs = []
")
set(ENV{CONAN_HOME} ${work}/home)
set(ENV{CXX} ${COMPILER})

# conan(<success> <regex> <arguments>...): Conan succeeds or not, and says what matches.
function(conan success regex)
    execute_process(COMMAND ${CONAN} ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if((success AND NOT status EQUAL 0) OR (NOT success AND status EQUAL 0) OR NOT output MATCHES "${regex}")
        message(NOTICE "${output}")
        message(FATAL_ERROR "conan ${ARGN}: ends with ${status}, expected '${regex}'")
    endif()
endfunction()
conan(YES "" profile detect)
conan(YES "" export-pkg ${work}/eigen)
set(create create ${work}/tree/cmake/conan --no-remote -s build_type=Debug)
file(STRINGS ${SOURCE_DIR}/include/hourglass/core/version.hpp version REGEX "^#define HOURGLASS_VERSION_(MAJOR|MINOR|PATCH) ")
list(TRANSFORM version REPLACE "[^0-9]+" "")
list(JOIN version "." version)
conan(YES "hourglass/${version}: .*hourglass ${version} drew 0\\.[0-9]+" ${create} -s compiler.cppstd=20)
conan(NO "lower than the required C\\+\\+ standard \\(20\\)" ${create} -s compiler.cppstd=17)
file(GLOB_RECURSE licences ${work}/home/LICENSE)
list(FILTER licences INCLUDE REGEX "/licenses/LICENSE$")
if(NOT licences)
    message(FATAL_ERROR "The package has no licence")
endif()
