// The layouts that operators and their scripts know. The seed of isectd fixes most of them.

#include "core/command/render.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/command/rows.hpp"
#include "core/engine/views.hpp"

namespace baton::command {
namespace {

using engine::ServiceView;
using engine::WorkerQueue;
using engine::WorkerState;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<ServiceView> three_services() {
    std::vector<ServiceView> views(3);
    views[0].id = ServiceId{1};
    views[0].name = "op";
    views[1].id = ServiceId{2};
    views[1].name = "echo";
    views[2].id = ServiceId{3};
    views[2].name = "eat";
    return views;
}

WorkerRow worker_row(std::uint32_t id, std::string name, WorkerQueue queue) {
    WorkerRow row;
    row.view.id = WorkerId{id};
    row.view.service = ServiceId{2};
    row.view.service_name = std::move(name);
    row.view.queue = queue;
    row.view.state = queue == WorkerQueue::lazy ? WorkerState::defined : WorkerState::up;
    row.view.available = queue == WorkerQueue::idle;
    row.view.definition.path = "/usr/local/bin/isdecho";
    return row;
}

std::vector<WorkerRow> three_workers() {
    std::vector<WorkerRow> rows{worker_row(1, "thumbs", WorkerQueue::busy),
                                worker_row(2, "thumbs", WorkerQueue::idle),
                                worker_row(3, "thumbs", WorkerQueue::lazy)};
    auto& busy = rows[0].view;
    busy.process_id = 895;
    busy.transactions = 1204;
    busy.average_response = milliseconds(412);
    busy.last_response = milliseconds(1830);
    busy.client = ClientId{77};
    busy.running = 3;
    busy.slots = 4;
    busy.available = true;
    rows[0].fd = 14;
    rows[1].view.process_id = 896;
    rows[1].view.last_response = milliseconds(8);
    rows[1].fd = 15;
    rows[2].view.state = WorkerState::backoff;
    rows[2].view.retry_after = seconds(4);
    rows[2].view.restarts = 6;
    return rows;
}

// ---- Golden layouts

TEST(Layout, IS5_Services) {
    EXPECT_EQ(services_text(three_services()),
              "                         service          id\n"
              "                             eat           3\n"
              "                            echo           2\n"
              "                              op           1");
}

TEST(Layout, IS5_PausedWorkers) {
    const std::vector<Affected> workers{{WorkerId{2}, "eat"}, {WorkerId{1}, "echo"}};
    EXPECT_EQ(affected_text("paused", workers),
              "paused worker->id = 2, worker->name = eat\n"
              "paused worker->id = 1, worker->name = echo");
}

TEST(Layout, IS8_Status) {
    StatusView status;
    status.host = "isect";
    status.services = 3;
    status.clients = 1;
    status.idle_workers = 2;
    status.worker_socket_fd = 4;
    status.worker_port = 12417;
    status.command_socket_fd = 5;
    status.command_port = 5501;
    status.next_client_id = 4;
    status.buckets = {0, 0, 0, 0, 0, 0};
    const std::string text = status_text(status);
    EXPECT_TRUE(
        text.starts_with("isdData.configfile       = \"\"\n"
                         "isdData.host             = \"isect\"\n"
                         "isdData.ServiceList      = 3\n"
                         "isdData.PriList          = 1\n"
                         "isdData.LazyWorkers      = 0\n"
                         "isdData.IdleWorkers      = 2\n"
                         "isdData.BusyWorkers      = 0\n"
                         "isdData.socket           = 4\n"
                         "isdData.port             = 12417\n"
                         "isdData.req_socket       = 5\n"
                         "isdData.req_port         = 5501\n"
                         "isdData.NextClientID     = 4\n"
                         "isdData.MaxUsers         = 0\n"
                         "isdData.command_worker   = \"op\"\n"
                         "isdData.Events           = 0\n"
                         "isdData.NumEvents        = 0\n"
                         "isdData.NumBuckets       = 6\n"
                         "isdData.BucketSecs       = 10\n"
                         "isdData.PeakBucket       = 0\n"
                         "isdData.Buckets          = 0  0  0  0  0  0\n"
                         "baton.version            = "))
        << text;
}

TEST(Layout, IS6_WorkerHasAllMembersOfTheSeedInItsOrder) {
    WorkerDetail detail;
    detail.row = worker_row(1, "echo", WorkerQueue::idle);
    detail.row.view.process_id = 895;
    detail.row.view.transactions = 1;
    detail.row.view.from_count = 1;
    detail.row.view.to_count = 1;
    detail.row.view.restarts = 1;
    const std::vector<WorkerRow> all{detail.row, worker_row(4, "echo", WorkerQueue::idle)};
    EXPECT_TRUE(worker_text(detail, all)
                    .starts_with("worker->node.next = 4\n"
                                 "worker->node.previous = 0\n"
                                 "worker->node.queue = idle\n"
                                 "worker->id = 1\n"
                                 "worker->service_id = 2\n"
                                 "worker->hostpid = 895\n"
                                 "worker->name = \"echo\"\n"
                                 "worker->host = \"localhost\"\n"
                                 "worker->path = \"/usr/local/bin/isdecho\"\n"
                                 "worker->args = \"\"\n"
                                 "worker->Transactions = 1\n"
                                 "worker->fromCount = 1\n"
                                 "worker->toCount = 1\n"
                                 "worker->restarts = 1\n"
                                 "worker->stopped = 0\n"
                                 "worker->up_not_log_in = 0\n"));
}

TEST(Layout, IS6_TheHeadOfTheCurrentRequestAsADump) {
    WorkerDetail detail;
    detail.row = worker_row(1, "echo", WorkerQueue::busy);
    detail.current_head = "GET /a HTTP/1.1\r\n\x01";
    const std::string text = worker_text(detail, {});
    EXPECT_TRUE(text.ends_with(
        "\nworker->current_request = 18 bytes\n"
        "0000  47 45 54 20 2f 61 20 48  54 54 50 2f 31 2e 31 0d  |GET /a HTTP/1.1.|\n"
        "0010  0a 01                                             |..|"))
        << text;
}

TEST(Layout, IS6_WorkersByQueueWithAllColumns) {
    EXPECT_EQ(workers_text(three_workers(), std::nullopt),
              "service        worker id avail? hostname   host pid xactions avg. resp. last resp. "
              "restarts "
              "client id   fd\n"
              "LAZY\n"
              "thumbs                 3 no     localhost         -        0          -          -  "
              "      6 "
              "        -    - backoff 4.00s\n"
              "IDLE\n"
              "thumbs                 2 yes    localhost       896        0          -     8.00ms  "
              "      0 "
              "        -   15\n"
              "BUSY\n"
              "thumbs                 1 yes    localhost       895     1204      412ms      1.83s  "
              "      0 "
              "    77 +2   14");
}

TEST(Layout, IS6_OneQueue) {
    const std::string text = workers_text(three_workers(), WorkerQueue::idle);
    EXPECT_EQ(std::ranges::count(text, '\n'), 2);
    EXPECT_TRUE(text.contains("\nIDLE\nthumbs                 2 yes"));
}

TEST(Layout, LinesOfWorkersFitOnAWideTerminal) {
    auto rows = three_workers();
    for (WorkerRow& row : rows) {
        row.view.service_name = "images-of-maps";
        row.view.process_id = 4'194'304;
        row.view.transactions = 99'999'999;
        row.view.restarts = 99'999;
    }
    std::string_view rest;
    const std::string text = workers_text(rows, std::nullopt);
    rest = text;
    while (!rest.empty()) {
        const std::size_t size = std::min(rest.find('\n'), rest.size());
        EXPECT_LE(size, 120U) << rest.substr(0, size);
        rest.remove_prefix(std::min(rest.size(), size + 1));
    }
}

TEST(Layout, Clients) {
    ClientRow row;
    row.id = ClientId{404};
    row.kind = "http";
    row.service = "echo";
    row.address = "127.0.0.1:40312";
    row.transactions = 3;
    row.worker = WorkerId{1};
    row.fd = 9;
    EXPECT_EQ(clients_text(std::vector{row}),
              "    id service        priority loghost         hostpid blocked xactions avg. resp. "
              "last resp. worker id   fd\n"
              "   404 echo                  2 127.0.0.1:40312       - no             3          - "
              "         -         1    9");
}

TEST(Layout, RoutesAndListeners) {
    EXPECT_EQ(
        routes_text(
            std::vector<RouteRow>{{{"www.example.org/thumbs/", "thumbs", "GET,HEAD", 3}, false},
                                  {{"www.example.org/", "nginx", "", std::nullopt}, true},
                                  {{"/", "echo", "", std::nullopt}, false}}),
        "route                    service        method   pri\n"
        "www.example.org/thumbs/  thumbs         GET,HEAD   3\n"
        "www.example.org/         nginx          -          - bridged: others share its host\n"
        "/                        echo           -          -");
    ListenerRow http;
    http.spec.address = "127.0.0.1:0";
    http.spec.backlog = 64;
    http.address = "127.0.0.1:8080";
    ListenerRow command;
    command.spec.kind = ListenerKind::command;
    command.spec.token = "secret";
    command.address = "127.0.0.1:5501";
    EXPECT_EQ(listeners_text(std::vector{http, command}),
              "kind    address                  connections options\n"
              "http    127.0.0.1:8080                     0 backlog=64\n"
              "command 127.0.0.1:5501                     0 'token=***'");
}

TEST(Layout, Times) {
    EXPECT_EQ(response_text(std::nullopt), "-");
    EXPECT_EQ(response_text(std::chrono::microseconds(1234)), "1.23ms");
    EXPECT_EQ(response_text(milliseconds(12)), "12.0ms");
    EXPECT_EQ(response_text(milliseconds(999)), "999ms");
    EXPECT_EQ(response_text(milliseconds(9994)), "9.99s");
    EXPECT_EQ(response_text(seconds(59)), "59.0s");
    EXPECT_EQ(response_text(seconds(125)), "2m05s");
    EXPECT_EQ(response_text(std::chrono::hours(3) + std::chrono::minutes(7)), "3h07m");
    EXPECT_EQ(response_text(std::chrono::hours(24 * 30)), "30d00h");
    EXPECT_EQ(time_text(std::chrono::system_clock::time_point(milliseconds(1'795'266'245'123))),
              "2026-11-21 13:04:05.123");
}

// ---- Events

EventRow event(engine::EventKind kind, std::uint64_t value = 0, Errc reason = {}) {
    EventRow row;
    row.at = std::chrono::system_clock::time_point(milliseconds(1'795'266'245'123));
    row.event.kind = kind;
    row.event.value = value;
    row.event.reason = reason;
    row.event.request = RequestId{17};
    row.event.client = ClientId{4};
    row.event.worker = WorkerId{2};
    row.service = "echo";
    return row;
}

TEST(Events, IS10_SayWhyARequestWasOrWasNotScheduled) {
    const std::vector<EventRow> rows{
        event(engine::EventKind::request_refused, 0, Errc::queue_full),
        event(engine::EventKind::request_queued, 3),
    };
    EXPECT_EQ(
        events_text(rows),
        "2026-11-21 13:04:05.123 echo: request 17 of client 4 is refused: " +
            std::string(describe(Errc::queue_full).text) +
            "\n"
            "2026-11-21 13:04:05.123 echo: request 17 of client 4 waits: no worker has a free "
            "slot (3 waiting)");
    EXPECT_EQ(events_text({}), "");
}

TEST(Events, EveryKindHasANameAndAText) {
    for (int kind = 0; kind <= static_cast<int>(engine::EventKind::command); ++kind) {
        EventRow row = event(static_cast<engine::EventKind>(kind), 1);
        row.text = "uid 0: reset";
        EXPECT_NE(event_name(row.event.kind), "?");
        EXPECT_FALSE(event_text(row).empty());
    }
}

// ---- JSON

TEST(Json, NumbersAreWrittenAsPeopleWriteThem) {
    auto views = three_services();
    views[0].options.idle_timeout = std::chrono::milliseconds(60000);
    views[0].response_p50 = std::chrono::microseconds(37250);
    const std::string text = service_json(views[0]);
    EXPECT_TRUE(text.contains(R"("idle_timeout_ms":60000,)")) << text;
    EXPECT_TRUE(text.contains(R"("response_p50_ms":37.25,"response_p99_ms":null,)")) << text;
}

TEST(Json, IsParsedAndHoldsWhatTextHolds) {
    const auto services = boost::json::parse(services_json(three_services())).as_array();
    ASSERT_EQ(services.size(), 3U);
    EXPECT_EQ(services[0].at("name"), "eat");
    EXPECT_EQ(services[0].at("options").at("idle_timeout_ms"), 60000);
    EXPECT_TRUE(services[0].at("response_p99_ms").is_null());
    EXPECT_TRUE(services[0].at("options").at("max").is_null());

    const auto workers = boost::json::parse(workers_json(three_workers(), std::nullopt)).as_array();
    EXPECT_EQ(workers[0].at("queue"), "busy");
    EXPECT_EQ(workers[0].at("pid"), 895);
    EXPECT_EQ(workers[0].at("client"), 77);
    EXPECT_TRUE(workers[1].at("client").is_null());
    EXPECT_EQ(workers[2].at("state"), "backoff");
    EXPECT_EQ(
        boost::json::parse(workers_json(three_workers(), WorkerQueue::idle)).as_array().size(), 1U);
    EXPECT_EQ(boost::json::parse(status_json({})).at("rejecting"), false);
    EXPECT_TRUE(boost::json::parse(routes_json({})).as_array().empty());
    EXPECT_TRUE(boost::json::parse(clients_json({})).as_array().empty());
    const std::vector<EventRow> events{event(engine::EventKind::worker_hung, 0, Errc::worker_hung)};
    const auto row = boost::json::parse(events_json(events)).as_array()[0];
    EXPECT_EQ(row.at("at"), "2026-11-21T13:04:05.123Z");
    EXPECT_EQ(row.at("reason"), "worker_hung");
}

TEST(Json, BytesThatAreNoUtf8AreReplaced) {
    const std::vector<std::string> lines{
        "a\xff"
        "b",
        "gr\xc3\xbc\xc3\x9f", "\xc3", "\xed\xa0\x80"};
    const auto array = boost::json::parse(lines_json(lines)).as_array();
    EXPECT_EQ(array[0],
              "a\xef\xbf\xbd"
              "b");
    EXPECT_EQ(array[1], "gr\xc3\xbc\xc3\x9f");
    EXPECT_EQ(array[2], "\xef\xbf\xbd");
}

TEST(Json, WhatAgentsAreTold) {
    AgentConfiguration configuration;
    configuration.worker_socket = "/run/baton/baton.sock.workers";
    configuration.services = {{"thumbs", true}, {"op2", false}};
    AgentWorker worker;
    worker.id = WorkerId{7};
    worker.service = "thumbs";
    worker.definition.path = "/srv/worker";
    worker.definition.arguments = {"--size", "256"};
    worker.definition.environment = {"A=b"};
    worker.definition.isectd_arguments = true;
    worker.definition.accept = engine::AcceptBy::adopt;
    worker.definition.accept_port = 8080;
    configuration.workers = {worker};
    const auto json = boost::json::parse(agent_configuration_json("localhost", configuration));
    EXPECT_EQ(json, boost::json::parse(R"({
        "host": "localhost", "worker_socket": "/run/baton/baton.sock.workers",
        "reconnect_seconds": 30,
        "services": [{"name": "thumbs", "attach": true}, {"name": "op2", "attach": false}],
        "workers": [{"id": 7, "service": "thumbs", "path": "/srv/worker",
            "arguments": ["--size", "256"], "slots": 1, "user": "", "directory": "",
            "environment": ["A=b"], "limits": [], "output": "", "argv": "isectd",
            "accept": "adopt", "accept_port": 8080,
            "start_timeout_ms": 30000, "stop_timeout_ms": 10000, "drain_timeout_ms": 30000}]})"));
}

}  // namespace
}  // namespace baton::command
