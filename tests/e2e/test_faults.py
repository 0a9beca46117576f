"""What goes wrong under load: workers killed and stopped, heads that never end."""

import json
import os
import random
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from harness import processes
from harness.daemon import bin_dir
from harness.waiting import wait_until

WORKER = bin_dir() / "baton-test-worker"
# Longer by hand: BATON_FAULT_SECONDS=60
SECONDS = float(os.environ.get("BATON_FAULT_SECONDS", "6"))
HALF_HEADS = 10_000


def wait_for_idle(baton, count):
    wait_until(lambda: len([row for row in baton.json("workers") if row["queue"] == "idle"]) == count,
               "the workers are idle")


class Load:
    """Clients with one connection each, which ask and check until they are told to stop."""

    def __init__(self, baton, count):
        self.baton = baton
        self.address = baton.listener()
        self.answers = 0
        self.asked = Counter()
        self.failures = []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        chooser = random.Random(number)
        client = self.baton.connect(self.address)
        while not self.over.is_set():
            size = chooser.choice([1, 128, 16_000])
            target = f"/size/{size}?from={number}"
            try:
                answer = client.get(target)
                if answer.status != 200 or answer.body != b"x" * size:
                    self.failures.append((number, answer.status, len(answer.body)))
                self.answers += 1
                self.asked[target] += 1
            except (OSError, EOFError, AssertionError) as error:
                self.failures.append((number, repr(error)))
                client = self.baton.connect(self.address)
        client.close()

    def finish(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


@pytest.mark.parametrize("lease", ["on", "off", "auto"])
def test_workers_killed_at_random_points_under_load_cost_no_client_anything(baton, tmp_path, lease):
    """Answers up to 16 KiB, written in one call, to requests that may be repeated. Each is counted and
    logged once, whatever its worker had not told yet."""
    log = tmp_path / "access.log"
    baton.start(f"""
        config service work min=4 max=4 backoff=5ms backoff-limit=10ms block-after=100000 retries=10 lease={lease}
        config worker work localhost {WORKER} heads
        route / work
    """, "--access-log", str(log), "--access-log-format", "json")
    wait_for_idle(baton, 4)
    load = Load(baton, 6)
    chooser = random.Random(7)
    kills = 0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        running = [row["pid"] for row in baton.json("workers") if row["queue"] in ("idle", "busy")]
        if running:
            processes.kill_9(chooser.choice(running))
            kills += 1
        # At any point of whatever is going on.
        load.over.wait(chooser.uniform(0.01, 0.1))
    load.finish()
    assert load.failures == []
    assert kills > SECONDS and load.answers > kills

    wait_until(lambda: baton.json("service work")["transactions"] >= load.answers, "all are counted")
    wait_until(lambda: log.read_text().count("\n") >= load.answers, "all are logged")
    assert baton.json("service work")["transactions"] == load.answers
    logged = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["status"] for line in logged} == {200}
    assert Counter(line["request"].split()[1] for line in logged) == load.asked


