"""kill -9 of a worker at each point that matters, and what the client sees."""

import concurrent.futures
import sys
from pathlib import Path

import pytest

from harness import processes
from harness.waiting import wait_until

WORKER = Path(__file__).parent / "workers/scripted_worker.py"


def config(stage, options="", worker_options="", arguments="") -> str:
    return f"""
        config service work min=2 max=3 backoff=50ms {options}
        config worker work localhost {stage.environment()} {worker_options} {sys.executable} {WORKER} {arguments}
        config worker work localhost {stage.environment()} {worker_options} {sys.executable} {WORKER} {arguments}
        route / work
    """


def idle_workers(baton) -> list[dict]:
    return [row for row in baton.json("workers") if row["queue"] == "idle"]


@pytest.fixture(params=["handoff", "bridge"])
def work(baton, stage, request):
    """What a death costs is the same whether Baton carries the stream or not."""
    baton.start(config(stage, options=f"delivery={request.param}"))
    wait_until(lambda: len(idle_workers(baton)) == 2, "both workers are idle")
    return baton


def test_worker_killed_before_reading_costs_the_client_nothing(work, stage):
    """OZ3: the head was only peeked, so another worker answers the very same request."""
    with work.connect() as client:
        client.send("POST /?hold=before-read HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody")
        held = stage.wait()
        held.kill_9()
        answer = client.response()
    assert answer.status == 200
    assert answer.fields["x-attempt"] == "1"
    assert int(answer.fields["x-worker"]) != held.pid


@pytest.mark.parametrize("workers", [1, 2])
def test_a_client_that_half_closed_at_a_worker_is_answered_by_the_next(baton, stage, workers):
    """Its FIN came when the worker had the request: no reason to think that it has gone."""
    baton.start(f"""
        config service work min={workers} max={workers} backoff=50ms
        config worker work localhost {stage.environment()} {sys.executable} {WORKER}
        route / work
    """)
    wait_until(lambda: len(idle_workers(baton)) == workers, "the workers are idle")
    with baton.connect() as client:
        client.send("POST /?hold=before-read HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody")
        held = stage.wait()
        client.half_close()
        held.kill_9()
        assert client.response().status == 200


def test_a_bridge_to_a_worker_that_has_just_died_loses_nothing(baton):
    """The delivery fails after the decision: what the client has sent must still be there."""
    baton.start(f"""
        config service work min=3 max=3 backoff=5ms block-after=1000 answer-timeout=10s delivery=bridge
        config worker work localhost {sys.executable} {WORKER}
        route / work
    """)
    for _ in range(8):
        rows = wait_until(lambda: (found := idle_workers(baton)) and len(found) == 3 and found,
                          "all are idle")
        clients = [baton.connect() for _ in rows]
        for row in rows:
            processes.kill_9(row["pid"])
        for client in clients:
            client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        for client in clients:
            assert client.response().status == 200
            client.close()


