"""Servers that know nothing of Baton, made its workers by libbaton-accept."""

import concurrent.futures
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from harness import processes, servers
from harness.daemon import bin_dir
from harness.waiting import wait_until

LIBRARY = bin_dir().parent / "lib/libbaton-accept.so"

MAKERS = {"nginx": servers.nginx, "node": servers.node, "gunicorn": servers.gunicorn,
          "python": servers.python}


def config(server: servers.Server, slots: int = 4, options: str = "", worker: str = "") -> str:
    return f"""
        config service web min=1 max=1 backoff=50ms {options}
        config worker web localhost slots={slots} accept=preload {worker} {server.command}
        route / web
    """


def workers(baton, service: str = "web") -> list[dict]:
    return [row for row in baton.json("workers") if row["service"] == service]


def wait_for_slots(baton, slots: int, count: int, service: str = "web") -> list[dict]:
    """Until so many workers have all their slots free."""

    def found():
        rows = [row for row in workers(baton, service) if row["state"] == "up"]
        free = [row for row in rows if row["credits"] == slots and row["running"] == 0]
        return rows if len(free) == count == len(rows) else None
    return wait_until(found, f"{count} workers with {slots} free slots each")


def own_address(connection) -> str:
    host, port = connection.socket.getsockname()
    return f"{host}:{port}"


@pytest.fixture(params=MAKERS)
def web(baton, tmp_path, request):
    server = MAKERS[request.param](tmp_path)
    baton.start(config(server))
    wait_for_slots(baton, 4, server.processes)
    baton.server = server
    return baton


def test_a_request_is_answered_by_the_server_which_sees_the_clients_address(web):
    with web.connect() as client:
        answer = client.get("/who")
        assert answer.status == 200
        pid, address = answer.text.split()
        assert address == own_address(client)
        assert int(pid) in processes.descendants(os.getpid())


def test_a_connection_is_the_servers_for_as_long_as_it_keeps_it(web):
    if not web.server.keeps_alive:
        pytest.skip("this server ends each connection after its answer")
    with web.connect() as client:
        answers = {client.get("/who").text for _ in range(5)}
        assert len(answers) == 1, "one process, one connection"
        assert sum(row["running"] for row in workers(web)) == 1
    wait_for_slots(web, 4, web.server.processes)


def test_clients_may_come_over_ipv6_and_unix_sockets(baton, tmp_path, how="preload"):
    """nginx has a listener for each family, node has one for both."""
    lines = [f"""
        config service {name} min=1 max=1
        config worker {name} localhost slots=4 accept={how} {maker(tmp_path).command}
        route {name}.test/ {name}
    """ for name, maker in {"nginx": servers.nginx, "node": servers.node}.items()]
    baton.start(f"""
        listen http [::1]:0
        listen http unix:{tmp_path}/http.sock
    """ + "\n".join(lines))
    for name in ("nginx", "node"):
        with baton.connect() as client:
            answers = {client.get("/who", Host=f"{name}.test").text for _ in range(2)}
            port = client.socket.getsockname()[1]
            assert answers.pop().split()[1] == f"::1:{port}" and not answers
        with baton.connect(tmp_path / "http.sock") as client:
            answers = {client.get("/who", Host=f"{name}.test").text for _ in range(2)}
            # nginx writes nothing for port 0.
            assert answers.pop().split()[1] in ("127.0.0.1:0", "127.0.0.1:") and not answers
            assert client.get("/nginx/page", Host=f"{name}.test").status == 200


def test_slots_come_back_however_many_connections_there_were(web):
    address = web.listener()

    def one(_):
        with web.connect(address) as client:
            answer = client.request("GET", "/who", Connection="close")
            return answer.status == 200 and answer.text.split()[1] == own_address(client)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(60)))
    wait_for_slots(web, 4, web.server.processes)
    assert all(row["restarts"] == 0 for row in workers(web))


def test_clients_that_leave_without_a_word_free_their_slots(web):
    for _ in range(12):
        client = web.connect()
        client.get("/who")
        client.reset()
    wait_for_slots(web, 4, web.server.processes)


def test_stop_ends_an_idle_server_at_once(web):
    """It does not know that it has drained: it is told, and not when the time for draining is over."""
    pids = [row["pid"] for row in workers(web) if row["pid"]]
    web.command("stop web")
    wait_until(lambda: all(processes.state(pid) in ("", "Z") for pid in pids), "it has ended", 10)
    assert web.get("/who").status == 503
    assert sum(row["restarts"] for row in workers(web)) == 0


def test_each_process_of_a_server_is_a_worker(baton, tmp_path):
    server = servers.nginx(tmp_path, processes=3)
    baton.start(config(server))
    rows = wait_for_slots(baton, 4, 3)
    assert len({row["id"] for row in rows}) == 3
    clients = [baton.connect() for _ in range(6)]
    answers = {client.get("/who").text.split()[0] for client in clients}
    assert len(answers) == 3, "each gets its share"
    for client in clients:
        client.close()


