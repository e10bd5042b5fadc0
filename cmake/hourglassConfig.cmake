# Read by find_package(hourglass).
include(${CMAKE_CURRENT_LIST_DIR}/hourglassEigen.cmake)
if(hourglass_eigen_problem)
    set(hourglass_FOUND FALSE)
    set(hourglass_NOT_FOUND_MESSAGE "${hourglass_eigen_problem}")
    return()
endif()
include(${CMAKE_CURRENT_LIST_DIR}/hourglassTargets.cmake)
