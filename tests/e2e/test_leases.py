"""Leases: a worker keeps a connection for next requests, and gives it back when it should."""

import json
import os
import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from harness import processes
from harness.daemon import bin_dir
from harness.waiting import LIMIT_SECONDS, wait_until

WORKER = bin_dir() / "baton-test-worker"


def start(baton, stage, options="lease=on", slots=1, workers=1, extra="", daemon=()):
    baton.start(f"""
        config service work min={workers} max={workers} backoff=20ms {options}
        config worker work localhost slots={slots} {stage.environment()} {WORKER} heads
        route / work
        {extra}
    """, *daemon)
    wait_for_idle(baton, workers)
    return baton


def wait_for_idle(baton, count, service="work"):
    wait_until(lambda: len([row for row in baton.json("workers")
                            if row["queue"] == "idle" and row["service"] == service]) == count,
               "the workers are idle")


def deliveries(baton) -> int:
    return len([event for event in baton.json("listevents 10000") if event["kind"] == "request_delivered"])


def worker_of(answer) -> int:
    return int(answer.fields["x-worker"])


def test_next_requests_of_a_leased_connection_cost_no_decision(baton, stage):
    start(baton, stage)
    with baton.connect() as client:
        for number in range(50):
            answer = client.get(f"/?number={number}")
            assert answer.status == 200 and f"number={number}" in answer.text
    assert deliveries(baton) == 1


@pytest.mark.parametrize("slots", [1, 8])
def test_leased_requests_are_counted_everywhere(baton, stage, slots, tmp_path):
    log = tmp_path / "access.log"
    start(baton, stage, slots=slots, daemon=("--access-log", str(log), "--access-log-format", "json"))
    with baton.connect() as client:
        for number in range(20):
            client.get(f"/?number={number}", **{"User-Agent": "tester"})
    with baton.connect() as client:
        for number in range(5):
            client.request("POST", "/?posted", body=b"x" * 100)
    wait_until(lambda: baton.json("workers")[-1]["transactions"] == 25, "all are counted")
    assert baton.json("service work")["transactions"] == 25
    wait_until(lambda: log.read_text().count("\n") == 25, "all are logged")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["request"] for line in lines if "GET" in line["request"]] == [
        f"GET /?number={number} HTTP/1.1" for number in range(20)]
    assert {line["status"] for line in lines} == {200}
    assert sum(line["user_agent"] == "tester" for line in lines) == 20


def test_a_request_for_another_service_goes_back_unread(baton, stage):
    start(baton, stage, extra=f"""
        config service other min=1 max=1 lease=on
        config worker other localhost {WORKER} heads
        route /other/ other
        route /work-only other method=POST
    """)
    wait_for_idle(baton, 1, "other")
    pids = {row["service"]: row["pid"] for row in baton.json("workers")}
    with baton.connect() as client:
        for _ in range(20):
            assert worker_of(client.get("/")) == pids["work"]
            assert worker_of(client.get("/a")) == pids["work"]
            assert worker_of(client.get("/other/b")) == pids["other"]
            assert worker_of(client.get("/otherwise")) == pids["work"]
            assert worker_of(client.request("POST", "/work-only", body=b"z")) == pids["other"]


def test_pipelined_requests_for_two_services_are_answered_in_order(baton, stage):
    start(baton, stage, extra=f"""
        config service other min=1 max=1 lease=on
        config worker other localhost {WORKER} heads
        route /other/ other
    """)
    wait_for_idle(baton, 1, "other")
    pids = {row["service"]: row["pid"] for row in baton.json("workers")}
    targets = ["/1", "/2", "/other/3", "/other/4", "/5", "/other/6"]
    with baton.connect() as client:
        client.send("".join(f"GET {target} HTTP/1.1\r\nHost: t\r\n\r\n" for target in targets))
        for target in targets:
            answer = client.response()
            assert f"GET {target}\n" == answer.text
            assert worker_of(answer) == pids["other" if "other" in target else "work"]


def test_an_idle_lease_is_called_back_when_somebody_waits(baton, stage):
    """One worker, one slot: each request of the one client takes the connection from the other."""
    start(baton, stage)
    with baton.connect() as one, baton.connect() as other:
        for _ in range(200):
            assert one.get("/").status == 200
            assert other.get("/").status == 200
    assert deliveries(baton) >= 400


