"""Everything at once: leases that come and go, routes that change, slow readers, pauses, many clients.

Each answer has to be that of its own request, by a worker of the service that its route named; each is
counted and logged once; and every slot comes back.
"""

import json
import os
import random
import threading
import time
from collections import Counter

import pytest

from harness.daemon import bin_dir
from harness.waiting import wait_until

WORKER = bin_dir() / "baton-test-worker"
# Longer by hand: BATON_FAULT_SECONDS=60
SECONDS = float(os.environ.get("BATON_FAULT_SECONDS", "3"))
CLIENTS = 10
SMALL_WINDOW = 8192
LARGE = 3_000_000


class Client(threading.Thread):
    """Sends requests, alone and pipelined, over one connection after the other."""

    def __init__(self, storm, number):
        super().__init__()
        self.storm = storm
        self.chooser = random.Random(number)
        self.slow = number % 5 == 0
        self.asked = Counter()
        self.wrong = []

    def connect(self):
        return self.storm.baton.connect(self.storm.address, SMALL_WINDOW if self.slow else 0)

    def run(self):
        client = self.connect()
        while not self.storm.over.is_set():
            try:
                self.ask_some(client)
                if self.chooser.random() < 0.02:
                    client.close()
                    client = self.connect()
            except (OSError, EOFError, KeyError, AssertionError) as error:
                self.wrong.append(repr(error))
                client = self.connect()
        client.close()

    def ask_some(self, client):
        size = f"&size={LARGE}" if self.slow and self.chooser.random() < 0.2 else ""
        targets = [f"{self.chooser.choice(['/a', '/b/a', '/both/a'])}?{self.chooser.random()}{size}"
                   for _ in range(self.chooser.choice([1, 1, 3, 10]))]
        kind = self.chooser.choice(["GET", "POST", "chunked"])
        method = "GET" if kind == "GET" else "POST"
        framing, body = {"GET": ("", ""), "POST": ("Content-Length: 5\r\n", "hello"),
                         "chunked": ("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n")}[kind]
        for target in targets:
            client.send(f"{method} {target} HTTP/1.1\r\nHost: t\r\n{framing}\r\n{body}")
        for target in targets:
            answer = client.response()
            self.asked[target] += 1
            service = self.storm.service_of[int(answer.fields["x-worker"])]
            right = (len(answer.body) == LARGE if size
                     else answer.text == f"{method} {target}\n" + ("hello" if body else ""))
            at_home = target.startswith("/both/") or service == ("b" if target.startswith("/b/") else "a")
            if answer.status != 200 or not right or not at_home:
                self.wrong.append((target, answer.status, service, len(answer.body)))


class Storm:
    def __init__(self, baton):
        self.baton = baton
        self.address = baton.listener()
        self.service_of = {row["pid"]: row["service"] for row in baton.json("workers")}
        self.over = threading.Event()


def steer(storm, lease) -> Counter:
    """What an operator does meanwhile. A route holds for whatever is sent after its command was answered."""
    chooser = random.Random(1)
    asked = Counter()
    service = "a"
    end = time.monotonic() + SECONDS
    with storm.baton.connect(storm.address) as probe:
        while time.monotonic() < end:
            what = chooser.choice(["route", "route", "pause", "lease"])
            if what == "route":
                service = "b" if service == "a" else "a"
                storm.baton.command("unroute /both/")
                storm.baton.command(f"route /both/ {service}")
                target = f"/both/probe?{len(asked)}"
                answer = probe.get(target)
                asked[target] += 1
                assert storm.service_of[int(answer.fields["x-worker"])] == service
            elif what == "pause":
                storm.baton.command("pause b")
                storm.baton.command("ready b")
            elif lease != "off":
                storm.baton.command(f"config service a lease={chooser.choice(['on', 'off', 'auto'])}")
    return asked


@pytest.mark.parametrize("lease", ["on", "auto", "off"])
@pytest.mark.parametrize("slots", [1, 4])
def test_every_answer_is_right_and_counted_once_whatever_changes(baton, tmp_path, lease, slots):
    log = tmp_path / "access.log"
    baton.start(f"""
        config service a min=2 max=2 lease={lease}
        config service b min=2 max=2 lease={lease}
        config worker a localhost slots={slots} {WORKER} heads
        config worker b localhost slots={slots} {WORKER} heads
        route / a
        route /b/ b
        route /both/ a
    """, "--loops", "2", "--access-log", str(log), "--access-log-format", "json")

    def rows(queue):
        return [row for row in baton.json("workers") if row["queue"] == queue]
    wait_until(lambda: len(rows("idle")) == 4, "all workers are idle")
    storm = Storm(baton)
    clients = [Client(storm, number) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        asked = steer(storm, lease)
    finally:
        storm.over.set()
        for client in clients:
            client.join()
    assert [wrong for client in clients for wrong in client.wrong] == []
    for client in clients:
        asked += client.asked
    wait_until(lambda: len(rows("idle")) == 4, "all slots are back")
    # Between `unroute` and `route` the shared prefix is part of "/".
    wait_until(lambda: sum(row["transactions"] for row in rows("idle")) == asked.total(), "all are counted")
    wait_until(lambda: log.read_text().count("\n") == asked.total(), "all are logged")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert Counter(line["request"].split()[1] for line in lines) == asked
