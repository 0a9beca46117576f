"""The command language as people and their programs meet it: tools, clients of Redis, files."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness.daemon import bin_dir
from harness.resp import CommandRefused, CommandSession
from harness.terminal import Terminal
from harness.waiting import LIMIT_SECONDS, wait_until

WORKER = Path(__file__).parent / "workers/scripted_worker.py"


def run(program: str, *arguments: str, **options) -> subprocess.CompletedProcess:
    """A program of this build, on its own."""
    return subprocess.run([bin_dir() / program, *arguments], capture_output=True, text=True,
                          timeout=LIMIT_SECONDS, check=False, **options)


# -- files

def test_a_folder_given_as_a_configuration_is_named_with_what_to_do(tmp_path):
    checked = run("batond", "--check", str(tmp_path))
    assert checked.returncode == 1
    assert checked.stderr == (f"{tmp_path} cannot be read: Is a directory; "
                              "name a configuration file of at most 4 MiB\n")
    started = run("batond", "--socket", str(tmp_path / "s"), str(tmp_path))
    assert started.returncode == 1
    assert f"{tmp_path} cannot be read: Is a directory; name a file" in started.stderr


def test_a_missing_configuration_is_named_with_the_reason(tmp_path):
    checked = run("batond", "--check", str(tmp_path / "none"))
    assert checked.returncode == 1
    assert f"{tmp_path}/none cannot be read: No such file or directory; " in checked.stderr


# -- the operator's tool

def test_the_tool_says_by_its_status_what_went_wrong(baton):
    baton.start("")
    assert baton.tool("-c", "services").returncode == 0
    assert baton.tool("-c", "worker 99").returncode == 1
    assert baton.tool("-c", "'unclosed").returncode == 1
    assert baton.tool("--nonsense").returncode == 64
    assert run("baton", "-s", str(baton.folder / "none"), "-c", "services").returncode == 2
    assert run("batond", "--nonsense").returncode == 64


def test_the_tool_fails_when_nobody_gets_the_answer(baton):
    baton.start("")
    with open("/dev/full", "w") as full:
        ended = subprocess.run([bin_dir() / "baton", "-s", str(baton.socket), "-c", "help"],
                               stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == "baton: the answer cannot be written: No space left on device\n"


def test_commands_of_a_file_run_until_one_fails(baton):
    baton.start("")
    file = baton.folder / "lines"
    file.write_text("config service a\n# a comment\nconfig service \\\n  b\nworker 99\nconfig service c\n")
    ended = baton.tool("-f", str(file))
    assert ended.returncode == 1
    assert ended.stdout == "Ok.\nOk.\n"
    assert ended.stderr.startswith(f"{file}:5: worker: there is no worker 99; ")
    assert [row["name"] for row in baton.json("services")] == ["b", "a", "op"]

    folder = baton.tool("-f", str(baton.folder))
    assert folder.returncode == 1
    assert f"{baton.folder} cannot be read: Is a directory; " in folder.stderr


def test_standard_input_that_is_no_terminal_is_a_file(baton):
    baton.start("")
    for options in [[], ["-f", "-"]]:
        ended = run("baton", "-s", str(baton.socket), *options, input="ping\nrazma\nping\n")
        assert ended.returncode == 1
        assert ended.stdout == "PONG\n"
        assert ended.stderr == "-:2: unknown command 'razma'; 'help' lists the commands\n"


def test_the_tool_names_its_default_socket_once(tmp_path):
    said = run("baton", "--help", env={"BATON_SOCKET": "/x/y"}).stdout
    assert "$BATON_SOCKET if it is set; now /x/y)" in " ".join(said.split())


# -- the prompt

def prompt(baton) -> Terminal:
    terminal = Terminal(str(bin_dir() / "baton"), "-s", str(baton.socket),
                        XDG_STATE_HOME=str(baton.folder))
    terminal.wait_for("baton> ")
    return terminal


def test_the_prompt_completes_words_of_the_language_and_of_the_daemon(baton):
    baton.start("config service thumbs")
    with prompt(baton) as terminal:
        terminal.type("list\t\t")
        terminal.wait_for("listeners")
        assert "listevents" in terminal.wait_for("baton> ")
        terminal.enter("\x15")
        terminal.type("start th\t")
        terminal.wait_for("thumbs ")
        assert "Ok." in terminal.enter("")
        terminal.type("exit\n")
        assert terminal.process.wait(LIMIT_SECONDS) == 0
    assert baton.json("service thumbs")["started"]


def test_the_prompt_keeps_its_history_for_the_next_time(baton):
    baton.start("")
    with prompt(baton) as terminal:
        assert "PONG" in terminal.enter("ping")
    with prompt(baton) as terminal:
        terminal.type("\x1b[A")
        terminal.wait_for("ping")
        assert "PONG" in terminal.enter("")


def test_ctrl_c_at_the_prompt_leaves_the_line_and_not_the_program(baton):
    baton.start("")
    with prompt(baton) as terminal:
        assert "PONG" in terminal.enter("ping")
        terminal.type("terminate\x03")
        terminal.wait_for("^C")
        terminal.wait_for("baton> ")
        assert "PONG" in terminal.enter("ping")
        terminal.type("\x04")
        assert terminal.process.wait(LIMIT_SECONDS) == 0


def test_an_unknown_verb_is_followed_by_the_list_of_commands(baton):
    """IS8: any command that is not recognised results in a display of those that are."""
    baton.start("")
    ended = baton.tool("-c", "razmafritz")
    assert ended.returncode == 1
    lines = ended.stderr.splitlines()
    assert lines[0] == "unknown command 'razmafritz'; 'help' lists the commands"
    assert "workers [lazy | idle | busy | all]" in lines
    assert lines[1:] == baton.command("help").splitlines()
    assert len(baton.tool("-c", "clone").stderr.splitlines()) == 1
    with prompt(baton) as terminal:
        assert "workers [lazy | idle | busy | all]" in terminal.enter("razmafritz")


# -- clients of Redis

def redis_cli(baton, *words: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(["redis-cli", "-s", str(baton.socket), *words], capture_output=True,
                          text=True, timeout=LIMIT_SECONDS, check=False, **options)


@pytest.mark.parametrize("version", [["-2"], ["-3"]])
def test_redis_cli_operates_the_daemon(baton, version):
    baton.start("config service echo pri=3\nroute /x/ echo")
    assert redis_cli(baton, *version, "PING").stdout == "PONG\n"
    assert redis_cli(baton, *version, "workers").stdout.startswith("service        worker id avail?")
    assert redis_cli(baton, *version, "config", "service", "b", "queue=7").stdout == "Ok.\n"
    shown = json.loads(redis_cli(baton, *version, "json", "service", "b").stdout)
    assert shown["options"]["queue"] == 7
    assert redis_cli(baton, *version, "save").stdout == baton.command("save") + "\n"
    status = redis_cli(baton, *version, "")
    assert status.stdout.startswith("isdData.configfile       = ")
    unknown = redis_cli(baton, *version, "razmafritz")
    assert unknown.stdout.strip() == "ERR unknown command 'razmafritz'; 'help' lists the commands"
    assert "rotocol error" not in unknown.stderr


def test_redis_cli_takes_commands_from_its_input(baton):
    baton.start("")
    said = redis_cli(baton, input='config service "a"\nclone 99\nservices\n')
    lines = said.stdout.splitlines()
    assert lines[0] == "Ok."
    assert lines[1].startswith("ERR clone: there is no worker 99; ")
    assert ["a", "2"] in [line.split() for line in lines]


def test_the_python_client_of_redis_operates_the_daemon(baton):
    redis = pytest.importorskip("redis")
    baton.start("config service echo")
    client = redis.Redis(unix_socket_path=str(baton.socket), decode_responses=True)
    assert client.ping()
    assert client.execute_command("config", "service", "b") == "Ok."
    names = [row["name"] for row in json.loads(client.execute_command("json", "services"))]
    assert sorted(names) == ["b", "echo", "op"]
    with pytest.raises(redis.ResponseError, match="unknown command"):
        client.execute_command("razmafritz")
    with client.pipeline(transaction=False) as pipeline:
        pipeline.execute_command("start", "b")
        pipeline.execute_command("json", "service", "b")
        assert json.loads(pipeline.execute()[1])["started"]
    client.close()


def test_lines_of_text_are_commands_too(baton):
    """Inline, as nc and telnet send them."""
    baton.start("config service echo")
    with baton.session() as session:
        session.send_raw(b"ping\r\nservices\nclone\n\n")
        assert session.reply() == "PONG"
        assert session.reply().splitlines()[-1].split() == ["op", "1"]
        with pytest.raises(CommandRefused, match="id is missing; format: clone ID"):
            session.reply()
        assert session.reply().startswith("isdData.configfile")


def test_a_web_page_cannot_give_commands(baton):
    baton.start("listen command 127.0.0.1:0 token=secret")
    host, port = baton.listener("command")
    for address in [str(baton.socket), (host, port)]:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        with socket.socket(family) as page:
            page.settimeout(LIMIT_SECONDS)
            page.connect(address)
            page.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n"
                         b"Content-Length: 20\r\n\r\nconfig service evil\n")
            try:
                assert page.recv(100) == b""
            except ConnectionResetError:
                pass
    assert [row["name"] for row in baton.json("services")] == ["op"]


# -- listeners of a running daemon

def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def post_status(connection) -> int:
    """The answer to a body of 100 bytes where there is no route."""
    connection.send(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" + b"x" * 100)
    return connection.response().status


def test_apply_changes_a_listener_in_place(baton):
    port = free_port()
    baton.start(f"listen http 127.0.0.1:{port}", "--loops", "4")
    file = baton.folder / "next.conf"
    file.write_text(f"listen http 127.0.0.1:{port} body-limit=10 backlog=7\n")
    with baton.connect() as before:
        # A connection in the backlog would be taken under the new rules.
        wait_until(lambda: [client for client in baton.json("clients") if client["kind"] == "http"],
                   "the connection is taken")
        assert baton.command(f"apply {file}").splitlines() == [
            f"listen http 127.0.0.1:{port} backlog=7 body-limit=10", "Ok."]

        def has_the_limit():
            with baton.connect() as after:
                return post_status(after) == 413
        # Each loop learns of it for itself.
        wait_until(lambda: all(has_the_limit() for _ in range(16)), "all loops have the limit")
        assert post_status(before) == 404
    assert baton.json("listeners")[0]["body_limit"] == 10
    assert baton.command(f"apply {file}") == "Ok. Nothing differs."


def test_an_address_can_be_listened_on_again_at_once(baton):
    port = free_port()
    baton.start(f"listen http 127.0.0.1:{port}\nlisten http unix:http.sock", "--loops", "4")
    for address in [f"127.0.0.1:{port}", "unix:http.sock"]:
        with baton.session() as session:
            for _ in range(20):
                session.send_raw(f"unlisten {address}\r\nlisten http {address}\r\n".encode())
                assert session.reply() == "Ok."
                assert session.reply() == f"listening on {address}"
    for index in range(2):
        with baton.connect(baton.listener(index=index)) as client:
            assert client.get("/").status == 404


def test_a_state_with_a_listener_that_was_closed_and_opened_again_comes_back(baton):
    port = free_port()
    baton.start(f"listen http 127.0.0.1:{port}", "--loops", "4", "--state", "state")
    for line in [f"listen http 127.0.0.1:{port} body-limit=10", f"unlisten 127.0.0.1:{port}",
                 f"listen http 127.0.0.1:{port} body-limit=20"]:
        baton.command(line)
    saved = baton.command("save")
    baton.kill_9()
    baton.restart()
    assert baton.command("save") == saved
    with baton.connect() as client:
        assert post_status(client) == 413


def test_another_token_holds_for_those_who_come(baton):
    port = free_port()
    baton.start(f"listen command 127.0.0.1:{port} token=old")
    with CommandSession(("127.0.0.1", port)) as before:
        assert before.command("auth old") == "OK"
        baton.command(f"listen command 127.0.0.1:{port} token=new")
        with CommandSession(("127.0.0.1", port)) as after:
            with pytest.raises(CommandRefused, match="WRONGPASS"):
                after.command("auth old")
            assert after.command("auth new") == "OK"
        assert before.command("ping") == "PONG"


def test_the_command_socket_says_why_it_cannot_be_closed(baton):
    baton.start("")
    with pytest.raises(CommandRefused, match="is the command socket, by which the daemon is"):
        baton.command(f"unlisten unix:{baton.socket}")
    with pytest.raises(CommandRefused, match="is the command socket; it belongs to"):
        baton.command(f"listen command unix:{baton.socket}")
    with pytest.raises(CommandRefused, match="nothing listens on unix:other"):
        baton.command("unlisten unix:other")


# -- events

def test_the_last_n_events_are_remembered_of_all_services_together(baton):
    """IS10: the last NumEvents events, whichever service they are of."""
    baton.start("config service a\nconfig service b\nconfig service c")
    assert baton.command("config events 2") == "isdData.NumEvents = 2"
    for line in ["start a", "start b", "start c"]:
        baton.command(line)
    assert len(baton.command("listevents").splitlines()) == 2
    assert baton.json("status")["events"] == 2
    assert baton.command("config events 0") == "isdData.NumEvents = 0"
    assert baton.command("listevents") == "events are off; turn them on by 'config events N'"


def test_only_the_types_chosen_are_remembered(baton):
    baton.start("config service a")
    baton.command("config events 100 types=worker,request_refused")
    before = len(baton.json("listevents"))
    baton.command("start a")
    assert len(baton.json("listevents")) == before
    assert "config events 100 types=request_refused,worker" in baton.command("save").splitlines()
    assert baton.command("config events 100 types=all") == "isdData.NumEvents = 100"
    baton.command("stop a")
    assert len(baton.json("listevents")) > before
    with pytest.raises(CommandRefused, match="did you mean 'worker'"):
        baton.command("config events 100 types=workr")


# -- whole configurations

EVERYTHING = f"""
    config events 500 types=worker
    buckets 12 2500ms
    config maxusers 700
    config service thumbs min=1 max=3 pri=4 queue-timeout=1500ms
    config service a/b/c
    config worker thumbs localhost env='A=b c' slots=2 {sys.executable} {WORKER} '--x y'
    config worker a/b/c elsewhere argv=isectd /srv/old
    route /thumbs/ thumbs method=GET,HEAD pri=9
    route *.example.org/x a/b/c
    start a/b/c
    pause a/b/c
    reject on
    listen http 127.0.0.1:0 head-timeout=3s half-close=answer
    listen command unix:other.sock
    listen admin 127.0.0.1:0
