#include "io/front/client_records.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/ids.hpp"

namespace baton::front {

ClientRecords::Admission ClientRecords::admit(const std::shared_ptr<ClientRecord>& record,
                                              const std::string& host, const Limits& limits) {
    const std::lock_guard lock(mutex_);
    const auto full = [this](std::uint32_t limit) {
        return limit != 0 && records_.size() >= limit;
    };
    if (full(limits.in_all) || full(limit_in_all_)) return Admission::too_many;
    const auto ceiling = ceiling_.load(std::memory_order_relaxed);
    if (ceiling != 0 && records_.size() + rests_.count() >= ceiling) return Admission::too_many;
    auto& of_host = per_host_[host];
    if (limits.per_address != 0 && of_host >= limits.per_address) {
        return Admission::too_many_of_address;
    }
    ++of_host;
    records_.emplace(record->id, record);
    connections_.store(static_cast<std::uint32_t>(records_.size()), std::memory_order_relaxed);
    return Admission::admitted;
}

void ClientRecords::remove(ClientId id, const std::string& host) {
    const std::lock_guard lock(mutex_);
    if (records_.erase(id) == 0) return;
    connections_.store(static_cast<std::uint32_t>(records_.size()), std::memory_order_relaxed);
    const auto found = per_host_.find(host);
    if (found != per_host_.end() && --found->second == 0) per_host_.erase(found);
}

std::vector<std::shared_ptr<const ClientRecord>> ClientRecords::all() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<const ClientRecord>> copy;
    copy.reserve(records_.size());
    for (const auto& [id, record] : records_) copy.push_back(record);
    return copy;
}

std::size_t ClientRecords::count() const {
    const std::lock_guard lock(mutex_);
    return records_.size();
}

bool ClientRecords::contains(ClientId id) const {
    const std::lock_guard lock(mutex_);
    return records_.contains(id);
}

void ClientRecords::set_limit(std::uint32_t in_all) {
    const std::lock_guard lock(mutex_);
    limit_in_all_ = in_all;
}

void ClientRecords::set_ceiling(std::uint32_t in_all) {
    ceiling_.store(in_all, std::memory_order_relaxed);
}

}  // namespace baton::front
