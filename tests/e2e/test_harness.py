"""The harness itself: what it must notice, shown on a batond of thirty lines that misbehaves."""

import stat

import pytest

from harness import daemon, processes
from harness.daemon import Baton
from harness.resp import CommandRefused

FAKE_BATOND = r"""#!/usr/bin/python3
import os, signal, socketserver, subprocess, sys, threading
arguments = dict(zip(sys.argv[1:-1:2], sys.argv[2:-1:2]))
config = open(sys.argv[-1]).read()

class Command(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            words = []
            for _ in range(int(line[1:])):
                size = int(self.rfile.readline()[1:])
                words.append(self.rfile.read(size + 2)[:-2].decode())
            if words == ["json", "listeners"]:
                text = '[{"kind": "http", "address": "127.0.0.1:%d"}]' % web.server_address[1]
                self.wfile.write(b"$%d\r\n%s\r\n" % (len(text), text.encode()))
            else:
                self.wfile.write(b"-ERR unknown command\r\n")

class Web(socketserver.StreamRequestHandler):
    def handle(self):
        while (line := self.rfile.readline().strip()):
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n"
                             b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                             b"3\r\nabc\r\n0\r\n\r\n")

if "die" in config:
    sys.exit("this is why")
web = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Web)
port = socketserver.ThreadingUnixStreamServer(arguments["--socket"], Command)
for server in (web, port):
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
if "orphan" in config:
    subprocess.Popen(["setsid", "sleep", "1000"])
if "race" in config:
    print("WARNING: ThreadSanitizer: data race", file=sys.stderr)
signal.signal(signal.SIGTERM, lambda *_: os._exit(3 if "fail" in config else 0))
os.write(int(arguments["--ready-fd"]), b"READY\n")
threading.Event().wait()
"""


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A Baton that runs the fake program; the test closes it."""
    program = tmp_path / "bin" / "batond"
    program.parent.mkdir()
    program.write_text(FAKE_BATOND)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(daemon, "bin_dir", lambda: program.parent)
    return Baton(tmp_path)


def test_a_daemon_that_ends_well_is_no_complaint(fake):
    fake.start("").close()


def test_a_daemon_that_does_not_start_is_reported_with_its_log(fake):
    with pytest.raises(AssertionError, match="this is why"):
        fake.start("die")
    fake.process.wait()


def test_both_http_clients_read_an_interim_and_a_chunked_answer(fake):
    fake.start("")
    with fake.connect() as connection:
        for _ in range(2):
            answer = connection.get("/")
            assert (answer.status, answer.interim, answer.body) == (200, [100], b"abc")
    answer = fake.curl("/")
    assert (answer.status, answer.interim, answer.body) == (200, [100], b"abc")
    fake.close()


def test_an_error_reply_is_an_exception_with_the_daemons_text(fake):
    fake.start("")
    with pytest.raises(CommandRefused, match="unknown command"):
        fake.command("workerz")
    fake.close()


def test_an_orphan_is_found_and_ended(fake, monkeypatch):
    monkeypatch.setattr(daemon, "LIMIT_SECONDS", 2)
    fake.start("orphan")
    with pytest.raises(AssertionError, match="left over: .*sleep 1000"):
        fake.close()
    assert not processes.left_over(fake._processes_before)


@pytest.mark.parametrize(
    ("config", "complaint"), [("race", "data race"), ("fail", "ended with status 3")])
def test_a_bad_end_is_a_complaint(fake, config, complaint):
    fake.start(config)
    with pytest.raises(AssertionError, match=complaint):
        fake.close()
