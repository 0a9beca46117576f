"""baton-agent, the real program, against a stand-in for batond that speaks its public commands."""

import os
import pathlib
import pwd
import signal
import subprocess
import sys

import pytest
from harness import processes
from harness.daemon import SANITIZER_REPORT, bin_dir
from harness.fake_batond import FakeBatond
from harness.waiting import LIMIT_SECONDS, wait_until

PYTHON = "/usr/bin/python3"

# What daemon(3) does: two forks with setsid() between them. The grandchild says its pid and stays.
DAEMON = """
import os, sys, time
def daemonise():
    if os.fork(): return
    os.setsid()
    if os.fork(): os._exit(0)
    if "clean" in sys.argv: os.execve("/bin/sleep", ["sleep", "1000"], {})
    open(sys.argv[1] + ".tmp", "w").write(str(os.getpid()))
    os.rename(sys.argv[1] + ".tmp", sys.argv[1])
    time.sleep(1000)
    os._exit(0)
daemonise()
os.wait()
open(sys.argv[1] + ".ready", "w").close()
time.sleep(1000)
"""


class Agent:
    """The program under test, and what it writes to standard error."""

    def __init__(self, folder: pathlib.Path, *options: str):
        self.folder = folder
        self.log = folder / f"agent-{len(list(folder.glob('agent-*')))}.log"
        report = folder / "sanitizer"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [bin_dir() / "baton-agent", "--socket", folder / "baton.sock", "--log", "debug",
                 *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
                env=os.environ | {"ASAN_OPTIONS": f"log_path={report}",
                                  "TSAN_OPTIONS": f"log_path={report}",
                                  "UBSAN_OPTIONS": f"log_path={report}"})

    @property
    def pid(self) -> int:
        return self.process.pid

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for_log(self, text: str):
        wait_until(lambda: text in self.log_text(), f"{text!r} in the agent's log")

    def wait(self) -> int:
        return self.process.wait(LIMIT_SECONDS)


@pytest.fixture
def batond(tmp_path):
    daemon = FakeBatond(tmp_path)
    daemon.start()
    return daemon


@pytest.fixture
def start_agent(tmp_path):
    """Starts agents; afterwards nothing of them may be left, nor a sanitizer's report."""
    before = set(processes.descendants(os.getpid()))
    agents = []

    def start(*options: str) -> Agent:
        agents.append(Agent(tmp_path, *options))
        return agents[-1]

    yield start
    complaints = []
    for agent in agents:
        if agent.process.poll() is None:
            agent.process.terminate()
            try:
                agent.wait()
            except subprocess.TimeoutExpired:
                complaints.append("the agent did not end after SIGTERM")
                agent.process.kill()
                agent.wait()
    for pid in processes.left_over(before):
        complaints.append(f"left over: {pid} {processes.command_line(pid)}")
        os.kill(pid, signal.SIGKILL)
    for agent in agents:
        sys.stdout.write(f"--- {agent.log.name}\n{agent.log_text()}")
    for path in tmp_path.glob("sanitizer.*"):
        if SANITIZER_REPORT.search(path.read_text(errors="replace")):
            complaints.append(path.read_text(errors="replace"))
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def agent(batond, start_agent):
    return start_agent()


def shell(script: str, *arguments: str) -> dict:
    """A definition of a worker that is a shell script."""
    return {"path": "/bin/sh", "arguments": ["-c", script, "worker", *arguments]}


def gone(pid: int) -> bool:
    return processes.state(pid) in ("", "Z", "X")


def read_when_there(path: pathlib.Path) -> str:
    wait_until(path.exists, f"{path} exists")
    return path.read_text()


# -- starting


def test_a_notification_starts_a_worker(batond, start_agent):
    """EX2, EX3, IS2: RECEIVE is answered by 0010 0022, a worker runs, command and pid are logged."""
    batond.definitions["thumbs"] = shell("sleep 1000 # $1", "--size 256")
    batond.attachable = ["thumbs"]
    agent = start_agent()
    batond.notify("thumbs")
    pid = batond.wait_started(1)
    assert not gone(pid)
    agent.wait_for_log(f"worker 1 (thumbs): pid {pid}: /bin/sh -c 'sleep 1000 # $1' worker "
                       "'--size 256'")