def test_a_busy_lease_ends_with_its_request_when_somebody_waits(baton, stage):
    start(baton, stage)
    with baton.connect() as one, baton.connect() as other:
        one.get("/")
        one.send("GET /?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        other.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        wait_until(lambda: baton.json("service work")["waiting"] == 1, "the other one waits")
        one.send("GET /?late HTTP/1.1\r\nHost: t\r\n\r\n")
        held.go_on()
        assert one.response().status == 200
        assert other.response().status == 200
        assert one.response().status == 200


def test_a_paused_worker_takes_no_more_requests_under_its_lease(baton, stage):
    start(baton, stage)
    with baton.connect() as client:
        client.get("/")
        baton.command("pause work")
        client.send("GET /?paused HTTP/1.1\r\nHost: t\r\n\r\n")
        wait_until(lambda: baton.json("service work")["waiting"] == 1, "the request waits")
        baton.command("ready work")
        assert client.response().status == 200


def test_after_a_change_of_routes_no_lease_goes_on_by_the_old_ones(baton, stage):
    start(baton, stage, extra=f"""
        config service other min=1 max=1 lease=on
        config worker other localhost {WORKER} heads
        route /unused/ other
    """)
    wait_for_idle(baton, 1, "other")
    pids = {row["service"]: row["pid"] for row in baton.json("workers")}
    with baton.connect() as client:
        for _ in range(20):
            assert worker_of(client.get("/x/1")) == pids["work"]
            baton.command("route /x/ other")
            assert worker_of(client.get("/x/2")) == pids["other"]
            baton.command("unroute /x/")


def test_lease_off_and_a_change_to_it_mean_a_decision_each_time(baton, stage):
    start(baton, stage)
    with baton.connect() as client:
        client.get("/")
        client.get("/")
        assert deliveries(baton) == 1
        baton.command("config service work lease=off")
        before = deliveries(baton)
        for _ in range(5):
            client.get("/")
        assert deliveries(baton) == before + 5


def holds(pid: int, client) -> bool:
    """Whether a process has a descriptor of the other end of a client's TCP connection."""
    port = f":{client.socket.getsockname()[1]:04X}"
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[2].endswith(port)}
    assert sockets, "the connection is there"
    held = set()
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            held.add(os.readlink(f"/proc/{pid}/fd/{number}"))
        except FileNotFoundError:  # closed meanwhile
            pass
    return not sockets.isdisjoint(held)


def test_no_duplicate_outlives_a_change_of_service(baton, stage):
    """Who has answered before could otherwise write into what another one answers."""
    start(baton, stage, "lease=off", extra=f"""
        config service other min=1 max=1 lease=off
        config worker other localhost {stage.environment()} {WORKER} heads
        route /other other
    """)
    wait_for_idle(baton, 1, "other")
    pids = {row["service"]: row["pid"] for row in baton.json("workers")}
    with baton.connect() as client:
        for _ in range(3):
            assert worker_of(client.get("/")) == pids["work"]
        assert holds(pids["work"], client), "it keeps its duplicate for the next request"
        client.send("GET /other?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        assert held.pid == pids["other"] and holds(held.pid, client)
        wait_until(lambda: not holds(pids["work"], client), "it has closed its duplicate")
        held.go_on()
        assert worker_of(client.response()) == pids["other"]
        # And back.
        assert worker_of(client.get("/")) == pids["work"]
        wait_until(lambda: not holds(pids["other"], client), "so has the other one")


def test_lease_auto_leaves_a_slot_for_who_comes_next(baton, stage):
    start(baton, stage, options="lease=auto", slots=2)
    with baton.connect() as one, baton.connect() as other:
        one.get("/")
        one.get("/")
        assert deliveries(baton) == 1  # leased: the other slot is free
        other.get("/")
        other.get("/")
        assert deliveries(baton) == 3  # not leased: it had the last slot


def test_what_the_front_would_refuse_goes_back_to_it(baton, stage):
    baton.start(f"""
        listen http 127.0.0.1:0 body-limit=1000 head-limit=2000
        config service work min=1 max=1 lease=on
        config worker work localhost {stage.environment()} {WORKER} heads
        route / work
    """)
    wait_for_idle(baton, 1)
    refused = {
        "GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n": 400,
        "GET / HTTP/1.1\r\n\r\n": 400,
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 2000\r\n\r\n": 413,
        f"GET / HTTP/1.1\r\nHost: t\r\nX-Long: {'x' * 2500}\r\n\r\n": 431,
        "GET / HTTP/3.1\r\nHost: t\r\n\r\n": 505,
    }
    for head, status in refused.items():
        with baton.connect() as client:
            assert client.get("/").status == 200
            client.send(head)
            assert client.response().status == status


def test_bodies_and_halves_of_heads_work_under_a_lease(baton, stage):
    start(baton, stage)
    with baton.connect() as client:
        client.get("/")
        assert client.request("POST", "/", body=b"y" * 70_000).text.endswith("y" * 70_000)
        client.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "5\r\nhello\r\n0\r\n\r\n")
        assert client.response().text.endswith("hello")
        client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert b"100 Continue" in client.read_until(b"\r\n\r\n")
        client.send("abc")
        assert client.response().text.endswith("abc")
        client.send("GET / HT")
        wait_for_idle(baton, 1)  # half a head takes no slot
        client.send("TP/1.1\r\nHost: t\r\n\r\n")
        assert client.response().status == 200
        assert client.get("/", Connection="close").fields["connection"] == "close"
        assert client.at_end()


