# MPI for what trains on many machines: where Debian's or another is found, the target MPI::MPI_CXX, and for test scripts its
# folders and libraries, parted by commas. Not beside sanitizers: what MPI leaves behind is not the library's.
if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    set(MPI_CXX_SKIP_MPICXX ON)  # the C interface alone
    find_package(MPI QUIET COMPONENTS CXX)
endif()
set(hourglass_mpi_include "")
set(hourglass_mpi_libraries "")
if(MPI_CXX_FOUND)
    list(JOIN MPI_CXX_INCLUDE_DIRS "," hourglass_mpi_include)
    list(JOIN MPI_CXX_LIBRARIES "," hourglass_mpi_libraries)
else()
    message(STATUS "hourglass: no MPI: train/mpi.hpp, its tests and example 25 are left out (cmake/dependencies.sh --mpi)")
endif()