def test_several_notifications_start_several_workers_in_parallel(batond, start_agent):
    batond.definitions["thumbs"] = shell("sleep 1000")
    batond.attachable = ["thumbs"]
    start_agent()
    for _ in range(4):
        batond.notify("thumbs", waiting=4)
    pids = {batond.wait_started(worker) for worker in range(1, 5)}
    assert len(pids) == 4


def test_services_with_three_names_are_registered_by_all_of_them(batond, start_agent):
    """EX1"""
    batond.definitions["C1/N1/S1"] = shell("sleep 1000")
    batond.attachable = ["C1/N1/S1"]
    start_agent()
    batond.notify("SERVER-CLASS=C1,SERVER-NAME=N1,SERVICE=S1")
    batond.wait_started(1)
    assert ["agent", "claim", "localhost", "C1/N1/S1"] in batond.log


def test_a_refused_claim_starts_nothing_and_the_agent_goes_on(batond, start_agent):
    batond.definitions["thumbs"] = shell("sleep 1000")
    batond.attachable = ["thumbs"]
    batond.claims_left = 0
    agent = start_agent()
    batond.notify("thumbs")
    agent.wait_for_log("as many workers as max= allows")
    batond.claims_left = 1
    batond.notify("thumbs")
    batond.wait_started(1)
    assert [words[0] for words in batond.reports] == ["started"]


def test_changed_definitions_change_the_registrations(batond, start_agent):
    batond.definitions = {"thumbs": shell("sleep 1000"), "maps": shell("sleep 1000")}
    batond.attachable = ["thumbs"]
    start_agent()
    batond.wait_registered("thumbs")
    batond.attachable = ["maps", "thumbs"]
    batond.order("config")
    batond.wait_registered("maps", "thumbs")
    batond.wait_for(lambda: sum(bool(one.services) for one in batond.sessions) == 1,
                    "the old registrations are gone")
    batond.notify("maps")
    batond.wait_started(1)
    batond.attachable = []
    batond.order("config")
    batond.wait_for(lambda: not any(one.services for one in batond.sessions), "no registration")


def test_the_worker_gets_its_rendezvous_from_the_environment(batond, agent, tmp_path):
    """IS2: workers are told where to report."""
    worker = batond.order_start("echo", slots=3, environment=["COLOUR=deep blue"],
                                **shell('env > "$1.tmp"; mv "$1.tmp" "$1"; sleep 1000',
                                        str(tmp_path / "env")))
    lines = read_when_there(tmp_path / "env").splitlines()
    for line in [f"BATON_WORKER_SOCKET={batond.worker_socket}", f"BATON_WORKER_ID={worker}",
                 "BATON_SERVICE=echo", "BATON_SLOTS=3", "COLOUR=deep blue"]:
        assert line in lines


def test_isectd_arguments_lead_the_workers_own(batond, agent, tmp_path):
    """IS2: own parameters begin at argv[ISDARGMAZ] = argv[4]."""
    script = tmp_path / "worker"
    script.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$4.tmp"; mv "$4.tmp" "$4"; sleep 1000\n')
    script.chmod(0o755)
    worker = batond.order_start("echo", argv="isectd", path=str(script),
                                arguments=[str(tmp_path / "argv"), "last"])
    assert read_when_there(tmp_path / "argv").splitlines() == [
        batond.worker_socket, str(worker), "echo", str(tmp_path / "argv"), "last"]


def test_a_worker_has_only_three_descriptors_and_default_signals(batond, agent, tmp_path):
    report = tmp_path / "report"
    batond.order_start("echo", path=PYTHON, arguments=["-c", """
import os, sys
fds = sorted(int(fd) for fd in os.listdir("/proc/self/fd"))
status = [line for line in open("/proc/self/status") if line.startswith(("SigBlk", "SigIgn"))]
with open(sys.argv[1] + ".tmp", "w") as out:
    print(fds[:-1], os.readlink("/proc/self/fd/0"), *status, file=out)
    print(os.getsid(0) == os.getpid() == os.getpgrp(), file=out)
os.rename(sys.argv[1] + ".tmp", sys.argv[1])
""", str(report)])
    text = read_when_there(report)
    assert text.startswith("[0, 1, 2] /dev/null")
    assert "SigBlk:\t0000000000000000" in text
    assert text.endswith("True\n")


