# hourglass for vcpkg, from the tree it lies in: vcpkg install hourglass --overlay-ports=<this folder>. vcpkg's registry wants
# vcpkg_from_github, with the checksum of a release, in place of the path.
# The tests hold the port's vcpkg.json to the tree; they do not build the port, which wants vcpkg.
set(VCPKG_BUILD_TYPE release) # header-only

cmake_path(SET SOURCE_PATH NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../..")

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        -DHOURGLASS_BUILD_TESTS=OFF
        -DHOURGLASS_BUILD_EXAMPLES=OFF
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/hourglass)
vcpkg_fixup_pkgconfig()

file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/share/doc") # the licence, which goes where vcpkg keeps them
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
