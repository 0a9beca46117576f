"""Servers under baton-adopt: what no preload reaches, and what one would reach as well."""

import concurrent.futures
import json
import os
import select
import signal
import subprocess

import pytest

from harness import processes, servers
from harness.daemon import bin_dir
from harness.waiting import LIMIT_SECONDS, wait_until
import test_unmodified_servers
from test_unmodified_servers import own_address, wait_for_slots, workers

MAKERS = {"nats": servers.nats, "nginx": servers.nginx, "node": servers.node,
          "python": servers.python}


def config(server: servers.Server, slots: int = 4, options: str = "", worker: str = "") -> str:
    return f"""
        config service web min=1 max=1 backoff=50ms {options}
        config worker web localhost slots={slots} accept=adopt accept-port={servers.PORT} {worker} {server.command}
        route / web
    """


@pytest.fixture(params=MAKERS)
def web(baton, tmp_path, request):
    server = MAKERS[request.param](tmp_path)
    baton.start(config(server))
    wait_for_slots(baton, 4, 1)
    baton.server = server
    return baton


def test_requests_are_answered_by_the_server_which_sees_the_clients_address(web):
    with web.connect() as client:
        for _ in range(3):
            answer = client.get(web.server.who)
            assert answer.status == 200
            if web.server.who == "/who":
                assert answer.text.split()[1] == own_address(client)
        # An open connection takes a slot, although batond has given it away.
        assert [row["credits"] for row in workers(web)] == [3]
    wait_for_slots(web, 4, 1)


def test_clients_may_come_over_ipv6_and_unix_sockets(baton, tmp_path):
    test_unmodified_servers.test_clients_may_come_over_ipv6_and_unix_sockets(
        baton, tmp_path, "adopt")


def test_slots_come_back_however_many_connections_there_were(web):
    address = web.listener()

    def one(_):
        with web.connect(address) as client:
            return client.request("GET", web.server.who, Connection="close").status
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(one, range(60))) == {200}
    wait_for_slots(web, 4, 1)
    assert [row["restarts"] for row in workers(web)] == [0]


def test_clients_that_leave_without_a_word_free_their_slots(web):
    for _ in range(12):
        client = web.connect()
        client.get(web.server.who)
        client.reset()
    wait_for_slots(web, 4, 1)


def test_more_clients_than_slots_wait_for_one(web):
    clients = [web.connect() for _ in range(6)]
    for client in clients:
        client.send(f"GET {web.server.who} HTTP/1.1\r\nHost: t\r\n\r\n")


    def answered(among):
        ready, _, _ = select.select([client.socket for client in among], [], [], LIMIT_SECONDS)
        found = [client for client in among if client.socket in ready]
        assert all(client.response().status == 200 for client in found)
        return found
    first = []
    while len(first) < 4:
        first += answered([client for client in clients if client not in first])
    assert len(first) == 4
    assert web.json("service web")["waiting"] == 2
    for client in first[:2]:
        client.close()
    rest = [client for client in clients if client not in first]
    while rest:
        for client in answered(rest):
            client.close()
            rest.remove(client)
    for client in first[2:]:
        client.close()
    wait_for_slots(web, 4, 1)


def test_stop_ends_an_idle_server_at_once(web):
    pids = [pid for row in workers(web) for pid in [row["pid"], *processes.descendants(row["pid"])]]
    assert len(pids) >= 2
    web.command("stop web")
    wait_until(lambda: all(processes.state(pid) in ("", "Z") for pid in pids), "all of it ended", 10)
    assert web.get("/").status == 503


def test_where_others_share_the_host_each_request_is_carried_by_itself(baton, tmp_path):
    names = {"nats": servers.nats(tmp_path), "node": servers.node(tmp_path),
             "asyncio": servers.python(tmp_path, "--asyncio"), "nginx": servers.nginx(tmp_path)}
    lines = [f"""
        config service {name} min=1 max=1
        config worker {name} localhost slots=2 accept=adopt accept-port={servers.PORT} {server.command}
        route /{name} {name}
    """ for name, server in names.items()]
    baton.start("\n".join(lines) + "route /healthz nats")
    for name in names:
        wait_for_slots(baton, 2, 1, name)
    for name in ["node", "asyncio"]:
        for _ in range(6):
            with baton.connect() as client:
                answer = client.get(f"/{name}")
                assert (answer.status, answer.text.split()[1]) == (200, own_address(client)), name
    for _ in range(6):
        with baton.connect() as client:
            assert json.loads(client.get("/healthz").text) == {"status": "ok"}
            assert client.at_end(), "one request, one connection"
    with baton.connect() as client:  # a file, with sendfile and TCP_CORK
        assert client.get("/nginx/page").body == b"y" * 200_000
    for name in names:
        wait_for_slots(baton, 2, 1, name)


def test_a_server_that_dies_is_started_again_and_its_clients_see_the_end(baton, tmp_path):
    server = servers.nats(tmp_path)
    baton.start(config(server))
    supervisor = wait_for_slots(baton, 4, 1)[0]["pid"]
    with baton.connect() as client:
        assert client.get("/healthz").status == 200
        program = processes.children(supervisor)[0]
        processes.kill_9(program)
        with pytest.raises((ConnectionResetError, EOFError)):
            client.get("/healthz")
    row = wait_until(lambda: [row for row in workers(baton) if row["restarts"] == 1
                              and row["state"] == "up"], "it is there again")[0]
    assert row["pid"] != supervisor
    assert baton.get("/healthz").status == 200


