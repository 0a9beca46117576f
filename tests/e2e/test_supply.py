"""Where workers come from and where they go: the real batond with its agent, with agents of other names,
and with the attach server of the guide."""

import os
import pathlib
import subprocess
import sys

import pytest

from harness import processes
from harness.daemon import bin_dir
from harness.waiting import LIMIT_SECONDS, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTED = pathlib.Path(__file__).parent / "workers/scripted_worker.py"


def workers(baton, service: str) -> list[dict]:
    return [row for row in baton.json("workers") if row["service"] == service]


def agent_is_there(baton):
    wait_until(lambda: baton.json("status")["agents"], "the agent is there")


def session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


@pytest.fixture
def helper(baton):
    """Programs that stand beside batond; ended before it."""
    started = []

    def start(*arguments) -> subprocess.Popen:
        log = open(baton.folder / f"helper{len(started)}.log", "wb")
        with log:
            started.append(subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd=baton.folder))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
    for process in started:
        process.wait(LIMIT_SECONDS)


def test_the_attach_server_of_the_guide_supplies_a_service(baton, helper):
    """EX2, EX3: nothing but public commands; the worker registers by itself and is listed so."""
    baton.start("config service thumbs max=2 start-timeout=5s\nroute / thumbs")
    helper(sys.executable, ROOT / "examples/python/attach_server.py", "--socket", baton.socket,
           "thumbs", sys.executable, SCRIPTED)
    wait_until(lambda: baton.get("/").status == 200, "the attach server's worker answers")
    row, = workers(baton, "thumbs")
    assert row["restarts"] == 0
    assert 'path = ""' in baton.command(f"worker {row['id']}")


def test_a_service_defined_while_running_is_started_on_demand(baton):
    """The agent hears of new definitions and registers for them."""
    baton.start("config service other max=1")
    agent_is_there(baton)
    baton.command("config service work max=1")
    baton.command(f"config worker work localhost {sys.executable} {SCRIPTED}")
    baton.command("route / work")
    assert baton.get("/").status == 200


def test_a_service_deleted_and_defined_again_is_started_on_demand(baton):
    """Attach servers register by name; a new service of that name knows of them at once."""
    lines = f"""
        config service work max=1
        config worker work localhost {sys.executable} {SCRIPTED}
        route / work
    """
    baton.start(lines)
    assert baton.get("/").status == 200
    baton.command("unroute /")
    baton.command("stop work")
    wait_until(lambda: workers(baton, "work")[0]["state"] == "defined", "its worker has ended")
    baton.command("delete service work")
    for line in lines.strip().splitlines():
        baton.command(line.strip())
    assert baton.get("/").status == 200


def test_an_agent_under_another_name_starts_what_its_own_list_allows(baton, helper):
    """IS2: each worker is started by the agent of the host it was configured for."""
    baton.start(f"""
        config service work min=1 max=1 block-after=2 backoff=20ms
        config worker work render1 {sys.executable} {SCRIPTED}
        config service other min=1 max=1 block-after=2 backoff=20ms
        config worker other render1 /bin/sleep 1000
        route / work
    """)
    (baton.folder / "allow").write_text(f"{sys.executable}\n")
    agent = helper(bin_dir() / "baton-agent", "--socket", baton.socket, "--host", "render1",
                   "--allow", "allow")
    answer = wait_until(lambda: (got := baton.get("/")).status == 200 and got, "it is answered")
    assert int(answer.fields["x-worker"]) in processes.descendants(agent.pid)
    refused = wait_until(lambda: (row := workers(baton, "other")[0])["state"] == "blocked" and row,
                         "what the list does not allow is blocked")
    assert "is not allowed on this host" in baton.command(f"worker {refused['id']}")


def test_an_escaped_child_holds_the_connection_until_the_agent_has_killed_it(baton, stage):
    """A request goes to a second worker only after every holder of its connection is dead."""
    baton.start(f"""
        config service work min=1 max=2
        config worker work localhost {stage.environment()} {sys.executable} {SCRIPTED}
        route / work
    """)
    with baton.connect() as client:
        client.send("GET /?hold=before-read&fork=daemon HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        escaped = wait_until(lambda: [pid for pid in processes.descendants(os.getpid())
                                      if "scripted_worker" in processes.command_line(pid)
                                      and session_of(pid) not in (held.pid, 0)],
                             "the child has left its session")
        held.kill_9()
        answer = client.response()
    assert answer.status == 200
    assert answer.fields["x-attempt"] == "1"
    assert all(processes.state(pid) in ("", "Z") for pid in escaped)


