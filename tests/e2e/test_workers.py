"""Workers in C, in C++ and in Python without libbaton, under a real batond: they keep the same contract."""

import importlib.util
import re
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import processes
from harness.daemon import bin_dir
from harness.waiting import LIMIT_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[2]
PYTHON_WORKER = ROOT / "examples/python/baton_worker.py"

WORKERS = {
    "c": "{bin}/example-worker",
    "polling": "{bin}/example-polling-worker",
    "python": f"{sys.executable} {PYTHON_WORKER}",
    "test": "{bin}/baton-test-worker",
}


def config(*names: str, options: str = "min=1 max=1", worker_options: str = "") -> str:
    lines = []
    for name in names:
        command = WORKERS[name].format(bin=bin_dir())
        lines += [f"config service {name} {options} backoff=50ms",
                  f"config worker {name} localhost {worker_options} {command}",
                  f"route /{name} {name}"]
    return "\n".join(lines)


def worker(baton, name: str) -> dict:
    return next(row for row in baton.json("workers") if row["service"] == name)


def wait_idle(baton, *names: str):
    wait_until(lambda: all(worker(baton, name)["queue"] == "idle" for name in names),
               f"workers of {', '.join(names)} are idle")


def asked(answer) -> str:
    """The first line of what an echoing worker says: the request as it saw it."""
    return answer.text.split("\n")[0]


# -- the contract, worker by worker

