"""batond as a test sees it: started with a configuration, asked through its socket, ended."""

import os
import re
import select
import signal
import subprocess
from pathlib import Path

from . import processes
from .http import Address, Curl, HttpConnection, Response
from .resp import CommandSession
from .waiting import LIMIT_SECONDS, wait_until

SANITIZER_REPORT = re.compile(
    r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|ThreadSanitizer:DEADLYSIGNAL"
    r"|: runtime error: |baton: broken invariant")


def bin_dir() -> Path:
    """Where the programs under test are."""
    root = Path(__file__).resolve().parents[3]
    return Path(os.environ.get("BATON_BIN_DIR", root / "build/release/bin")).resolve()


class Baton:
    """One daemon in a folder of its own; restart() brings it back there.

    `folder` is the working directory: relative paths in the configuration (`unix:http.sock`) are
    below it. stdout and stderr of all its processes go to `log`.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.log = folder / "batond.log"
        self.socket = folder / "baton.sock"
        self.process: subprocess.Popen | None = None
        self._arguments: list[str] = []
        self._session: CommandSession | None = None
        self._curls = 0
        self._processes_before = set(processes.descendants(os.getpid()))

    # -- start and end

    def start(self, config: str, *options: str) -> "Baton":
        """Writes the configuration, starts batond on it and waits until all listeners are up.

        A configuration without a `listen http` line gets one on a free port of 127.0.0.1.
        """
        if "listen http" not in config:
            config = f"listen http 127.0.0.1:0\n{config}"
        path = self.folder / "baton.conf"
        path.write_text(config)
        self._arguments = [*options, "--socket", str(self.socket), str(path)]
        return self.restart()

    def restart(self) -> "Baton":
        """Starts batond again as it was started before; it must not be running."""
        assert self.process is None, "batond is running already"
        ready_reader, ready_writer = os.pipe()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [bin_dir() / "batond", "--ready-fd", str(ready_writer), *self._arguments],
                cwd=self.folder, env=self._environment(), pass_fds=[ready_writer],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        os.close(ready_writer)
        with os.fdopen(ready_reader, "rb", buffering=0) as ready:
            readable, _, _ = select.select([ready], [], [], LIMIT_SECONDS)
            word = ready.read(6) if readable else b""
        if word != b"READY\n":
            raise AssertionError(f"batond did not become ready:\n{self.log_text()}")
        return self

    def _environment(self) -> dict[str, str]:
        report = self.folder / "sanitizer"
        return os.environ | {
            "BATON_SOCKET": str(self.socket),
            "ASAN_OPTIONS": f"log_path={report}",
            "TSAN_OPTIONS": f"log_path={report}",
            "UBSAN_OPTIONS": f"log_path={report}:print_stacktrace=1",
        }

    def stop(self) -> int:
        """Ends batond gracefully; its exit status."""
        assert self.process is not None, "batond is not running"
        self.process.send_signal(signal.SIGTERM)
        return self.wait_for_end()

    def kill_9(self):
        """batond dies as in a power cut; agent and workers live on."""
        assert self.process is not None, "batond is not running"
        self.process.kill()
        self.wait_for_end()

    def wait_for_end(self) -> int:
        status = self.process.wait(LIMIT_SECONDS)
        self.process = None
        self._close_session()
        return status

    def close(self):
        """Ends everything and says what went wrong: a process left over, a sanitizer's report."""
        complaints = []
        if self.process is not None:
            try:
                if status := self.stop():
                    complaints.append(f"batond ended with status {status}")
            except subprocess.TimeoutExpired:
                complaints.append("batond did not end after SIGTERM")
                self.kill_9()
        self._close_session()
        try:
            wait_until(lambda: not processes.left_over(self._processes_before),
                       "all processes have ended", LIMIT_SECONDS / 2)
        except AssertionError:
            for pid in processes.left_over(self._processes_before):
                complaints.append(f"left over: {pid} {processes.command_line(pid)}")
                processes.kill_9(pid)
            wait_until(lambda: not processes.left_over(self._processes_before), "the rest is buried")
        for path in [self.log, *self.folder.glob("sanitizer.*")]:
            if path.exists() and SANITIZER_REPORT.search(path.read_text(errors="replace")):
                complaints.append(f"{path.name}:\n{path.read_text(errors='replace')}")
        assert not complaints, "\n".join(complaints)

    # -- commands

    def session(self) -> CommandSession:
        """A new connection to the command socket."""
        return CommandSession(self.socket)

    def command(self, line: str):
        """The plain answer to a command."""
        return self._shared_session().command(line)

    def json(self, line: str):
        """The JSON answer to a command, decoded."""
        return self._shared_session().json(line)

    def _shared_session(self) -> CommandSession:
        if self._session is None:
            self._session = self.session()
        return self._session

    def _close_session(self):
        if self._session is not None:
            self._session.close()
            self._session = None

    def tool(self, *arguments: str) -> subprocess.CompletedProcess:
        """Runs the operator's tool `baton` against this daemon."""
        return subprocess.run(
            [bin_dir() / "baton", "-s", str(self.socket), *arguments], cwd=self.folder,
            capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)

    # -- clients

    def listener(self, kind: str = "http", index: int = 0) -> Address:
        """Where the daemon listens, with the port it got for port 0."""
        found = [row for row in self.json("listeners") if row["kind"] == kind]
        address = found[index]["address"]
        if address.startswith("unix:"):
            return self.folder / address.removeprefix("unix:")
        host, _, port = address.rpartition(":")
        return host.strip("[]"), int(port)

    def connect(self, address: Address | None = None, receive_buffer: int = 0) -> HttpConnection:
        """A raw connection, to the first HTTP listener if none is given."""
        return HttpConnection(address or self.listener(), receive_buffer)

    def get(self, target: str, **fields: str) -> Response:
        """One GET on a connection of its own."""
        with self.connect() as connection:
            return connection.get(target, **fields)

    def url(self, target: str = "/") -> str:
        host, port = self.listener()
        return f"http://{f'[{host}]' if ':' in host else host}:{port}{target}"

    def curl_start(self, target: str, *options: str) -> Curl:
        self._curls += 1
        folder = self.folder / f"curl{self._curls}"
        folder.mkdir()
        return Curl(self.url(target), *options, folder=folder)

    def curl(self, target: str, *options: str) -> Response:
        return self.curl_start(target, *options).finish()

    # -- what it said

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_for_log(self, text: str):
        wait_until(lambda: text in self.log_text(), f"{text!r} in {self.log}")
