# Installs the headers, the licence, and what find_package(hourglass) and pkg-config read. Nothing depends on the processor or on the prefix: the
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

install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# `cpack -G DEB` in the folder of the build makes a Debian package of all that.
if(PROJECT_IS_TOP_LEVEL)
    set(CPACK_PACKAGE_NAME libhourglass-dev)
    set(CPACK_PACKAGE_CONTACT "The hourglass authors")
    set(CPACK_PACKAGE_VENDOR "hourglass")
    set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
    set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
    set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
    set(CPACK_DEBIAN_PACKAGE_DEPENDS "libeigen3-dev (>= 3.4)")
    set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
    include(CPack)
endif()
