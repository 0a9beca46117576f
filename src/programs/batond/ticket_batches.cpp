#include "programs/batond/ticket_batches.hpp"

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/wire/worker_link.hpp"
#include "io/delivery/worker_link.hpp"

namespace baton::daemon {
namespace {

/// A link's buffer takes many of them, and a worker reads one in one call.
constexpr std::size_t packet_limit = 16 * 1024;

}  // namespace

TicketBatches::Batch& TicketBatches::batch_for(const std::shared_ptr<delivery::WorkerLink>& link) {
    // A batch of events names few workers, mostly the same ones.
    for (std::size_t index = 0; index < in_use_; ++index) {
        auto& batch = batches_[index];
        if (batch.link == link && batch.packet.size() < packet_limit) return batch;
    }
    if (in_use_ == batches_.size()) batches_.emplace_back();
    auto& batch = batches_[in_use_++];
    batch.link = link;
    return batch;
}

void TicketBatches::add(const std::shared_ptr<delivery::WorkerLink>& link,
                        const wire::Ticket& ticket, const wire::Lease* lease, Sent sent) {
    auto& batch = batch_for(link);
    if (lease != nullptr) wire::append(batch.packet, *lease);
    wire::append(batch.packet, ticket);
    batch.tickets.push_back(std::move(sent));
}

void TicketBatches::forget(const std::shared_ptr<delivery::WorkerLink>& link, ClientId client,
                           Assignment under) {
    const wire::Forget what{.client = value_of(client), .assignment = value_of(under)};
    const auto told = link->tell(what);
    // A link that is gone has no duplicates any more.
    if (!told && told.error().code != Errc::peer_gone) forgotten_.push_back({link, what});
}

void TicketBatches::send_forgotten() {
    std::erase_if(forgotten_, [](const Forgotten& forgotten) {
        const auto told = forgotten.link->tell(forgotten.what);
        return told || told.error().code == Errc::peer_gone;
    });
}

bool TicketBatches::flush() {
    if (!forgotten_.empty()) send_forgotten();
    if (in_use_ == 0) return false;
    // Moved out: an outcome may cause the next ticket.
    auto batches = std::move(batches_);
    const auto count = std::exchange(in_use_, 0U);
    batches_.clear();
    for (std::size_t index = 0; index < count; ++index) {
        auto& batch = batches[index];
        const auto outcome = batch.link->send(batch.packet);
        for (const auto& sent : batch.tickets) outcome_(sent, outcome);
        batch.link.reset();
        batch.packet.clear();
        batch.tickets.clear();
    }
    if (batches_.empty()) batches_ = std::move(batches);
    return true;
}

}  // namespace baton::daemon
