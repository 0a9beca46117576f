"""HTTP as clients speak it: the connection goes to a worker and comes back."""

import json
import socket
import sys
from pathlib import Path

import pytest

from harness.daemon import bin_dir
from harness.waiting import wait_until

WORKER = Path(__file__).parent / "workers/scripted_worker.py"
CONFIG = f"""
    listen http 127.0.0.1:0
    config service work max=2 min=1 {{options}}
    config worker work localhost {sys.executable} {WORKER} {{arguments}}
    route / work
"""


def configuration(options="", arguments="", more="") -> str:
    return CONFIG.format(options=options, arguments=arguments) + more


@pytest.fixture(params=["handoff", "bridge"])
def work(baton, request):
    """Whatever holds for a handed-over connection holds for a bridged one."""
    return baton.start(configuration(options=f"delivery={request.param}"))


def test_keep_alive_carries_many_requests_on_one_connection(work):
    with work.connect() as client:
        seen = {client.get(f"/?size={size}").fields["x-request"] for size in (0, 10, 100_000)}
    assert len(seen) == 3


def test_pipelined_requests_are_answered_in_order(work):
    with work.connect() as client:
        client.send("".join(f"GET /?size={size} HTTP/1.1\r\nHost: t\r\n\r\n" for size in (1, 2, 3)))
        assert [len(client.response().body) for _ in range(3)] == [1, 2, 3]


def test_a_sized_body_reaches_the_worker_and_nothing_of_the_next_request_does(work):
    with work.connect() as client:
        client.send("POST /?echo=1 HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello"
                    "POST /?echo=1 HTTP/1.1\r\nHost: t\r\nContent-Length: 6\r\n\r\nsecond")
        assert client.response().body == b"hello"
        assert client.response().body == b"second"


def test_a_large_body_arrives_whole(work):
    body = bytes(range(256)) * 4096
    assert work.connect().request("PUT", "/?echo=1", body).body == body


def test_head_has_no_body_and_the_connection_goes_on(work):
    with work.connect() as client:
        answer = client.request("HEAD", "/?size=100")
        assert (answer.status, answer.fields["content-length"]) == (200, "100")
        assert client.get("/").status == 200


def test_http_1_0_without_keep_alive_is_closed_after_the_answer(work):
    with work.connect() as client:
        client.send("GET /?close=1 HTTP/1.0\r\n\r\n")
        assert client.response().status == 200
        assert client.at_end()


def test_close_by_the_worker_ends_the_connection_without_a_reset(work):
    with work.connect() as client:
        client.send("GET /?close=1&size=50000 HTTP/1.1\r\nHost: t\r\n\r\nGET /never HTTP/1.1\r\n")
        assert len(client.response().body) == 50_000
        assert client.at_end()


def test_a_worker_that_leaves_the_body_unread_loses_the_connection_not_the_answer(work):
    with work.connect() as client:
        client.send("POST /?unread=1&size=3 HTTP/1.1\r\nHost: t\r\nContent-Length: 29\r\n\r\n"
                    "GET /smuggled HTTP/1.1\r\nA: b\r\n")
        assert client.response().body == b"xxx"
        assert client.at_end()


def test_a_worker_that_lies_about_what_it_read_loses_the_connection(work):
    with work.connect() as client:
        assert client.get("/?lie=7").status == 200
        assert client.at_end()


def test_a_request_behind_a_close_cuts_nothing_off_the_answer_before_it(work):
    """The client sends more when the worker has long said `close`: a reset now would destroy what it
    has not read yet."""
    with work.connect() as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        client.send("GET /?close=1&size=100000 HTTP/1.1\r\nHost: t\r\n\r\n")
        wait_until(lambda: work.json("service work")["transactions"] == 1, "the worker is done")
        client.send("GET /never HTTP/1.1\r\nHost: t\r\n\r\n")
        assert len(client.response().body) == 100_000
        assert client.at_end()


@pytest.mark.parametrize("disposition", ["keep", "close"])
def test_a_worker_that_is_done_without_an_answer_leaves_nobody_in_silence(work, disposition):
    with work.connect() as client:
        close = "&close=1" if disposition == "close" else ""
        client.send(f"GET /?nothing=1{close} HTTP/1.1\r\nHost: t\r\n\r\n")
        answer = client.response()
    assert answer.status == 502
    assert "worker_protocol" in answer.text
    assert work.get("/").status == 200