def test_idle_leases_return_by_themselves(baton, stage):
    start(baton, stage)
    with baton.connect() as client:
        client.get("/")
        client.get("/")
        wait_for_idle(baton, 1)
        assert client.get("/").status == 200


def test_a_worker_killed_with_an_idle_lease_costs_the_client_nothing(baton, stage):
    start(baton, stage, workers=2)
    with baton.connect() as client:
        for _ in range(10):
            client.get("/")
            pid = worker_of(client.get("/"))
            processes.kill_9(pid)
            answer = client.get("/")
            assert answer.status == 200 and worker_of(answer) != pid
            wait_for_idle(baton, 2)


def test_a_worker_killed_in_a_leased_get_costs_the_client_nothing(baton, stage):
    """The head that it had read is in the ledger: another worker gets it."""
    start(baton, stage, workers=2)
    with baton.connect() as client:
        client.get("/")
        client.get("/")
        client.send("GET /?hold=after-read HTTP/1.1\r\nHost: t\r\nX-Mark: here\r\n\r\n")
        held = stage.wait()
        held.kill_9()
        answer = client.response()
        assert answer.status == 200 and answer.fields["x-attempt"] == "1"
        assert worker_of(answer) != held.pid
        assert client.get("/").status == 200


def test_a_worker_killed_in_a_leased_post_answers_502(baton, stage):
    start(baton, stage, workers=2)
    with baton.connect() as client:
        client.get("/")
        client.send("POST /?hold=after-read HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody")
        stage.wait().kill_9()
        assert client.response().status == 502