"""


def test_what_save_prints_is_a_configuration_that_gives_the_same(baton):
    baton.start(EVERYTHING)
    saved = baton.command("save")
    for option in ["types=worker", "method=GET,HEAD", "'env=A=b c'", "pause a/b/c", "half-close=answer"]:
        assert option in saved
    file = baton.folder / "saved.conf"
    file.write_text(saved + "\n")
    checked = run("batond", "--check", str(file))
    assert (checked.returncode, checked.stdout) == (0, f"{file}: ok\n")
    assert baton.command(f"apply {file}") == "Ok. Nothing differs."
    assert baton.stop() == 0
    baton.start(saved)
    assert baton.command("save") == saved


def test_every_look_has_a_form_in_json(baton):
    baton.start(EVERYTHING)
    lists = ["services", "workers", "clients", "listeners", "routes", "listevents", "save", "help"]
    for command in lists:
        assert isinstance(baton.json(command), list), command
    for command in ["status", "service thumbs", "worker 1", "agent config localhost"]:
        assert isinstance(baton.json(command), dict), command
    assert baton.json("")["version"] == baton.json("status")["version"]
    for command in ["start thumbs", "config service b", "reset", "unroute /thumbs/", "clone 1"]:
        assert baton.json(command), command
    told = json.loads(baton.tool("--json", "-c", "services").stdout)
    assert {row["name"] for row in told} == {"op", "thumbs", "a/b/c", "b"}
    options = next(row for row in told if row["name"] == "thumbs")["options"]
    assert options["queue_timeout_ms"] == 1500


def test_help_explains_every_command(baton):
    baton.start("")
    table = baton.json("help")
    assert len(table) > 40
    for entry in table:
        explained = baton.command(f"help {entry['words']}")
        assert explained.splitlines()[0] == entry["format"]
        assert entry["summary"] in explained
        assert baton.json(f"help {entry['words']}") == [entry]


def test_apply_does_all_but_what_still_works_on_a_request(baton, stage):
    """And does that, too, once it is applied again."""
    baton.start(f"""
        config service old max=1
        config worker old localhost {stage.environment()} {sys.executable} {WORKER}
        route / old
    """)
    file = baton.folder / "next.conf"
    file.write_text(f"listen http 127.0.0.1:0\nconfig service new max=1\n"
                    f"config worker new localhost {sys.executable} {WORKER}\nroute / new\n")
    with baton.connect() as client:
        client.send(b"GET /?hold=before-read HTTP/1.1\r\nHost: x\r\n\r\n")
        held = stage.wait()
        with pytest.raises(CommandRefused) as refused:
            baton.command(f"apply {file}")
        assert "'delete service old': delete service: 'old' has requests" in str(refused.value)
        assert "5 of 6 changes were made (unroute /; stop old; config service new " in str(refused.value)
        assert baton.get("/").status == 200
        held.go_on()
        assert client.response().status == 200
    wait_until(lambda: baton.json("service old")["busy"] == 0
               and baton.json("service old")["idle"] == 0, "its worker has ended")
    assert baton.command(f"apply {file}").splitlines() == ["delete service old", "Ok."]


# -- logs

def test_the_access_log_in_json_says_what_the_client_said_and_null_for_nothing(baton):
    baton.start("", "--access-log", "access.log", "--access-log-format", "json")
    with baton.connect() as client:
        client.send(b"GET /nowhere HTTP/1.1\r\nHost: x\r\nReferer: r\"x\\\r\nUser-Agent: "
                    + "grün".encode() + b"\xff\r\n\r\n")
        assert client.response().status == 404
    log = baton.folder / "access.log"
    wait_until(lambda: log.exists() and "/nowhere" in log.read_text(), "the line")
    line = next(line for line in map(json.loads, log.read_text().splitlines())
                if "/nowhere" in (line["request"] or ""))
    assert line["referer"] == 'r"x\\'
    assert line["user_agent"] == "grün\N{REPLACEMENT CHARACTER}"
    assert (line["service"], line["worker"], line["queue_ms"]) == (None, None, None)
    assert line["error"] == "no_route"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])


def test_a_log_in_json_is_one_also_where_the_agent_speaks(baton):
    baton.start("", "--log-format", "json")
    baton.wait_for_log("connected to batond")
    baton.stop()
    lines = [json.loads(line) for line in baton.log_text().splitlines()]
    assert {line["program"] for line in lines} == {"batond", "baton-agent"}
    assert all(line["level"] in ("info", "warning") and line["pid"] for line in lines)


# -- errors that say what to do

@pytest.mark.parametrize("command, remedy", [
    ("listen http 192.0.2.1:80", "this host has no such address"),
    ("listen http unix:/nowhere/s", "create the folder first"),
    ("listen http unix:baton.conf", "choose another path"),
    ("listen http unix:/" + "x" * 120, "at most 107 bytes"),
])
def test_an_address_that_cannot_be_had_comes_with_a_remedy(baton, command, remedy):
    baton.start("config service precious")
    with pytest.raises(CommandRefused, match=remedy):
        baton.command(command)
    assert "precious" in (baton.folder / "baton.conf").read_text()


@pytest.mark.parametrize("options, remedy", [
    (["--access-log", "/nowhere/x"], "name a file in a folder that is there"),
    (["--state", "/proc/nowhere"], "name another folder with --state"),
    (["--socket", "/tmp/" + "x" * 120], "choose one of at most 99 bytes"),
    (["--socket", "/proc/version"], "it is no socket; choose another --socket"),
])
def test_a_daemon_that_cannot_start_says_what_to_do(tmp_path, options, remedy):
    if "--socket" not in options:
        options = ["--socket", str(tmp_path / "s"), *options]
    ended = run("batond", *options)
    assert ended.returncode == 1 and remedy in ended.stderr


def test_secrets_stand_neither_in_the_log_nor_among_the_events(baton):
    baton.start("config service a")
    baton.command("listen command unix:other.sock token=topsecret")
    baton.command("config worker a elsewhere env=KEY=hunter2 'env=B=hunter2 too' /w")
    events = baton.command("listevents")
    assert "token=***" in events and "env=KEY=*** env=B=***" in events
    for text in [events, baton.log_text()]:
        assert "topsecret" not in text and "hunter2" not in text
    assert "token=topsecret" in baton.command("save")


def test_with_autodefine_an_attach_server_brings_its_service_along(baton):
    baton.start("config events 10\n", "--autodefine", "--state", str(baton.folder / "state"))
    answer = baton.command("REGISTER SERVICE=thumb,OPTION=ATTACH")
    assert "00000000" in str(answer), answer
    baton.kill_9()
    baton.restart()
    assert "thumb" in [row["name"] for row in baton.json("services")]
