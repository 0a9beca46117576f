#pragma once

// A worker that is connected to a fake batond, and shorthands for what most tests do with it.

#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "baton/baton.h"
#include "core/wire/worker_link.hpp"
#include "lib/fake_batond.hpp"

namespace baton::lib::testing {

struct FreeWorker {
    void operator()(baton_worker_t* worker) const noexcept { baton_worker_free(worker); }
};
using WorkerHandle = std::unique_ptr<baton_worker_t, FreeWorker>;

struct FreeRequest {
    void operator()(baton_request_t* request) const noexcept { baton_request_free(request); }
};
using RequestHandle = std::unique_ptr<baton_request_t, FreeRequest>;

inline std::string_view view(baton_string_t text) { return {text.data, text.size}; }

inline baton_worker_options_t options_for(const std::string& path) {
    baton_worker_options_t options{};
    options.size = sizeof options;
    options.socket_path = path.c_str();
    options.service = "echo";
    options.slots = 1;
    options.request_timeout_ms = 20'000;
    return options;
}

class ConnectedWorker : public ::testing::Test {
public:
    static constexpr std::uint64_t worker_id = 17;

    /// @param change  what is different from one slot for the service `echo`
    template <typename Change>
    void connect(Change change, const wire::Message& answer = wire::Welcome{.worker = worker_id}) {
        const std::string path = batond.path();
        baton_worker_options_t options = options_for(path);
        change(options);
        auto greeted = std::async(std::launch::async, [&] {
            link = batond.accept();
            hello_packet = *link.next();
            link.send(answer);
        });
        baton_worker_t* handle = nullptr;
        connected = baton_worker_connect(&options, &handle);
        greeted.get();
        worker.reset(handle);
    }
    void connect() {
        connect([](auto&) {});
    }
    void connect_with_slots(std::uint32_t slots) {
        connect([slots](auto& options) { options.slots = slots; });
    }

    [[nodiscard]] const wire::Hello& hello() const { return hello_packet.get<wire::Hello>(); }

    static std::uint32_t head_size(std::string_view bytes) {
        return static_cast<std::uint32_t>(bytes.find("\r\n\r\n") + 4);
    }

    /// Sends the ticket of a request whose bytes the client has sent.
    wire::Ticket send_ticket(const Client& client, std::string_view bytes,
                             wire::Ticket ticket = {}) {
        ticket.assignment = ++assignment;
        if (ticket.head_bytes == 0) ticket.head_bytes = head_size(bytes);
        link.send(ticket, client.front());
        return ticket;
    }

    RequestHandle accept(int expected = BATON_OK) {
        baton_request_t* handle = nullptr;
        EXPECT_EQ(baton_worker_accept(worker.get(), 20'000, &handle), expected)
            << baton_error_text();
        return RequestHandle(handle);
    }
    RequestHandle accept_unread() {
        baton_request_t* handle = nullptr;
        EXPECT_EQ(baton_worker_accept_unread(worker.get(), 20'000, &handle), BATON_OK);
        return RequestHandle(handle);
    }

    /// A client's bytes, from the client to the worker.
    RequestHandle pass(Client& client, std::string_view bytes, const wire::Ticket& ticket = {}) {
        client.send(bytes);
        send_ticket(client, bytes, ticket);
        return accept();
    }

    wire::Done next_done() { return link.next_is<wire::Done>(); }

    FakeBatond batond;
    FakeLink link;
    Packet hello_packet;
    WorkerHandle worker;
    int connected = BATON_E_STATE;
    std::uint64_t assignment = 1000;
};

}  // namespace baton::lib::testing
