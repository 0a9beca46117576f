#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baton::wire {

/// One request that was answered under a lease, as LEASED tells it. Texts are views.
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

/// Appends one record. @return false: it would go beyond leased_records_limit; nothing was appended
[[nodiscard]] bool append(std::string& records, const LeasedRecord& record);

/// Reads the records of one LEASED; views into it.
class LeasedReader {
public:
    explicit LeasedReader(std::string_view records) noexcept : rest_(records) {}

    /// @return nullopt: the end, or bytes that are no record
    [[nodiscard]] std::optional<LeasedRecord> next() noexcept;

private:
    std::string_view rest_;
};

}  // namespace baton::wire
