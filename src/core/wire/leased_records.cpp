#include "core/wire/leased_records.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/wire/little_endian.hpp"
#include "core/wire/worker_link.hpp"

namespace baton::wire {
namespace {

constexpr std::size_t fixed_size = 32;

/// Beside the status, which is below 1000.
constexpr std::uint16_t rest_flag = 1U << 15;

/// A day. Who reads it adds it up.
constexpr std::uint64_t longest_service_ns = 86'400'000'000'000;

/// Of each text. What a log makes of longer ones is the same.
constexpr std::size_t text_limit = 4096;

static_assert(fixed_size + 3 * text_limit <= leased_records_limit);

}  // namespace

std::size_t write(std::span<char> room, const LeasedRecord& record) noexcept {
    const auto line = record.line.substr(0, text_limit);
    const auto referer = record.referer.substr(0, text_limit);
    const auto agent = record.user_agent.substr(0, text_limit);
    const std::size_t size = fixed_size + line.size() + referer.size() + agent.size();
    if (size > room.size()) return 0;
    Writer out(reinterpret_cast<std::byte*>(room.data()));
    out.number(record.bytes_written);
    out.number(record.ended_ns);
    out.number(record.service_ns);
    out.number(static_cast<std::uint16_t>(record.status | (record.rest_follows ? rest_flag : 0)));
    out.number(static_cast<std::uint16_t>(line.size()));
    out.number(static_cast<std::uint16_t>(referer.size()));
    out.number(static_cast<std::uint16_t>(agent.size()));
    out.text(line);
    out.text(referer);
    out.text(agent);
    return size;
}

std::optional<LeasedRecord> LeasedReader::next() noexcept {
    Reader in(std::as_bytes(std::span(rest_)));
    LeasedRecord record;
    record.bytes_written = in.number<std::uint64_t>();
    record.ended_ns = in.number<std::uint64_t>();
    record.service_ns = std::min(in.number<std::uint64_t>(), longest_service_ns);
    const auto status = in.number<std::uint16_t>();
    record.status = static_cast<std::uint16_t>(status & ~rest_flag);
    record.rest_follows = (status & rest_flag) != 0;
    const auto line = in.number<std::uint16_t>();
    const auto referer = in.number<std::uint16_t>();
    const auto agent = in.number<std::uint16_t>();
    record.line = in.text(line);
    record.referer = in.text(referer);
    record.user_agent = in.text(agent);
    if (in.failed()) {
        rest_ = {};
        return std::nullopt;
    }
    rest_ = rest_.substr(rest_.size() - in.rest().size());
    return record;
}

}  // namespace baton::wire