def test_worker_killed_after_reading_an_idempotent_request_costs_the_client_nothing(work, stage):
    with work.connect() as client:
        client.send("GET /?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
        stage.wait().kill_9()
        answer = client.response()
        assert (answer.status, answer.fields["x-attempt"]) == (200, "1")
        # The connection goes on as if nothing had been.
        assert client.get("/").status == 200


def test_bytes_consumed_by_the_dead_worker_travel_beside_the_descriptor(work, stage):
    with work.connect() as client:
        client.send("PUT /?hold=after-read&echo=1 HTTP/1.1\r\nHost: t\r\nContent-Length: 8\r\n\r\nabcdefgh")
        stage.wait().kill_9()
        answer = client.response()
    assert (answer.status, answer.body) == (200, b"abcdefgh")


def test_worker_killed_after_reading_a_request_that_is_not_idempotent_is_a_502(work, stage):
    with work.connect() as client:
        client.send("POST /?hold=after-read HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody")
        stage.wait().kill_9()
        answer = client.response()
        assert answer.status == 502
        assert "worker_died" in answer.text
        assert client.at_end()


def test_worker_killed_in_the_middle_of_its_answer_is_a_truncated_answer_and_a_reset(work, stage):
    with work.connect() as client:
        client.send("GET /?hold=mid-answer&size=100 HTTP/1.1\r\nHost: t\r\n\r\n")
        stage.wait().kill_9()
        assert client.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 200")
        with pytest.raises(ConnectionResetError):
            client.read_to_end()


def test_worker_killed_after_its_answer_before_done_is_a_whole_answer_and_a_reset(work, stage):
    """Whether the answer was whole nobody can tell without `done`: the next request would be a guess."""
    with work.connect() as client:
        client.send("GET /?hold=after-answer&size=10 HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        assert client.response().body == b"x" * 10
        held.kill_9()
        with pytest.raises(ConnectionResetError):
            client.read_to_end()


def test_nothing_is_redelivered_while_a_forked_child_holds_the_connection(work, stage):
    """End of file on the link is no proof: the agent kills the whole process group first."""
    with work.connect() as client:
        client.send("GET /?hold=before-read&fork=1 HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        children = processes.children(held.pid)
        assert len(children) == 1
        held.kill_9()
        assert client.response().fields["x-attempt"] == "1"
        assert processes.state(children[0]) in ("", "Z")


def test_a_poisonous_request_cannot_kill_every_worker(baton, stage):
    baton.start(config(stage, options="retries=1"))
    wait_until(lambda: len(idle_workers(baton)) == 2, "both workers are idle")
    killed = []
    with baton.connect() as client:
        # Holds on the first attempt only; the second worker is killed while it is silent.
        client.send("GET /?hold=after-read&silent=1 HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        killed.append(held.pid)
        held.kill_9()
        second = wait_until(
            lambda: [row for row in baton.json("workers") if row["queue"] == "busy"
                     and row["pid"] not in killed], "another worker has it")[0]
        processes.kill_9(second["pid"])
        answer = client.response()
    assert answer.status == 502
    assert "retries_exhausted" in answer.text


def test_IS4_a_worker_that_goes_away_unasked_is_started_again_and_counted(work):
    victim = idle_workers(work)[0]
    processes.kill_9(victim["pid"])

    def again():
        rows = [row for row in work.json("workers") if row["id"] == victim["id"]]
        return rows and rows[0]["queue"] == "idle" and rows[0]["pid"] != victim["pid"] and rows
    assert wait_until(again, "it is idle again")[0]["restarts"] == 1


def test_IS4_an_exit_with_status_zero_that_nobody_asked_for_is_a_restart_too(work):
    pid = int(work.get("/?exit=0").fields["x-worker"])
    wait_until(lambda: sum(row["restarts"] for row in work.json("workers")) == 1, "it is counted")
    assert pid not in [row["pid"] for row in work.json("workers")]


def test_a_declined_request_is_offered_to_another_worker_and_does_not_count(baton, stage):
    baton.start(config(stage, options="retries=0"))
    wait_until(lambda: len(idle_workers(baton)) == 2, "both workers are idle")
    answer = baton.get("/?decline=1")
    assert (answer.status, answer.fields["x-attempt"]) == (200, "0")


def test_no_first_byte_in_time_is_a_504_and_the_worker_is_ended_and_counted(baton, stage):
    baton.start(config(stage, options="answer-timeout=300ms"))
    wait_until(lambda: len(idle_workers(baton)) == 2, "both workers are idle")
    with baton.connect() as client:
        client.send("GET /?silent=1 HTTP/1.1\r\nHost: t\r\n\r\n")
        answer = client.response()
    assert answer.status == 504
    assert "worker_hung" in answer.text
    wait_until(lambda: sum(row["restarts"] for row in baton.json("workers")) == 1, "it is counted")


def test_an_answer_that_stands_still_ends_with_a_reset(baton, stage):
    baton.start(config(stage, options="answer-timeout=300ms stall-timeout=300ms"))
    wait_until(lambda: len(idle_workers(baton)) == 2, "both workers are idle")
    with baton.connect() as client:
        client.send("GET /?stall=1&size=100 HTTP/1.1\r\nHost: t\r\n\r\n")
        client.read_until(b"\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            client.read_to_end()


def test_workers_killed_all_the_time_under_load_fail_no_idempotent_request(work):
    """Eight clients, GETs on connections that are kept, a kill whenever a worker is idle or busy."""
    address = work.listener()

    def client(_):
        failures = 0
        with work.connect(address) as connection:
            for _ in range(60):
                answer = connection.get("/?size=1000")
                failures += answer.status != 200 or len(answer.body) != 1000
        return failures

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        running = [pool.submit(client, number) for number in range(8)]
        session = work.session()
        kills = 0
        while not all(future.done() for future in running) and kills < 20:
            up = [row for row in session.json("workers") if row["pid"] and row["state"] == "up"]
            if not up:
                continue
            processes.kill_9(up[kills % len(up)]["pid"])
            kills += 1
            done = session.json("service work")["transactions"]
            wait_until(lambda: all(future.done() for future in running)
                       or session.json("service work")["transactions"] > done,
                       "somebody works again")
        session.close()
        resets = sum(future.exception() is not None for future in running)
        failures = sum(future.result() for future in running if future.exception() is None)
    # A kill between answer and `done` ends a connection whose answer was whole: that is a reset, never
    # a wrong answer.
    assert failures == 0
    assert resets <= kills
