#include "io/journal/format.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "io/journal/crc32c.hpp"

namespace baton::journal {
namespace {

constexpr std::string_view magic = "BATONLOG";
constexpr std::uint32_t format_version = 1;
constexpr std::uint32_t record_mark = 0x63527442U;  // "BtRc"

void append_number(std::vector<std::byte>& out, std::uint64_t number, std::size_t size) {
    for (std::size_t index = 0; index < size; ++index) {
        out.push_back(static_cast<std::byte>(number & 0xFFU));
        number >>= 8U;
    }
}

std::uint64_t read_number(std::span<const std::byte> bytes, std::size_t size) {
    std::uint64_t number = 0;
    for (std::size_t index = size; index > 0; --index) {
        number = (number << 8U) | std::to_integer<std::uint64_t>(bytes[index - 1]);
    }
    return number;
}

void append_text(std::vector<std::byte>& out, std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    out.insert(out.end(), bytes.begin(), bytes.end());
}

std::uint32_t record_checksum(std::uint64_t salt, std::uint32_t size, std::uint64_t sequence,
                              std::span<const std::byte> payload) {
    std::vector<std::byte> head;
    append_number(head, salt, 8);
    append_number(head, size, 4);
    append_number(head, sequence, 8);
    return crc32c(payload, crc32c(head));
}

struct Record {
    std::uint64_t sequence = 0;
    std::span<const std::byte> payload;