@pytest.mark.parametrize("body", ["zz\r\n", "3\r\nabc\r\nzz\r\n", "3\nabc\r\n0\r\n\r\n", "-1\r\n"])
def test_bad_chunking_that_baton_reads_is_a_400_and_hurts_nobody_else(baton, body):
    worker = bin_dir() / "baton-test-worker"
    baton.start(f"""
        listen http 127.0.0.1:0
        config service work min=1 max=1 delivery=bridge
        config worker work localhost {worker}
        route / work
    """)
    with baton.connect() as client:
        client.send("PUT /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
        assert client.response().status == 400
        assert client.at_end()
    assert baton.get("/size/10").status == 200
    assert baton.json("service work")["restarts"] == 0


def test_an_upgraded_connection_stays_with_its_worker(work):
    with work.connect() as client:
        client.send("GET /?upgrade=1 HTTP/1.1\r\nHost: t\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
        assert client.response().status == 101
        client.send("to and fro")
        assert client.read(10) == b"to and fro"
        # The service goes on beside it.
        assert work.get("/").status == 200
        client.half_close()
        assert client.read_to_end() == b""


def test_a_worker_that_hangs_cannot_keep_a_client_of_a_unix_listener(baton):
    baton.start(configuration(options="answer-timeout=300ms", more="listen http unix:http.sock\n"))
    with baton.connect(baton.listener(index=1)) as client:
        client.send("GET /?silent=1 HTTP/1.1\r\nHost: t\r\n\r\n")
        assert client.at_end()
    wait_until(lambda: baton.json("service work")["restarts"] == 1, "the worker is ended and counted")


@pytest.mark.parametrize("listener", [0, 1], ids=["tcp", "unix"])
def test_empty_lines_between_two_requests_are_waited_out(baton, listener):
    baton.start(configuration(more="listen http unix:http.sock keepalive-timeout=20s\n"))
    with baton.connect(baton.listener(index=listener)) as client:
        assert client.get("/").status == 200
        client.send("\r\n")
        # By the time another client has been served the first look at the line is long over.
        for _ in range(50):
            assert baton.get("/").status == 200
        assert client.get("/").status == 200


def test_curl_gets_what_it_asks_for(work):
    answer = work.curl("/?size=300000")
    assert (answer.status, len(answer.body)) == (200, 300_000)
    answer = work.curl("/?echo=1", "-X", "PUT", "-d", "a=b")
    assert answer.body == b"a=b"


def test_listeners_of_every_kind_serve_the_same_routes(baton):
    baton.start(configuration(more="listen http [::1]:0\nlisten http unix:http.sock\n"))
    for index in range(3):
        with baton.connect(baton.listener(index=index)) as client:
            assert client.get("/").status == 200
            assert client.get("/").status == 200


def test_a_redelivered_request_is_bridged_to_a_worker_that_takes_no_bytes_beside(baton, stage):
    baton.start(f"""
        config service work min=2 max=2
        config worker work localhost {stage.environment()} {sys.executable} {WORKER} --no-bytes-beside
        route / work
    """)
    wait_until(lambda: baton.json("service work")["idle"] == 2, "both workers are idle")
    with baton.connect() as client:
        client.send("PUT /?hold=after-read&echo=1 HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody")
        stage.wait().kill_9()
        answer = client.response()
    assert (answer.status, answer.body, answer.fields["x-attempt"]) == (200, b"body", "1")


@pytest.mark.parametrize("head, status", [
    ("GET / HTTP/1.1\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ("GET / HTTP/1.1\nHost: a\n\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n", 400),
    ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: " + "x" * 20_000 + "\r\n\r\n", 431),
    ("GET / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n", 417),
], ids=["no-host", "two-hosts", "bare-lf", "folded", "length-and-coding", "two-lengths", "version",
        "too-large", "expectation"])
def test_what_two_parsers_could_read_in_two_ways_is_refused_before_a_worker_sees_it(
        baton, head, status):
    baton.start(configuration())
    with baton.connect() as client:
        client.send(head)
        assert client.response().status == status
        assert client.at_end()
    assert baton.json("service work")["transactions"] == 0


def test_error_bodies_are_text_or_json_as_the_client_likes_with_a_request_id(baton):
    baton.start("config service work max=1\nroute /work work")
    plain = baton.get("/nowhere")
    assert plain.status == 404 and plain.fields["content-type"].startswith("text/plain")
    assert plain.fields["x-request-id"] in plain.text
    spoken = json.loads(baton.get("/nowhere", Accept="application/json").body)
    assert (spoken["status"], spoken["error"]) == (404, "no_route")


def test_routes_by_host_longest_prefix_and_method(baton):
    baton.start(f"""
        config service one max=1
        config worker one localhost {sys.executable} {WORKER}
        config service two max=1
        config worker two localhost {sys.executable} {WORKER}
        route / one
        route /deep/er two method=GET
        route www.example.org/ two
        route *.example.org/ one
    """)
    def goes_to(service, target, **fields):
        before = baton.json(f"service {service}")["transactions"]
        assert baton.get(target, **fields).status == 200
        # The answer comes before the worker's `done`.
        wait_until(lambda: baton.json(f"service {service}")["transactions"] == before + 1, service)

    goes_to("two", "/deep/er/still")
    goes_to("one", "/deep")
    goes_to("two", "/", Host="www.example.org")
    goes_to("one", "/", Host="a.b.example.org")
    refused = baton.connect().request("POST", "/deep/er")
    assert (refused.status, refused.fields["allow"]) == (405, "GET")


def test_limits_on_connections_are_kept(baton):
    baton.start(configuration().replace("127.0.0.1:0", "127.0.0.1:0 max-per-address=2"))
    first, second = baton.connect(), baton.connect()
    for client in (first, second):  # they have been let in when they are answered
        assert client.get("/").status == 200
    third = baton.connect()
    third.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
    assert third.response().status == 503
    first.close()
    second.close()
    wait_until(lambda: baton.get("/").status == 200, "there is room again")


def test_a_head_that_never_ends_is_a_408(baton):
    baton.start(configuration().replace("127.0.0.1:0", "127.0.0.1:0 head-timeout=200ms"))
    with baton.connect() as client:
        client.send("GET / HTTP/1.1\r\nHost:")
        assert client.response().status == 408
        assert client.at_end()


def test_the_access_log_says_who_was_served_by_whom_and_how_long_it_took(baton):
    baton.start(configuration(), "--access-log", "access.log", "--access-log-format", "json")
    answer = baton.get("/?size=5", User_Agent='a "quoted" agent')
    baton.get("/")
    log = baton.folder / "access.log"
    wait_until(lambda: log.exists() and log.read_text().count("\n") == 2, "two lines")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    # In the order in which the front hears of their end, which under leases is not that of the answers.
    line = next(line for line in lines if line["request"] == "GET /?size=5 HTTP/1.1")
    assert (line["status"], line["service"], line["error"]) == (200, "work", None)
    assert str(line["request_id"]) == answer.fields["x-request"]
    assert line["queue_ms"] > 0 and line["service_ms"] > 0


def test_an_access_log_that_cannot_be_written_is_said_once_and_counted(baton):
    baton.start(configuration(more="listen admin 127.0.0.1:0\n"), "--access-log", "/dev/full")
    for _ in range(3):
        assert baton.get("/").status == 200

    def dropped():
        return b"baton_log_lines_dropped_total 3" in baton.connect(baton.listener("admin")).get("/metrics", Host="127.0.0.1").body
    wait_until(dropped, "all lines are counted")
    assert baton.log_text().count("the access log cannot be written: No space left on device") == 1


def test_metrics_and_json_pages_of_the_admin_listener(baton):
    baton.start(configuration(more="listen admin 127.0.0.1:0\n"))
    baton.get("/")
    wait_until(lambda: baton.json("service work")["transactions"] == 1, "it is counted")
    with baton.connect(baton.listener("admin")) as admin:
        text = admin.get("/metrics", Host="127.0.0.1").text
        assert 'baton_requests_total{service="work",outcome="answered"} 1' in text
        rows = json.loads(admin.get("/json/services", Host="127.0.0.1").body)
        assert {row["name"] for row in rows} == {"op", "work"}


def test_a_client_that_ends_its_side_with_its_request_is_closed_after_the_answer(baton):
    """Its end comes in the same moment as the request, and is reported once."""
    baton.start(configuration().replace("127.0.0.1:0", "127.0.0.1:0 keepalive-timeout=1h", 1))
    with baton.connect() as client:
        client.get("/")
        client.get("/")
        # In one segment.
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        client.half_close()
        assert client.response().status == 200
        assert client.at_end()


def test_a_request_behind_a_head_as_long_as_it_may_be_is_seen(baton):
    baton.start(configuration().replace(
        "127.0.0.1:0", "127.0.0.1:0 head-limit=4096 keepalive-timeout=1h", 1))
    head = "GET /first HTTP/1.1\r\nHost: t\r\nX-Long: "
    head += "x" * (4096 - len(head) - 4) + "\r\n\r\n"
    with baton.connect() as client:
        client.get("/")
        client.get("/")
        client.send(head + "GET /second HTTP/1.1\r\nHost: t\r\n\r\n")
        assert client.response().status == 200
        assert client.response().status == 200
