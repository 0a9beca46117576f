"""`make run` as a test sees it: demo/run on a free port, its page, its end."""

import os
import re
import select
import signal
import struct
import subprocess
import time
import zlib
from pathlib import Path

from . import processes
from .daemon import SANITIZER_REPORT, bin_dir
from .http import HttpConnection, Response
from .resp import CommandSession
from .waiting import LIMIT_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[3]


def png_size(data: bytes) -> tuple[int, int]:
    """Width and height of a PNG whose every chunk and every row is there; AssertionError else."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n"), data[:20]
    at, pixels, size = 8, b"", None
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8:at + 8 + length]
        check, = struct.unpack_from(">I", data, at + 8 + length)
        assert zlib.crc32(kind + body) == check, f"chunk {kind} is damaged"
        if kind == b"IHDR":
            size = struct.unpack_from(">II", body)
        elif kind == b"IDAT":
            pixels += body
        at += 12 + length
    assert kind == b"IEND" and len(zlib.decompress(pixels)) == size[1] * (1 + 3 * size[0])
    return size


class Demo:
    """demo/run in a group of processes of its own, as a terminal would start it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.socket = folder / "demo.sock"
        self.output = ""
        self.process: subprocess.Popen | None = None
        self._session: CommandSession | None = None
        self._processes_before = set(processes.descendants(os.getpid()))

    def launch(self, port: int = 0):
        self.process = subprocess.Popen(
            [ROOT / "demo/run", "--port", str(port)], cwd=ROOT, process_group=0, text=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=os.environ | {
                "BATON_BIN_DIR": str(bin_dir()), "BATON_SOCKET": str(self.socket),
                "TMPDIR": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1",
                "ASAN_OPTIONS": f"log_path={self.folder}/sanitizer",
                "TSAN_OPTIONS": f"log_path={self.folder}/sanitizer",
                "UBSAN_OPTIONS": f"log_path={self.folder}/sanitizer:print_stacktrace=1"})

    def start(self) -> "Demo":
        self.launch()
        self.read_until("/metrics")
        return self

    def read_until(self, mark: str):
        """Waits until the demo has printed this."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while mark not in self.output:
            left = max(0.0, deadline - time.monotonic())
            readable, _, _ = select.select([self.process.stdout], [], [], left)
            data = os.read(self.process.stdout.fileno(), 4096) if readable else b""
            if not data:
                raise AssertionError(f"never printed {mark!r}, but:\n{self.output}")
            self.output += data.decode()

    def line(self, title: str) -> str:
        """What stands behind a title of the banner."""
        return re.search(rf"^ *{re.escape(title)} +(.*)$", self.output, re.MULTILINE)[1]

    @property
    def address(self) -> tuple[str, int]:
        host, port = re.fullmatch(r"http://(.*):(\d+)/", self.line("open")).groups()
        return host, int(port)

    def connect(self) -> HttpConnection:
        return HttpConnection(self.address)

    def get(self, target: str, **fields: str) -> Response:
        with self.connect() as connection:
            return connection.get(target, **fields)

    def pictures(self) -> list[str]:
        """Addresses of all <img> of the page."""
        page = self.get("/").text
        return [url.replace("&amp;", "&") for url in re.findall(r'<img [^>]*?src="([^"]+)"', page)]

    def json(self, command: str):
        if self._session is None:
            self._session = CommandSession(self.socket)
        return self._session.json(command)

    def gallery_workers(self) -> list[dict]:
        return [row for row in self.json("workers") if row["service"] == "gallery" and row["pid"]]

    def wait_for_busy_worker(self) -> dict:
        return wait_until(lambda: next((row for row in self.gallery_workers()
                                        if row["queue"] == "busy"), None), "a worker draws")

    def interrupt(self):
        """Ctrl-C: the terminal sends SIGINT to the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def finish(self) -> int:
        """Waits for the end; the exit status."""
        if self._session is not None:
            self._session.close()
            self._session = None
        output, _ = self.process.communicate(timeout=LIMIT_SECONDS * 2)
        self.output += output.decode()
        status = self.process.returncode
        self.process = None
        return status

    def left_over(self) -> list[str]:
        return [f"{pid} {processes.command_line(pid)}"
                for pid in processes.left_over(self._processes_before)]

    def close(self):
        if self.process is not None:
            self.interrupt()
            try:
                self.finish()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        left = self.left_over()
        for pid in processes.left_over(self._processes_before):
            processes.kill_9(pid)
        reports = [path.read_text(errors="replace") for path in self.folder.glob("sanitizer.*")]
        assert not left, left
        assert not any(SANITIZER_REPORT.search(report) for report in reports), "\n".join(reports)
