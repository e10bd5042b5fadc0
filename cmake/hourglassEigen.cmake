# Finds Eigen, 3.4 or newer, for hourglass itself and for programs that find an installed hourglass. On failure
# hourglass_eigen_problem says in one sentence what is wrong; otherwise it is empty.
#
# Neither find_package(Eigen3 3.4) nor a version range will do: the first refuses Eigen 5, the second Debian's 3.4.0. So
# any version is found and then compared. An Eigen that the surrounding project already has is taken as it is.
set(hourglass_eigen_problem "")
if(NOT TARGET Eigen3::Eigen)
    find_package(Eigen3 CONFIG QUIET)
endif()
if(NOT TARGET Eigen3::Eigen)
    string(CONCAT hourglass_eigen_problem
        "hourglass needs Eigen 3.4 or newer and found none. Install it (Debian: libeigen3-dev), set Eigen3_DIR to "
        "the folder of its Eigen3Config.cmake, or add it to your project before hourglass.")
elseif(Eigen3_VERSION AND Eigen3_VERSION VERSION_LESS 3.4)
    string(CONCAT hourglass_eigen_problem
        "hourglass needs Eigen 3.4 or newer; the one found is ${Eigen3_VERSION} (${Eigen3_DIR}).")
endif()
