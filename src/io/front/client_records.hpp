#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "io/front/rest.hpp"

namespace baton::front {

/// What other threads may see of one connection. Written by its loop, read by anybody; the fields
/// are independent figures, so relaxed order is enough.
struct ClientRecord {
    ClientId id{};
    std::string address;  ///< never changes
    std::int32_t fd = -1;
    Instant since{};
    std::atomic<std::uint32_t> service{0};
    std::atomic<std::uint32_t> worker{0};  ///< that has its request now
    std::atomic<std::uint8_t> priority{2};
    std::atomic<std::uint64_t> transactions{0};
    std::atomic<std::int64_t> total_response_ns{0};
    std::atomic<std::int64_t> last_response_ns{-1};  ///< -1: none yet
};

/// The connections of all loops, for `clients` and for the limits on their number.
/// Thread-safety: any thread; one lock, held for a look-up.
class ClientRecords {
public:
    enum class Admission : std::uint8_t { admitted, too_many, too_many_of_address };

    struct Limits {
        std::uint32_t in_all = 0;  ///< 0: no limit
        std::uint32_t per_address = 0;
    };

    /// Counts a new connection in, if the limits let it.
    [[nodiscard]] Admission admit(const std::shared_ptr<ClientRecord>& record,
                                  const std::string& host, const Limits& limits);
    void remove(ClientId id, const std::string& host);

    [[nodiscard]] std::vector<std::shared_ptr<const ClientRecord>> all() const;
    [[nodiscard]] std::size_t count() const;
    [[nodiscard]] bool contains(ClientId id) const;
    /// `config maxusers`: connections in all; 0: no limit.
    void set_limit(std::uint32_t in_all);
    /// However the limits are set, clients, and what is held of their answers, leave the process
    /// some descriptors for everything else.
    /// @param in_all  0: no ceiling
    void set_ceiling(std::uint32_t in_all);

    /// What is held of answers that workers have handed back.
    [[nodiscard]] RestAccount& rests() noexcept { return rests_; }
    [[nodiscard]] const RestAccount& rests() const noexcept { return rests_; }
    /// Whether another one may come: neither too much memory nor too many descriptors are taken.
    [[nodiscard]] bool has_room_for_rest() const noexcept {
        const auto ceiling = ceiling_.load(std::memory_order_relaxed);
        const auto taken = connections_.load(std::memory_order_relaxed) + rests_.count();
        return rests_.has_room() && (ceiling == 0 || taken < ceiling);
    }

    [[nodiscard]] ClientId next_id() noexcept {
        return ClientId{next_id_.fetch_add(1, std::memory_order_relaxed)};
    }
    [[nodiscard]] std::uint64_t peek_next_id() const noexcept {
        return next_id_.load(std::memory_order_relaxed);
    }

private:
    mutable std::mutex mutex_;  // guards what follows up to next_id_
    std::unordered_map<ClientId, std::shared_ptr<ClientRecord>> records_;
    std::unordered_map<std::string, std::uint32_t> per_host_;
    std::uint32_t limit_in_all_ = 0;
    // Read without the lock for each request that is handed over; figures of their own: relaxed.
    std::atomic<std::uint32_t> ceiling_{0};
    std::atomic<std::uint32_t> connections_{0};
    RestAccount rests_;
    std::atomic<std::uint64_t> next_id_{1};
};

}  // namespace baton::front
