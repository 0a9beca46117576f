#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "core/base/ids.hpp"
#include "core/engine/request.hpp"

namespace baton::engine {

/// The requests that a service has accepted and that are not over, by id and by assignment.
///
/// Their memory is reused, so that nothing is allocated once the table has had its largest size.
/// It shrinks never: as large as queue limit and slots together made it.
class RequestTable {
public:
    /// A fresh request; the id must be new.
    [[nodiscard]] Request& admit(RequestId id);

    /// Null when it is over, or never was.
    [[nodiscard]] Request* find(RequestId id) const;
    [[nodiscard]] Request* find(Assignment assignment) const;

    /// From now on it is found by this number; unassign() first when it had another.
    void assign(Request& request, Assignment assignment);
    void unassign(Request& request);

    /// It is over. The reference is dead.
    void forget(Request& request);

    [[nodiscard]] std::size_t size() const noexcept { return by_id_.size(); }

    /// Looks at each, always in the same order after the same history.
    template <typename Visitor>
    void for_each(Visitor visit) {
        for (Request& request : storage_) {
            if (request.id != RequestId::none) visit(request);
        }
    }

private:
    std::deque<Request> storage_;  ///< a free one has no id
    std::vector<Request*> free_;
    absl::flat_hash_map<RequestId, Request*> by_id_;
    absl::flat_hash_map<Assignment, Request*> by_assignment_;
};

}  // namespace baton::engine
