#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace baton::wire {

/// One request that was answered under a lease, as the ledger and LEASED tell it. Texts are views.
struct LeasedRecord {
    std::uint64_t bytes_written = 0;  ///< of the answer
    std::uint64_t ended_ns = 0;       ///< CLOCK_MONOTONIC
    std::uint64_t service_ns = 0;     ///< from its head to its end; read as a day at most
    std::uint16_t status = 0;
    bool rest_follows = false;  ///< DONE brings what the client has not taken; it ends the lease
    // Empty unless the lease wanted them.
    std::string_view line{};
    std::string_view referer{};
    std::string_view user_agent{};

    friend bool operator==(const LeasedRecord&, const LeasedRecord&) = default;
};

/// Writes one record, of long texts only their beginning: it fits into leased_records_limit bytes.
/// @return its size; 0: it does not fit into `room`, and nothing was written
[[nodiscard]] std::size_t write(std::span<char> room, const LeasedRecord& record) noexcept;

/// Reads records that lie one behind the other; views into them.
class LeasedReader {
public:
    explicit LeasedReader(std::string_view records) noexcept : rest_(records) {}

    /// @return nullopt: the end, or bytes that are no record
    [[nodiscard]] std::optional<LeasedRecord> next() noexcept;

private:
    std::string_view rest_;
};

}  // namespace baton::wire
