#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "baton/baton.h"
#include "core/wire/worker_link.hpp"
#include "io/os/poll.hpp"
#include "lib/fake_batond.hpp"
#include "lib/worker_fixture.hpp"

namespace baton::lib::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view plain_request = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

bool readable(int fd) {
    return os::wait_until(os::BorrowedFd(fd), os::Becomes::readable, Duration::zero()).has_value();
}

void answer(const RequestHandle& request) {
    EXPECT_EQ(baton_respond(request.get(), 200, "text/plain", "ok", 2), BATON_OK);
    EXPECT_EQ(baton_done(request.get()), BATON_OK);
}

class WorkerLink : public ConnectedWorker {};

// ---- Introduction ------------------------------------------------------------------------------

TEST_F(WorkerLink, IntroducesItselfWithAllItsSlotsFree) {
    connect_with_slots(4);
    ASSERT_EQ(connected, BATON_OK);
    EXPECT_EQ(hello().service, "echo");
    EXPECT_EQ(hello().worker, 0U);
    EXPECT_EQ(hello().slots, 4U);
    EXPECT_EQ(hello().credits, 4U);
    EXPECT_EQ(hello().process_id, static_cast<std::uint32_t>(::getpid()));
    EXPECT_EQ(hello().capabilities, wire::Hello::takes_bytes_beside | wire::Hello::keeps_ledger |
                                        wire::Hello::keeps_duplicates |
                                        wire::Hello::hands_back_rest);
    EXPECT_LE(hello().version_lowest, wire::protocol_version);
    EXPECT_GE(hello().version_highest, wire::protocol_version);
    EXPECT_EQ(baton_worker_id(worker.get()), worker_id);
}

TEST_F(WorkerLink, SaysThatItReportsItsStatusOnlyIfItDoes) {
    connect([](auto& options) {
        options.on_status = [](void*, char*, std::size_t) { return std::size_t{0}; };
    });
    EXPECT_NE(hello().capabilities & wire::Hello::reports_status, 0U);
}

TEST_F(WorkerLink, SaysThatItHandsRestsBackUnlessItDoesNot) {
    connect([](auto& options) { options.rest_limit = BATON_NO_REST; });
    EXPECT_EQ(hello().capabilities & wire::Hello::hands_back_rest, 0U);
}

TEST_F(WorkerLink, PassesOnWhyItWasRefused) {
    connect([](auto&) {}, wire::Refused{"no service 'echo'; there is 'thumbs'"});
    EXPECT_EQ(connected, BATON_E_REFUSED);
    EXPECT_EQ(worker, nullptr);
    EXPECT_THAT(baton_error_text(), HasSubstr("there is 'thumbs'"));
}

TEST_F(WorkerLink, DoesNotPretendToSpeakAnotherVersion) {
    connect([](auto&) {}, wire::Welcome{.version = 2, .worker = worker_id});
    EXPECT_EQ(connected, BATON_E_PROTOCOL);
}

TEST_F(WorkerLink, DoesNotAcceptATicketForAWelcome) {
    connect([](auto&) {}, wire::Drain{});
    EXPECT_EQ(connected, BATON_E_PROTOCOL);
}

TEST(WorkerConnect, SaysWhatIsMissingOrWrong) {
    baton_worker_t* worker = nullptr;
    ::unsetenv("BATON_WORKER_SOCKET");
    EXPECT_EQ(baton_worker_connect(nullptr, &worker), BATON_E_INVALID);
    EXPECT_THAT(baton_error_text(), HasSubstr("BATON_WORKER_SOCKET"));

    const std::string path = "/nowhere/at/all";
    baton_worker_options_t options = options_for(path);
    EXPECT_EQ(baton_worker_connect(&options, &worker), BATON_E_SYSTEM);
    EXPECT_THAT(baton_error_text(), HasSubstr("/nowhere/at/all: No such file"));
    options.slots = BATON_SLOTS_LIMIT + 1;
    EXPECT_EQ(baton_worker_connect(&options, &worker), BATON_E_INVALID);
    options.size = 0;
    EXPECT_EQ(baton_worker_connect(&options, &worker), BATON_E_INVALID);
    EXPECT_EQ(worker, nullptr);
}

