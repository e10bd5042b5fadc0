# hourglass for Conan 2, from the tree it lies in: conan create cmake/conan -s compiler.cppstd=20
#
# What ConanCenter wants besides are the address and the checksum of a release, in a conandata.yml, and a source() that gets it
# in place of export_sources().
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"


class HourglassConan(ConanFile):
    name = "hourglass"
    description = "Autoencoders over Eigen"
    license = "MIT"
    topics = ("autoencoder", "anomaly-detection", "machine-learning", "eigen", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    no_copy_source = True

    @property
    def _tree(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        header = load(self, os.path.join(self._tree, "include", "hourglass", "core", "version.hpp"))
        self.version = ".".join(re.findall(r"#define HOURGLASS_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))

    def export_sources(self):
        copy(self, "LICENSE", self._tree, self.export_sources_folder)
        copy(self, "include/*.hpp", self._tree, self.export_sources_folder)

    def layout(self):
        basic_layout(self)

    def requirements(self):
        self.requires("eigen/3.4.0", transitive_headers=True)

    def package_id(self):
        self.info.clear()

    def validate(self):
        check_min_cppstd(self, 20)

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "hourglass")
        self.cpp_info.set_property("cmake_target_name", "hourglass::hourglass")
        self.cpp_info.set_property("pkg_config_name", "hourglass")
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