def test_workers_finish_what_they_hold_while_batond_is_gone_and_are_taken_over(baton, stage):
    """The client of the dead batond gets its answer; the next batond gets the same worker."""
    worker = bin_dir() / "baton-test-worker"
    baton.start(f"""
        config service work min=1 max=1
        config worker work localhost {stage.environment()} {worker}
        route / work
    """)
    with baton.connect() as client:
        client.send("GET /?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        baton.kill_9()
        held.go_on()
        assert client.response().status == 200
        assert client.at_end()  # nobody is left who could watch the connection
    baton.restart()
    row = wait_until(lambda: next((row for row in workers(baton, "work")
                                   if row["queue"] == "idle"), None), "the worker is back")
    assert row["pid"] == held.pid
    assert row["restarts"] == 0
    assert baton.get("/").fields["x-worker"] == str(held.pid)


def test_ids_of_workers_that_outlive_batond_are_given_to_nobody_else(baton, stage):
    """Copies are in no journal: the agent names them before anybody can ask for new workers."""
    worker = bin_dir() / "baton-test-worker"
    baton.start(f"""
        config service held max=3
        config worker held localhost {stage.environment()} {worker}
        config service other max=3
        config worker other localhost {worker}
        route /held held
        route /other other
    """, "--state", str(baton.folder / "state"))
    clients = [baton.connect() for _ in range(3)]
    for client in clients:
        client.send("GET /held?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
    held = [stage.wait() for _ in clients]
    before = {row["id"]: row["pid"] for row in workers(baton, "held")}
    assert set(before.values()) == {one.pid for one in held}

    baton.kill_9()
    baton.restart()
    agent_is_there(baton)
    assert {row["id"]: row["pid"] for row in workers(baton, "held")} == before
    others = [baton.curl_start("/other?sleep=50") for _ in range(3)]
    assert [other.finish().status for other in others] == [200] * 3
    taken = {row["id"] for row in workers(baton, "other")}
    assert not taken & set(before), "an id has two owners"

    for one in held:
        one.go_on()
    for client in clients:
        assert client.response().status == 200
        client.close()
    wait_until(lambda: all(row["queue"] == "idle" for row in workers(baton, "held")),
               "the survivors are back")
    assert {row["id"]: row["pid"] for row in workers(baton, "held")} == before
    assert [row["restarts"] for row in workers(baton, "held")] == [0] * 3


def test_a_worker_that_forgot_its_id_is_known_by_its_process(baton):
    """It is the one that was started, and not one more that came by itself."""
    program = baton.folder / "worker"
    program.write_text(f"#!/bin/sh\nunset BATON_WORKER_ID\nexec {sys.executable} {SCRIPTED}\n")
    program.chmod(0o755)
    baton.start(f"config service work max=1\nconfig worker work localhost {program}\nroute / work")
    assert baton.get("/").status == 200
    row, = workers(baton, "work")
    assert row["pid"] == int(baton.get("/").fields["x-worker"])
    assert row["state"] == "up"
    processes.kill_9(row["pid"])
    wait_until(lambda: workers(baton, "work")[0]["restarts"] == 1, "its end is a restart")
    assert baton.get("/").status == 200
    row, = workers(baton, "work")


def test_a_worker_whose_service_is_gone_is_drained(baton, stage):
    """The file was edited while batond was away: what runs for nobody finishes and ends."""
    worker = bin_dir() / "baton-test-worker"
    baton.start(f"""
        config service first min=1 max=1
        config worker first localhost {stage.environment()} {worker}
        route / first
    """)
    with baton.connect() as client:
        client.send("GET /?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        baton.kill_9()
        (baton.folder / "baton.conf").write_text(f"""
            listen http 127.0.0.1:0
            config service second min=1 max=1
            config worker second localhost {worker}
            route / second
        """)
        baton.restart()
        baton.wait_for_log(f"(process {held.pid}) has no place here and is drained")
        held.go_on()
        assert client.response().status == 200
    wait_until(lambda: processes.state(held.pid) in ("", "Z"), "it has ended")
    answer = wait_until(lambda: (got := baton.get("/")).status == 200 and got, "the other answers")
    assert answer.fields["x-worker"] != str(held.pid)


def test_a_workers_output_is_in_the_log_under_its_name(baton):
    program = baton.folder / "worker"
    program.write_text(f"#!/bin/sh\necho 'reading the fonts'\nexec {sys.executable} {SCRIPTED}\n")
    program.chmod(0o755)
    baton.start(f"config service work max=1\nconfig worker work localhost {program}\nroute / work")
    assert baton.get("/").status == 200
    baton.wait_for_log(f"[work {workers(baton, 'work')[0]['id']}] reading the fonts")


# -- the state folder


def test_a_write_cut_short_is_left_out_with_a_note(baton):
    state = baton.folder / "state"
    baton.start("config service work max=1", "--state", str(state))
    baton.command("config service extra max=3")
    baton.kill_9()
    journal, = state.glob("journal.*")
    with open(journal, "ab") as file:
        file.write(b"BtRc\x40\0\0\0torn")
    baton.restart()
    baton.wait_for_log("a write that was cut short")
    assert baton.json("service extra")["options"]["max"] == 3


def test_a_damaged_state_folder_is_refused_with_advice(baton):
    state = baton.folder / "state"
    baton.start("config service work max=1", "--state", str(state))
    baton.command("config service extra max=3")
    baton.command("config service another max=3")
    baton.kill_9()
    journal, = state.glob("journal.*")
    whole = journal.read_bytes()
    damaged = bytearray(whole)
    damaged[60] ^= 1
    journal.write_bytes(damaged)
    with pytest.raises(AssertionError, match="did not become ready"):
        baton.restart()
    assert baton.wait_for_end() != 0
    assert f"{journal.name} is damaged at byte" in baton.log_text()
    assert "Restore the folder from a backup" in baton.log_text()
    journal.write_bytes(whole)
    baton.restart()
    assert baton.json("service another")["options"]["max"] == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_change_that_cannot_be_durable_is_not_acknowledged(baton):
    state = baton.folder / "small"
    state.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", state],
                             capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        baton.start("config service work max=1", "--state", str(state / "state"))
        filler = state / "filler"
        try:
            filler.write_bytes(b"x" * 65536)
        except OSError:
            pass
        with pytest.raises(Exception, match="(?i)durable|no space"):
            for number in range(200):
                baton.command(f"config service s{number} max=1")
        assert "not durable" in baton.json("status")["journal"]
        filler.unlink()
        baton.stop()
        baton.restart()
        assert baton.command("config service after max=1") == "Ok."
        baton.stop()
    finally:
        if baton.process is not None:
            baton.kill_9()
        subprocess.run(["umount", "-l", state], check=True)