/// Sets what an agent sets, for the time of a test.
class Environment {
public:
    explicit Environment(std::vector<std::pair<const char*, std::string>> settings)
        : settings_(std::move(settings)) {
        for (const auto& [name, value] : settings_) ::setenv(name, value.c_str(), 1);
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
    ~Environment() {
        for (const auto& [name, value] : settings_) ::unsetenv(name);
    }

private:
    std::vector<std::pair<const char*, std::string>> settings_;
};

TEST_F(WorkerLink, IS2_LearnsTheRendezvousFromTheEnvironment) {
    const Environment agent({{"BATON_WORKER_SOCKET", batond.path()},
                             {"BATON_WORKER_ID", "42"},
                             {"BATON_SERVICE", "class/name/thumbs"},
                             {"BATON_SLOTS", "3"}});
    connect([](auto& options) {
        options.socket_path = nullptr;
        options.service = nullptr;
        options.slots = 0;
    });
    EXPECT_EQ(connected, BATON_OK);
    EXPECT_EQ(hello().worker, 42U);
    EXPECT_EQ(hello().service, "class/name/thumbs");
    EXPECT_EQ(hello().slots, 3U);
}

TEST_F(WorkerLink, IS2_LearnsTheRendezvousFromItsFirstArgumentsAsAnIsectdWorkerDoes) {
    auto greeted = std::async(std::launch::async, [&] {
        link = batond.accept();
        hello_packet = *link.next();
        link.send(wire::Welcome{.worker = 42});
    });
    std::string program = "worker", path = batond.path(), id = "42", service = "echo",
                own = "--fast";
    std::array<char*, 5> argv{program.data(), path.data(), id.data(), service.data(), own.data()};
    baton_worker_t* handle = nullptr;
    ASSERT_EQ(baton_worker_connect_arguments(5, argv.data(), nullptr, &handle), BATON_OK);
    worker.reset(handle);
    greeted.get();
    EXPECT_EQ(hello().worker, 42U);
    EXPECT_STREQ(argv.at(ISDARGMAZ), "--fast");
    EXPECT_EQ(baton_worker_connect_arguments(3, argv.data(), nullptr, &handle), BATON_E_INVALID);
}

TEST_F(WorkerLink, WaitsForABatondThatIsJustStarting) {
    batond.stop_listening();
    auto started = std::async(std::launch::async, [&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the race is the point here
        batond.listen();
        link = batond.accept();
        hello_packet = *link.next();
        link.send(wire::Welcome{.worker = 1});
    });
    const std::string path = batond.path();
    auto options = options_for(path);
    options.connect_timeout_ms = 20'000;
    baton_worker_t* handle = nullptr;
    EXPECT_EQ(baton_worker_connect(&options, &handle), BATON_OK);
    worker.reset(handle);
    started.get();
}

// ---- Tickets and slots -------------------------------------------------------------------------

TEST_F(WorkerLink, OZ3_GivesConnectionAndCreditBackInOneMessage) {
    connect();
    Client client;
    const auto request =
        pass(client, plain_request,
             {.request = 8, .client = 9, .attempt = 1, .client_address = "[::1]:80"});
    EXPECT_EQ(baton_request_id(request.get()), 8U);
    EXPECT_EQ(baton_request_client_id(request.get()), 9U);
    EXPECT_EQ(baton_request_attempt(request.get()), 1U);
    EXPECT_EQ(view(baton_request_client_address(request.get())), "[::1]:80");
    answer(request);
    const auto done = next_done();
    EXPECT_EQ(done.assignment, assignment);
    EXPECT_EQ(done.disposition, wire::Done::keep);
    EXPECT_EQ(done.status, 200U);
    EXPECT_EQ(done.credits, 1U);
    EXPECT_EQ(done.bytes_read, plain_request.size());
    const std::string sent = client.receive(done.bytes_written);
    EXPECT_THAT(sent, HasSubstr("\r\n\r\nok"));
    EXPECT_EQ(baton_request_fd(request.get()), -1);
}

TEST_F(WorkerLink, HoldsSeveralRequestsAtOnceAndEndsThemInAnyOrder) {
    connect_with_slots(2);
    Client first;
    Client second;
    const auto one = pass(first, plain_request);
    const auto two = pass(second, plain_request);
    answer(two);
    EXPECT_EQ(next_done().assignment, assignment);
    answer(one);
    EXPECT_EQ(next_done().assignment, assignment - 1);
}

TEST_F(WorkerLink, DeclinesWhatIsMoreThanItAnnounced) {
    connect();
    Client client;
    Client surplus;
    const auto request = pass(client, plain_request);
    send_ticket(surplus, plain_request);
    baton_request_t* none = nullptr;
    EXPECT_EQ(baton_worker_accept(worker.get(), 0, &none), BATON_E_AGAIN);
    EXPECT_EQ(none, nullptr);
    const auto decline = link.next_is<wire::Decline>();
    EXPECT_EQ(decline.assignment, assignment);
    EXPECT_EQ(decline.reason, wire::Decline::overloaded);
    answer(request);
    EXPECT_EQ(next_done().credits, 1U);
}

TEST_F(WorkerLink, ItsDescriptorIsReadableWhenATicketWaitsAndNotAfterwards) {
    connect();
    const int fd = baton_worker_fd(worker.get());
    EXPECT_FALSE(readable(fd));
    Client client;
    client.send(plain_request);
    send_ticket(client, plain_request);
    EXPECT_TRUE(readable(fd));
    const auto request = accept();
    EXPECT_FALSE(readable(fd));
}

TEST_F(WorkerLink, GivesAnUntouchedRequestBackAndKeepsTheSlotUntilItSaysOtherwise) {
    connect();
    Client client;
    client.send(plain_request);
    send_ticket(client, plain_request);
    const auto request = accept_unread();
    EXPECT_EQ(baton_request_path(request.get()).data, nullptr);
    EXPECT_EQ(baton_respond(request.get(), 200, nullptr, nullptr, 0), BATON_E_STATE);
    EXPECT_EQ(baton_decline(request.get(), BATON_DECLINE_OVERLOADED), BATON_OK);
    EXPECT_EQ(link.next_is<wire::Decline>().reason, wire::Decline::overloaded);
    EXPECT_EQ(client.unread(plain_request.size()), plain_request);
    EXPECT_TRUE(link.silent());
    EXPECT_EQ(baton_credit(worker.get(), 1), BATON_OK);
    EXPECT_EQ(link.next_is<wire::Credit>().count, 1U);
    EXPECT_EQ(baton_credit(worker.get(), 1), BATON_E_STATE);
}

TEST_F(WorkerLink, DoesNotDeclineWhatItHasRead) {
    connect();
    Client client;
    const auto request = pass(client, plain_request);
    EXPECT_EQ(baton_decline(request.get(), 0), BATON_E_STATE);
}

/// Leaves this process no number for another descriptor, for a scope.
class NoFreeDescriptors {
public:
    NoFreeDescriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int highest = ::dup(0);
        rlimit small = before_;
        small.rlim_cur = static_cast<rlim_t>(highest) + 8;
        ::close(highest);
        ::setrlimit(RLIMIT_NOFILE, &small);
        for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken_.push_back(fd);
    }
    NoFreeDescriptors(const NoFreeDescriptors&) = delete;
    NoFreeDescriptors& operator=(const NoFreeDescriptors&) = delete;
    ~NoFreeDescriptors() {
        for (const int fd : taken_) ::close(fd);
        ::setrlimit(RLIMIT_NOFILE, &before_);
    }

private:
    rlimit before_{};
    std::vector<int> taken_;
};

