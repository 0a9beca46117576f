#include "core/wire/leased_records.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
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

/// What a log makes of longer ones is the same: their beginning.
std::string_view cut(std::string_view text) noexcept {
    return text.substr(0, std::numeric_limits<std::uint16_t>::max());
}

}  // namespace

bool append(std::string& records, const LeasedRecord& record) {
    const auto line = cut(record.line);
    const auto referer = cut(record.referer);
    const auto agent = cut(record.user_agent);
    const std::size_t size = fixed_size + line.size() + referer.size() + agent.size();
    if (records.size() + size > leased_records_limit) return false;
    const std::size_t place = records.size();
    records.resize(place + size);
    Writer out(reinterpret_cast<std::byte*>(records.data() + place));
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
    return true;
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
