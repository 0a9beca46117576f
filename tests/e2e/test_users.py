"""Workers that run as another user, and who may be a worker at all."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness.daemon import Baton, bin_dir
from harness.waiting import wait_until

NOBODY = pwd.getpwnam("nobody").pw_uid

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root starts processes of other users")

# Says hello as a worker of the service `work` and prints the type of the answer.
STRANGER = """
import os, socket, struct, sys
link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
link.connect(sys.argv[1])
hello = struct.pack("<HHIQIIIHH", 1, 1, 0, 0, 1, 1, os.getpid(), 4, 0) + b"work".ljust(8, bytes(1))
try:
    link.send(struct.pack("<HHI", 1, 0, 8 + len(hello)) + hello)
except BrokenPipeError:
    pass  # refused before it was said
try:
    answer = link.recv(65536)
except ConnectionResetError:
    answer = link.recv(65536)  # a reset may come before packets that are queued
print(struct.unpack_from("<H", answer)[0])
"""
WELCOME, REFUSED = 33, 38


@pytest.fixture
def public():
    """A folder that every user may enter: those of the test runner are its own."""
    folder = Path(tempfile.mkdtemp(prefix="baton-users-"))
    folder.chmod(0o755)
    baton = Baton(folder)
    yield baton
    baton.close()
    shutil.rmtree(folder)


def stranger_hears(baton) -> int:
    done = subprocess.run(["/usr/bin/setpriv", f"--reuid={NOBODY}", "--clear-groups", sys.executable,
                           "-c", STRANGER, f"{baton.socket}.workers"],
                          capture_output=True, text=True, check=True, timeout=30)
    return int(done.stdout)


def test_a_worker_with_a_user_of_its_own_serves_as_that_user(public):
    shutil.copy(bin_dir() / "baton-test-worker", public.folder / "worker")
    public.start(f"""
        listen http 127.0.0.1:0
        config service work max=1
        config worker work localhost user=nobody {public.folder}/worker
        route / work
    """)
    answer = public.get("/size/10")
    assert answer.status == 200
    process = Path("/proc") / answer.fields["x-worker"]
    assert process.stat().st_uid == NOBODY
    # It finds its way back to the next batond, too.
    public.kill_9()
    public.restart()
    wait_until(lambda: public.json("workers")[0]["queue"] == "idle", "it has come back")
    assert public.get("/size/10").fields["x-worker"] == answer.fields["x-worker"]


def test_a_stranger_is_no_worker_unless_his_user_may_be_one(public):
    config = "config service work\nlisten http 127.0.0.1:0\nroute / work\n"
    public.start(config)
    assert stranger_hears(public) == REFUSED
    assert "may not be a worker: no agent has started it" in public.log_text()
    public.stop()
    public.start(config, "--worker-user", str(NOBODY))
    assert stranger_hears(public) == WELCOME