def test_a_server_killed_before_it_reads_costs_the_client_nothing(baton, stage, tmp_path):
    server = servers.python(tmp_path)
    baton.start(f"""
        config service web min=2 max=2 backoff=50ms
        config worker web localhost slots=4 accept=preload {stage.environment()} {server.command}
        route / web
    """)
    wait_for_slots(baton, 4, 2)
    with baton.connect() as client:
        client.send("GET /who?hold=before-read HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        held.kill_9()
        answer = client.response()
        assert answer.status == 200
        assert int(answer.text.split()[0]) != held.pid
        assert answer.text.split()[1] == own_address(client)
        # The connection is the other server's now.
        assert client.get("/who").text == answer.text


def test_a_server_killed_after_reading_is_a_502_or_another_answer(baton, stage, tmp_path):
    """A request of which the front has all, and that may be asked twice, is asked again: bridged."""
    server = servers.python(tmp_path)
    baton.start(f"""
        config service web min=2 max=2 backoff=50ms answer-timeout=400ms retries=1
        config worker web localhost slots=4 accept=preload {stage.environment()} {server.command}
        route / web
    """)
    wait_for_slots(baton, 4, 2)
    with baton.connect() as client:
        client.send("GET /who?silent=1 HTTP/1.1\r\nHost: t\r\n\r\n")
        first = wait_until(lambda: [row for row in workers(baton) if row["running"]], "one has it")
        processes.kill_9(first[0]["pid"])
        second = wait_until(lambda: [row for row in workers(baton) if row["running"]
                                     and row["pid"] != first[0]["pid"]], "another has it")
        processes.kill_9(second[0]["pid"])
        assert client.response().status == 502


def test_a_server_that_accepts_and_says_nothing_hangs(baton, tmp_path):
    server = servers.python(tmp_path)
    baton.start(config(server, options="answer-timeout=300ms"))
    wait_for_slots(baton, 4, 1)
    with baton.connect() as client:
        client.send("GET /who?silent=1 HTTP/1.1\r\nHost: t\r\n\r\n")
        answer = client.response()
    assert answer.status == 504
    assert "worker_hung" in answer.text
    wait_until(lambda: sum(row["restarts"] for row in workers(baton)) == 1, "it is counted")


def test_an_answer_that_is_cut_by_a_reset_does_not_look_whole(baton, tmp_path):
    """SO_LINGER of zero and close(), as nginx does by reset_timedout_connection: batond has a descriptor, too."""
    log = tmp_path / "access.log"
    server = servers.python(tmp_path)
    baton.start(config(server), "--access-log", str(log), "--access-log-format", "json")
    wait_for_slots(baton, 4, 1)
    with baton.connect() as client:
        client.send("GET /who?cut=1 HTTP/1.1\r\nHost: t\r\n\r\n")
        answer = b""
        with pytest.raises(ConnectionResetError):
            while piece := client.socket.recv(4096):
                answer += piece
    assert answer.endswith(b"half of the answ")
    wait_for_slots(baton, 4, 1)
    line = wait_until(log.read_text, "it is logged")
    assert json.loads(line)["bytes"] == len(answer)


def test_an_idle_connection_is_no_hang(baton, tmp_path):
    """Which of two: the one that stands still in its answer, not the one that waits for a request."""
    server = servers.python(tmp_path)
    baton.start(f"""
        config service web min=1 max=1 answer-timeout=300ms stall-timeout=300ms
        config worker web localhost slots=4 accept=preload {server.command}
        config service other min=1 max=1 answer-timeout=300ms
        config worker other localhost slots=4 accept=preload {server.command}
        route web.test/ web
        route other.test/ other
    """)
    wait_for_slots(baton, 4, 1)
    wait_for_slots(baton, 4, 1, "other")
    with baton.connect() as idle, baton.connect() as silent:
        first = idle.get("/who", Host="web.test").text
        silent.send("GET /who?silent=1 HTTP/1.1\r\nHost: other.test\r\n\r\n")
        assert silent.response().status == 504
        assert idle.get("/who", Host="web.test").text == first


def test_where_others_share_the_host_each_request_is_carried_by_itself(baton, tmp_path):
    makers = {name: maker for name, maker in MAKERS.items()}
    lines = [f"""
        config service {name} min=1 max=1
        config worker {name} localhost slots=2 accept=preload {maker(tmp_path).command}
        route /{name} {name}
    """ for name, maker in makers.items()]
    baton.start("\n".join(lines) + f"""
        config service asyncio min=1 max=1
        config worker asyncio localhost slots=2 accept=preload {servers.python(tmp_path, '--asyncio').command}
        route /asyncio asyncio
        route nginx.test/ nginx
    """)
    for name in makers:
        assert f"requests by the route /{name} are carried by a bridge" in baton.log_text()
    assert "route nginx.test/" not in baton.log_text()
    rows = {row["route"]: row["bridged"] for row in baton.json("routes")}
    assert rows["/node"] and not rows["nginx.test/"]
    assert "bridged: others share its host" in baton.command("routes")

    for name in ["node", "gunicorn", "python", "asyncio"]:
        for _ in range(6):  # more than there are slots
            with baton.connect() as client:
                answer = client.get(f"/{name}")
                assert (answer.status, answer.text.split()[1]) == (200, own_address(client)), name
    with baton.connect() as client:
        assert client.request("POST", "/node", body=b"12345").status == 200
        assert client.at_end(), "one request, one connection"
    with baton.connect() as client:  # a file, with sendfile and TCP_CORK
        answer = client.get("/nginx/page")
        assert answer.status == 200
        assert answer.fields["connection"] == "close"
        assert answer.body == b"y" * 200_000
    for name in makers:
        count = 2 if name in ("nginx", "gunicorn") else 1
        wait_for_slots(baton, 2, count, name)


def test_a_bridged_server_is_asked_to_close(baton, tmp_path):
    server = servers.node(tmp_path)
    baton.start(config(server, options="delivery=bridge"))
    wait_for_slots(baton, 4, 1)
    with baton.connect() as client:
        fields = json.loads(client.get("/fields", Connection="keep-alive", Keep_Alive="5").text)
        assert fields["connection"] == "close"
        assert "keep-alive" not in fields
        assert fields["host"] == "test"
    body = b"x" * 300_000
    with baton.connect() as client:
        assert client.request("POST", "/size", body=body).text == str(len(body))


def test_a_server_that_does_not_close_is_told_when_the_client_has_left(baton, tmp_path):
    server = servers.python(tmp_path, "--asyncio")
    baton.start(config(server, slots=1, options="delivery=bridge"))
    wait_for_slots(baton, 1, 1)
    for _ in range(3):
        with baton.connect() as client:
            assert client.get("/deaf").status == 200
        wait_for_slots(baton, 1, 1)


def test_the_check_of_a_configuration_warns_of_shared_hosts(tmp_path):
    path = tmp_path / "baton.conf"
    path.write_text(config(servers.python(tmp_path)) + "config service api\nroute /api api\n")
    checked = subprocess.run([bin_dir() / "batond", "--check", path], capture_output=True, text=True,
                             check=False)
    assert checked.returncode == 0
    assert "baton.conf: warning: requests by the route / are carried by a bridge" in checked.stderr
    assert "has one slot" not in checked.stderr
    path.write_text(config(servers.python(tmp_path), slots=1))
    checked = subprocess.run([bin_dir() / "batond", "--check", path], capture_output=True, text=True,
                             check=True)
    assert checked.stderr.startswith(f"{path}: warning: a server of 'web' has one slot")


def test_stop_lets_an_answer_finish_that_has_begun(baton, stage, tmp_path):
    server = servers.python(tmp_path)
    baton.start(config(server, worker=stage.environment()))
    wait_for_slots(baton, 4, 1)
    with baton.connect() as client:
        client.send("GET /?slow=1&size=10 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        held = stage.wait()
        baton.command("stop web")
        assert baton.get("/who").status == 503
        assert processes.state(held.pid) not in ("", "Z")
        held.go_on()
        assert client.response().body == b"x" * 10
    wait_until(lambda: processes.state(held.pid) in ("", "Z"), "then it ends", 10)


def test_stop_waits_for_all_processes_of_a_server(baton, tmp_path):
    server = servers.nginx(tmp_path, processes=2)
    baton.start(config(server))
    rows = wait_for_slots(baton, 4, 2)
    clients = [baton.connect() for _ in range(2)]
    for client in clients:
        client.send("GET /slow HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
    wait_until(lambda: [row["running"] for row in workers(baton)] == [1, 1], "each has one")
    baton.command("stop web")
    for client in clients:
        assert len(client.response().body) == 60_000
        client.close()
    leader = next(row["pid"] for row in rows if row["pid"])
    wait_until(lambda: processes.state(leader) in ("", "Z"), "then it ends", 10)


def test_a_server_outlives_batond_and_serves_on_meanwhile(baton, tmp_path):
    server = servers.nginx(tmp_path)
    baton.start(config(server))
    wait_for_slots(baton, 4, 2)
    with baton.connect() as client:
        first = client.get("/who").text
        baton.kill_9()
        assert client.get("/who").text == first, "its connection is none of batond's"
        baton.restart()
        assert client.get("/who").text == first
        wait_until(lambda: len([row for row in workers(baton) if row["state"] == "up"]) == 2,
                   "both processes are back")
        pids = {baton.get("/who").text.split()[0] for _ in range(6)}
        assert first.split()[0] in pids, "they are those of before"
    wait_for_slots(baton, 4, 2)


def test_a_server_may_fork_for_each_connection(baton, tmp_path):
    """Its parent closes what a child answers: nobody must end it then."""
    server = servers.python(tmp_path, "--fork")
    baton.start(config(server))
    wait_for_slots(baton, 4, 1)
    with baton.connect() as client:
        pids = {client.get("/who").text.split()[0] for _ in range(3)}
        assert len(pids) == 1
        leader = workers(baton)[0]["pid"]
        assert pids != {str(leader)}
    for _ in range(10):
        with baton.connect() as client:
            assert client.get("/who").text.split()[1] == own_address(client)
    wait_for_slots(baton, 4, 1)


@pytest.mark.parametrize("how", ["posix_spawn", "vfork", "_Fork", "sendmmsg"])
def test_a_server_may_give_each_connection_to_a_child(baton, stage, tmp_path, how):
    """As inetd does, in the ways of which the C library tells nobody (Python's subprocess is vfork)."""
    server = servers.python(tmp_path, "--start", how)
    baton.start(config(server, worker=stage.environment()))
    leader = wait_for_slots(baton, 4, 1)[0]["pid"]
    with baton.connect() as client:
        client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        held = stage.wait()
        wait_for_slots(baton, 4, 1)  # the server has closed its own descriptor
        held.go_on()
        answer = client.response()
        assert (answer.status, answer.text) == (200, str(held.pid))
        assert held.pid != leader
    assert [row["pid"] for row in wait_for_slots(baton, 4, 1)] == [leader]


def test_a_server_may_pass_connections_to_its_other_processes(baton, tmp_path):
    server = servers.node_cluster(tmp_path)
    baton.start(config(server))
    wait_for_slots(baton, 4, 1)
    pids = set()

    def both_have_answered() -> bool:  # the second one may be there a little later
        with baton.connect() as client:
            answers = {client.get("/who").text for _ in range(2)}
            pid, address = answers.pop().split()
            assert not answers and address == own_address(client)
            pids.add(pid)
        return len(pids) == 2
    wait_until(both_have_answered, "each of both has answered")
    wait_for_slots(baton, 4, 1)


def test_a_server_on_an_event_loop_of_python(baton, tmp_path):
    server = servers.python(tmp_path, "--asyncio")
    baton.start(config(server))
    wait_for_slots(baton, 4, 1)
    for _ in range(10):
        with baton.connect() as client:
            answers = {client.get("/who").text for _ in range(2)}
            assert answers.pop().split()[1] == own_address(client) and not answers
    wait_for_slots(baton, 4, 1)


def test_a_server_is_a_worker_when_it_is_started_by_hand(baton, tmp_path):
    server = servers.node(tmp_path)
    baton.start("config service web\nroute / web")
    environment = os.environ | {
        "LD_PRELOAD": str(LIBRARY), "BATON_WORKER_SOCKET": f"{baton.socket}.workers",
        "BATON_SERVICE": "web", "BATON_SLOTS": "4", "BATON_ACCEPT_PORT": str(servers.PORT)}
    with subprocess.Popen(server.command.split(), env=environment) as process:
        row = wait_for_slots(baton, 4, 1)[0]
        assert row["pid"] == process.pid
        with baton.connect() as client:
            assert client.get("/who").text == f"{process.pid} {own_address(client)}"
        baton.command("stop web")
        assert process.wait(10) == -signal.SIGTERM, "nobody else would tell it"


def test_only_the_listener_that_is_meant_is_taken(baton, tmp_path):
    server = servers.node(tmp_path)
    baton.start(f"""
        config service web min=1 max=1 start-timeout=300ms backoff=30s
        config worker web localhost accept=preload accept-port=1 {server.command}
        route / web
    """)
    baton.wait_for_log("did not register within start-timeout")


def test_a_library_that_cannot_be_what_it_should_says_so(tmp_path):
    environment = os.environ | {"LD_PRELOAD": str(LIBRARY), "BATON_WORKER_SOCKET": "/x",
                                "BATON_SERVICE": "web", "BATON_SLOTS": "many"}
    ran = subprocess.run(["/bin/true"], env=environment, capture_output=True, text=True, check=True)
    assert ran.stderr == ("libbaton-accept: BATON_SLOTS must be a number from 1 to 65536; this server "
                          "is none of Baton's\n")


def test_programs_without_a_rendezvous_are_left_alone():
    ran = subprocess.run(["/bin/sh", "-c", "echo fine"], env=os.environ | {"LD_PRELOAD": str(LIBRARY)},
                         capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("fine\n", "")
