#include "io/os/file_layer.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"
#include "io/os/lock_file.hpp"

namespace baton::os {
namespace {

constexpr mode_t folder_mode = S_IRWXU | S_IRGRP | S_IXGRP;
constexpr mode_t file_mode = S_IRUSR | S_IWUSR | S_IRGRP;

std::unexpected<Error> failed() {
    switch (errno) {
        case ENOENT:
        case ENOTDIR: return fail(Errc::not_found, errno);
        case EACCES:
        case EPERM:
        case EROFS: return fail(Errc::permission, errno);
        default: return fail(Errc::system_call, errno);
    }
}

class RealFile final : public AppendableFile {
public:
    explicit RealFile(UniqueFd fd) : fd_(std::move(fd)) {}

    Result<> append(std::span<const std::byte> bytes) override {
        while (!bytes.empty()) {
            const auto size = ::write(fd_.get(), bytes.data(), bytes.size());
            if (size < 0 && errno == EINTR) continue;
            if (size < 0) return failed();
            bytes = bytes.subspan(static_cast<std::size_t>(size));
        }
        return {};
    }

    Result<> sync() override {
        // Not repeated after EINTR or anything else: see the interface.
        if (::fdatasync(fd_.get()) != 0) return failed();
        return {};
    }

private:
    UniqueFd fd_;
};

class RealFiles final : public FileLayer {
public:
    Result<> make_folder(const std::string& path) override {
        if (::mkdir(path.c_str(), folder_mode) != 0 && errno != EEXIST) return failed();
        return {};
    }

    Result<std::vector<std::string>> list(const std::string& folder) override {
        const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), &::closedir);
        if (!directory) return failed();
        std::vector<std::string> names;
        while (const dirent* entry = ::readdir(directory.get())) {
            const std::string_view name(&entry->d_name[0]);
            if (name != "." && name != "..") names.emplace_back(name);
        }
        return names;
    }

    Result<std::vector<std::byte>> read(const std::string& path, std::size_t limit) override {
        const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        struct stat status{};
        if (!fd || ::fstat(fd.get(), &status) != 0) return failed();
        const auto file_size = static_cast<std::size_t>(status.st_size);
        if (file_size > limit) return fail(Errc::limit_reached);
        std::vector<std::byte> bytes(file_size);
        std::size_t got = 0;
        while (got < bytes.size()) {
            const auto size = ::read(fd.get(), bytes.data() + got, bytes.size() - got);
            if (size < 0 && errno == EINTR) continue;
            if (size < 0) return failed();
            if (size == 0) break;
            got += static_cast<std::size_t>(size);
        }
        bytes.resize(got);
        return bytes;
    }

    Result<std::unique_ptr<AppendableFile>> create(const std::string& path) override {
        constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
        UniqueFd fd(::open(path.c_str(), flags, file_mode));
        if (!fd) return failed();
        return std::make_unique<RealFile>(std::move(fd));
    }

    Result<> rename(const std::string& from, const std::string& to) override {
        if (std::rename(from.c_str(), to.c_str()) != 0) return failed();
        return {};
    }

    Result<> remove(const std::string& path) override {
        if (::unlink(path.c_str()) != 0) return failed();
        return {};
    }

    Result<> sync_folder(const std::string& folder) override {
        const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!fd || ::fsync(fd.get()) != 0) return failed();
        return {};
    }

    Result<UniqueFd> lock(const std::string& path) override { return lock_file(path); }
};

}  // namespace

std::unique_ptr<FileLayer> make_file_layer() { return std::make_unique<RealFiles>(); }

}  // namespace baton::os