TEST_F(WorkerLink, DeclinesATicketWhoseDescriptorWasLostAndAsksAgainWithTheNextDone) {
    connect_with_slots(2);
    Client client;
    Client lost;
    const auto request = pass(client, plain_request);
    {
        const NoFreeDescriptors full;
        send_ticket(lost, plain_request);
        baton_request_t* none = nullptr;
        EXPECT_EQ(baton_worker_accept(worker.get(), 0, &none), BATON_E_AGAIN);
    }
    const auto decline = link.next_is<wire::Decline>();
    EXPECT_EQ(decline.assignment, assignment);
    EXPECT_EQ(decline.reason, wire::Decline::no_descriptor);
    answer(request);
    EXPECT_EQ(next_done().credits, 2U);
}

TEST_F(WorkerLink, AsksAgainAfterAWhileWhenNoRequestIsInHandThatCouldEnd) {
    connect();
    Client lost;
    {
        const NoFreeDescriptors full;
        send_ticket(lost, plain_request);
        baton_request_t* none = nullptr;
        EXPECT_EQ(baton_worker_accept(worker.get(), 0, &none), BATON_E_AGAIN);
    }
    link.next_is<wire::Decline>();
    lost.send(plain_request);
    auto accepted = std::async(std::launch::async, [this] { return accept(); });
    EXPECT_EQ(link.next_is<wire::Credit>().count, 1U);
    send_ticket(lost, plain_request);
    answer(accepted.get());
}

