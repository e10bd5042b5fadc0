# Two versions of hourglass in one program, as when two libraries bring one each, keep apart: each translation unit runs the
# code it was compiled with. What is handed from one to the other does not link.
cmake_minimum_required(VERSION 3.24)
include(${CMAKE_CURRENT_LIST_DIR}/../support/compile.cmake)

set(work ${BINARY_DIR}/versions)
file(REMOVE_RECURSE ${work})
file(COPY ${SOURCE_DIR}/include/hourglass/core/error.hpp ${SOURCE_DIR}/include/hourglass/core/version.hpp
    DESTINATION ${work}/other/hourglass/core)
# change(<header> <from> <to>) in the other version.
function(change header from to)
    file(READ ${work}/other/hourglass/core/${header} before)
    string(REPLACE "${from}" "${to}" after "${before}")
    if(after STREQUAL before)
        message(FATAL_ERROR "There is no '${from}' in ${header}")
    endif()
    file(WRITE ${work}/other/hourglass/core/${header} "${after}")
endfunction()
change(version.hpp "HOURGLASS_VERSION_PATCH " "HOURGLASS_VERSION_PATCH 9")
change(error.hpp "\"%g\"" "\"%.3f\"")  # the same number makes another text there

file(WRITE ${work}/user.cpp "#include \"hourglass/core/error.hpp\"
std::string others_text(double value);
#ifdef HAND_OVER
void print(const hourglass::Error& error);
#endif
int main() {
#ifdef HAND_OVER
    print(hourglass::Error(\"of this version\"));
#endif
    return hourglass::text(0.5) == \"0.5\" && others_text(0.5) == \"0.500\" ? 0 : 1;
}
")
file(WRITE ${work}/other.cpp "#include \"hourglass/core/error.hpp\"
std::string others_text(double value) { return hourglass::text(value); }
void print(const hourglass::Error& error) { std::puts(error.what()); }
")
compile(status output ${COMPILER} -O0 -iquote ${work}/other -c ${work}/other.cpp -o ${work}/other.o)
message(NOTICE "${output}")
foreach(flag "" -DHAND_OVER)
    compile(status output ${COMPILER} -O0 ${flag} ${work}/user.cpp ${work}/other.o -o ${work}/program)
    message(NOTICE "${output}")
    if(flag)
        if(status EQUAL 0 OR NOT output MATCHES "undefined reference to .*print.*hourglass::")
            message(FATAL_ERROR "An object of one version was handed to the other")
        endif()
    else()
        execute_process(COMMAND ${work}/program RESULT_VARIABLE status)
        if(NOT status EQUAL 0)
            message(FATAL_ERROR "Two versions in one program: it ends with ${status}")
        endif()
    endif()
endforeach()
