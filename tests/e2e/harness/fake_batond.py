"""A stand-in for batond: only the commands that agents use, every answer in the test's hand.

It speaks RESP on a Unix socket as the command port does, holds the pending RECEIVE of each attach
server, pushes orders to the watcher, and keeps what was reported.
"""

import json
import socket
import struct
import threading
from pathlib import Path

from .waiting import LIMIT_SECONDS


class Refusal(Exception):
    """Raised by a handler: the command is answered by an error."""


def encode(value) -> bytes:
    if value is None:
        return b"$-1\r\n"
    if isinstance(value, list):
        return b"*%d\r\n" % len(value) + b"".join(encode(item) for item in value)
    data = value if isinstance(value, bytes) else str(value).encode()
    return b"$%d\r\n%s\r\n" % (len(data), data)


def attach_block(service: str, waiting: int) -> bytes:
    """The 116 bytes of a notification: version, unused, four counters, three names."""
    names = ["*", "*", service] if "/" not in service else service.split("/")
    return struct.pack("<hhiiii", 1, 0, waiting, 0, waiting, waiting) + b"".join(
        name.encode().ljust(32) for name in names)


class Session:
    """One connection, served by a thread of its own."""

    def __init__(self, daemon: "FakeBatond", connection: socket.socket):
        self.daemon = daemon
        self.connection = connection
        self.reader = connection.makefile("rb")
        self.services: list[str] = []
        self.receiving = False
        self.watching = False
        threading.Thread(target=self.serve, daemon=True).start()

    def send(self, value):
        self.send_raw(encode(value))

    def send_raw(self, data: bytes):
        try:
            self.connection.sendall(data)
        except OSError:
            pass  # the agent was killed

    def serve(self):
        try:
            while words := self.read_command():
                with self.daemon.changed:
                    self.daemon.log.append(words)
                    try:
                        self.daemon.answer(self, words)
                    except Refusal as refusal:
                        self.send_raw(f"-ERR {refusal}\r\n".encode())
                    self.daemon.changed.notify_all()
        except (OSError, ValueError):
            pass
        with self.daemon.changed:
            self.services, self.receiving, self.watching = [], False, False
            if self in self.daemon.sessions:
                self.daemon.sessions.remove(self)
            self.daemon.changed.notify_all()
        self.close()

    def close(self):
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.connection.close()

    def read_command(self) -> list[str]:
        line = self.reader.readline()
        if not line:
            return []
        assert line.startswith(b"*"), f"not an array: {line!r}"
        words = []
        for _ in range(int(line[1:])):
            size = int(self.reader.readline()[1:])
            words.append(self.reader.read(size + 2)[:-2].decode(errors="surrogateescape"))
        return words


