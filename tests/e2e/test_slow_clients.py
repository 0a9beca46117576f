"""Clients that do not read, or send their bodies slowly: they hold no worker's slot."""

import hashlib
import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import processes
from harness.daemon import bin_dir
from harness.waiting import wait_until

PYTHON_WORKER = Path(__file__).resolve().parents[2] / "examples/python/baton_worker.py"

WORKERS = 4
SLOW = 100
SIZE = 4 << 20
FAST = 50
ROOM = 16384  # of a slow client's own buffer

# With respond(), respond_file(), respond_write(); by a program that waits, and by one that never does.
WAYS = ["way=respond", "way=file", "way=write", "way=write&chunked=1",
        "way=respond&nowait=1", "way=file&nowait=1", "way=write&nowait=1"]


def config(options: str = "", listeners: str = "", argument: str = "") -> str:
    """Four workers of one slot each; with the argument `heads` they may be given leases."""
    return f"""
        {listeners}
        config service work min={WORKERS} max={WORKERS} backoff=50ms {options}
        config worker work localhost {bin_dir()}/baton-test-worker {argument}
        route / work
    """


def deliveries(baton) -> int:
    return sum(event["kind"] == "request_delivered" for event in baton.json("listevents 10000"))


def numbered_lines(size: int) -> bytes:
    """What ?lines=1 answers."""
    lines, length, number = [], 0, 0
    while length < size:
        lines.append(b"%d\n" % number)
        length += len(lines[-1])
        number += 1
    return b"".join(lines)[:size]


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


LINES = digest(numbered_lines(SIZE))


def wait_idle(baton):
    def idle():
        return [row["queue"] for row in baton.json("workers")] == ["idle"] * WORKERS
    wait_until(idle, "all workers are idle")


def rests(baton) -> int:
    return baton.json("status")["rests"]




def ask_slowly(baton, count: int, query: str) -> list:
    """Clients that ask for much and read nothing; returns when their workers have been freed."""
    expected = rests(baton) + count
    clients = [baton.connect(receive_buffer=ROOM) for _ in range(count)]
    for client in clients:
        client.send(f"GET /?size={SIZE}&lines=1&{query} HTTP/1.1\r\nHost: t\r\n\r\n")
    wait_until(lambda: rests(baton) == expected, f"{expected} answers have been handed back")
    return clients


def read_all(clients, then: str = "GET /after HTTP/1.1\r\nHost: t\r\n\r\n"):
    """Each gets its whole answer, and an answer to its next question on the same connection."""
    def read(client) -> tuple[bytes, str]:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        with client:
            answer = digest(client.response().body)
            client.send(then)
            return answer, client.response().text
    with ThreadPoolExecutor(16) as pool:
        for answer, after in pool.map(read, clients):
            assert answer == LINES
            assert after == "GET /after\n"


# -- answers

@pytest.mark.parametrize("query", WAYS)
def test_clients_that_read_nothing_leave_four_workers_of_one_slot_to_the_others(baton, query):
    baton.start(config())
    wait_idle(baton)
    slow = ask_slowly(baton, SLOW, query)
    wait_idle(baton)
    for number in range(FAST):
        assert baton.get(f"/{number}").text == f"GET /{number}\n"
    assert rests(baton) == SLOW
    read_all(slow)
    wait_until(lambda: rests(baton) == 0, "nothing is held any more")
    assert baton.json("status")["rest_bytes"] == 0
    assert sum(row["restarts"] for row in baton.json("workers")) == 0


@pytest.mark.parametrize("kind", ["delivery=bridge", "unix", "unix delivery=bridge"])
def test_it_makes_no_difference_how_the_client_is_reached(baton, kind):
    listeners = "listen http unix:http.sock" if "unix" in kind else "listen http 127.0.0.1:0"
    baton.start(config(options=kind.removeprefix("unix"), listeners=listeners))
    wait_idle(baton)
    slow = [client for way in WAYS[:4] for client in ask_slowly(baton, 4, way)]
    wait_idle(baton)
    assert baton.get("/fast").status == 200
    read_all(slow)


