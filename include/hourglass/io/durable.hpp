// Reading a file whole, and writing one so that there is always a whole one: the old one until the new one is complete
// and on the disk. Elsewhere than on POSIX systems there is a moment between the two.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <istream>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/data/stream_bytes.hpp"

#if __has_include(<unistd.h>) && __has_include(<sys/file.h>)
#define HOURGLASS_POSIX_FILES 1
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

/// All bytes of a stream, whatever it is told to throw at its end. `Error`, which begins with `where`, when it cannot
/// be read.
inline std::vector<std::byte> read_bytes(std::istream& in, const std::string& where) {
    data::StreamBytes stream(in, where.c_str());
    std::vector<std::byte> bytes;
    constexpr std::size_t block = std::size_t{1} << 16;
    for (std::size_t size = 0;; size = bytes.size()) {
        bytes.resize(size + std::max(block, size / 2));
        const std::size_t came =
            stream.read(reinterpret_cast<unsigned char*>(bytes.data() + size), bytes.size() - size);
        bytes.resize(size + came);
        if (came == 0) return bytes;
    }
}

/// `Error` under the name of `function` for a path with a zero byte, behind which the system does not read it.
inline void require_whole_path(const char* function, const std::string& path) {
    if (path.find('\0') != path.npos) fail(function, ": the path ", path.c_str(), "… holds a zero byte");
}
/// The same, and for a folder or a device, which may never end.
inline void require_readable_path(const char* function, const std::string& path) {
    require_whole_path(function, path);
#ifdef HOURGLASS_POSIX_FILES
    struct stat found {};
    if (::stat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode) && !S_ISFIFO(found.st_mode))
        fail(function, ": ", path, " is no ordinary file");
#endif
}

#ifdef HOURGLASS_POSIX_FILES

/// A file that is being written beside the one at `path`. Where it goes without `commit` it is removed, and nothing has
/// happened. `function` is the one that the caller called, with which errors begin. On a file system without locks
/// several writers of one file are not kept apart.
class DurableFile {
  public:
    /// `Error` when `path` is there but no ordinary file, when no file can be made beside it, or while another writer
    /// is at work on the same one.
    DurableFile(const char* function, const std::string& path)
        : function_(function), path_(resolved(path)), partial_(path_ + ".partial") {
        struct stat old {};
        there_ = ::stat(path_.c_str(), &old) == 0;
        if (there_ && !S_ISREG(old.st_mode)) fail(function_, ": ", path, " is no ordinary file: give a stream instead");
        open_partial();
        if (!there_) return;
        mode_ = old.st_mode & 07777;
        // Nobody may read more of it meanwhile; whoever finds it left behind has to be able to write it.
        (void)!::fchmod(file_, mode_ | S_IRUSR | S_IWUSR);
    }
    DurableFile(const DurableFile&) = delete;
    DurableFile& operator=(const DurableFile&) = delete;
    ~DurableFile() {
        if (file_ < 0) return;
        ::unlink(partial_.c_str());
        ::close(file_);
    }