def test_a_request_that_was_not_accepted_yet_goes_to_another_server(baton, tmp_path):
    """What waits in front of a program that does not accept is still batond's to give away."""
    server = servers.python(tmp_path)
    baton.start(config(server))
    row = wait_for_slots(baton, 4, 1)[0]
    program = processes.children(row["pid"])[0]
    os.kill(program, signal.SIGSTOP)  # it accepts nothing
    with baton.connect() as client:
        client.send("GET /who HTTP/1.1\r\nHost: t\r\n\r\n")
        wait_until(lambda: workers(baton)[0]["running"] == 1, "it is handed over")
        processes.kill_9(program)
        answer = client.response()
        assert answer.status == 200
        assert int(answer.text.split()[0]) != program


def test_the_supervisors_death_ends_the_program(baton, tmp_path):
    server = servers.nginx(tmp_path)
    baton.start(config(server))
    supervisor = wait_for_slots(baton, 4, 1)[0]["pid"]
    program = wait_until(lambda: len(found := processes.descendants(supervisor)) == 3 and found,
                         "nginx and its two processes are there")
    processes.kill_9(supervisor)
    wait_until(lambda: all(processes.state(pid) in ("", "Z") for pid in program), "all are dead")
    wait_until(lambda: [row for row in workers(baton) if row["restarts"] == 1
                        and row["state"] == "up"], "it is there again")
    assert baton.get("/who").status == 200


def test_a_server_may_replace_its_processes(baton, tmp_path):
    """`nginx -s reload`: the program is one worker, whatever processes it has."""
    server = servers.nginx(tmp_path)
    baton.start(config(server))
    row = wait_for_slots(baton, 4, 1)[0]
    leader = processes.children(row["pid"])[0]
    assert baton.get("/generation").text == "one"
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(configuration.read_text().replace('"one"', '"two"'))
    with baton.connect() as client:
        client.send("GET /slow HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        assert client.read(1)
        before = processes.children(leader)
        os.kill(leader, signal.SIGHUP)
        wait_until(lambda: baton.get("/generation").text == "two", "the new one answers")
        assert set(processes.children(leader)) - set(before)
        assert len(client.read_to_end().partition(b"\r\n\r\n")[2]) == 60_000
    wait_until(lambda: not set(processes.children(leader)) & set(before), "the old have ended")
    wait_for_slots(baton, 4, 1)
    assert [row["restarts"] for row in workers(baton)] == [0]


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


def test_a_server_outlives_batond_and_serves_on_meanwhile(baton, tmp_path):
    server = servers.node(tmp_path)
    baton.start(config(server))
    wait_for_slots(baton, 4, 1)
    with baton.connect() as client:
        first = client.get("/who").text
        baton.kill_9()
        assert client.get("/who").text == first
        baton.restart()
        wait_until(lambda: baton.get("/who").status == 200, "requests are served again")
        wait_until(lambda: [row["credits"] for row in workers(baton)] == [3], "one is taken")
        assert client.get("/who").text == first
    wait_for_slots(baton, 4, 1)


def test_a_server_may_fork_for_each_connection(baton, tmp_path):
    server = servers.python(tmp_path, "--fork")
    baton.start(config(server))
    wait_for_slots(baton, 4, 1)
    for _ in range(10):
        with baton.connect() as client:
            answers = {client.get("/who").text for _ in range(2)}
            assert answers.pop().split()[1] == own_address(client) and not answers
    wait_for_slots(baton, 4, 1)


def test_a_server_is_a_worker_when_it_is_started_by_hand(baton, tmp_path):
    """`baton adopt`, without an id: it is told to end when the service is stopped."""
    server = servers.nats(tmp_path)
    baton.start("config service web\nroute / web")
    environment = os.environ | {
        "BATON_WORKER_SOCKET": f"{baton.socket}.workers", "BATON_SERVICE": "web",
        "BATON_SLOTS": "4", "BATON_ACCEPT_PORT": str(servers.PORT)}
    words = [bin_dir() / "baton", "adopt", "--", *server.command.split()]
    with subprocess.Popen(words, env=environment) as process:
        assert wait_for_slots(baton, 4, 1)[0]["pid"] == process.pid
        assert baton.get("/healthz").status == 200
        baton.command("stop web")
        assert process.wait(10) == 1, "as nats-server ends"


def test_what_cannot_be_adopted_says_why(tmp_path):
    environment = os.environ | {"BATON_WORKER_SOCKET": "/x", "BATON_SERVICE": "web"}

    def run(*words, **variables):
        return subprocess.run([bin_dir() / "baton-adopt", *words], env=environment | variables,
                              capture_output=True, text=True, check=False)
    missing = run("--", str(tmp_path / "nothing"))
    assert (missing.returncode, missing.stderr) == (
        127, f"baton-adopt: {tmp_path}/nothing: No such file or directory\n")
    assert run("--").returncode == 64
    assert run("sh", "-c", "exit 3").returncode == 3
    assert run("sh", "-c", "kill -9 $$").returncode == 128 + 9
    many = run("true", BATON_SLOTS="65536")
    assert many.returncode == 78
    assert "65536 slots need more descriptors" in many.stderr