def test_a_worker_without_the_library_does_the_same(baton):
    baton.start(f"""
        listen http unix:http.sock
        config service work min=1 max=1
        config worker work localhost {sys.executable} {PYTHON_WORKER}
        route / work
    """)
    wait_until(lambda: baton.json("workers")[0]["queue"] == "idle", "the worker is idle")
    body = numbered_lines(900_000)
    slow = [baton.connect() for _ in range(8)]
    for client in slow:
        client.send(post(body, len(body)))
    wait_until(lambda: rests(baton) == len(slow), "all have been handed back")
    assert baton.get("/fast").text == "GET /fast\n"
    for client in slow:
        with client:
            assert client.response().body == b"POST /up\n" + body
            assert client.get("/after").text == "GET /after\n"


def test_a_pipelined_request_waits_until_the_rest_is_sent(baton):
    baton.start(config())
    wait_idle(baton)
    slow, = ask_slowly(baton, 1, "way=respond")
    slow.send("GET /after HTTP/1.1\r\nHost: t\r\n\r\n")
    assert baton.get("/fast").status == 200
    assert wait_until(lambda: baton.json("status")["transactions"] > 1 and
                      baton.json("status")["transactions"], "the fast one is counted") == 2
    read_all([slow], then="")


def test_workers_that_are_killed_after_their_done_cost_the_slow_clients_nothing(baton):
    baton.start(config())
    wait_idle(baton)
    slow = [client for way in WAYS[:3] for client in ask_slowly(baton, 8, way)]
    wait_idle(baton)
    for row in baton.json("workers"):
        processes.kill_9(row["pid"])
    read_all(slow)


def test_a_connection_that_is_to_end_ends_behind_the_rest(baton):
    baton.start(config())
    wait_idle(baton)
    slow, = ask_slowly(baton, 1, "way=respond&close=1")
    answer = slow.response()
    assert answer.fields["connection"] == "close"
    assert digest(answer.body) == LINES
    assert slow.at_end()


def test_an_answer_without_length_ends_with_the_connection_and_is_whole(baton):
    baton.start(config())
    wait_idle(baton)
    slow = baton.connect(receive_buffer=ROOM)
    slow.send(f"GET /?size={SIZE}&lines=1&way=write&chunked=1 HTTP/1.0\r\n\r\n")
    wait_until(lambda: rests(baton) == 1, "it has been handed back")
    assert digest(slow.response().body) == LINES


def test_the_access_log_tells_of_the_answer_when_it_is_sent(baton, tmp_path):
    log = tmp_path / "access.log"
    baton.start(config(), "--access-log", str(log), "--access-log-format", "json")
    wait_idle(baton)
    slow, gone = ask_slowly(baton, 2, "way=respond")
    assert baton.get("/fast").status == 200
    def lines() -> list[dict]:
        whole, _, _ = log.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]
    wait_until(lambda: len(lines()) == 1, "the fast one is logged")
    gone.close()
    wait_until(lambda: len(lines()) == 2, "the one that left is logged")
    slow.response()
    wait_until(lambda: len(lines()) == 3, "the slow one is logged")
    fast, left, answered = lines()
    assert (fast["error"], fast["status"]) == (None, 200)
    assert (left["error"], left["status"]) == ("client_gone", 200)
    assert left["bytes"] < SIZE
    assert (answered["error"], answered["status"]) == (None, 200)
    assert SIZE < answered["bytes"] < SIZE + 1000
    wait_until(lambda: rests(baton) == 0, "nothing is held for who has left")


def test_a_leased_connection_goes_back_with_its_rest_and_is_leased_again(baton, tmp_path):
    """Of a lease the rest of one answer is sent from here; each request is logged and counted once."""
    log = tmp_path / "access.log"
    baton.start(config("lease=on", argument="heads"), "--access-log", str(log), "--access-log-format",
                "json")
    wait_idle(baton)
    with baton.connect(receive_buffer=ROOM) as client:
        for turn in range(3):
            for number in range(4):
                assert client.get(f"/{turn}/{number}").status == 200
            expected = baton.json("status")["rests_total"] + 1
            client.send(f"GET /?size={SIZE}&lines=1&turn={turn} HTTP/1.1\r\nHost: t\r\n"
                        "User-Agent: slow\r\n\r\n")
            wait_until(lambda: baton.json("status")["rests_total"] == expected, "handed back")
            wait_idle(baton)
            assert baton.get("/fast").status == 200
            assert digest(client.response().body) == LINES
        assert client.get("/after").status == 200
    assert deliveries(baton) == 7  # three leases that end with a rest, three other clients, and the last
    wait_until(lambda: log.read_text().count("\n") == 19, "all are logged")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    large = [line for line in lines if line["user_agent"] == "slow"]
    assert [line["request"].split()[1] for line in large] == [
        f"/?size={SIZE}&lines=1&turn={turn}" for turn in range(3)]
    assert all(SIZE < line["bytes"] < SIZE + 500 for line in large)
    assert {line["status"] for line in lines} == {200}
    assert len({line["request"] for line in lines}) == 17  # one is asked for three times
    wait_until(lambda: baton.json("service work")["transactions"] == 19, "all are counted")