def test_folder_limits_and_output_are_as_defined(batond, agent, tmp_path):
    (tmp_path / "work").mkdir()
    worker = batond.order_start(
        "echo", directory=str(tmp_path / "work"), output=str(tmp_path / "worker.log"),
        limits=["nofile:64:128", "core:0"],
        **shell("pwd; ulimit -n; ulimit -Hn; ulimit -c; echo complaint >&2"))
    assert batond.wait_ended(worker)["exit"] == "0"
    assert (tmp_path / "worker.log").read_text().splitlines() == [
        str(tmp_path / "work"), "64", "128", "0", "complaint"]


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_the_worker_runs_as_its_user_and_still_dies_with_the_agent(batond, agent):
    """The change of user clears the parent-death signal; it must be set after it."""
    worker = batond.order_start("echo", user="nobody", **shell("id -un; echo $HOME; exec sleep 1000"))
    pid = batond.wait_started(worker)
    agent.wait_for_log(f"[echo {worker}] {pwd.getpwnam('nobody').pw_dir}")
    assert f"[echo {worker}] nobody" in agent.log_text()
    assert os.stat(f"/proc/{pid}").st_uid == pwd.getpwnam("nobody").pw_uid
    agent.process.kill()
    wait_until(lambda: gone(pid), "the worker died with its agent")


@pytest.mark.parametrize("definition, step", [
    ({"path": "/nowhere/worker"}, "exec /nowhere/worker: No such file or directory"),
    ({"path": "/etc/passwd"}, "exec /etc/passwd: Permission denied"),
    ({"path": "no-such-program-anywhere"}, "find no-such-program-anywhere"),
    ({"path": "/bin/true", "directory": "/nowhere"}, "chdir /nowhere: No such file or directory"),
    ({"path": "/bin/true", "user": "no-such-user"}, "find user no-such-user"),
    ({"path": "/bin/true", "limits": ["colour:1"]}, "read limit 'colour:1'"),
    ({"path": "/bin/true", "output": "/nowhere/log"}, "open output /nowhere/log"),
])
def test_a_failed_start_is_reported_with_the_step_reached(batond, agent, definition, step):
    worker = batond.order_start("echo", **definition)
    ended = batond.wait_ended(worker)
    assert ended["holders"] == "gone"
    assert ended["exit"] == "127"
    assert "could not be started" in ended["text"]
    assert step in ended["text"]


def test_a_second_start_of_a_running_worker_starts_nothing(batond, agent):
    worker = batond.order_start("echo", **shell("sleep 1000"))
    pid = batond.wait_started(worker)
    batond.order_start("echo", id=worker, **shell("sleep 1000"))
    batond.wait_for(lambda: len(batond.reports) == 2, "a second report")
    assert batond.reports[0] == batond.reports[1] == ["started", str(worker), str(pid)]


def test_an_id_that_runs_for_another_service_is_ended_before_it_starts(batond, agent):
    """One id is one process at a time, and a process serves one service."""
    worker = batond.order_start("echo", **shell("sleep 1000") | {"drain_timeout_ms": 0})
    pid = batond.wait_started(worker)
    batond.order_start("other", id=worker, **shell("sleep 1000"))
    batond.wait_for(lambda: len(batond.reports) == 3, "the second start")
    assert [words[0] for words in batond.reports] == ["started", "ended", "started"]
    assert gone(pid)


