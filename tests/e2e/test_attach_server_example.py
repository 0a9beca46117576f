"""examples/python/attach_server.py, the program of the guide."""

import os
import pathlib
import signal
import subprocess

from harness.fake_batond import FakeBatond
from harness.waiting import LIMIT_SECONDS, wait_until

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "examples/python/attach_server.py"


def test_the_example_starts_workers_and_takes_everything_back(tmp_path):
    """EX1, EX2, EX3, EX6, told in the order of the guide."""
    batond = FakeBatond(tmp_path)
    batond.start()
    script = ('echo "$BATON_WORKER_SOCKET $BATON_SERVICE $1" > "$2-$$"; mv "$2-$$" "$2.$$"; '
              "exec sleep 1000")
    server = subprocess.Popen(
        ["/usr/bin/python3", PROGRAM, "--socket", batond.path, "thumbs",
         "/bin/sh", "-c", script, "worker", "--size", tmp_path / "started"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        batond.wait_registered("thumbs")
        batond.notify("thumbs", waiting=3)
        batond.notify("thumbs", waiting=2)
        files = wait_until(lambda: (found := list(tmp_path.glob("started.*[0-9]")))
                           and len(found) == 2 and found, "two workers were started")
        assert files[0].read_text() == f"{batond.worker_socket} thumbs --size\n"
        server.send_signal(signal.SIGTERM)

        def has_ended():
            batond.let_receives_expire()
            return server.poll() is not None

        wait_until(has_ended, "the attach server has ended")
        output, _ = server.communicate(timeout=LIMIT_SECONDS)
        assert server.returncode == 0
        assert output.splitlines() == [
            "registered for thumbs", "3 wait for thumbs, 0 serve: starting",
            "2 wait for thumbs, 0 serve: starting"]
        assert batond.log[-2:] == [
            ["DEREGISTER", "SERVER-CLASS=*,SERVER-NAME=*,SERVICE=*"], ["LOGOFF"]]
        for file in files:
            assert not pathlib.Path(f"/proc/{file.suffix[1:]}").exists()
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()
        for file in tmp_path.glob("started.*[0-9]"):
            try:
                os.kill(int(file.suffix[1:]), signal.SIGKILL)
            except ProcessLookupError:
                pass