@pytest.mark.parametrize("delivery", ["handoff", "bridge"])
def test_a_client_that_takes_nothing_for_too_long_is_reset(baton, tmp_path, delivery):
    log = tmp_path / "access.log"
    baton.start(config(f"delivery={delivery}", "listen http 127.0.0.1:0 send-timeout=200ms"),
                "--access-log", str(log))
    wait_idle(baton)
    slow = baton.connect(receive_buffer=ROOM)
    slow.send(f"GET /?size={SIZE} HTTP/1.1\r\nHost: t\r\n\r\n")
    wait_until(lambda: log.read_text().endswith("client_stalled\n"), "it has been given up")
    assert baton.json("status")["http_clients"] == rests(baton) == 0
    with pytest.raises(ConnectionResetError):
        slow.response()


def test_what_is_held_has_a_limit_above_which_workers_wait(baton):
    baton.start(config() + "\nconfig rest-limit 4k")
    wait_idle(baton)
    slow = ask_slowly(baton, 1, "way=respond")
    patient = baton.connect(receive_buffer=ROOM)
    patient.send(f"GET /?size={SIZE}&lines=1&way=respond HTTP/1.1\r\nHost: t\r\n\r\n")
    wait_until(lambda: [row["queue"] for row in baton.json("workers")].count("busy") == 1,
               "a worker waits for its client")
    assert baton.get("/fast").status == 200
    assert rests(baton) == 1
    read_all([*slow, patient])
    assert baton.command("save").splitlines()[0] == "config rest-limit 4k"


def test_a_graceful_end_finishes_what_clients_still_take(baton):
    baton.start(config())
    wait_idle(baton)
    slow = ask_slowly(baton, 8, "way=respond")
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(baton.stop)
        wait_until(lambda: "ending" in baton.log_text(), "it is about to end")
        for client in slow:
            with client:
                assert digest(client.response().body) == LINES
                assert client.at_end()
        assert ended.result() == 0


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("options", ["", "delivery=bridge"])
def test_a_batond_that_is_killed_leaves_no_answer_that_looks_whole(baton, options, version):
    baton.start(config(options))
    wait_idle(baton)
    slow = baton.connect(receive_buffer=ROOM)
    slow.send(f"GET /?size={SIZE}&way=write&chunked=1 HTTP/{version}\r\nHost: t\r\n\r\n")
    wait_until(lambda: rests(baton) == 1, "it has been handed back")
    baton.kill_9()
    with pytest.raises(ConnectionResetError):
        slow.response()
    baton.restart()
    assert baton.get("/after").status == 200


def test_a_batond_that_is_killed_leaves_no_bridged_answer_that_looks_whole(baton, stage):
    """One that goes on to the end of the connection, of which a worker has written half."""
    baton.start(f"""
        config service work min=1 max=1 delivery=bridge
        config worker work localhost {stage.environment()} {bin_dir()}/baton-test-worker
        route / work
    """)
    with baton.connect() as client:
        client.send("GET /?hold=mid-answer&size=1000&chunked=1 HTTP/1.0\r\nHost: t\r\n\r\n")
        held = stage.wait()
        answer = client.socket.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200") and b"Transfer-Encoding" not in answer
        baton.kill_9()
        with pytest.raises(ConnectionResetError):
            while piece := client.socket.recv(65536):
                answer += piece
        held.go_on()
    baton.restart()
    assert baton.get("/after").status == 200


