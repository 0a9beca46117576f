#!/usr/bin/python3
"""An attach server in plain Python: starts a program whenever Baton wants one more of a service.

    attach_server.py --socket /run/baton/baton.sock thumbs /srv/thumbs/worker --size 256

Everything it says to Baton are public commands on the command socket, as arrays of the Redis
protocol; nothing but the standard library is needed. Replace start() to start containers, units
or jobs of a scheduler instead of processes.
"""

import argparse
import os
import signal
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass

SUCCESS = "00000000"
ATTACH_REQUIRED = "00100022"
WAIT_TIME_PASSED = "00740074"
ALL = "SERVER-CLASS=*,SERVER-NAME=*,SERVICE=*"


class CommandPort:
    """One connection to the command socket: a command goes out, its answer comes back."""

    def __init__(self, path: str):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self.reader = self.socket.makefile("rb")

    def command(self, *words: str):
        """Text, a number, None, or a list of them. An error answer is raised."""
        parts = [b"*%d\r\n" % len(words)]
        for word in words:
            data = word.encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
        self.socket.sendall(b"".join(parts))
        return self._answer()

    def _answer(self):
        line = self.reader.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("batond has closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"$":
            if int(rest) < 0:
                return None
            return self.reader.read(int(rest) + 2)[:-2]  # bytes: a payload may be binary
        if kind == b"*":
            return [self._answer() for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest


@dataclass
class AttachBlock:
    """What a notification tells: which service wants a server, and how badly."""

    failed_lookups: int  # requests that found no server since the last RECEIVE
    servers: int  # registered replicas
    pending: int  # requests that wait
    active: int  # requests that wait or run
    service: tuple[str, str, str]  # class, name, service; `*` where there is none

    @classmethod
    def decode(cls, data: bytes) -> "AttachBlock":
        version, _, *counters = struct.unpack_from("<HHIIII", data)
        if version != 1 or len(data) != 116:
            raise ValueError("not a block of version 1")
        names = struct.unpack_from("32s32s32s", data, 20)
        return cls(*counters, tuple(name.decode().rstrip(" ") for name in names))


class AttachServer:
    def __init__(self, arguments: argparse.Namespace):
        self.service = arguments.service
        self.program = arguments.program
        self.worker_socket = arguments.worker_socket or arguments.socket + ".workers"
        self.port = CommandPort(arguments.socket)
        self.children: list[subprocess.Popen] = []
        self.ending = False

    def run(self):
        self.aci("REGISTER", f"SERVICE={self.service},OPTION=ATTACH")
        print(f"registered for {self.service}", flush=True)
        while not self.ending:
            # Short, so that a signal is obeyed soon; 10M would do for those who only run.
            code, _, *fields = self.aci("RECEIVE", f"{ALL},WAIT=2S,RECEIVE-LENGTH=150")
            self.children = [child for child in self.children if child.poll() is None]
            if code == ATTACH_REQUIRED:
                self.start(AttachBlock.decode(fields[-1]))
        self.aci("DEREGISTER", ALL)
        self.aci("LOGOFF")
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait()

    def start(self, wanted: AttachBlock):
        # Every answered RECEIVE counts as one server that is starting. Whoever decides not to start
        # one lets that count run out (start-timeout) before the next one is asked for.
        print(f"{wanted.pending} wait for {self.service}, {wanted.servers} serve: starting",
              flush=True)
        environment = os.environ | {
            "BATON_WORKER_SOCKET": self.worker_socket, "BATON_SERVICE": self.service}
        self.children.append(
            subprocess.Popen(self.program, env=environment, stdin=subprocess.DEVNULL))

    def aci(self, verb: str, fields: str = "") -> list:
        """An answer is an array: code, text, fields, payload. Codes other than zero are often no
        errors; only an answer that nothing can be done with ends this program."""
        answer = self.port.command(verb, *([fields] if fields else []))
        code, text = answer[0].decode(), answer[1].decode()
        if code not in (SUCCESS, ATTACH_REQUIRED, WAIT_TIME_PASSED):
            sys.exit(f"{verb} was answered by {code} {text}")
        return [code, text, *answer[2:]]


def main():
    parser = argparse.ArgumentParser(description="starts servers of one service on demand")
    parser.add_argument("--socket", default=os.environ.get("BATON_SOCKET", "/run/baton/baton.sock"))
    parser.add_argument("--worker-socket", help="where workers connect (default: SOCKET.workers)")
    parser.add_argument("service")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    server = AttachServer(parser.parse_args())

    def end(*_):
        server.ending = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    server.run()


if __name__ == "__main__":
    main()