@pytest.mark.parametrize("before", [0, 3])
@pytest.mark.parametrize("lease", ["on", "off"])
def test_a_worker_killed_after_its_answer_leaves_a_connection_that_goes_on(baton, stage, lease, before):
    start(baton, stage, options=f"lease={lease}", workers=2)
    with baton.connect() as client:
        for _ in range(before):
            client.get("/")
        client.send("GET /?hold=after-answer HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        assert client.response().status == 200
        client.send("GET /next HTTP/1.1\r\nHost: t\r\n\r\n")
        held.kill_9()
        answer = client.response()
        assert answer.status == 200 and answer.text == "GET /next\n"


@pytest.mark.parametrize("lease", ["on", "off"])
def test_two_equal_pipelined_posts_with_a_kill_between_them_run_at_most_once_each(
        baton, stage, lease, tmp_path):
    start(baton, stage, options=f"lease={lease}", workers=2)
    note = tmp_path / "note"
    post = (f"POST /?hold=after-answer&note={note} HTTP/1.1\r\nHost: t\r\n"
            "Content-Length: 4\r\n\r\nbody")
    with baton.connect() as client:
        client.send(post + post)
        first = stage.wait()
        first.kill_9()
        assert client.response().status == 200
        second = stage.wait()
        second.go_on()
        assert client.response().status == 200
    assert note.read_text() == "once\nonce\n"


def test_a_batond_killed_under_leases_ends_the_connections(baton, stage):
    start(baton, stage, slots=4)
    clients = [baton.connect() for _ in range(4)]
    for client in clients:
        client.get("/")
        client.get("/")
    baton.kill_9()
    for client in clients:
        assert client.at_end()
        client.close()
    baton.restart()
    wait_for_idle(baton, 1)
    assert baton.get("/").status == 200


def test_connections_beyond_the_slots_share_them(baton, stage):
    start(baton, stage, slots=4)
    clients = [baton.connect() for _ in range(12)]
    for round_number in range(30):
        for client in clients:
            client.send(f"GET /?round={round_number} HTTP/1.1\r\nHost: t\r\n\r\n")
        for client in clients:
            assert client.response().status == 200
    for client in clients:
        client.close()


def test_a_request_under_a_lease_has_the_time_of_the_queue_for_itself(baton, stage):
    """Its lease is older than any request may wait; it has only begun to."""
    start(baton, stage, options="lease=on queue-timeout=300ms")
    with baton.connect() as client:
        client.get("/")
        began = time.monotonic()
        while time.monotonic() < began + 0.5:
            client.get("/")
        assert deliveries(baton) == 1
        client.send("GET /?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
        stage.wait().kill_9()
        assert client.response().status == 200


def test_a_request_under_a_lease_has_its_own_attempts(baton, stage):
    start(baton, stage, options="lease=on retries=1", workers=2)
    with baton.connect() as client:
        for _ in range(3):
            client.send("GET /?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
            stage.wait().kill_9()
            answer = client.response()
            assert answer.status == 200 and answer.fields["x-attempt"] == "1"
            assert client.get("/").fields["x-attempt"] == "0"
            wait_until(lambda: len([row for row in baton.json("workers") if row["pid"]]) == 2,
                       "the killed one is back")


def test_a_client_that_does_not_send_its_body_costs_no_worker(baton, stage):
    start(baton, stage, options="lease=on answer-timeout=500ms")
    with baton.connect() as client:
        client.get("/")
        pid = worker_of(client.get("/"))
        client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc")
        assert client.read_to_end() == b""
    wait_for_idle(baton, 1)
    assert worker_of(baton.get("/")) == pid


def test_an_answer_by_other_means_leaves_the_connection_and_the_figures_right(baton, stage):
    """baton_done_as() under a lease."""
    start(baton, stage)
    with baton.connect() as client:
        for target in ("/", "/?nobody=1", "/", "/", "/?nobody=1", "/"):
            assert client.get(target).text == f"GET {target}\n"
    wait_until(lambda: baton.json("workers")[-1]["transactions"] == 6, "all are counted")
    assert baton.json("service work")["transactions"] == 6


def watched_by(pid: int) -> int:
    """Registrations in the epoll instances of a process."""
    count = 0
    for entry in os.scandir(f"/proc/{pid}/fd"):
        if "eventpoll" in os.readlink(entry.path):
            with open(f"/proc/{pid}/fdinfo/{entry.name}", encoding="ascii") as info:
                count += info.read().count("tfd:")
    return count


def test_a_connection_released_under_a_lease_is_watched_no_more(baton, stage):
    start(baton, stage, slots=2)
    pid = baton.json("workers")[0]["pid"]
    before = watched_by(pid)
    with baton.connect() as client:
        client.get("/")
        client.get("/")
        client.send("GET /?keep-slot=1 HTTP/1.1\r\nHost: t\r\n"
                    "Connection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        assert client.response().status == 101
        client.send("hello\n")
        assert client.read(6) == b"hello\n"
        assert watched_by(pid) == before


def test_batond_ends_under_leased_load(baton, stage):
    """Leases are called back: nobody is served on and on while batond waits for its clients."""
    start(baton, stage, slots=4, daemon=("--drain", "3600"))
    address = baton.listener()
    answers, failures = [], []

    def ask():
        client = baton.connect(address)
        try:
            while not failures:
                answers.append(len(client.get("/size/16000").body))
        except EOFError as error:
            if "got b''" not in str(error):
                failures.append(error)
        except OSError:
            pass  # the next request met the end

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(answers) > 100, "they are served")
    baton.process.terminate()
    for thread in threads:
        thread.join(LIMIT_SECONDS)
        if thread.is_alive():
            failures.append("it is served still")
    for thread in threads:
        thread.join()
    assert failures == []
    assert set(answers) == {16000}
    assert baton.wait_for_end() == 0


class LyingWorker:
    """Speaks the worker link, and says what no worker should."""

    def __init__(self, baton, service: str, slots: int = 1):
        self.link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.link.connect(f"{baton.socket}.workers")
        name = service.encode()
        self.say(1, struct.pack("<HHIQIIIHH", 1, 1, 4 | 32, 0, slots, slots, os.getpid(),
                                len(name), 0) + name)
        kind = struct.unpack_from("<H", self.link.recv(65536))[0]
        assert kind == 33  # WELCOME

    def say(self, kind: int, body: bytes):
        body += b"\0" * (-len(body) % 8)
        self.link.send(struct.pack("<HHI", kind, 0, 8 + len(body)) + body)

    def leased(self, assignment: int, request: int, count: int, records: bytes):
        self.say(7, struct.pack("<QQII", assignment, request, count, len(records)) + records)


def test_a_lying_worker_s_reports_harm_nobody(baton, stage, tmp_path):
    log = tmp_path / "access.log"
    start(baton, stage, extra="config service other", daemon=("--access-log", str(log)))
    liar = LyingWorker(baton, "other")
    record = struct.pack("<QQQHHHH", 1, 2 ** 63, 2 ** 64 - 1, 200, 5, 0, 0) + b"LIES!"
    with baton.connect() as client:
        client.send("GET /?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        event = [event for event in baton.json("listevents 10000")
                 if event["kind"] == "request_delivered"][-1]
        request = int(event["request"])
        for assignment in range(1, 200):
            liar.leased(assignment, request, 2 ** 32 - 1, record)
        wait_until(lambda: baton.json("service other") is not None, "batond is well")
        held.go_on()
        assert client.response().status == 200
    wait_until(lambda: "GET" in log.read_text(), "the request is logged")
    assert log.read_text().count("\n") == 1
    liar.link.close()