def test_a_graceful_end_does_not_wait_for_those_who_take_nothing(baton):
    baton.start(config(), "--drain", "0.2")
    wait_idle(baton)
    slow, = ask_slowly(baton, 1, "way=write&chunked=1")
    assert baton.stop() == 0
    with pytest.raises(ConnectionResetError):
        slow.response()


# -- bodies

def post(body: bytes, size: int, target: str = "/up", **fields: str) -> bytes:
    lines = [f"POST {target} HTTP/1.1", "Host: t", f"Content-Length: {size}",
             *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def sent_by(number: int, size: int) -> bytes:
    return (b"%d " % number * size)[:size]


def send_half(baton, count: int, size: int, **fields: str) -> list:
    """Clients of whose bodies half has come; returns when the front has seen all of them."""
    clients = [baton.connect() for _ in range(count)]
    for number, client in enumerate(clients):
        client.send(post(sent_by(number, size)[:size // 2], size, **fields))

    def seen():
        return sum(row["service"] == "work" for row in baton.json("clients")) == count
    wait_until(seen, "all heads have been read")
    return clients


def nobody_has_heard_of_them(baton):
    status = baton.json("status")
    return (status["waiting"], status["running"], status["transactions"]) == (0, 0, 0)


@pytest.mark.parametrize("size", [3000, 60_000, 600_000])
def test_slow_uploads_leave_four_workers_of_one_slot_to_the_others(baton, size):
    baton.start(config("wait-body=1m"))
    wait_idle(baton)
    slow = send_half(baton, SLOW, size)
    assert nobody_has_heard_of_them(baton)
    wait_idle(baton)
    for number in range(FAST):
        assert baton.get(f"/{number}").text == f"GET /{number}\n"

    def finish(number: int) -> bool:
        with slow[number] as client:
            body = sent_by(number, size)
            client.send(body[size // 2:])
            right = client.response().body == b"POST /up\n" + body
            return right and client.get("/after").text == "GET /after\n"
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(finish, range(SLOW)))


def test_of_a_large_body_so_much_is_waited_for_as_is_wanted(baton):
    """The body is larger than what a socket holds: the worker takes it out while it comes."""
    size = 8 << 20
    baton.start(config("wait-body=64k"))
    wait_idle(baton)
    body = sent_by(7, size)
    with baton.connect() as client:
        client.send(post(body[:60_000], size))
        wait_until(lambda: any(row["service"] == "work" for row in baton.json("clients")), "seen")
        assert nobody_has_heard_of_them(baton)
        client.send(body[60_000:70_000])
        wait_until(lambda: baton.json("status")["running"] == 1, "a worker has it")
        client.send(body[70_000:])
        assert client.response().body == b"POST /up\n" + body


def test_what_has_come_with_its_head_is_not_waited_for(baton):
    baton.start(config("wait-body=1m"))
    wait_idle(baton)
    with baton.connect() as client:
        assert client.request("POST", "/1", b"small").text == "POST /1\nsmall"
        assert client.request("POST", "/2", b"x" * 500_000).body[8:] == b"x" * 500_000
        assert client.get("/3").text == "GET /3\n"


def test_a_client_that_waits_for_100_continue_is_told_once(baton):
    baton.start(config("wait-body=64k"))
    wait_idle(baton)
    with baton.connect() as client:
        for number in (1, 2):
            client.send(post(b"", 5, f"/{number}", Expect="100-continue"))
            assert client.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
            assert baton.json("status")["running"] == 0
            client.send("hello")
            answer = client.response()
            assert (answer.text, answer.interim) == (f"POST /{number}\nhello", [])
        # One that does not wait needs not be told.
        client.send(post(b"hello", 5, "/3", Expect="100-continue"))
        answer = client.response()
        assert (answer.text, answer.interim) == ("POST /3\nhello", [])


@pytest.mark.parametrize("point", ["before-read", "after-read"])
def test_who_was_told_to_continue_is_given_to_another_worker_all_the_same(baton, stage, point):
    """The 100 Continue is the front's own word: no worker has begun to answer."""
    baton.start(f"""
        config service work min=2 max=2 backoff=50ms wait-body=64k
        config worker work localhost {stage.environment()} {bin_dir()}/baton-test-worker
        route / work
    """)
    wait_until(lambda: [row["queue"] for row in baton.json("workers")] == ["idle"] * 2, "both idle")
    with baton.connect() as client:
        head = post(b"", 5, f"/?hold={point}", Expect="100-continue")
        client.send(head.replace(b"POST", b"PUT", 1))
        client.read_until(b"\r\n\r\n")
        client.send("hello")
        stage.wait().kill_9()
        answer = client.response()
        assert (answer.status, answer.fields["x-attempt"], answer.interim) == (200, "1", [])
        assert answer.text.endswith("\nhello")


def test_a_body_that_stops_coming_is_408_and_no_worker_hears_of_it(baton, tmp_path):
    log = tmp_path / "access.log"
    baton.start(config("wait-body=64k answer-timeout=300ms"), "--access-log", str(log),
                "--access-log-format", "json")
    wait_idle(baton)
    with baton.connect() as client:
        client.send(post(b"half", 8))
        answer = client.response()
        assert (answer.status, answer.fields["connection"]) == (408, "close")
        assert "body_timeout" in answer.text
    wait_until(lambda: log.read_text(), "it is logged")
    line = json.loads(log.read_text())
    assert (line["status"], line["error"], line["worker"]) == (408, "body_timeout", None)
    assert line["service"] == "work"
    assert nobody_has_heard_of_them(baton)


@pytest.mark.parametrize("way", ["half_close", "close"])
def test_a_client_that_leaves_in_its_body_is_logged_and_nothing_is_queued(baton, tmp_path, way):
    log = tmp_path / "access.log"
    baton.start(config("wait-body=64k"), "--access-log", str(log), "--access-log-format", "json")
    wait_idle(baton)
    client, = send_half(baton, 1, 10_000)
    getattr(client, way)()
    wait_until(lambda: log.read_text(), "it is logged")
    line = json.loads(log.read_text())
    assert (line["status"], line["error"], line["worker"]) == (499, "client_gone", None)
    wait_until(lambda: baton.json("status")["http_clients"] == 0, "it has gone")
    assert nobody_has_heard_of_them(baton)


def test_a_slow_upload_ends_the_lease_of_its_connection(baton):
    """The front waits for its body, though the worker has the connection."""
    baton.start(config("wait-body=64k lease=on", argument="heads"))
    wait_idle(baton)
    with baton.connect() as client:
        for _ in range(3):
            assert client.get("/small").status == 200
            assert client.request("POST", "/quick", b"all of it").text == "POST /quick\nall of it"
            client.send(post(b"half", 8))
            wait_idle(baton)
            client.send("half")
            assert client.response().text == "POST /up\nhalfhalf"
    assert deliveries(baton) == 4  # the first lease, and one that begins with each slow upload


def test_chunked_bodies_are_not_waited_for(baton, stage):
    baton.start(config("wait-body=64k"))
    wait_idle(baton)
    with baton.connect() as client:
        client.send("POST /up HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe")
        wait_until(lambda: baton.json("status")["running"] == 1, "a worker has it")
        client.send("llo\r\n0\r\n\r\n")
        assert client.response().text == "POST /up\nhello"


def test_a_body_over_a_unix_socket_is_waited_for_too(baton):
    baton.start(config("wait-body=1m", "listen http unix:http.sock"))
    wait_idle(baton)
    client, = send_half(baton, 1, 10_000)
    assert nobody_has_heard_of_them(baton)
    with client:
        client.send(sent_by(0, 10_000)[5000:])
        assert client.response().body == b"POST /up\n" + sent_by(0, 10_000)
        # More than such a socket holds.
        large = sent_by(1, 900_000)
        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(client.send, post(large, len(large)))
            assert client.response().body == b"POST /up\n" + large
            sent.result()


def test_wait_body_is_an_option_like_the_others(baton):
    baton.start(config("wait-body=64k"))
    assert "wait-body=64k" in "\n".join(baton.command("save").splitlines())
    assert baton.json("service work")["options"]["wait_body"] == 65536
    with pytest.raises(Exception, match="wait-body.*1m"):
        baton.command("config service work wait-body=2m")
    baton.command("config service work wait-body=0")
    assert "wait-body" not in baton.command("save")
