"""What a death of batond or of the agent means, and what a state directory keeps."""

import sys
from pathlib import Path

from harness import processes
from harness.daemon import bin_dir
from harness.waiting import wait_until

WORKER = Path(__file__).parent / "workers/scripted_worker.py"


def config(options="max=2") -> str:
    return f"""
        config service work {options}
        config worker work localhost {sys.executable} {WORKER}
        route / work
    """


def agent_pid(baton) -> int:
    """Of this host's agent, once it is there."""
    def found():
        agents = baton.json("status")["agents"]
        return agents and int(agents[0].split("pid ")[1].rstrip(")"))
    return wait_until(found, "the agent is there")


def test_an_agent_that_dies_is_started_again_and_its_workers_with_it(baton):
    baton.start(config("min=1 max=2"))
    first = int(baton.get("/").fields["x-worker"])
    processes.kill_9(agent_pid(baton))
    wait_until(lambda: processes.state(first) in ("", "Z"), "workers end with their agent")
    wait_until(lambda: baton.get("/").status == 200, "another worker answers")
    assert int(baton.get("/").fields["x-worker"]) != first


def test_changes_are_on_disk_before_their_ok_and_survive_kill_9(baton):
    baton.start(config(), "--state", str(baton.folder / "state"))
    assert baton.command("config service extra max=3 queue=7") == "Ok."
    assert baton.command("route /extra extra") == "Ok."
    assert baton.command("pause work")
    saved = baton.command("save")
    baton.kill_9()
    baton.restart()
    assert baton.command("save") == saved
    assert baton.json("service extra")["options"]["queue"] == 7