TEST_F(WorkerLink, EndsTheLinkOfABatondThatBreaksTheProtocol) {
    connect();
    link.send_bytes(std::vector<std::byte>(8, std::byte{0xff}));
    accept(BATON_E_PROTOCOL);
    accept(BATON_E_PROTOCOL);
    EXPECT_FALSE(link.next());
}

// ---- Orders ------------------------------------------------------------------------------------

struct Heard {
    int reinits = 0;
};

TEST_F(WorkerLink, IS8_CarriesOutReinitAndStatus) {
    Heard heard;
    connect([&heard](auto& options) {
        options.context = &heard;
        options.on_reinit = [](void* context) { ++static_cast<Heard*>(context)->reinits; };
        options.on_status = [](void*, char* text, std::size_t size) {
            EXPECT_GE(size, 4096U);
            std::memcpy(text, "all well", 8);
            return std::size_t{8};
        };
    });
    link.send(wire::Reinit{});
    link.send(wire::Status{});
    baton_request_t* none = nullptr;
    EXPECT_EQ(baton_worker_accept(worker.get(), 0, &none), BATON_E_AGAIN);
    EXPECT_EQ(heard.reinits, 1);
    EXPECT_EQ(link.next_is<wire::StatusText>().text, "all well");
}

TEST_F(WorkerLink, DrainedItFinishesWhatItHoldsThenSaysBye) {
    connect_with_slots(2);
    Client client;
    const auto request = pass(client, plain_request);
    link.send(wire::Drain{});
    accept(BATON_E_DRAINED);
    accept(BATON_E_DRAINED);
    EXPECT_TRUE(link.silent());
    EXPECT_FALSE(readable(baton_worker_fd(worker.get())));
    answer(request);
    const auto last = link.next();
    EXPECT_EQ(last->get<wire::Done>(0).credits, 0U);
    EXPECT_EQ(last->get<wire::Done>(0).disposition, wire::Done::keep);
    EXPECT_TRUE(std::holds_alternative<wire::Bye>(last->messages.at(1)));
    worker.reset();
    EXPECT_TRUE(link.silent());  // the request's handle still has its share
}

TEST_F(WorkerLink, DrainedWithNothingInHandItSaysByeAtOnce) {
    connect();
    link.send(wire::Drain{});
    accept(BATON_E_DRAINED);
    link.next_is<wire::Bye>();
    worker.reset();
    EXPECT_FALSE(link.next());
}

TEST_F(WorkerLink, LeavingWakesAThreadThatWaitsForARequest) {
    connect();
    auto accepting = std::async(std::launch::async, [this] {
        baton_request_t* none = nullptr;
        return baton_worker_accept(worker.get(), -1, &none);
    });
    EXPECT_EQ(baton_bye(worker.get()), BATON_OK);
    EXPECT_EQ(accepting.get(), BATON_E_DRAINED);
    link.next_is<wire::Bye>();
}

TEST_F(WorkerLink, LeavingDeclinesTicketsThatCrossed) {
    connect();
    Client client;
    send_ticket(client, plain_request);
    worker.reset();
    link.next_is<wire::Bye>();
    EXPECT_EQ(link.next_is<wire::Decline>().reason, wire::Decline::draining);
    EXPECT_FALSE(link.next());
}

TEST_F(WorkerLink, ARequestMayOutliveItsWorkersHandle) {
    connect();
    Client client;
    auto request = pass(client, plain_request);
    worker.reset();
    link.next_is<wire::Bye>();
    answer(request);
    EXPECT_EQ(next_done().status, 200U);
    request.reset();
    EXPECT_FALSE(link.next());
}

