#include "core/engine/request_table.hpp"

#include "core/base/check.hpp"

namespace baton::engine {

Request& RequestTable::admit(RequestId id) {
    BATON_ASSERT(id != RequestId::none);
    if (free_.empty()) free_.push_back(&storage_.emplace_back());
    Request& request = *free_.back();
    const bool is_new = by_id_.emplace(id, &request).second;
    BATON_ASSERT(is_new);
    free_.pop_back();
    request = Request{};
    request.id = id;
    return request;
}

Request* RequestTable::find(RequestId id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

Request* RequestTable::find(Assignment assignment) const {
    const auto found = by_assignment_.find(assignment);
    return found == by_assignment_.end() ? nullptr : found->second;
}

void RequestTable::assign(Request& request, Assignment assignment) {
    BATON_ASSERT(request.assignment == Assignment::none);
    request.assignment = assignment;
    by_assignment_.emplace(assignment, &request);
}

void RequestTable::unassign(Request& request) {
    by_assignment_.erase(request.assignment);
    request.assignment = Assignment::none;
}

void RequestTable::forget(Request& request) {
    BATON_ASSERT(request.worker == nullptr);
    BATON_ASSERT(request.order_place == nowhere && request.deadline_place == nowhere);
    if (request.assignment != Assignment::none) unassign(request);
    by_id_.erase(request.id);
    request.id = RequestId::none;
    free_.push_back(&request);
}

}  // namespace baton::engine