def test_the_history_of_a_service_is_not_repeated_at_a_restart(baton, stage):
    """Only where it has led to counts: an old `stop` ends no worker that has outlived batond."""
    worker = bin_dir() / "baton-test-worker"
    baton.start(f"""
        config service work
        config worker work localhost {stage.environment()} {worker}
        route / work
    """, "--state", str(baton.folder / "state"))
    for command in ("start work", "stop work", "start work"):
        baton.command(command)
    with baton.connect() as client:
        wait_until(lambda: baton.get("/").status == 200, "it serves")
        client.send("GET /?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        baton.kill_9()
        already_said = len(baton.log_text())
        baton.restart()
        assert agent_pid(baton)
        held.go_on()
        assert client.response().status == 200
    answer = wait_until(lambda: (got := baton.get("/")).status == 200 and got, "it serves again")
    assert answer.fields["x-worker"] == str(held.pid)
    said = baton.log_text()[already_said:]
    assert "is told to stop" not in said and "drains" not in said


def test_a_stopped_service_stays_stopped_although_its_worker_has_outlived_batond(baton, stage):
    worker = bin_dir() / "baton-test-worker"
    baton.start(f"""
        config service work
        config worker work localhost {stage.environment()} {worker}
        route / work
    """, "--state", str(baton.folder / "state"))
    baton.command("start work")
    with baton.connect() as client:
        wait_until(lambda: baton.get("/").status == 200, "the worker is up")
        client.send("GET /?hold=after-read HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        baton.command("stop work")
        baton.kill_9()
        baton.restart()
        assert agent_pid(baton)
        held.go_on()
        assert client.response().status == 200
    wait_until(lambda: processes.state(held.pid) in ("", "Z"), "it is ended")
    assert baton.get("/").status == 503


def test_what_was_said_to_a_copy_keeps_no_daemon_from_starting(baton):
    """Copies are not kept; neither is what was said to one."""
    baton.start(config("min=2 max=2"), "--state", str(baton.folder / "state"))
    copy = wait_until(lambda: [row["id"] for row in baton.json("workers")
                               if row["service"] == "work" and row["state"] == "up"][1:],
                      "two workers are up")[0]
    assert baton.command(f"pause {copy}")
    baton.kill_9()
    baton.restart()
    assert baton.get("/").status == 200


def test_an_agent_that_outlived_batond_is_waited_for_and_replaced_when_it_dies(baton):
    """Nobody has to act in a recovery: so there is no 'error' in the log."""
    baton.start(config("min=1 max=1"))
    survivor = agent_pid(baton)
    baton.kill_9()
    baton.restart()
    assert agent_pid(baton) == survivor
    wait_until(lambda: baton.get("/").status == 200, "requests are served")
    assert " error: " not in baton.log_text()
    assert baton.log_text().count("started the agent") == 1
    processes.kill_9(survivor)
    # Not the next time somebody looks, but because its connection has ended.
    wait_until(lambda: baton.log_text().count("started the agent") == 2, "another one", limit=3)
    wait_until(lambda: baton.get("/").status == 200, "requests are served again")
    assert agent_pid(baton) != survivor


def test_state_wins_over_the_file_and_differences_are_named(baton):
    baton.start(config(), "--state", str(baton.folder / "state"))
    baton.command("config service work max=5")
    baton.stop()
    baton.restart()
    assert baton.json("service work")["options"]["max"] == 5
    baton.wait_for_log("differs from the state")
    baton.wait_for_log("config service work max=2")
    baton.command(f"apply {baton.folder / 'baton.conf'}")
    assert baton.json("service work")["options"]["max"] == 2


def test_halt_ends_the_daemon_like_a_crash_and_the_next_one_takes_over(baton):
    baton.start(config("min=1 max=1"))
    agent = agent_pid(baton)
    baton.command("halt")
    assert baton.wait_for_end() == 1
    assert processes.state(agent) not in ("", "Z")
    baton.restart()
    assert agent_pid(baton) == agent
    wait_until(lambda: baton.get("/").status == 200, "requests are served")


def test_a_clone_is_saved_the_same_before_and_after_a_crash(baton):
    """What runs because its service does needs no `start` of its own."""
    state = ("--state", str(baton.folder / "state"))
    baton.start(f"""
        {config("min=1 max=3")}
        config service plain
        config worker plain localhost {sys.executable} {WORKER}
        config service alone
        config worker alone localhost {sys.executable} {WORKER}
    """, *state)
    agent_pid(baton)
    baton.command("start plain")
    rows = {row["service"]: row["id"] for row in baton.json("workers")}
    baton.command(f"start {rows['alone']}")
    clones = {service: baton.json(f"clone {rows[service]}")["id"]
              for service in ("work", "plain", "alone")}
    saved = baton.command("save")
    assert f"start {clones['alone']}\n" in saved
    for service in ("work", "plain"):
        assert f"start {clones[service]}\n" not in saved
    baton.kill_9()
    baton.restart()
    assert baton.command("save") == saved
    wait_until(lambda: all(row["state"] == "up" for row in baton.json("workers")
                           if row["service"] in ("plain", "alone")), "all of them run")


def test_a_graceful_end_leaves_no_socket_and_no_lock_behind(baton):
    baton.start(f"""
        listen http unix:{baton.folder}/http.sock
        listen http 127.0.0.1:0
        listen command unix:{baton.folder}/more.sock
        listen command unix:{baton.folder}/closed.sock
        listen admin unix:{baton.folder}/admin.sock
        {config("min=1 max=1")}
    """)
    wait_until(lambda: baton.get("/").status == 200, "requests are served")
    baton.command(f"unlisten unix:{baton.folder}/closed.sock")
    names = {path.name for path in baton.folder.iterdir()}
    assert {"baton.sock", "baton.sock.workers", "http.sock", "more.sock", "admin.sock",
            "baton.sock.agent.localhost.lock"} <= names
    assert "closed.sock" not in names
    assert baton.stop() == 0
    assert {path.name for path in baton.folder.iterdir()} == {"baton.conf", "batond.log"}


def test_a_socket_in_use_is_said_with_what_to_do(baton):
    import subprocess
    baton.start(config())
    second = subprocess.run([bin_dir() / "batond", "--socket", str(baton.socket)],
                            capture_output=True, text=True, check=False, timeout=20)
    assert second.returncode == 1
    assert "another batond uses it" in second.stderr


def test_check_names_file_line_word_and_remedy(baton):
    import subprocess
    path = baton.folder / "wrong.conf"
    path.write_text("config service work max=2\nconfig service other pickk=warm\nroute / nobody\n")
    checked = subprocess.run([bin_dir() / "batond", "--check", str(path)], capture_output=True,
                             text=True, check=False, timeout=20)
    assert checked.returncode == 1
    assert "wrong.conf:2: config service: unknown option 'pickk' (word 4); did you mean 'pick'?" \
        in checked.stderr
    assert "wrong.conf:3: route:" in checked.stderr