    /// `Error`, as in `commit`, when the disk refuses; the old file is then as it was.
    void write(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const auto written = ::write(file_, bytes.data(), bytes.size());
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) fail_here("writing");
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        }
    }
    /// Brings all to the disk and puts it in the old file's place. Behind an `Error` the old one is as it was.
    void commit() {
        // Behind the renaming nothing may fail any more, for want of memory neither.
        const std::size_t slash = path_.find_last_of('/');
        const std::string folder = slash == path_.npos ? "." : path_.substr(0, slash + 1);
        if (there_) (void)!::fchmod(file_, mode_);
        if (::fsync(file_) != 0) fail_here("writing to the disk");
        if (::rename(partial_.c_str(), path_.c_str()) != 0) fail_here("renaming");
        ::close(std::exchange(file_, -1));
        // The new name is in the folder; that it is there after a power cut, too, not every file system can promise.
        if (const int opened = ::open(folder.c_str(), O_RDONLY | O_CLOEXEC); opened >= 0) {
            ::fsync(opened);
            ::close(opened);
        }
    }

  private:
    // The file itself where `path` is a link to it, so that the link stays one.
    std::string resolved(const std::string& path) const {
        require_whole_path(function_, path);
        const std::unique_ptr<char, void (*)(void*)> full(::realpath(path.c_str(), nullptr), std::free);
        if (full) return full.get();
        if (const int error = errno; error != ENOENT) fail(function_, ": ", path, ": ", std::strerror(error));
        struct stat link {};
        if (::lstat(path.c_str(), &link) == 0) fail(function_, ": ", path, " is a link to what is not there");
        return path;
    }
    // One writer at a time: who has the lock on the file that bears the name. A file left behind by a program that was
    // killed has no lock on it, and is used again.
    void open_partial() {
        for (int tries = 0; tries < 100; ++tries) {
            file_ = ::open(partial_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
            if (const int error = errno; file_ < 0)
                fail(function_, ": ", partial_, " cannot be written: ", std::strerror(error));
            if (::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno != ENOSYS && errno != ENOLCK && errno != EOPNOTSUPP) {
                const int error = errno;
                ::close(std::exchange(file_, -1));  // and leave it there: it may be somebody else's
                if (error == EINTR) continue;
                fail(function_, ": ", partial_,
                     error == EWOULDBLOCK ? " is being written by somebody else" : " cannot be locked: ",
                     error == EWOULDBLOCK ? "" : std::strerror(error));
            }
            struct stat mine {
            }, named{};
            if (::fstat(file_, &mine) == 0 && ::stat(partial_.c_str(), &named) == 0 && mine.st_ino == named.st_ino &&
                mine.st_dev == named.st_dev) {
                // What somebody has put there is not written through: another name of a file, a pipe.
                if (!S_ISREG(mine.st_mode) || mine.st_nlink != 1) {
                    ::close(std::exchange(file_, -1));
                    fail(function_, ": ", partial_, " is there, and is no file of its own");
                }
                if (::ftruncate(file_, 0) != 0) fail_here("writing");
                return;
            }
            ::close(std::exchange(file_, -1));  // it has just been renamed by another writer
        }
        fail(function_, ": ", partial_, " is being written by somebody else");
    }
    [[noreturn]] void fail_here(const char* what) {
        const int error = errno;
        ::unlink(partial_.c_str());
        ::close(std::exchange(file_, -1));
        fail(function_, ": ", path_, ": ", what, " failed: ", std::strerror(error), "; the file is as it was before");
    }

    const char* function_;
    std::string path_, partial_;
    bool there_ = false;
    mode_t mode_ = 0;  // of the old file, where there is one
    int file_ = -1;
};

#else

/// The same without locks and without the disk's word for it.
class DurableFile {
  public:
    DurableFile(const char* function, const std::string& path)
        : function_(function),
          path_(path),
          partial_(path + ".partial"),
          file_(partial_, std::ios::binary | std::ios::trunc) {
        if (!file_) fail(function_, ": ", partial_, " cannot be written");
    }
    DurableFile(const DurableFile&) = delete;
    DurableFile& operator=(const DurableFile&) = delete;
    ~DurableFile() {
        if (!file_.is_open()) return;
        file_.close();
        std::remove(partial_.c_str());
    }
    void write(std::span<const std::byte> bytes) {
        file_.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        if (!file_) fail(function_, ": ", path_, ": writing failed; the file is as it was before");
    }
    void commit() {
        file_.flush();
        if (!file_) fail(function_, ": ", path_, ": writing failed; the file is as it was before");
        file_.close();
        std::remove(path_.c_str());  // renaming onto a file fails on Windows
        if (std::rename(partial_.c_str(), path_.c_str()) != 0)
            fail(function_, ": ", path_, ": renaming failed; the new file is ", partial_);
    }

  private:
    const char* function_;
    std::string path_, partial_;
    std::ofstream file_;
};

#endif

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#undef HOURGLASS_POSIX_FILES