def test_a_start_of_a_worker_that_still_ends_comes_after_its_end(batond, agent, tmp_path):
    os.mkfifo(tmp_path / "finish")
    worker = batond.order_start("echo", **shell('trap "read x < $1; exit 0" TERM; touch "$1.ready"; '
                                                'while :; do sleep 0.01; done',
                                                str(tmp_path / "finish")))
    wait_until((tmp_path / "finish.ready").exists, "the trap is set")
    first = batond.wait_started(worker)
    batond.order("drain", worker, "drain_ms=0", "stop_ms=60000")
    batond.order_start("echo", id=worker, **shell("sleep 1000"))
    agent.wait_for_log("is told to stop")
    (tmp_path / "finish").write_text("now\n")
    batond.wait_for(lambda: len(batond.reports) == 3, "the second start")
    assert [words[0] for words in batond.reports] == ["started", "ended", "started"]
    assert batond.wait_ended(worker)["pid"] == str(first)
    assert batond.reports[2][2] != str(first)


# -- how workers end


def test_a_crash_is_reported_with_the_last_lines_of_output(batond, agent):
    """IS4: what went away unasked is told with its journey."""
    worker = batond.order_start(
        "echo", **shell('for i in $(seq 100); do echo "line $i"; done; echo "no disk" >&2; exit 3'))
    ended = batond.wait_ended(worker)
    assert ended["exit"] == "3"
    assert ended["holders"] == "gone"
    assert "command: /bin/sh -c" in ended["text"]
    assert ended["text"].endswith("line 99\nline 100\nno disk")
    assert "line 80\n" not in ended["text"]  # twenty lines


def test_a_signal_that_ended_a_worker_is_reported(batond, agent):
    worker = batond.order_start("echo", **shell("kill -SEGV $$"))
    ended = batond.wait_ended(worker)
    assert ended["signal"] == str(int(signal.SIGSEGV))
    assert "SIGSEGV" in ended["text"]


def test_control_characters_in_output_cannot_forge_a_line_of_the_log(batond, agent):
    worker = batond.order_start("echo", **shell(r"printf 'a\033[2Jb\rc\n'; exit 1"))
    ended = batond.wait_ended(worker)
    assert ended["text"].endswith(r"a\x1b[2Jbc")


def test_children_do_not_outlive_their_worker(batond, agent, tmp_path):
    worker = batond.order_start(
        "echo", **shell('sleep 1000 & echo $! > "$1.tmp"; mv "$1.tmp" "$1"; exit 0',
                        str(tmp_path / "child")))
    ended = batond.wait_ended(worker)
    assert ended["exit"] == "0"
    assert ended["holders"] == "gone"
    assert gone(int((tmp_path / "child").read_text()))


def test_kill_reaches_the_whole_group(batond, agent, tmp_path):
    worker = batond.order_start(
        "echo", **shell('trap "" TERM; sleep 1000 & echo $! > "$1.tmp"; mv "$1.tmp" "$1"; wait',
                        str(tmp_path / "child")))
    child = int(read_when_there(tmp_path / "child"))
    pid = batond.wait_started(worker)
    batond.order("kill", worker)
    ended = batond.wait_ended(worker)
    assert ended["signal"] == "9"
    assert ended["holders"] == "gone"
    assert gone(pid) and gone(child)


def test_kill_reaches_a_daemon_that_has_left_session_and_group(batond, agent, tmp_path):
    """A forked child keeps the client's connection: only its death lets the request go elsewhere."""
    worker = batond.order_start("echo", path=PYTHON, arguments=["-c", DAEMON, str(tmp_path / "pid")])
    daemon = int(read_when_there(tmp_path / "pid"))
    main = batond.wait_started(worker)
    assert os.getsid(daemon) != main
    batond.order("kill", worker)
    assert batond.wait_ended(worker)["holders"] == "gone"
    assert gone(daemon) and gone(main)


def test_a_crash_takes_the_escaped_daemon_along(batond, agent, tmp_path):
    worker = batond.order_start("echo", path=PYTHON, arguments=["-c", DAEMON, str(tmp_path / "pid")])
    daemon = int(read_when_there(tmp_path / "pid"))
    os.kill(batond.wait_started(worker), signal.SIGKILL)
    ended = batond.wait_ended(worker)
    assert ended["holders"] == "gone"
    assert gone(daemon)