class FakeBatond:
    """`definitions` maps services to what their workers' definitions say beside id and service."""

    def __init__(self, folder: Path, host: str = "localhost"):
        self.path = folder / "baton.sock"
        self.worker_socket = str(folder / "baton.sock.workers")
        self.host = host
        self.definitions: dict[str, dict] = {}
        self.attachable: list[str] = []
        self.reconnect_seconds = 30
        self.next_id = 1
        self.claims_left = 1000
        self.changed = threading.Condition()
        self.sessions: list[Session] = []
        self.log: list[list[str]] = []  # every command that came
        self.reports: list[list[str]] = []  # words behind `agent report HOST`
        self.watch_words: list[list[str]] = []
        self._listener: socket.socket | None = None

    # -- life

    def start(self):
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.path))
        self._listener.listen(16)
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def _accept(self, listener: socket.socket):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self.changed:
                self.sessions.append(Session(self, connection))

    def stop(self):
        """As after kill -9: all connections end."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.path.unlink()
        with self.changed:
            sessions = list(self.sessions)
        for session in sessions:
            session.close()

    # -- what the agent asks

    def answer(self, session: Session, words: list[str]):
        match words:
            case ["agent", "config", host]:
                self._check_host(host)
                session.send(json.dumps(self.configuration()))
            case ["agent", "watch", host, *options]:
                self._check_host(host)
                session.watching = True
                self.watch_words.append(options)
                session.send_raw(b"+OK\r\n")
            case ["agent", "claim", host, service]:
                self._check_host(host)
                if self.claims_left == 0:
                    raise Refusal(f"{service} has as many workers as max= allows")
                self.claims_left -= 1
                definition = self.definition(service)
                session.send([definition["id"], json.dumps(definition)])
            case ["agent", "report", host, *rest]:
                self._check_host(host)
                self.reports.append(rest)
                session.send_raw(b"+OK\r\n")
            case ["REGISTER", names]:
                session.services.append(names.removesuffix(",OPTION=ATTACH"))
                session.send(["00000000", "Successful response"])
            case ["RECEIVE", _]:
                session.receiving = True
            case ["DEREGISTER", _]:
                session.services.clear()
                session.send(["00000000", "Successful response"])
            case ["LOGOFF"]:
                session.send(["00000000", "Successful response"])
            case _:
                raise Refusal(f"unknown command {words}")

    def _check_host(self, host: str):
        if host != self.host:
            raise Refusal(f"no agent of {host} is expected")

    def configuration(self) -> dict:
        return {
            "host": self.host, "worker_socket": self.worker_socket,
            "reconnect_seconds": self.reconnect_seconds,
            "services": [{"name": name, "attach": name in self.attachable}
                         for name in self.definitions],
            "workers": [],
        }

    def definition(self, service: str, **changes) -> dict:
        """A complete definition with a fresh id."""
        definition = {
            "id": self.next_id, "service": service, "path": "", "arguments": [], "slots": 1,
            "user": "", "directory": "", "environment": [], "limits": [], "output": "",
            "argv": "plain", "start_timeout_ms": 30000, "stop_timeout_ms": 10000,
            "drain_timeout_ms": 30000,
        } | self.definitions.get(service, {}) | changes
        self.next_id += 1
        return definition

    # -- what the test says

    def order(self, *words):
        """Pushes an order to the watching agent."""
        session = self.wait_for(
            lambda: next((one for one in self.sessions if one.watching), None), "a watching agent")
        session.send(["order", *words])

    def order_start(self, service: str, **changes) -> int:
        definition = self.definition(service, **changes)
        self.order("start", definition["id"], json.dumps(definition))
        return definition["id"]

    def notify(self, service: str, waiting: int = 1):
        """Answers the pending RECEIVE of whoever has registered for the service."""
        names = service if "=" in service else f"SERVICE={service}"
        session = self.wait_for(lambda: next((one for one in self.sessions if one.receiving
                                              and names in one.services), None),
                                f"a RECEIVE for {service}")
        session.receiving = False
        fields = names.split(",")
        if len(fields) == 1:
            fields = ["SERVER-CLASS=*", "SERVER-NAME=*", *fields]
        session.send(["00100022", "attach service required", *fields, "RETURN-LENGTH=116",
                      attach_block(service if "=" not in service else "S", waiting)])

    def let_receives_expire(self):
        """Answers every pending RECEIVE as if its WAIT had passed."""
        with self.changed:
            for session in self.sessions:
                if session.receiving:
                    session.receiving = False
                    session.send(["00740074", "Wait time passed"])

    # -- what the test waits for

    def wait_for(self, condition, what: str):
        with self.changed:
            assert self.changed.wait_for(condition, LIMIT_SECONDS), \
                f"waited in vain: {what}; commands were {self.log[-20:]}"
            return condition()

    def wait_registered(self, *services: str):
        """Until exactly these services can be attached, and a RECEIVE waits."""
        wanted = sorted(f"SERVICE={service}" if "=" not in service else service
                        for service in services)
        self.wait_for(lambda: any(sorted(one.services) == wanted and one.receiving
                                  for one in self.sessions), f"registrations {wanted}")

    def wait_started(self, worker: int) -> int:
        """The worker's pid."""
        return int(self.wait_for(lambda: self._report("started", worker),
                                 f"worker {worker} started")[2])

    def wait_ended(self, worker: int) -> dict:
        """The first report of its end: holders, exit or signal, pid if it had one, text."""
        words = self.wait_for(lambda: self._report("ended", worker), f"worker {worker} ended")
        ended = dict(word.split("=", 1) for word in words[2:-1])
        return ended | {"text": words[-1]}

    def _report(self, kind: str, worker: int):
        return next((words for words in self.reports if words[:2] == [kind, str(worker)]), None)
