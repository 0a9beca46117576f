#pragma once

// A front that a test drives by hand: what it asks is noted, workers are duplicates of its
// connections.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/service.hpp"
#include "core/http/head.hpp"
#include "io/front/access.hpp"
#include "io/front/client_records.hpp"
#include "io/front/dispatcher.hpp"
#include "io/front/front.hpp"
#include "io/front/options.hpp"
#include "io/loop/event_loop.hpp"
#include "io/loop/testing.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"

namespace baton::front::testing {

using engine::Disposition;
using engine::RecoveryVerdict;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
inline constexpr std::string_view post =
    "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody";

template <typename Change>
ListenerOptions options(Change change) {
    ListenerOptions changed;
    change(changed);
    return changed;
}

/// Notes what the front asks; decides nothing.
class Notebook final : public Dispatcher, public AccessSink {
public:
    struct Arrival {
        RequestId request{};
        ClientId client{};
        std::string target;
    };

    void request_arrived(Front& front, ClientId client, RequestId request, const http::Head& head,
                         std::uint64_t body_bytes) override {
        front.place(request, place);
        const auto wanted = std::min(head.content_length(), wait_body);
        if (wanted > body_bytes) {
            ++awaited;
            return front.await_body(request, wanted);
        }
        arrivals.push_back({request, client, std::string(head.target())});
    }
    void body_arrived(Front&, ClientId client, RequestId request, const Place&) override {
        arrivals.push_back({request, client, {}});
    }
    void client_left(ServiceId, RequestId request) override { left.push_back(request); }
    void leased(ServiceId, WorkerId, Assignment, std::uint32_t first,
                std::span<const engine::LeasedAnswer> answers) override {
        for (std::size_t index = 0; index < answers.size(); ++index)
            leased_numbers.push_back(first++);
    }
    void hung(ServiceId, RequestId, Assignment, Errc why) override { hangs.push_back(why); }
    [[nodiscard]] bool rejecting() const override { return reject; }
    [[nodiscard]] bool lines_wanted() const override { return true; }
    void finished(const Access& access) override {
        statuses.push_back(access.status);
        lines.emplace_back(access.request_line);
        written.push_back(access.bytes_written);
        errors.push_back(access.error);
        service_times.push_back(access.service_time);
    }

    Place place{
        .service = ServiceId{7}, .answer_timeout = seconds(60), .stall_timeout = seconds(60)};
    bool reject = false;
    std::uint64_t wait_body = 0;
    int awaited = 0;
    std::vector<Arrival> arrivals;
    std::vector<RequestId> left;
    std::vector<std::uint32_t> leased_numbers;
    std::vector<Errc> hangs;
    std::vector<int> statuses;
    std::vector<std::string> lines;
    std::vector<std::uint64_t> written;
    std::vector<std::optional<Errc>> errors;
    std::vector<std::optional<Duration>> service_times;
};

class FrontTest : public ::testing::Test {
public:
    explicit FrontTest() {
        loop.set_after_batch([this] { front->after_batch(); });
        front = std::make_unique<Front>(loop, 0, notebook, records, notebook);
    }

    void listen(const ListenerOptions& options = {}, const char* address = "127.0.0.1:0") {
        auto socket =
            os::listen_on(*os::Address::parse(address), os::SocketKind::stream, {}).value();
        where = os::local_address(socket.borrow()).value();
        front->add_listener(std::move(socket), where,
                            std::make_shared<const ListenerOptions>(options));
    }

    os::UniqueFd connect() { return os::connect_to(where, os::SocketKind::stream).value(); }

    /// Lets the loop work until the condition holds.
    void until(const std::function<bool()>& condition) {
        ASSERT_TRUE(loop::run_until(loop, condition)) << "it never happened";
    }

    void send(const os::UniqueFd& fd, std::string_view text) {
        ASSERT_EQ(os::send_some(fd.borrow(), std::as_bytes(std::span(text))).value(), text.size());
    }

    /// Reads until the peer's end, a reset or `size` bytes.
    std::string receive(const os::UniqueFd& fd, std::size_t size = 1'000'000) {
        std::string text;
        reset_seen = false;
        until([&] {
            std::array<char, 4096> buffer{};
            for (;;) {
                const auto got =
                    os::receive_some(fd.borrow(), std::as_writable_bytes(std::span(buffer)));
                if (!got && got.error().code == Errc::would_block) return text.size() >= size;
                if (!got) reset_seen = true;
                if (!got || *got == 0) return true;
                text.append(buffer.data(), *got);
            }
        });
        return text;
    }

    RequestId arrival(std::size_t index = 0) {
        until([&] { return notebook.arrivals.size() > index; });
        return notebook.arrivals.at(index).request;
    }

    /// What a worker gets: its own duplicate of the connection.
    os::UniqueFd hand_over(RequestId request, std::uint64_t assignment = 1, bool kept = false) {
        const auto consignment =
            front->begin_delivery(request, WorkerId{3}, Assignment{assignment});
        EXPECT_TRUE(consignment);
        beside = std::string(consignment->bytes_beside);
        rest_welcome = consignment->rest_welcome;
        continued = consignment->continued;
        auto worker = os::duplicate(consignment->connection).value();
        front->delivered(request, Assignment{assignment}, kept);
        return worker;
    }
    /// To a worker that hands no connection back.
    os::UniqueFd hand_over_for_good(RequestId request, std::uint64_t assignment = 1) {
        return hand_over(request, assignment, true);
    }

    std::string worker_reads(const os::UniqueFd& worker, std::size_t size) {
        std::string text(size, '\0');
        const auto got =
            os::receive_some(worker.borrow(), std::as_writable_bytes(std::span(text))).value();
        text.resize(got);
        return text;
    }

    loop::EventLoop loop;
    ClientRecords records;
    Notebook notebook;
    std::unique_ptr<Front> front;
    os::Address where;
    std::string beside;
    bool rest_welcome = false;
    bool continued = false;
    bool reset_seen = false;
};

}  // namespace baton::front::testing
