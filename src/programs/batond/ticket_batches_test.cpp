// The links are real, and nobody reads them but the test.

#include "programs/batond/ticket_batches.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/wire/worker_link.hpp"
#include "io/delivery/worker_link.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/fd.hpp"
#include "io/os/packet_socket.hpp"
#include "io/os/socket.hpp"

namespace baton::daemon {
namespace {

/// Nothing is read from these links.
class Nobody final : public delivery::LinkEvents {
    void hello(const std::shared_ptr<delivery::WorkerLink>& /*link*/,
               const wire::Hello& /*hello*/) override {}
    void done(delivery::WorkerLink& /*link*/, const wire::Done& /*done*/,
              os::UniqueFd /*rest*/) override {}
    void declined(delivery::WorkerLink& /*link*/, const wire::Decline& /*decline*/) override {}
    void credit(delivery::WorkerLink& /*link*/, std::uint32_t /*count*/) override {}
    void leased(delivery::WorkerLink& /*link*/, const wire::Leased& /*leased*/) override {}
    void leaving(delivery::WorkerLink& /*link*/) override {}
    void status_text(delivery::WorkerLink& /*link*/, std::string_view /*text*/) override {}
    void ended(const std::shared_ptr<delivery::WorkerLink>& /*link*/, Errc /*why*/) override {}
};

/// A link, and its worker's end.
struct Link {
    explicit Link(loop::EventLoop& loop, Nobody& nobody) {
        auto [here, there] = os::socket_pair_or_throw(os::SocketKind::packet);
        worker = std::move(there);
        link = std::make_shared<delivery::WorkerLink>(std::move(here), os::PeerCredentials{}, loop,
                                                      nobody);
    }

    /// @return how many packets it took
    int fill() {
        std::vector<std::byte> packet;
        wire::append(packet, wire::Credit{});
        int count = 0;
        while (link->send(packet)) ++count;
        return count;
    }

    /// What the next packet says; nothing: there is none. Valid until the next call.
    std::vector<wire::Message> packet() {
        const auto received = os::receive_packet(worker.borrow(), buffer);
        if (!received) return {};
        std::vector<wire::Message> messages;
        const std::span<const std::byte> bytes(buffer);
        wire::PacketReader reader(bytes.first(received->size));
        while (const auto message = reader.next().value()) messages.push_back(*message);
        return messages;
    }

    std::shared_ptr<delivery::WorkerLink> link;
    os::UniqueFd worker;
    std::array<std::byte, wire::packet_size_limit> buffer{};
};

class TicketBatchesTest : public testing::Test {
protected:
    void add(const Link& to, std::uint64_t number, const wire::Lease* lease = nullptr) {
        const wire::Ticket ticket{.assignment = number,
                                  .request = 100 + number,
                                  .flags = wire::Ticket::by_duplicate,
                                  .head_bytes = 10};
        batches_.add(to.link, ticket, lease,
                     {.cell = nullptr,
                      .request = RequestId{100 + number},
                      .assignment = Assignment{number},
                      .worker = WorkerId{7}});
    }

    static std::vector<std::uint64_t> assignments(const std::vector<wire::Message>& messages) {
        std::vector<std::uint64_t> found;
        for (const auto& message : messages) {
            if (const auto* ticket = std::get_if<wire::Ticket>(&message)) {
                found.push_back(ticket->assignment);
            }
        }
        return found;
    }

