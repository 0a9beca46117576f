"""Where scripted workers stop and wait for the test's word."""

import json
import select
import socket
from dataclasses import dataclass
from pathlib import Path

from . import processes
from .waiting import LIMIT_SECONDS


@dataclass
class Held:
    """A worker that has reached the point it was told to stop at."""

    pid: int
    stage: str
    attempt: int
    connection: socket.socket

    def go_on(self):
        self.connection.sendall(b"g")

    def kill_9(self):
        processes.kill_9(self.pid)


class Stage:
    """`environment()` goes into `config worker … env=`; wait() gives the next worker that is held."""

    def __init__(self, folder: Path):
        self.path = folder / "stage.sock"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(64)
        self.listener.setblocking(False)
        self.connections: list[socket.socket] = []

    def environment(self) -> str:
        return f"env=BATON_TEST_STAGE={self.path}"

    def wait(self) -> Held:
        while True:
            ready, _, _ = select.select([self.listener, *self.connections], [], [], LIMIT_SECONDS)
            assert ready, "no worker has reached its stage"
            for end in ready:
                if end is self.listener:
                    connection, _ = self.listener.accept()
                    connection.settimeout(LIMIT_SECONDS)
                    self.connections.append(connection)
                    continue
                line = end.makefile("rb").readline()
                if not line:
                    self.connections.remove(end)
                    continue
                return Held(connection=end, **json.loads(line))

    def close(self):
        for end in [self.listener, *self.connections]:
            end.close()
