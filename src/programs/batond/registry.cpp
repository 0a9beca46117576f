#include "programs/batond/registry.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/engine/definitions.hpp"
#include "io/os/mutex.hpp"
#include "programs/batond/service_cell.hpp"

namespace baton::daemon {

std::string Registry::canonical_name(std::string_view name) {
    constexpr std::string_view any_class_and_name = "*/*/";
    if (name.starts_with(any_class_and_name)) name.remove_prefix(any_class_and_name.size());
    return std::string(name);
}

Result<std::shared_ptr<ServiceCell>> Registry::add_service(const std::string& name,
                                                           const engine::ServiceOptions& options,
                                                           ServiceId wanted) {
    const os::MutexLock lock(mutex_);
    if (by_name_.contains(name) || by_id_.contains(wanted)) return fail(Errc::already_exists);
    const auto id = wanted == ServiceId::none ? ServiceId{next_service_} : wanted;
    next_service_ = std::max(next_service_, value_of(id) + 1);
    auto cell = std::make_shared<ServiceCell>(id, name, options, first_assignment_, event_limit_);
    by_name_.emplace(name, cell);
    by_id_.emplace(id, cell);
    return cell;
}

void Registry::remove_service(ServiceId id) {
    const os::MutexLock lock(mutex_);
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return;
    std::erase_if(workers_, [&](const auto& entry) { return entry.second == found->second; });
    by_name_.erase(found->second->name);
    by_id_.erase(found);
}

std::shared_ptr<ServiceCell> Registry::service(std::string_view name) const {
    const auto canonical = canonical_name(name);
    const os::MutexLock lock(mutex_);
    const auto found = by_name_.find(canonical);
    return found == by_name_.end() ? nullptr : found->second;
}

std::shared_ptr<ServiceCell> Registry::service(ServiceId id) const {
    const os::MutexLock lock(mutex_);
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<ServiceCell>> Registry::services() const {
    const os::MutexLock lock(mutex_);
    std::vector<std::shared_ptr<ServiceCell>> cells;
    cells.reserve(by_id_.size());
    for (const auto& [id, cell] : by_id_) cells.push_back(cell);
    return cells;
}

WorkerId Registry::new_worker_id() {
    const os::MutexLock lock(mutex_);
    return WorkerId{next_worker_++};
}

void Registry::return_worker_id(WorkerId id) {
    const os::MutexLock lock(mutex_);
    workers_.erase(id);
    if (next_worker_ == value_of(id) + 1) next_worker_ = value_of(id);
}

void Registry::reserve_worker_id(WorkerId id) {
    const os::MutexLock lock(mutex_);
    next_worker_ = std::max(next_worker_, value_of(id) + 1);
}

void Registry::set_worker(WorkerId id, const std::shared_ptr<ServiceCell>& cell) {
    const os::MutexLock lock(mutex_);
    workers_[id] = cell;
}

void Registry::remove_worker(WorkerId id) {
    const os::MutexLock lock(mutex_);
    workers_.erase(id);
}

std::shared_ptr<ServiceCell> Registry::service_of(WorkerId id) const {
    const os::MutexLock lock(mutex_);
    const auto found = workers_.find(id);
    return found == workers_.end() ? nullptr : found->second;
}

WorkerId Registry::awaited_as(const std::string& host, std::uint32_t process_id) const {
    for (const auto& cell : services()) {
        const os::MutexLock lock(cell->mutex);
        const auto worker = cell->service.awaited_as(host, process_id);
        if (worker != WorkerId::none) return worker;
    }
    return WorkerId::none;
}

void Registry::set_event_limit(std::size_t limit) {
    const os::MutexLock lock(mutex_);
    event_limit_ = limit;
}

}  // namespace baton::daemon
