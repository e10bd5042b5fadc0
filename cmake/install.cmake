# Installs the headers and what find_package(hourglass) and pkg-config read. Nothing depends on the processor or on the prefix: the
# tree can be moved and shared between machines.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(hourglass_package_dir ${CMAKE_INSTALL_DATADIR}/cmake/hourglass)

install(TARGETS hourglass EXPORT hourglassTargets FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT hourglassTargets NAMESPACE hourglass:: DESTINATION ${hourglass_package_dir})

# While the version is 0.x, a program made for 0.1 is not promised to work with 0.2.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/hourglassConfigVersion.cmake
    COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES cmake/hourglassConfig.cmake cmake/hourglassEigen.cmake ${PROJECT_BINARY_DIR}/hourglassConfigVersion.cmake
    DESTINATION ${hourglass_package_dir})

cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_INCLUDEDIR BASE_DIRECTORY ${CMAKE_INSTALL_FULL_DATADIR}/pkgconfig
    OUTPUT_VARIABLE hourglass_from_pkgconfig)
configure_file(cmake/hourglass.pc.in ${PROJECT_BINARY_DIR}/hourglass.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/hourglass.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
