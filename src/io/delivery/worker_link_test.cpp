// batond's end of a link; the worker's end is played by the test, packet by packet.

#include "io/delivery/worker_link.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/wire/worker_link.hpp"
#include "io/loop/event_loop.hpp"
#include "io/loop/testing.hpp"
#include "io/os/fd.hpp"
#include "io/os/memory_file.hpp"
#include "io/os/packet_socket.hpp"
#include "io/os/passed_file.hpp"
#include "io/os/socket.hpp"

namespace baton::delivery {
namespace {

/// Notes what it is told; accepts every worker but those of the service `refused`.
class Notebook final : public LinkEvents {
public:
    void hello(const std::shared_ptr<WorkerLink>& link, const wire::Hello& hello) override {
        services.emplace_back(hello.service);
        if (hello.service == "refused") return link->refuse("not here");
        link->accept(ServiceId{2}, WorkerId{7}, 16384, 30);
    }
    void done(WorkerLink& /*link*/, const wire::Done& done, os::UniqueFd rest) override {
        assignments.push_back(done.assignment);
        rests.push_back(std::move(rest));
    }
    void declined(WorkerLink& /*link*/, const wire::Decline& decline) override {
        declines.push_back(decline.reason);
    }
    void leased(WorkerLink& /*link*/, const wire::Leased& leased) override {
        leased_firsts.push_back(leased.first);
    }
    void credit(WorkerLink& /*link*/, std::uint32_t count) override { credits += count; }
    void leaving(WorkerLink& /*link*/) override { ++leavings; }
    void status_text(WorkerLink& /*link*/, std::string_view text) override { status = text; }
    void ended(const std::shared_ptr<WorkerLink>& /*link*/, Errc why) override {
        ends.push_back(why);
    }

    std::vector<std::string> services;
    std::vector<std::uint64_t> assignments;
    std::vector<os::UniqueFd> rests;
    std::vector<std::uint32_t> declines;
    std::uint32_t credits = 0;
    std::vector<std::uint32_t> leased_firsts;
    int leavings = 0;
    std::string status;
    std::vector<Errc> ends;
};

class WorkerLinkTest : public testing::Test {
protected:
    WorkerLinkTest() {
        auto [here, there] = os::socket_pair_or_throw(os::SocketKind::packet);
        worker_ = std::move(there);
        link_ =
            std::make_shared<WorkerLink>(std::move(here), os::PeerCredentials{}, loop_, notebook_);
        link_->start();
    }

    ~WorkerLinkTest() override {
        // A link belongs to its loop until it has been read to its end.
        worker_.reset();
        if (notebook_.ends.empty()) until([&] { return !notebook_.ends.empty(); });
    }

    void until(const std::function<bool()>& condition) {
        ASSERT_TRUE(loop::run_until(loop_, condition)) << "it never happened";
    }

    void say(const std::vector<wire::Message>& messages, os::BorrowedFd passed = {}) {
        std::vector<std::byte> packet;
        for (const auto& message : messages) wire::append(packet, message);
        ASSERT_TRUE(os::send_packet(worker_.borrow(), packet, passed));
    }
    void greet() {
        say({wire::Hello{.slots = 2, .credits = 2, .service = "echo"}});
        ASSERT_TRUE(std::holds_alternative<wire::Welcome>(hear()));
    }

    wire::Message hear() {
        std::optional<wire::Message> message;
        until([&] {
            auto packet = os::receive_packet(worker_.borrow(), buffer_);
            if (!packet) return false;
            passed_ = std::move(packet->passed);
            const std::span<const std::byte> bytes(buffer_);
            wire::PacketReader reader(bytes.first(packet->size));
            message = reader.next().value();
            return true;
        });
        return message.value_or(wire::Bye{});
    }