    loop::EventLoop loop_;
    Nobody nobody_;
    /// Of each ticket its assignment, and nothing or the reason.
    std::vector<std::pair<std::uint64_t, std::optional<Errc>>> outcomes_;
    std::uint64_t next_after_outcome_ = 0;
    Link one_{loop_, nobody_};
    Link other_{loop_, nobody_};
    TicketBatches batches_{[this](const TicketBatches::Sent& sent, const Result<>& outcome) {
        outcomes_.emplace_back(value_of(sent.assignment),
                               outcome ? std::nullopt : std::optional(outcome.error().code));
        if (next_after_outcome_ != 0) add(one_, std::exchange(next_after_outcome_, 0));
    }};
};

TEST_F(TicketBatchesTest, WhatIsGatheredForOneWorkerIsOnePacketAndEachTicketIsReported) {
    const wire::Lease lease{.assignment = 2, .epoch = 5};
    add(one_, 1);
    add(other_, 10);
    add(one_, 2, &lease);
    add(one_, 3);
    EXPECT_TRUE(one_.packet().empty()) << "not before the batch of events is over";
    EXPECT_TRUE(batches_.flush());

    const auto sent = one_.packet();
    ASSERT_EQ(sent.size(), 4U);
    EXPECT_EQ(std::get<wire::Ticket>(sent[0]).assignment, 1U);
    EXPECT_EQ(std::get<wire::Lease>(sent[1]).epoch, 5U) << "before its ticket";
    EXPECT_EQ(std::get<wire::Ticket>(sent[2]).assignment, 2U);
    EXPECT_EQ(std::get<wire::Ticket>(sent[3]).assignment, 3U);
    EXPECT_TRUE(one_.packet().empty());
    EXPECT_EQ(assignments(other_.packet()), std::vector<std::uint64_t>{10});

    const std::vector<std::pair<std::uint64_t, std::optional<Errc>>> all = {
        {1, {}}, {2, {}}, {3, {}}, {10, {}}};
    EXPECT_EQ(outcomes_, all);
    EXPECT_FALSE(batches_.flush()) << "nothing twice";
}

TEST_F(TicketBatchesTest, AFullLinkFailsAllItsTicketsAndNoOthers) {
    const int packets = one_.fill();
    add(one_, 1);
    add(one_, 2);
    add(other_, 10);
    EXPECT_TRUE(batches_.flush());
    const std::vector<std::pair<std::uint64_t, std::optional<Errc>>> all = {
        {1, Errc::would_block}, {2, Errc::would_block}, {10, {}}};
    EXPECT_EQ(outcomes_, all);
    for (int count = 0; count < packets; ++count) {
        EXPECT_TRUE(assignments(one_.packet()).empty()) << "nothing of it was sent";
    }
    EXPECT_TRUE(one_.packet().empty());
    EXPECT_EQ(assignments(other_.packet()), std::vector<std::uint64_t>{10});
}

TEST_F(TicketBatchesTest, ALinkThatIsGoneFailsAllItsTickets) {
    one_.worker.reset();
    add(one_, 1);
    add(one_, 2);
    EXPECT_TRUE(batches_.flush());
    const std::vector<std::pair<std::uint64_t, std::optional<Errc>>> all = {{1, Errc::peer_gone},
                                                                            {2, Errc::peer_gone}};
    EXPECT_EQ(outcomes_, all);
}

TEST_F(TicketBatchesTest, WhatOnePacketDoesNotHoldIsSentInSeveral) {
    constexpr std::uint64_t count = 1000;
    for (std::uint64_t number = 1; number <= count; ++number) add(one_, number);
    EXPECT_TRUE(batches_.flush());
    std::vector<std::uint64_t> received;
    int packets = 0;
    for (auto found = assignments(one_.packet()); !found.empty();
         found = assignments(one_.packet())) {
        received.insert(received.end(), found.begin(), found.end());
        ++packets;
    }
    EXPECT_GT(packets, 1);
    ASSERT_EQ(received.size(), count);
    ASSERT_EQ(outcomes_.size(), count);
    for (std::uint64_t number = 1; number <= count; ++number) {
        EXPECT_EQ(received[number - 1], number) << "in order";
        EXPECT_EQ(outcomes_[number - 1].second, std::nullopt);
    }
}

TEST_F(TicketBatchesTest, AnOutcomeMayBringTheNextTicket) {
    add(one_, 1);
    next_after_outcome_ = 2;
    EXPECT_TRUE(batches_.flush());
    EXPECT_EQ(assignments(one_.packet()), std::vector<std::uint64_t>{1});
    EXPECT_TRUE(batches_.flush());
    EXPECT_EQ(assignments(one_.packet()), std::vector<std::uint64_t>{2});
    EXPECT_FALSE(batches_.flush());
    EXPECT_EQ(outcomes_.size(), 2U);
}

TEST_F(TicketBatchesTest, WhatIsToBeForgottenIsToldAtOnceOrWhenThereIsRoom) {
    batches_.forget(one_.link, ClientId{4}, Assignment{1});
    const auto told = one_.packet();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(std::get<wire::Forget>(told[0]), (wire::Forget{.client = 4, .assignment = 1}));

    const int packets = one_.fill();
    batches_.forget(one_.link, ClientId{5}, Assignment{2});
    batches_.flush();
    for (int count = 0; count < packets; ++count) one_.packet();
    EXPECT_TRUE(one_.packet().empty()) << "there was no room";
    batches_.flush();
    const auto later = one_.packet();
    ASSERT_EQ(later.size(), 1U);
    EXPECT_EQ(std::get<wire::Forget>(later[0]), (wire::Forget{.client = 5, .assignment = 2}));
    batches_.flush();
    EXPECT_TRUE(one_.packet().empty()) << "once";
}

TEST_F(TicketBatchesTest, ALinkThatIsGoneHasNothingToForget) {
    one_.fill();
    batches_.forget(one_.link, ClientId{5}, Assignment{2});
    one_.worker.reset();
    batches_.flush();
    batches_.flush();
    EXPECT_EQ(one_.link.use_count(), 1) << "nobody waits for it any more";
}

}  // namespace
}  // namespace baton::daemon