@pytest.mark.parametrize("delivery", ["handoff", "bridge"])
@pytest.mark.parametrize("name", ["c", "python", "test"])
def test_a_connection_is_kept_through_bodies_in_every_form(baton, name, delivery):
    baton.start(config(name, options=f"min=1 max=1 delivery={delivery}"))
    with baton.connect() as client:
        assert asked(client.get(f"/{name}/1")) == f"GET /{name}/1"
        assert client.request("POST", f"/{name}/2", b"sized").text.endswith("\nsized")
        client.send(f"POST /{name}/3 HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "5\r\nchunk\r\n2;x=y\r\ned\r\n0\r\nX-Trailer: 1\r\n\r\n")
        assert client.response().text.endswith("\nchunked")
        client.send(f"POST /{name}/4 HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n"
                    "Expect: 100-continue\r\n\r\n")
        client.read_until(b" 100 ")
        client.read_until(b"\r\n\r\n")
        client.send("late")
        assert client.response().text.endswith("\nlate")
        assert client.request("HEAD", f"/{name}/5").body == b""
        assert asked(client.get(f"/{name}/6")) == f"GET /{name}/6"
    wait_until(lambda: worker(baton, name)["transactions"] == 6, "all six are counted")
    assert worker(baton, name)["restarts"] == 0


def test_pipelined_requests_of_one_connection_are_answered_by_different_workers_in_order(baton):
    """OZ1, OZ3: no worker reads a byte of what another one is to answer."""
    names = ["c", "python", "test", "polling"]
    baton.start(config(*names))
    order = names * 3
    with baton.connect() as client:
        client.send("".join(f"GET /{name}?{number} HTTP/1.1\r\nHost: t\r\n\r\n"
                            for number, name in enumerate(order)))
        for number, name in enumerate(order):
            text = client.response().text
            assert text == ("tick 1\n" if name == "polling" else f"GET /{name}?{number}\n"), number


def test_a_worker_with_a_loop_of_its_own_holds_many_requests_at_once(baton):
    baton.start(config("polling", worker_options="slots=8"))
    clients = [baton.connect() for _ in range(8)]
    for client in clients:
        client.send("GET /polling?ticks=2 HTTP/1.1\r\nHost: t\r\n\r\n")
    for client in clients:
        answer = client.response()
        assert answer.text == "tick 2\ntick 1\n"
        assert answer.fields["transfer-encoding"] == "chunked"
        client.close()
    large = bytes(range(256)) * 20_000
    with baton.connect() as client, ThreadPoolExecutor() as pool:
        # The echo comes while the body still goes: who only sent would wait for ever.
        sent = pool.submit(client.send, b"POST /polling HTTP/1.1\r\nHost: t\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(large) + large)
        assert client.response().body == large
        sent.result()


def test_a_worker_that_says_nothing_leaves_nobody_in_silence(baton):
    """The client leaves during a long answer: the slot comes back."""
    baton.start(config("polling"))
    client = baton.connect()
    client.send("GET /polling?ticks=600 HTTP/1.1\r\nHost: t\r\n\r\n")
    client.read_until(b"tick 600\n")
    client.close()
    wait_idle(baton, "polling")
    assert baton.get("/polling").text == "tick 1\n"


# -- libbaton, where it hurts

def start_stage(baton, stage, options="min=2 max=2", worker_options=""):
    baton.start(config("test", options=options,
                       worker_options=f"{stage.environment()} {worker_options}"))
    return baton


@pytest.mark.parametrize("point", ["before-read", "after-read"])
def test_killed_before_an_answer_costs_the_client_nothing(baton, stage, point):
    start_stage(baton, stage)
    with baton.connect() as client:
        client.send(f"PUT /test?hold={point} HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody")
        held = stage.wait()
        held.kill_9()
        answer = client.response()
        assert (answer.status, answer.fields["x-attempt"]) == (200, "1")
        assert int(answer.fields["x-worker"]) != held.pid
        assert answer.text.endswith("\nbody")
        assert client.get("/test").status == 200


def test_killed_after_reading_what_must_not_be_repeated_is_a_502(baton, stage):
    start_stage(baton, stage)
    with baton.connect() as client:
        client.send("POST /test?hold=after-read HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody")
        stage.wait().kill_9()
        assert client.response().status == 502


def test_killed_in_the_middle_of_an_answer_is_a_reset(baton, stage):
    start_stage(baton, stage)
    with baton.connect() as client:
        client.send("GET /test?hold=mid-answer&size=100000 HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        client.read_until(b"\r\n\r\n")
        held.kill_9()
        with pytest.raises(ConnectionResetError):
            client.read_to_end()


def test_declined_requests_go_to_another_worker(baton, stage):
    start_stage(baton, stage)
    answer = baton.get("/test?decline=1")
    assert (answer.status, answer.fields["x-attempt"]) == (200, "0")


@pytest.mark.parametrize("lie", [-1, 1])
def test_a_worker_that_miscounts_gets_its_clients_connection_closed(baton, stage, lie):
    start_stage(baton, stage)
    with baton.connect() as client:
        assert client.get(f"/test?lie={lie}").status == 200
        assert client.at_end()


def test_an_unread_body_is_never_taken_for_a_request(baton, stage):
    start_stage(baton, stage)
    smuggled = b"GET /test/smuggled HTTP/1.1\r\nHost: t\r\n\r\n"
    with baton.connect() as client:
        client.send(b"POST /test?nobody=1 HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n"
                    % len(smuggled))
        assert client.response().status == 200
        try:
            client.send(smuggled)
            assert client.at_end()
        except (ConnectionResetError, BrokenPipeError):
            pass


def test_an_upgraded_connection_stays_with_its_worker(baton, stage):
    start_stage(baton, stage, worker_options="slots=2")
    with baton.connect() as client:
        client.send("GET /test?keep-slot=1 HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\n"
                    "Upgrade: echo\r\n\r\n")
        assert client.response().status == 101
        for line in ("one\n", "two\n"):
            client.send(line)
            assert client.read_until(b"\n").decode() + "\n" == line
        # The others have room meanwhile.
        assert baton.get("/test").status == 200


def test_one_process_answers_several_requests_at_once_in_threads(baton, stage):
    start_stage(baton, stage, options="min=1 max=1", worker_options="slots=4")
    clients = [baton.connect() for _ in range(4)]
    for client in clients:
        client.send("GET /test?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
    # One connection to the stage per process: four lines come over it, one byte lets one go.
    held = [stage.wait()]
    wait_until(lambda: worker(baton, "test")["queue"] == "busy", "the worker is busy")
    for _ in clients:
        held[0].go_on()
    pids = {client.response().fields["x-worker"] for client in clients}
    assert pids == {str(held[0].pid)}
    for client in clients:
        client.close()


# -- coming and going

def test_a_stopped_worker_finishes_its_request_first(baton, stage):
    start_stage(baton, stage, options="min=1 max=1")
    with baton.connect() as client:
        client.send("GET /test?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        baton.command("stop test")
        held.go_on()
        assert client.response().status == 200
    wait_until(lambda: not processes.state(held.pid) or processes.state(held.pid) == "Z",
               "the worker has ended")
    assert worker(baton, "test")["restarts"] == 0


def test_a_worker_survives_the_crash_of_batond_and_comes_back_under_its_id(baton, stage):
    start_stage(baton, stage, options="min=1 max=1")
    wait_idle(baton, "test")
    before = worker(baton, "test")
    with baton.connect() as client:
        client.send("GET /test?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        baton.kill_9()
        held.go_on()
        # The answer comes although there is no batond; then the connection ends, in order.
        answer = client.response()
        assert answer.status == 200
        assert client.at_end()
    baton.restart()
    wait_idle(baton, "test")
    assert worker(baton, "test")["pid"] == before["pid"] == held.pid
    assert baton.get("/test").fields["x-worker"] == str(held.pid)


def test_the_worker_without_libbaton_comes_back_too(baton):
    baton.start(config("python"))
    wait_idle(baton, "python")
    before = worker(baton, "python")["pid"]
    baton.kill_9()
    baton.restart()
    wait_idle(baton, "python")
    assert worker(baton, "python")["pid"] == before
    assert baton.get("/python").status == 200


# -- what the documents say

def test_the_example_of_the_worker_contract_is_what_workers_send():
    text = (ROOT / "docs/reference/worker-contract.md").read_text()
    block = re.search(r"```\n(-> HELLO.*?)```", text, re.S)[1]

    def documented(name: str) -> bytes:
        found = re.search(rf"{name}(.*?)(?=\n[-<]|\Z)", block, re.S)[1]
        return bytes.fromhex(re.sub(r"\+ descriptor|\|", "", found))

    spec = importlib.util.spec_from_file_location("baton_worker", PYTHON_WORKER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert documented("HELLO") == module.message(module.HELLO, struct.pack(
        "<HHIQIIIHH", 1, 1, 1, 17, 1, 1, 4711, 4, 0) + b"echo")
    assert documented("WELCOME") == module.message(module.WELCOME, struct.pack(
        "<HHIQII", 1, 0, 16384, 17, 30, 0))
    assert documented("TICKET") == module.message(module.TICKET, struct.pack(
        "<QQQIIIIHHI", 7, 8, 9, 0, 0, 27, 0, 14, 0, 0) + b"127.0.0.1:4711")
    assert documented("DONE") == module.message(module.DONE, struct.pack(
        "<QQQIHBB", 7, 27, 103, 1, 200, module.KEEP, 0))


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
def test_wrk_gets_an_answer_to_everything_it_asks(baton, connection):
    """Thousands of requests on connections that are kept, and as many connections as requests."""
    baton.start(config("test", options="min=2 max=2"))
    run = subprocess.run(
        ["wrk", "-t1", "-c16", "-d1s", "-H", f"Connection: {connection}", baton.url("/test/size/1000")],
        capture_output=True, text=True, check=True, timeout=LIMIT_SECONDS)
    assert "Non-2xx" not in run.stdout and "Socket errors" not in run.stdout, run.stdout
    answered = int(re.search(r"(\d+) requests in", run.stdout)[1])
    assert answered > 0
    assert baton.json("service test")["transactions"] >= answered


def test_descriptors_kept_for_next_requests_leave_room_for_the_worker_s_own(baton, tmp_path):
    """More clients than the worker may have descriptors; it opens a file for each request."""
    note = tmp_path / "note"
    worker = bin_dir() / "baton-test-worker"
    baton.start(f"""
        config service work min=1 max=1 lease=off
        config worker work localhost sh -c 'ulimit -n 64; exec "$0" heads' {worker}
        route / work
    """)
    clients = [baton.connect() for _ in range(100)]
    for _ in range(3):
        for client in clients:
            assert client.get(f"/?note={note}").status == 200
    for client in clients:
        client.close()
    assert len(note.read_text().splitlines()) == 300
