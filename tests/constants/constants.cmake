# write.cpp writes headers with the parameters of models; read.cpp is compiled with them and compares.
cmake_minimum_required(VERSION 3.24)
include(${CMAKE_CURRENT_LIST_DIR}/../support/compile.cmake)

set(work ${BINARY_DIR}/files)
file(REMOVE_RECURSE ${work})
file(MAKE_DIRECTORY ${work})

foreach(name write read)
    compile(status output ${COMPILER} ${warnings} -O0 -I${work} ${CMAKE_CURRENT_LIST_DIR}/${name}.cpp -o ${work}/${name})
    if(NOT status EQUAL 0)
        first_lines(shown 40 "${output}")
        message(NOTICE "${shown}")
        message(FATAL_ERROR "${name}.cpp does not compile")
    endif()
    execute_process(COMMAND ${work}/${name} WORKING_DIRECTORY ${work} RESULT_VARIABLE status OUTPUT_VARIABLE output
        ERROR_VARIABLE output)
    if(NOT status EQUAL 0)
        message(NOTICE "${output}")
        message(FATAL_ERROR "${name} ends with ${status}")
    endif()
endforeach()