def test_another_workers_daemon_is_left_alone(batond, agent, tmp_path):
    first = batond.order_start("echo", path=PYTHON, arguments=["-c", DAEMON, str(tmp_path / "one")])
    second = batond.order_start("echo", path=PYTHON, arguments=["-c", DAEMON, str(tmp_path / "two")])
    daemon_of_first = int(read_when_there(tmp_path / "one"))
    daemon_of_second = int(read_when_there(tmp_path / "two"))
    batond.order("kill", second)
    assert batond.wait_ended(second)["holders"] == "gone"
    assert gone(daemon_of_second)
    assert not gone(daemon_of_first)
    assert not gone(batond.wait_started(first))


def test_an_orphan_of_unknown_origin_makes_the_end_uncertain(batond, agent, tmp_path):
    """It has left session and group and wiped out its environment: nobody can say whose it is."""
    worker = batond.order_start(
        "echo", path=PYTHON, arguments=["-c", DAEMON, str(tmp_path / "pid"), "clean"])
    read_when_there(tmp_path / "pid.ready")
    # Before its program has replaced it, the copy of the worker's environment would still name it.
    wait_until(lambda: any(processes.command_line(pid).startswith("sleep")
                           for pid in processes.children(agent.process.pid)), "it sleeps")
    batond.order("kill", worker)
    assert batond.wait_ended(worker)["holders"] == "unknown"


def writable_cgroup() -> pathlib.Path | None:
    for folder in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        path = pathlib.Path(folder)
        if (path / "cgroup.procs").exists() and os.access(path / "cgroup.procs", os.W_OK):
            return path
    return None


@pytest.fixture
def cgroup():
    parent = writable_cgroup()
    if parent is None:
        pytest.skip("no writable cgroup v2")
    path = parent / f"baton-test-{os.getpid()}"
    path.mkdir()
    yield path
    processes.left_over(set())  # a zombie keeps its cgroup
    for child in path.iterdir():
        if child.is_dir():
            child.rmdir()
    path.rmdir()


def test_nothing_leaves_a_cgroup(batond, start_agent, tmp_path, cgroup):
    """Where the agent may make cgroups even that orphan is found."""
    start_agent("--cgroup", str(cgroup))
    worker = batond.order_start(
        "echo", path=PYTHON, arguments=["-c", DAEMON, str(tmp_path / "pid"), "clean"])
    read_when_there(tmp_path / "pid.ready")
    assert len((cgroup / f"baton-worker-localhost-{worker}/cgroup.procs").read_text().split()) == 2
    batond.order("kill", worker)
    assert batond.wait_ended(worker)["holders"] == "gone"
    assert not (cgroup / f"baton-worker-localhost-{worker}").exists()


def test_the_next_agent_empties_the_cgroups_of_a_killed_one(batond, start_agent, tmp_path, cgroup):
    agent = start_agent("--cgroup", str(cgroup))
    worker = batond.order_start(
        "echo", path=PYTHON, arguments=["-c", DAEMON, str(tmp_path / "pid"), "clean"])
    read_when_there(tmp_path / "pid.ready")
    inside = cgroup / f"baton-worker-localhost-{worker}"
    agent.process.kill()
    agent.wait()
    daemon, = wait_until(lambda: (pids := (inside / "cgroup.procs").read_text().split())
                         and len(pids) == 1 and pids, "only the escaped daemon lives")
    start_agent("--cgroup", str(cgroup))
    wait_until(lambda: gone(int(daemon)), "the escaped daemon is gone")


def test_drain_ends_by_sigterm_after_its_time(batond, agent, tmp_path):
    worker = batond.order_start(
        "echo", **shell('trap "exit 7" TERM; touch "$1"; while :; do sleep 0.01; done',
                        str(tmp_path / "ready")))
    wait_until((tmp_path / "ready").exists, "the trap is set")
    batond.order("drain", worker, "drain_ms=50", "stop_ms=60000")
    ended = batond.wait_ended(worker)
    assert ended["exit"] == "7"


def test_drain_ends_by_sigkill_when_sigterm_does_nothing(batond, agent, tmp_path):
    worker = batond.order_start(
        "echo", **shell('trap "" TERM; touch "$1"; while :; do sleep 0.01; done',
                        str(tmp_path / "ready")))
    wait_until((tmp_path / "ready").exists, "the trap is set")
    batond.order("drain", worker, "drain_ms=0", "stop_ms=50")
    ended = batond.wait_ended(worker)
    assert ended["signal"] == "9"
    assert ended["holders"] == "gone"


