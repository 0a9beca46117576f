#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {

enum class FileKind : std::uint8_t {
    regular,  ///< a file on disk only: nothing that a loop might wait for
    any,      ///< a pipe or a terminal, too: waits as long as it takes, not for loops
};

/// The whole of a file.
/// @return not_found, permission; unsupported: a folder, or not `kind` (os_errno is EISDIR or 0);
///         limit_reached: it is larger than `limit_bytes`; system_call
[[nodiscard]] Result<std::string> read_text_file(const std::string& path, std::size_t limit_bytes,
                                                 FileKind kind);

/// The same of what is open already, up to its end.
[[nodiscard]] Result<std::string> read_to_end(BorrowedFd fd, std::size_t limit_bytes);

/// What went wrong there, for people: `/tmp cannot be read: Is a directory`.
[[nodiscard]] std::string describe_read_failure(const std::string& path, const Error& error);

}  // namespace baton::os
