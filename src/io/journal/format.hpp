#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// The files of a state folder. All integers are little-endian.
///
///     file     header, then records
///     header   "BATONLOG"  u32 version = 1  u32 kind (1 journal, 2 snapshot)  u64 generation
///              u64 salt  u32 CRC-32C of the 32 bytes before
///     record   u32 mark = "BtRc"  u32 size of the payload  u64 sequence  u32 CRC-32C of salt,
///     size,
///              sequence and payload; payload
///     payload  any number of times: u32 number of lines of one change; for each: u32 size, bytes
///
/// A snapshot ends with a record whose payload is empty.
///
/// A record is written by one write and synced before the next one is written. So a damaged record
/// that no whole one follows is a torn last write; one that is followed by a whole one was once
/// synced, and has been damaged since. The salt differs from file to file: what a line's text looks
/// like, or what an older file has left on the disk, is never taken for a record.
namespace baton::journal {

enum class FileKind : std::uint32_t { journal = 1, snapshot = 2 };

struct FileHeader {
    static constexpr std::size_t size = 36;

    FileKind kind = FileKind::journal;
    std::uint64_t generation = 0;
    std::uint64_t salt = 0;

    friend bool operator==(const FileHeader&, const FileHeader&) = default;
};

/// The lines of one change: all of them come back, or none.
using Change = std::vector<std::string>;

inline constexpr std::size_t record_head_size = 20;
inline constexpr std::size_t payload_limit = 64UL * 1024UL * 1024UL;

void append_header(std::vector<std::byte>& out, const FileHeader& header);

/// Appends a change to a payload under construction.
void append_change(std::vector<std::byte>& payload, const Change& change);
/// Its size there.
[[nodiscard]] std::size_t encoded_size(const Change& change) noexcept;

void append_record(std::vector<std::byte>& out, const FileHeader& header, std::uint64_t sequence,
                   std::span<const std::byte> payload);

/// What a file holds.
struct FileContents {
    std::optional<FileHeader>
        header;  ///< unset: the file ends within its header, nothing was synced
    std::vector<Change> changes;
    std::uint64_t next_sequence = 1;
    std::size_t sound_bytes = 0;  ///< header and whole records
    std::size_t torn_bytes = 0;   ///< behind them: the last write, cut short
    bool ends_with_empty_record = false;
};

struct Damage {
    std::size_t offset = 0;  ///< where the first thing that is not whole begins
    std::string what;
};

/// Reads a file's bytes.
/// @return the damage when something is not whole that had been synced once
[[nodiscard]] std::expected<FileContents, Damage> read_file_contents(
    std::span<const std::byte> bytes, FileKind kind, std::uint64_t generation);

}  // namespace baton::journal
