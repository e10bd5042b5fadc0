// Disks that fill up, and two writers of one file.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <hourglass/hourglass.hpp>
#include <hourglass/io/safetensors.hpp>
#include <string>

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/files.hpp"

namespace hg = hourglass;
namespace fs = std::filesystem;

using Catch::Matchers::ContainsSubstring;

namespace {

/// While it lives, no file of this process grows beyond so many bytes.
class FileLimit {
  public:
    explicit FileLimit(rlim_t bytes) {
        before_ = std::signal(SIGXFSZ, SIG_IGN);  // the write fails instead
        ::getrlimit(RLIMIT_FSIZE, &old_);
        const rlimit now{bytes, old_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &now);
    }
    ~FileLimit() {
        ::setrlimit(RLIMIT_FSIZE, &old_);
        std::signal(SIGXFSZ, before_);
    }

  private:
    rlimit old_{};
    void (*before_)(int) = nullptr;
};

}  // namespace

TEST_CASE("a disk that fills up leaves the old file") {
    const Folder folder("disk");
    hg::Rng rng{1};
    auto network = hg::network<hg::Chain<hg::Shape{50}, hg::Dense<40>>>(rng);
    const std::string path = folder.path / "a";
    hg::save(path, network);
    const std::string old = text_of(path);
    network.parameters().setOnes();
    for (const rlim_t room : {rlim_t{0}, rlim_t{1}, rlim_t{100}, rlim_t{5000}, rlim_t{old.size() - 1}}) {
        const FileLimit limit(room);
        CHECK_THAT(error_of([&] { hg::save(path, network); }),
                   ContainsSubstring("writing failed: File too large; the file is as it was before"));
        CHECK((text_of(path) == old));
        CHECK_FALSE(fs::exists(path + ".partial"));
    }
    hg::save(path, network);
    CHECK((text_of(path) != old));
}

TEST_CASE("a file that is being written is not written by another") {
    const Folder folder("disk");
    hg::Rng rng{1};
    const auto network = hg::network<hg::Chain<hg::Shape{5}, hg::Dense<4>>>(rng);
    const std::string path = folder.path / "a";
    const int other = ::open((path + ".partial").c_str(), O_RDWR | O_CREAT, 0666);
    REQUIRE(::flock(other, LOCK_EX) == 0);
    CHECK_THAT(error_of([&] { hg::save(path, network); }), ContainsSubstring("is being written by somebody else"));
    CHECK(fs::exists(path + ".partial"));
    ::close(other);
    hg::save(path, network);
    CHECK_FALSE(fs::exists(path + ".partial"));
}
