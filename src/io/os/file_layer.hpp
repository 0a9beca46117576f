#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {

/// A file open for appending. What was appended survives a power cut only after sync().
class AppendableFile {
public:
    AppendableFile() = default;
    AppendableFile(const AppendableFile&) = delete;
    AppendableFile& operator=(const AppendableFile&) = delete;
    virtual ~AppendableFile() = default;

    /// Appends all bytes, or fails; after a failure some of them may be in the file.
    [[nodiscard]] virtual Result<> append(std::span<const std::byte> bytes) = 0;

    /// Data and size are on the disk. After a failure nothing is known of what is, and a second
    /// sync() that succeeds proves nothing: the kernel drops the pages it could not write.
    [[nodiscard]] virtual Result<> sync() = 0;
};

/// The few operations on files that durable state needs. Everything that touches the disk goes
/// through here, so that tests can lose what was not synced and stop at every operation: kill -9
/// loses no page cache, hence proves nothing.
///
/// Blocks; not for loops. One thread at a time. Errors carry os_errno.
class FileLayer {
public:
    FileLayer() = default;
    FileLayer(const FileLayer&) = delete;
    FileLayer& operator=(const FileLayer&) = delete;
    virtual ~FileLayer() = default;

    /// Makes the folder (0750) if it is not there.
    [[nodiscard]] virtual Result<> make_folder(const std::string& path) = 0;
    /// Names in the folder, in no order.
    [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& folder) = 0;
    /// The whole file. not_found; limit_reached: it is larger than `limit` bytes.
    [[nodiscard]] virtual Result<std::vector<std::byte>> read(const std::string& path,
                                                              std::size_t limit) = 0;
    /// A new, empty file (0640); replaces one of that name.
    [[nodiscard]] virtual Result<std::unique_ptr<AppendableFile>> create(
        const std::string& path) = 0;
    [[nodiscard]] virtual Result<> rename(const std::string& from, const std::string& to) = 0;
    [[nodiscard]] virtual Result<> remove(const std::string& path) = 0;
    /// What was created, renamed and removed in the folder survives a power cut.
    [[nodiscard]] virtual Result<> sync_folder(const std::string& folder) = 0;
    /// As lock_file().
    [[nodiscard]] virtual Result<UniqueFd> lock(const std::string& path) = 0;
};

/// The real one.
[[nodiscard]] std::unique_ptr<FileLayer> make_file_layer();

}  // namespace baton::os
