# With WHAT graphs: export.cpp writes graphs, and compare.py has ONNX Runtime compute them. With WHAT operators: operators.py
# writes the cases of ONNX's own operators, and operators.cpp computes them.
cmake_minimum_required(VERSION 3.24)
include(${CMAKE_CURRENT_LIST_DIR}/../support/compile.cmake)

set(packages_graphs "numpy, onnxruntime")
set(packages_operators "numpy, onnx")
execute_process(COMMAND ${PYTHON} -c "import ${packages_${WHAT}}" RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "SKIPPED: ${PYTHON} has no ${packages_${WHAT}} (pip install numpy onnx onnxruntime; "
        "HOURGLASS_PYTHON says which Python)")
endif()

set(work ${BINARY_DIR}/files/${WHAT})
file(REMOVE_RECURSE ${work})
file(MAKE_DIRECTORY ${work})

function(build name)
    compile(status output ${COMPILER} ${warnings} -O0 ${CMAKE_CURRENT_LIST_DIR}/${name}.cpp -o ${BINARY_DIR}/${name})
    if(NOT status EQUAL 0)
        first_lines(shown 40 "${output}")
        message(NOTICE "${shown}")
        message(FATAL_ERROR "${name}.cpp does not compile")
    endif()
endfunction()
# Runs a command in the folder of the files.
function(run)
    execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${work} RESULT_VARIABLE status OUTPUT_VARIABLE output
        ERROR_VARIABLE output)
    message(NOTICE "${output}")
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "${ARGN} ends with ${status}")
    endif()
endfunction()

if(WHAT STREQUAL "graphs")
    build(export)
    run(${BINARY_DIR}/export)
    run(${PYTHON} ${CMAKE_CURRENT_LIST_DIR}/compare.py .)
else()
    build(operators)
    run(${PYTHON} ${CMAKE_CURRENT_LIST_DIR}/operators.py .)
    run(${BINARY_DIR}/operators)
endif()