def test_a_draining_worker_that_finishes_gets_no_signal(batond, agent, tmp_path):
    os.mkfifo(tmp_path / "finish")
    worker = batond.order_start("echo", **shell('read line < "$1"; exit 0', str(tmp_path / "finish")))
    batond.wait_started(worker)
    batond.order("drain", worker, "drain_ms=60000", "stop_ms=60000")
    agent.wait_for_log("drains")
    (tmp_path / "finish").write_text("now\n")
    ended = batond.wait_ended(worker)
    assert ended["exit"] == "0"


# -- one agent, and its end


def test_a_second_agent_for_host_and_socket_is_refused(batond, agent, start_agent):
    batond.wait_for(lambda: batond.watch_words, "the first agent watches")
    second = start_agent()
    assert second.wait() == 75
    assert f"is running (pid {agent.pid}" in second.log_text()


def test_agents_of_two_hosts_can_share_a_socket(batond, agent, start_agent):
    other = start_agent("--host", "other")
    other.wait_for_log("no agent of other is expected")  # the stand-in's word, not the lock's


def test_order_end_drains_everything_and_leaves_no_process(batond, agent, tmp_path):
    ids = [batond.order_start("echo", drain_timeout_ms=0, **shell("sleep 1000")) for _ in range(3)]
    ids.append(batond.order_start("echo", drain_timeout_ms=0, path=PYTHON,
                                  arguments=["-c", DAEMON, str(tmp_path / "pid")]))
    daemon = int(read_when_there(tmp_path / "pid"))
    pids = [batond.wait_started(worker) for worker in ids]
    batond.order("end")
    assert agent.wait() == 0
    for worker in ids:
        assert batond.wait_ended(worker)["holders"] == "gone"
    assert all(gone(pid) for pid in [daemon, *pids])
    assert ["LOGOFF"] in batond.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_agent_and_workers(batond, agent, number):
    worker = batond.order_start("echo", **shell("sleep 1000"))
    pid = batond.wait_started(worker)
    agent.process.send_signal(number)
    assert agent.wait() == 0
    assert batond.wait_ended(worker)["holders"] == "gone"
    assert gone(pid)
    assert ["LOGOFF"] in batond.log


def test_a_signal_ends_an_agent_that_is_only_just_connecting(batond, start_agent):
    for _ in range(20):
        agent = start_agent()
        wait_until(lambda: "SigBlk:\t0000000000014002" in  # CHLD, TERM, INT: told by signalfd now
                   pathlib.Path(f"/proc/{agent.pid}/status").read_text(), "signals are handled")
        agent.process.terminate()
        assert agent.wait() == 0


def test_a_second_signal_ends_what_the_first_did_not(batond, agent, tmp_path):
    worker = batond.order_start(
        "echo", stop_timeout_ms=3600_000,
        **shell('trap "" TERM; touch "$1"; while :; do sleep 0.01; done', str(tmp_path / "ready")))
    wait_until((tmp_path / "ready").exists, "the trap is set")
    agent.process.terminate()
    agent.wait_for_log("is told to stop")
    agent.process.terminate()
    assert agent.wait() == 0
    assert batond.wait_ended(worker)["signal"] == "9"


def test_workers_end_when_their_agent_is_killed(batond, agent, start_agent, tmp_path):
    """Main processes die with it at once; what had escaped goes when the next agent comes."""
    plain = batond.order_start("echo", **shell("exec sleep 1000"))
    forking = batond.order_start("echo", path=PYTHON,
                                 arguments=["-c", DAEMON, str(tmp_path / "pid")])
    daemon = int(read_when_there(tmp_path / "pid"))
    pids = [batond.wait_started(plain), batond.wait_started(forking)]
    agent.process.kill()
    agent.wait()
    wait_until(lambda: all(gone(pid) for pid in pids), "the workers are gone")
    assert not gone(daemon)
    start_agent()
    wait_until(lambda: gone(daemon), "the escaped daemon is gone")