// ---- batond goes away --------------------------------------------------------------------------

TEST_F(WorkerLink, ComesBackUnderTheSameIdWithTheSlotsThatAreFree) {
    connect_with_slots(3);
    Client client;
    const auto request = pass(client, plain_request);
    const int fd = baton_worker_fd(worker.get());
    link.close();
    auto accepted = std::async(std::launch::async, [this] { return accept(); });
    link = batond.accept();
    const auto again = link.next_is<wire::Hello>();
    EXPECT_EQ(again.worker, worker_id);
    EXPECT_EQ(again.slots, 3U);
    EXPECT_EQ(again.credits, 2U);
    // It ends before the welcome: a credit follows, and no `done` for a batond that never sent a
    // ticket.
    answer(request);
    link.send(wire::Welcome{.worker = worker_id});
    EXPECT_EQ(link.next_is<wire::Credit>().count, 1U);
    Client next;
    next.send(plain_request);
    send_ticket(next, plain_request);
    const auto other = accepted.get();
    answer(other);
    EXPECT_EQ(next_done().assignment, assignment);
    EXPECT_EQ(baton_worker_fd(worker.get()), fd);
}

TEST_F(WorkerLink, WhatEndsAfterTheReturnBecomesACredit) {
    connect();
    Client client;
    const auto request = pass(client, plain_request);
    link.close();
    auto accepted = std::async(std::launch::async, [this] { return accept(BATON_E_DRAINED); });
    link = batond.accept();
    EXPECT_EQ(link.next_is<wire::Hello>().credits, 0U);
    link.send(wire::Welcome{.worker = worker_id});
    link.send(wire::Drain{});
    accepted.get();
    answer(request);
    // Drained: not even a credit, only its last word.
    link.next_is<wire::Bye>();
}

TEST_F(WorkerLink, WithoutBatondItClosesItsClientsConnectionAfterTheAnswer) {
    connect();
    Client client;
    const auto request = pass(client, plain_request);
    link.close();
    client.close_front();
    baton_request_t* none = nullptr;
    EXPECT_EQ(baton_worker_accept(worker.get(), 0, &none), BATON_E_AGAIN);
    answer(request);
    EXPECT_THAT(client.receive_all(), HasSubstr("Connection: close\r\n"));
    EXPECT_FALSE(client.was_reset());
}

TEST_F(WorkerLink, GivesUpWhenBatondStaysAwayForLongerThanItSaid) {
    connect([](auto&) {}, wire::Welcome{.worker = worker_id, .reconnect_seconds = 0});
    batond.stop_listening();
    link.close();
    accept(BATON_E_GONE);
    accept(BATON_E_GONE);
}

TEST_F(WorkerLink, LeavesWhenARestartedBatondDoesNotWantIt) {
    connect();
    link.close();
    auto accepted = std::async(std::launch::async, [this] { return accept(BATON_E_REFUSED); });
    link = batond.accept();
    link.next_is<wire::Hello>();
    link.send(wire::Refused{"shut down by an operator"});
    accepted.get();
}

TEST_F(WorkerLink, AnEventLoopSeesTheReturnThroughTheSameDescriptor) {
    connect();
    const os::BorrowedFd fd(baton_worker_fd(worker.get()));
    link.close();
    auto back = std::async(std::launch::async, [this] {
        link = batond.accept();
        link.next_is<wire::Hello>();
        link.send(wire::Welcome{.worker = worker_id});
        Client client;
        client.send(plain_request);
        send_ticket(client, plain_request);
        return client;
    });
    // Nothing else but the descriptor says when to look.
    baton_request_t* handle = nullptr;
    while (handle == nullptr) {
        ASSERT_TRUE(os::wait_until(fd, os::Becomes::readable, patience));
        const int code = baton_worker_accept(worker.get(), 0, &handle);
        ASSERT_EQ(code, handle == nullptr ? BATON_E_AGAIN : BATON_OK);
    }
    answer(RequestHandle(handle));
    EXPECT_EQ(next_done().assignment, assignment);
}

