"""Workers come when requests wait and go when none do."""

import signal
import sys
from pathlib import Path

from harness import processes
from harness.waiting import wait_until

WORKER = Path(__file__).parent / "workers/scripted_worker.py"


def config(stage, options: str, program: str = f"{sys.executable} {WORKER}") -> str:
    return f"""
        config service work {options}
        config worker work localhost {stage.environment()} {program}
        route / work
    """


def pids(baton) -> set[int]:
    return {row["pid"] for row in baton.json("workers") if row["pid"]}


def test_OZ1_a_request_is_answered_by_a_worker_that_did_not_exist(baton, stage):
    baton.start(config(stage, "max=1"))
    assert pids(baton) == set()
    answer = baton.get("/")
    assert answer.status == 200
    assert pids(baton) == {int(answer.fields["x-worker"])}


def test_EX4_workers_start_in_parallel_when_many_requests_wait_and_no_more_than_max(baton, stage):
    baton.start(config(stage, "max=3"))
    clients = [baton.connect() for _ in range(5)]
    for client in clients:
        client.send("GET /?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
    held = [stage.wait() for _ in range(3)]
    assert len({worker.pid for worker in held}) == 3
    view = baton.json("service work")
    assert (view["busy"], view["waiting"], view["starting"]) == (3, 2, 0)
    for worker in held:
        worker.go_on()
    for _ in range(2):
        stage.wait().go_on()
    assert {client.response().status for client in clients} == {200}


def test_idle_workers_end_down_to_min(baton, stage):
    baton.start(config(stage, "min=1 max=3 idle-timeout=300ms"))
    clients = [baton.connect() for _ in range(3)]
    for client in clients:
        client.send("GET /?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
    held = [stage.wait() for _ in range(3)]
    for worker in held:
        worker.go_on()
    wait_until(lambda: len(pids(baton)) == 1, "one is left")
    # Copies vanish with their rows, what is configured stays; nobody was restarted.
    rows = baton.json("workers")
    assert not [row for row in rows if row["copy"] and not row["pid"]]
    assert 1 in [row["id"] for row in rows]
    assert sum(row["restarts"] for row in rows) == 0


def test_a_full_queue_is_refused_at_once_and_a_request_that_waits_too_long_is_told(baton, stage):
    baton.start(config(stage, "max=1 queue=1 queue-timeout=500ms"))
    busy = baton.connect()
    busy.send("GET /?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
    held = stage.wait()
    waiting = baton.connect()
    waiting.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
    wait_until(lambda: baton.json("service work")["waiting"] == 1, "one waits")
    refused = baton.get("/")
    assert (refused.status, refused.fields["retry-after"]) == (503, "1")
    assert "queue_full" in refused.text
    late = waiting.response()
    assert late.status == 504 and "queue_timeout" in late.text
    held.go_on()
    assert busy.response().status == 200


def test_a_client_that_goes_away_takes_its_waiting_request_along(baton, stage):
    baton.start(config(stage, "max=1"))
    busy = baton.connect()
    busy.send("GET /?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
    held = stage.wait()
    for leave in ("close", "reset"):
        waiting = baton.connect()
        waiting.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        wait_until(lambda: baton.json("service work")["waiting"] == 1, "one waits")
        getattr(waiting, leave)()
        wait_until(lambda: baton.json("service work")["waiting"] == 0, "nobody waits")
    held.go_on()
    assert busy.response().status == 200
    # The answer comes before the worker's `done`.
    wait_until(lambda: baton.json("service work")["transactions"] == 1, "one was answered")
    assert baton.json("service work")["cancelled"] == 2


def test_a_program_that_does_not_exist_shows_as_a_crash_loop_that_backs_off_and_is_blocked(
        baton, stage):
    baton.start(config(stage, "max=1 min=1 backoff=20ms backoff-limit=40ms block-after=4",
                       "/nonexistent/worker"))
    row = wait_until(lambda: [row for row in baton.json("workers") if row["state"] == "blocked"],
                     "it is blocked")[0]
    assert row["failures_in_a_row"] >= 4
    assert "No such file" in baton.command("worker 1")
    refused = baton.get("/")
    assert refused.status == 503 and "no_worker" in refused.text


def test_a_worker_that_crashes_at_its_start_is_reported_with_its_last_words(baton, stage):
    program = baton.folder / "crasher"
    program.write_text("#!/bin/sh\necho 'cannot find my data' >&2\nexit 7\n")
    program.chmod(0o755)
    baton.start(config(stage, "max=1 min=1 backoff=20ms block-after=2", str(program)))
    wait_until(lambda: baton.json("workers")[0]["state"] == "blocked", "it is blocked")
    detail = baton.command("worker 1")
    assert "exit status 7" in detail and "cannot find my data" in detail
    baton.wait_for_log("cannot find my data")


def test_a_worker_that_never_registers_is_ended_and_counted(baton, stage):
    baton.start(config(stage, "max=1 min=1 start-timeout=300ms block-after=1", "/bin/sleep 1000"))
    baton.wait_for_log("did not register within start-timeout=300ms; if it needs longer, say "
                       "'config service work start-timeout=...' (signal 9): ended by SIGKILL")
    wait_until(lambda: baton.json("workers")[0]["state"] == "blocked", "it is blocked")
    assert baton.json("workers")[0]["restarts"] == 1


def test_IS5_stopped_is_refused_paused_waits(baton, stage):
    baton.start(config(stage, "max=1"))
    assert baton.get("/").status == 200
    baton.command("pause work")
    with baton.connect() as client:
        client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        wait_until(lambda: baton.json("service work")["waiting"] == 1, "it waits")
        baton.command("ready work")
        assert client.response().status == 200
    baton.command("stop work")
    refused = baton.get("/")
    assert refused.status == 503 and "service_stopped" in refused.text
    wait_until(lambda: pids(baton) == set(), "its worker has ended")
    baton.command("start work")
    assert baton.get("/").status == 200


def test_a_busy_worker_finishes_before_it_is_stopped(baton, stage):
    baton.start(config(stage, "max=1"))
    with baton.connect() as client:
        client.send("GET /?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        assert baton.command("stop 1") is not None
        held.go_on()
        assert client.response().status == 200
    wait_until(lambda: not processes.state(held.pid), "the worker has ended")
    assert baton.json("workers")[0]["restarts"] == 0


def test_IS1_without_max_configured_workers_run_from_start_to_stop(baton, stage):
    baton.start(f"""
        config service work
        config worker work localhost {sys.executable} {WORKER}
        config worker work localhost {sys.executable} {WORKER}
        route / work
    """)
    assert baton.get("/").status == 503
    assert baton.command("start work") == "Ok."
    wait_until(lambda: baton.json("service work")["idle"] == 2, "both are idle")
    assert baton.get("/").status == 200
    assert baton.command("stop work") == "Ok."
    wait_until(lambda: pids(baton) == set(), "both have ended")


def test_graceful_end_lets_clients_finish_and_leaves_no_process(baton, stage):
    baton.start(config(stage, "max=1"))
    with baton.connect() as client:
        client.send("GET /?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        baton.process.send_signal(signal.SIGTERM)
        baton.wait_for_log("clients finish")
        held.go_on()
        assert client.response().status == 200
    assert baton.wait_for_end() == 0
    wait_until(lambda: not processes.state(held.pid), "the worker has ended")