# -- without batond


def test_agent_and_workers_outlive_batond_and_come_back(batond, agent):
    """The agent tells which workers live; what ended meanwhile is reported then."""
    batond.attachable = ["echo"]
    batond.definitions["echo"] = shell("sleep 1000")
    batond.order("config")
    batond.wait_registered("echo")
    living = batond.order_start("echo", **shell("sleep 1000"))
    dying = batond.order_start("echo", **shell("sleep 1000"))
    pid = batond.wait_started(living)
    dying_pid = batond.wait_started(dying)
    batond.stop()
    agent.wait_for_log("trying again")
    os.kill(dying_pid, signal.SIGKILL)
    agent.wait_for_log(f"worker {dying} has ended")
    assert not gone(pid)
    batond.start()
    batond.wait_for(lambda: len(batond.watch_words) == 2, "the agent is back")
    assert batond.watch_words[0] == [f"pid={agent.pid}"]
    assert batond.watch_words[1] == [f"pid={agent.pid}", f"running={living}:{pid}:echo"]
    assert batond.wait_ended(dying)["signal"] == "9"
    batond.wait_registered("echo")
    batond.notify("echo")
    batond.wait_started(dying + 1)


def test_agent_and_workers_end_when_batond_stays_away(batond, start_agent):
    batond.reconnect_seconds = 0
    agent = start_agent()
    pid = batond.wait_started(batond.order_start("echo", **shell("sleep 1000")))
    batond.stop()
    assert agent.wait() == 69
    assert gone(pid)


def test_the_agent_waits_for_a_batond_that_is_not_there_yet(tmp_path, start_agent):
    agent = start_agent()
    agent.wait_for_log("trying again")
    batond = FakeBatond(tmp_path)
    batond.start()
    batond.wait_started(batond.order_start("echo", **shell("sleep 1000")))


# -- what a host allows


def test_the_agents_own_mapping_wins_over_batonds_definition(batond, start_agent, tmp_path):
    """EX5"""
    (tmp_path / "map").write_text("# ours\nthumbs /bin/sh -c 'echo mapped; exit 4' # not batond's\n")
    start_agent("--map", str(tmp_path / "map"))
    worker = batond.order_start("thumbs", path="/nowhere/worker")
    ended = batond.wait_ended(worker)
    assert ended["exit"] == "4"
    assert ended["text"].endswith("mapped")


def test_another_host_starts_only_what_its_own_list_allows(tmp_path, start_agent):
    batond = FakeBatond(tmp_path, host="render1")
    batond.start()
    (tmp_path / "allow").write_text("/bin/ env=COLOUR\n")
    start_agent("--host", "render1", "--allow", str(tmp_path / "allow"))
    allowed = batond.order_start("echo", environment=["COLOUR=red"], **shell("exit 5"))
    assert batond.wait_ended(allowed)["exit"] == "5"
    for refused, complaint in [
            ({"path": "/usr/bin/env"}, "add the line '/usr/bin/env'"),
            ({"path": "/bin/../usr/bin/env"}, "is not allowed on this host"),
            ({"path": "/bin/true", "environment": ["LD_PRELOAD=/tmp/x.so"]},
             "add the line 'env=LD_PRELOAD'"),
            ({"path": "/bin/true", "output": "/etc/passwd"}, "add the line 'output=/etc/passwd'")]:
        assert complaint in batond.wait_ended(batond.order_start("echo", **refused))["text"]


def test_another_host_without_a_list_starts_nothing(tmp_path, start_agent):
    batond = FakeBatond(tmp_path, host="render1")
    batond.start()
    start_agent("--host", "render1")
    ended = batond.wait_ended(batond.order_start("echo", path="/bin/true"))
    assert "is not allowed on this host" in ended["text"]


def test_a_broken_file_of_the_agent_keeps_it_from_starting(start_agent, tmp_path):
    (tmp_path / "allow").write_text("/bin/sh\nbin/true\n")
    agent = start_agent("--allow", str(tmp_path / "allow"))
    assert agent.wait() == 78
    assert "allow:2: 'bin/true' is neither an absolute path" in agent.log_text()
