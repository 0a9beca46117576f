#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "io/journal/format.hpp"
#include "io/os/fd.hpp"
#include "io/os/file_layer.hpp"

namespace baton::journal {

/// The state folder: every change that was acknowledged, in order, across crashes.
///
///     lock            held while a daemon uses the folder
///     snapshot.N      the whole state when generation N began; missing for N = 0
///     journal.N       what has changed since
///     snapshot.N.tmp  being written; means nothing
///
/// A generation begins with its snapshot: written under another name, synced, renamed, the folder
/// synced. From then on it counts and older files are removed. Opening a folder begins a
/// generation: so nothing is ever appended behind a torn write, and what an earlier process could
/// not sync is written anew (after a failed sync the kernel shows pages that are not on the disk).
///
/// Once a write or sync has failed, nothing is acknowledged any more until the folder is opened
/// again: what is on the disk is not known, and later changes may build on the one that is missing.
///
/// Blocks; one thread at a time.
class StateLog {
public:
    /// Files larger than this are not read; compact() long before.
    static constexpr std::size_t file_limit = 1024UL * 1024UL * 1024UL;

    /// @param files  must outlive the log
    /// @param salt  a number that differs from run to run
    /// @return in the error: why the state cannot be used, and what to do about it; the folder is
    ///         as it was. A folder that can be read but not written gives a log that has failed().
    [[nodiscard]] static std::expected<StateLog, std::string> open(os::FileLayer& files,
                                                                   std::string folder,
                                                                   std::uint64_t salt);

    /// What was there, in order. Empties it.
    [[nodiscard]] std::vector<Change> take_changes() { return std::move(changes_); }

    /// What the operator should know of the opening: a torn write that was left out.
    [[nodiscard]] const std::vector<std::string>& notes() const noexcept { return notes_; }

    /// Makes the changes durable, by one write and one sync. At most payload_limit bytes together.
    /// @return invalid_argument: too large; the file's error: none of them is durable, the log has
    ///         failed
    [[nodiscard]] Result<> append(std::span<const Change> changes);

    /// Begins a new generation with this as its whole state.
    [[nodiscard]] Result<> compact(std::span<const Change> state);

    /// Of the present journal: what opening the folder has to read beside the snapshot.
    [[nodiscard]] std::size_t journal_bytes() const noexcept { return journal_bytes_; }

    /// Why nothing is acknowledged any more, and what to do; empty: all is well.
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

private:
    StateLog(os::FileLayer& files, std::string folder, std::uint64_t salt);

    [[nodiscard]] std::expected<void, std::string> load();
    [[nodiscard]] std::expected<std::vector<Change>, std::string> load_file(
        FileKind kind, std::uint64_t generation);
    [[nodiscard]] Result<> begin_generation(std::span<const Change> state);
    [[nodiscard]] Result<> write_snapshot(const std::string& path, const FileHeader& header,
                                          std::span<const Change> state);
    void remove_all_but(std::uint64_t generation);
    [[nodiscard]] std::string path(FileKind kind, std::uint64_t generation) const;
    [[nodiscard]] FileHeader header(FileKind kind, std::uint64_t generation) const;
    [[nodiscard]] std::unexpected<Error> failed(const std::string& what, Error error);

    os::FileLayer* files_;
    std::string folder_;
    std::uint64_t salt_;
    os::UniqueFd lock_;
    std::vector<Change> changes_;
    std::vector<std::string> notes_;
    std::uint64_t generation_ = 0;
    std::unique_ptr<os::AppendableFile> journal_;
    std::uint64_t next_sequence_ = 1;
    std::size_t journal_bytes_ = 0;
    std::string failure_;
    std::optional<Error> failed_by_;
};

}  // namespace baton::journal