    [[nodiscard]] std::size_t size() const { return record_head_size + payload.size(); }
};

/// The record at the front of the bytes, if there is a whole one.
std::optional<Record> read_record(std::span<const std::byte> bytes, const FileHeader& header) {
    if (bytes.size() < record_head_size || read_number(bytes, 4) != record_mark) {
        return std::nullopt;
    }
    const auto size = static_cast<std::uint32_t>(read_number(bytes.subspan(4), 4));
    if (size > payload_limit || size > bytes.size() - record_head_size) return std::nullopt;
    const Record record{.sequence = read_number(bytes.subspan(8), 8),
                        .payload = bytes.subspan(record_head_size, size)};
    const auto checksum = static_cast<std::uint32_t>(read_number(bytes.subspan(16), 4));
    if (checksum != record_checksum(header.salt, size, record.sequence, record.payload)) {
        return std::nullopt;
    }
    return record;
}

std::expected<std::optional<FileHeader>, Damage> read_header(std::span<const std::byte> bytes,
                                                             FileKind kind,
                                                             std::uint64_t generation) {
    // The header is synced before the first record is written: a file that ends with it has none.
    const bool may_be_torn = kind == FileKind::journal && bytes.size() <= FileHeader::size;
    const auto damaged = [&](std::string what) -> std::expected<std::optional<FileHeader>, Damage> {
        if (may_be_torn) return std::nullopt;
        return std::unexpected(Damage{.offset = 0, .what = std::move(what)});
    };
    if (bytes.size() < FileHeader::size) return damaged("the header is cut short");
    const auto checksum = static_cast<std::uint32_t>(read_number(bytes.subspan(32), 4));
    if (checksum != crc32c(bytes.first(32))) return damaged("the header's checksum is wrong");
    const auto expected_magic = std::as_bytes(std::span(magic));
    if (!std::ranges::equal(bytes.first(magic.size()), expected_magic)) {
        return std::unexpected(Damage{.offset = 0, .what = "not a file of Baton's"});
    }
    if (const auto version = read_number(bytes.subspan(8), 4); version != format_version) {
        return std::unexpected(
            Damage{.offset = 8, .what = fmt::format("format version {} is not known", version)});
    }
    const FileHeader header{.kind = kind,
                            .generation = read_number(bytes.subspan(16), 8),
                            .salt = read_number(bytes.subspan(24), 8)};
    if (read_number(bytes.subspan(12), 4) != static_cast<std::uint32_t>(kind) ||
        header.generation != generation) {
        return std::unexpected(
            Damage{.offset = 12, .what = "kind or generation is not that of the file's name"});
    }
    return header;
}

/// Takes the changes of one payload. Its checksum was right, so a fault here is a writer's.
bool read_changes(std::span<const std::byte> payload, std::vector<Change>& out) {
    const auto take = [&payload]() -> std::optional<std::size_t> {
        if (payload.size() < 4) return std::nullopt;
        const auto number = read_number(payload, 4);
        payload = payload.subspan(4);
        return number;
    };
    while (!payload.empty()) {
        const auto count = take();
        // Each line takes at least the four bytes of its size.
        if (!count || *count > payload.size() / 4) return false;
        Change change;
        change.reserve(*count);
        for (std::size_t index = 0; index < *count; ++index) {
            const auto size = take();
            if (!size || *size > payload.size()) return false;
            // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes of a text
            change.emplace_back(reinterpret_cast<const char*>(payload.data()), *size);
            payload = payload.subspan(*size);
        }
        out.push_back(std::move(change));
    }
    return true;
}

/// Whether a whole record of this file begins anywhere in the bytes, later than `sequence`.
bool has_later_record(std::span<const std::byte> bytes, const FileHeader& header,
                      std::uint64_t sequence) {
    for (std::size_t offset = 0; offset + record_head_size <= bytes.size(); ++offset) {
        const auto rest = bytes.subspan(offset);
        if (rest[0] != std::byte{'B'}) continue;
        // Before the checksum of what may be many bytes: is it a number that can follow at all?
        const auto found = read_number(rest.subspan(8), 8);
        if (found <= sequence || found - sequence > bytes.size()) continue;
        if (read_record(rest, header)) return true;
    }
    return false;
}

}  // namespace

void append_header(std::vector<std::byte>& out, const FileHeader& header) {
    const std::size_t begin = out.size();
    append_text(out, magic);
    append_number(out, format_version, 4);
    append_number(out, static_cast<std::uint32_t>(header.kind), 4);
    append_number(out, header.generation, 8);
    append_number(out, header.salt, 8);
    append_number(out, crc32c(std::span(out).subspan(begin)), 4);
}

void append_change(std::vector<std::byte>& payload, const Change& change) {
    append_number(payload, change.size(), 4);
    for (const std::string& line : change) {
        append_number(payload, line.size(), 4);
        append_text(payload, line);
    }
}

std::size_t encoded_size(const Change& change) noexcept {
    std::size_t size = 4;
    for (const std::string& line : change) size += 4 + line.size();
    return size;
}

void append_record(std::vector<std::byte>& out, const FileHeader& header, std::uint64_t sequence,
                   std::span<const std::byte> payload) {
    const auto size = static_cast<std::uint32_t>(payload.size());
    append_number(out, record_mark, 4);
    append_number(out, size, 4);
    append_number(out, sequence, 8);
    append_number(out, record_checksum(header.salt, size, sequence, payload), 4);
    out.insert(out.end(), payload.begin(), payload.end());
}

std::expected<FileContents, Damage> read_file_contents(std::span<const std::byte> bytes,
                                                       FileKind kind, std::uint64_t generation) {
    FileContents contents;
    auto header = read_header(bytes, kind, generation);
    if (!header) return std::unexpected(std::move(header).error());
    if (!*header) {
        contents.torn_bytes = bytes.size();
        return contents;
    }
    contents.header = *header;
    contents.sound_bytes = FileHeader::size;
    while (contents.sound_bytes < bytes.size()) {
        const auto rest = bytes.subspan(contents.sound_bytes);
        const auto record = read_record(rest, **header);
        if (!record || record->sequence != contents.next_sequence) {
            if (record || has_later_record(rest, **header, contents.next_sequence)) {
                return std::unexpected(Damage{
                    .offset = contents.sound_bytes,
                    .what = fmt::format("record {} is damaged or missing, later ones are there",
                                        contents.next_sequence)});
            }
            contents.torn_bytes = rest.size();
            break;
        }
        if (!read_changes(record->payload, contents.changes)) {
            return std::unexpected(Damage{.offset = contents.sound_bytes,
                                          .what = fmt::format("record {} makes no sense although "
                                                              "its checksum is right",
                                                              record->sequence)});
        }
        contents.ends_with_empty_record = record->payload.empty();
        contents.sound_bytes += record->size();
        ++contents.next_sequence;
    }
    return contents;
}

}  // namespace baton::journal