def test_a_stopped_worker_is_ended_and_the_client_told(baton, stage):
    """SIGSTOP: it holds the connection, so nothing is repeated before it is really gone."""
    baton.start(f"""
        config service work min=1 max=2 answer-timeout=500ms backoff=5ms
        config worker work localhost {stage.environment()} {WORKER} heads
        route / work
    """)
    wait_for_idle(baton, 1)
    with baton.connect() as client, baton.connect() as other:
        client.send("GET /?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        os.kill(held.pid, signal.SIGSTOP)
        assert other.get("/").status == 200  # by another worker
        assert client.response().status == 504
    wait_until(lambda: processes.state(held.pid) == "", "the stopped worker is gone")


@pytest.mark.parametrize("lease", ["on", "off"])
def test_a_worker_stopped_while_idle_is_found_out_by_the_next_request(baton, lease):
    baton.start(f"""
        config service work min=1 max=1 answer-timeout=500ms backoff=5ms lease={lease}
        config worker work localhost {WORKER} heads
        route / work
    """)
    wait_for_idle(baton, 1)
    with baton.connect() as client:
        pid = int(client.get("/").fields["x-worker"])
        wait_until(lambda: processes.state(pid) == "S", "the worker waits for what comes next")
        os.kill(pid, signal.SIGSTOP)
        # With the lease the connection is still its, without it a descriptor may be.
        assert client.get("/").status in (200, 504)
        wait_until(lambda: baton.get("/").status == 200, "another worker answers")
    wait_until(lambda: processes.state(pid) == "", "the stopped worker is gone")


def test_a_stopped_worker_that_baton_cannot_end_costs_its_client_the_connection(baton):
    """Nobody can confirm its end: the connection is shut down for all who hold it."""
    baton.start("""
        config service work answer-timeout=300ms
        route / work
    """)
    environment = {**os.environ, "BATON_WORKER_SOCKET": f"{baton.socket}.workers",
                   "BATON_SERVICE": "work"}
    with subprocess.Popen([WORKER, "heads"], env=environment) as worker:
        try:
            wait_for_idle(baton, 1)
            os.kill(worker.pid, signal.SIGSTOP)
            with baton.connect() as client:
                client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
                assert client.read_to_end() == b""
        finally:
            worker.kill()


@pytest.mark.parametrize("end", ["hang", "operator"])
def test_what_a_stopped_worker_has_begun_to_answer_does_not_look_whole(baton, stage, end):
    """An answer that only the connection's end delimits, by a worker that Baton cannot end."""
    baton.start(f"""
        config service work stall-timeout={"300ms" if end == "hang" else "60s"}
        route / work
    """)
    environment = {**os.environ, "BATON_WORKER_SOCKET": f"{baton.socket}.workers",
                   "BATON_SERVICE": "work", "BATON_TEST_STAGE": str(stage.path)}
    with subprocess.Popen([WORKER], env=environment) as worker:
        try:
            wait_for_idle(baton, 1)
            with baton.connect() as client:
                client.send("GET /?size=1000&chunked=1&hold=mid-answer HTTP/1.0\r\nHost: t\r\n\r\n")
                stage.wait()
                client.read_until(b"\r\n\r\n")
                os.kill(worker.pid, signal.SIGSTOP)
                if end == "operator":
                    row, = [row for row in baton.json("clients") if row["kind"] == "http"]
                    baton.command(f"delete client {row['id']}")
                with pytest.raises(ConnectionResetError):
                    client.read_to_end()
        finally:
            worker.kill()


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_ten_thousand_half_sent_heads_disturb_nobody(baton, tmp_path, kind):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < 2 * HALF_HEADS:
        pytest.skip(f"{hard} descriptors are allowed, and two processes need {HALF_HEADS} each")
    path = tmp_path / "http.sock"
    baton.start(f"""
        listen http 127.0.0.1:0 head-timeout=1h backlog=4096
        listen http unix:{path} head-timeout=1h
        config service work min=1 max=1
        config worker work localhost {WORKER} heads
        route / work
    """)
    wait_for_idle(baton, 1)
    address = baton.listener() if kind == "tcp" else str(path)
    halves = []
    for _ in range(HALF_HEADS):
        half = socket.socket(socket.AF_INET if kind == "tcp" else socket.AF_UNIX)
        half.connect(address)
        half.sendall(b"GET /half HTTP/1.1\r\nHost:")
        halves.append(half)
    wait_until(lambda: len(baton.json("clients")) >= HALF_HEADS, "all are there")
    before = cpu_seconds(baton.process.pid)
    began = time.monotonic()
    with baton.connect() as client:
        for _ in range(200):
            assert client.get("/").status == 200
    threading.Event().wait(1)  # during which nothing comes
    used = cpu_seconds(baton.process.pid) - before
    # A loop that spins takes all of the time there is.
    assert used < (time.monotonic() - began) / 2
    for half in halves[::100]:
        half.sendall(b" t\r\n\r\n")
        assert half.recv(12) == b"HTTP/1.1 200"
    for half in halves:
        half.close()


def test_without_a_free_descriptor_clients_wait_in_the_backlog(baton):
    """And are served as others leave, without a loop that spins meanwhile."""
    if b"__ubsan_handle_dynamic_type_cache_miss" in (bin_dir() / "batond").read_bytes():
        pytest.skip("UBSan looks at an object's type through a pipe, and so complains without a descriptor")
    baton.start(f"""
        listen http 127.0.0.1:0 backlog=256
        config service work min=1 max=1
        config worker work localhost {WORKER} heads
        route / work
    """)
    wait_for_idle(baton, 1)
    address = baton.listener()
    pid = baton.process.pid

    def numbers() -> set[int]:
        return {int(number) for number in os.listdir(f"/proc/{pid}/fd")}
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    before = numbers()
    limit = max(before) + 21
    room = limit - len(before)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, hard))

    clients = [baton.connect(address) for _ in range(3 * room)]
    for client in clients:
        client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")

    def answered() -> list:
        readable, _, _ = select.select([client.socket for client in clients], [], [], 0)
        return [client for client in clients if client.socket in readable]
    wait_until(lambda: len(numbers()) == limit and len(answered()) >= room - 1, "all are taken")
    used = cpu_seconds(pid)
    began = time.monotonic()
    threading.Event().wait(1)  # during which nothing becomes free
    assert cpu_seconds(pid) - used < (time.monotonic() - began) / 2
    assert len(answered()) <= room, "nobody is turned away"

    while clients:
        first = wait_until(answered, "as many as there is room for are served")
        for client in first:
            assert client.response().status == 200
            client.close()
            clients.remove(client)
    assert baton.get("/").status == 200