// ---- Processes and threads ---------------------------------------------------------------------

TEST_F(WorkerLink, AForkedChildCanNeitherUseNorDisturbIt) {
    connect();
    Client client;
    auto request = pass(client, plain_request);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        baton_request_t* none = nullptr;
        const bool forked =
            baton_worker_accept(worker.get(), 0, &none) == BATON_E_FORKED &&
            baton_respond(request.get(), 200, nullptr, nullptr, 0) == BATON_E_FORKED &&
            baton_done(request.get()) == BATON_E_FORKED &&
            baton_bye(worker.get()) == BATON_E_FORKED;
        request.reset();
        worker.reset();
        ::_exit(forked ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(link.silent());
    answer(request);
    EXPECT_EQ(next_done().status, 200U);
}

TEST_F(WorkerLink, OneThreadAcceptsAndOthersAnswer) {
    constexpr std::uint32_t slots = 8;
    constexpr int total = 400;
    connect_with_slots(slots);

    // batond: as many tickets as there are credits; each is answered by somebody.
    std::atomic<int> kept = 0;
    std::thread fake([&] {
        std::vector<std::unique_ptr<Client>> clients(total);
        int sent = 0;
        int ended = 0;
        for (std::uint32_t credits = slots; ended < total;) {
            for (; credits > 0 && sent < total; --credits, ++sent) {
                clients[static_cast<std::size_t>(sent)] =
                    std::make_unique<Client>(Client::Over::unix_socket);
                auto& client = *clients[static_cast<std::size_t>(sent)];
                client.send(plain_request);
                wire::Ticket ticket;
                ticket.assignment = static_cast<std::uint64_t>(sent);
                ticket.head_bytes = static_cast<std::uint32_t>(plain_request.size());
                link.send(ticket, client.front());
            }
            const auto done = link.next_is<wire::Done>();
            credits += done.credits;
            kept += done.disposition == wire::Done::keep ? 1 : 0;
            auto& client = clients.at(done.assignment);
            EXPECT_THAT(client->receive(done.bytes_written), HasSubstr("ok"));
            client.reset();
            ++ended;
        }
        link.send(wire::Drain{});
    });

    std::vector<std::future<void>> answering;
    for (;;) {
        baton_request_t* handle = nullptr;
        if (baton_worker_accept(worker.get(), -1, &handle) != BATON_OK) break;
        answering.push_back(
            std::async(std::launch::async, [handle] { answer(RequestHandle(handle)); }));
        if (answering.size() > 2 * slots) answering.erase(answering.begin());
    }
    answering.clear();
    fake.join();
    EXPECT_EQ(kept, total);
    link.next_is<wire::Bye>();
}

TEST_F(WorkerLink, LosesNoCreditWhileThreadsEndRequestsAndBatondComesAndGoes) {
    constexpr std::uint32_t slots = 4;
    connect_with_slots(slots);
    for (int round = 0; round < 20; ++round) {
        std::vector<std::unique_ptr<Client>> clients;
        std::vector<RequestHandle> requests;
        for (std::uint32_t slot = 0; slot < slots; ++slot) {
            clients.push_back(std::make_unique<Client>(Client::Over::unix_socket));
            requests.push_back(pass(*clients.back(), plain_request));
        }
        link.close();
        std::vector<std::thread> ending;
        for (auto& request : requests) {
            ending.emplace_back([handle = std::move(request)]() { answer(handle); });
        }
        // It comes back while they end: announced are HELLO's credits and those after it.
        std::atomic<std::uint32_t> credits = 0;
        std::thread fake([&] {
            link = batond.accept();
            credits = link.next_is<wire::Hello>().credits;
            link.send(wire::Welcome{.worker = worker_id});
            while (credits < slots) credits += link.next_is<wire::Credit>().count;
            link.send(wire::Reinit{});
        });
        baton_request_t* none = nullptr;
        while (credits < slots) {
            EXPECT_EQ(baton_worker_accept(worker.get(), 1, &none), BATON_E_AGAIN);
        }
        fake.join();
        for (auto& thread : ending) thread.join();
        EXPECT_EQ(credits, slots);
        EXPECT_TRUE(link.silent());
    }
}

}  // namespace
}  // namespace baton::lib::testing