    loop::EventLoop loop_;
    Notebook notebook_;
    std::shared_ptr<WorkerLink> link_;
    os::UniqueFd worker_;
    os::UniqueFd passed_;
    std::array<std::byte, wire::packet_size_limit> buffer_{};
};

TEST_F(WorkerLinkTest, AWelcomeSaysWhoTheWorkerIs) {
    say({wire::Hello{.slots = 2, .credits = 2, .service = "echo"}});
    const auto answer = hear();
    const auto* welcome = std::get_if<wire::Welcome>(&answer);
    ASSERT_NE(welcome, nullptr);
    EXPECT_EQ(welcome->worker, 7U);
    EXPECT_EQ(welcome->head_limit_bytes, 16384U);
    EXPECT_EQ(link_->worker(), WorkerId{7});
    EXPECT_EQ(notebook_.services, std::vector<std::string>{"echo"});
}

TEST_F(WorkerLinkTest, WhoIsRefusedHearsWhyAndIsEnded) {
    say({wire::Hello{.service = "refused"}});
    const auto answer = hear();
    const auto* refused = std::get_if<wire::Refused>(&answer);
    ASSERT_NE(refused, nullptr);
    EXPECT_EQ(refused->text, "not here");
    until([&] { return notebook_.ends.size() == 1; });
}

TEST_F(WorkerLinkTest, ATicketTravelsWithItsDescriptor) {
    greet();
    auto [client, served] = os::socket_pair_or_throw(os::SocketKind::stream);
    ASSERT_TRUE(link_->pass({.assignment = 5, .client_address = "127.0.0.1:1"}, served.borrow()));
    const auto message = hear();
    const auto* ticket = std::get_if<wire::Ticket>(&message);
    ASSERT_NE(ticket, nullptr);
    EXPECT_EQ(ticket->assignment, 5U);
    ASSERT_TRUE(passed_);
    ASSERT_TRUE(os::send_some(passed_.borrow(), std::as_bytes(std::span("x", 1))));
    EXPECT_EQ(os::bytes_unread(client.borrow()), 1U);
}

TEST_F(WorkerLinkTest, MessagesOfOnePacketAreTakenInTheirOrder) {
    greet();
    say({wire::Done{.assignment = 1}, wire::Done{.assignment = 2}, wire::Credit{.count = 3},
         wire::Decline{.assignment = 4, .reason = wire::Decline::overloaded},
         wire::StatusText{.text = "well"}, wire::Bye{}});
    until([&] { return notebook_.leavings == 1; });
    EXPECT_EQ(notebook_.assignments, (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(notebook_.credits, 3U);
    EXPECT_EQ(notebook_.declines, std::vector<std::uint32_t>{wire::Decline::overloaded});
    EXPECT_EQ(notebook_.status, "well");
}

TEST_F(WorkerLinkTest, ARestComesWithItsFile) {
    greet();
    auto file = os::MemoryFile::create().value();
    ASSERT_TRUE(file.append("the rest"));
    say({wire::Done{.assignment = 1, .rest = wire::Rest{.offset = 4, .bytes = 4}}}, file.fd());
    say({wire::Done{.assignment = 2}});
    until([&] { return notebook_.assignments.size() == 2; });
    EXPECT_TRUE(notebook_.rests.at(0));
    EXPECT_FALSE(notebook_.rests.at(1));
    EXPECT_EQ(os::examine_passed_file(notebook_.rests.at(0).borrow()).value().size, 8U);
}

TEST_F(WorkerLinkTest, WhatWasSentBeforeTheEndIsObeyedBeforeItIsReported) {
    greet();
    for (std::uint64_t assignment = 1; assignment <= 100; ++assignment) {
        say({wire::Done{.assignment = assignment}});
    }
    worker_.reset();
    until([&] { return !notebook_.ends.empty(); });
    EXPECT_EQ(notebook_.assignments.size(), 100U);
    EXPECT_EQ(notebook_.ends, std::vector<Errc>{Errc::peer_gone});
}

TEST_F(WorkerLinkTest, AFullLinkIsAnOutcomeAndNotAWait) {
    greet();
    auto [client, served] = os::socket_pair_or_throw(os::SocketKind::stream);
    std::optional<Errc> refused;
    for (int count = 0; count < 10'000 && !refused; ++count) {
        const auto passed = link_->pass({.assignment = 1}, served.borrow());
        if (!passed) refused = passed.error().code;
    }
    EXPECT_TRUE(refused == Errc::would_block || refused == Errc::too_many_in_flight);
}

TEST_F(WorkerLinkTest, PassingToADeadWorkerSaysSo) {
    greet();
    auto [client, served] = os::socket_pair_or_throw(os::SocketKind::stream);
    worker_.reset();
    EXPECT_EQ(link_->pass({.assignment = 1}, served.borrow()).error().code, Errc::peer_gone);
}

// Each of these is one packet after the greeting, or before it.
struct Breach {
    std::string name;
    bool greeted = true;
    std::vector<wire::Message> messages;
    bool descriptor = false;
};
// GoogleTest looks for it by this name.
// NOLINTNEXTLINE(readability-identifier-naming)
void PrintTo(const Breach& breach, std::ostream* out) { *out << breach.name; }

class Breaches : public WorkerLinkTest, public testing::WithParamInterface<Breach> {};

TEST_P(Breaches, EndTheLink) {
    if (GetParam().greeted) greet();
    const auto file = os::MemoryFile::create().value();
    say(GetParam().messages, GetParam().descriptor ? file.fd() : os::BorrowedFd());
    until([&] { return notebook_.ends.size() == 1; });
    EXPECT_EQ(notebook_.ends.front(), Errc::worker_protocol);
    EXPECT_TRUE(notebook_.assignments.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Contract, Breaches,
    testing::Values(
        Breach{.name = "done before hello", .greeted = false, .messages = {wire::Done{}}},
        Breach{.name = "a second hello", .messages = {wire::Hello{.service = "echo"}}},
        Breach{.name = "a message that only batond sends", .messages = {wire::Drain{}}},
        Breach{.name = "a ticket", .messages = {wire::Ticket{}}},
        Breach{.name = "a rest without its file",
               .messages = {wire::Done{.rest = wire::Rest{.offset = 0, .bytes = 1}}}},
        Breach{.name = "a rest that is not alone",
               .messages = {wire::Done{.rest = wire::Rest{.offset = 0, .bytes = 1}}, wire::Bye{}},
               .descriptor = true},
        Breach{.name = "a file that belongs to nothing",
               .messages = {wire::Credit{}},
               .descriptor = true}));

TEST_F(WorkerLinkTest, GarbageEndsTheLink) {
    greet();
    const std::string_view garbage = "GET / HTTP/1.1\r\n\r\n";
    ASSERT_TRUE(os::send_packet(worker_.borrow(), std::as_bytes(std::span(garbage))));
    until([&] { return notebook_.ends.size() == 1; });
    EXPECT_EQ(notebook_.ends.front(), Errc::worker_protocol);
}

}  // namespace
}  // namespace baton::delivery
