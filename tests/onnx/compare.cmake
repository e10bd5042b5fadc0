# Compiles export.cpp, runs it in a folder of its own, and has PYTHON compare what ONNX Runtime makes of its graphs.
cmake_minimum_required(VERSION 3.24)
include(${CMAKE_CURRENT_LIST_DIR}/../support/compile.cmake)

execute_process(COMMAND ${PYTHON} -c "import numpy, onnxruntime" RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "SKIPPED: ${PYTHON} has no numpy and onnxruntime (pip install numpy onnxruntime; "
        "HOURGLASS_PYTHON says which Python)")
endif()

set(work ${BINARY_DIR}/graphs)
file(REMOVE_RECURSE ${work})
file(MAKE_DIRECTORY ${work})
compile(status output ${COMPILER} ${warnings} -O0 ${CMAKE_CURRENT_LIST_DIR}/export.cpp -o ${BINARY_DIR}/export)
if(NOT status EQUAL 0)
    first_lines(shown 40 "${output}")
    message(NOTICE "${shown}")
    message(FATAL_ERROR "export.cpp does not compile")
endif()
execute_process(COMMAND ${BINARY_DIR}/export WORKING_DIRECTORY ${work} RESULT_VARIABLE status OUTPUT_VARIABLE output
    ERROR_VARIABLE output)
if(NOT status EQUAL 0)
    message(NOTICE "${output}")
    message(FATAL_ERROR "export.cpp ends with ${status}")
endif()
execute_process(COMMAND ${PYTHON} ${CMAKE_CURRENT_LIST_DIR}/compare.py ${work} RESULT_VARIABLE status
    OUTPUT_VARIABLE output ERROR_VARIABLE output)
message(NOTICE "${output}")
if(NOT status EQUAL 0)
    message(FATAL_ERROR "ONNX Runtime computes something else")
endif()
