"""A client of the command port: commands as RESP arrays, replies as Python values."""

import json
import shlex
import socket
from pathlib import Path

from .waiting import LIMIT_SECONDS


class CommandRefused(Exception):
    """The daemon answered with an error; the text is the daemon's own."""


class CommandSession:
    """One connection to the command socket. Answers come in the order of commands."""

    def __init__(self, address: Path | tuple[str, int]):
        family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(LIMIT_SECONDS)
        self._socket.connect(address if isinstance(address, tuple) else str(address))
        self._reader = self._socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._reader.close()
        self._socket.close()

    def command(self, line: str):
        """Runs a command written as in the configuration file; raises CommandRefused."""
        return self.words(*shlex.split(line))

    def json(self, line: str):
        """The JSON form of a command's answer, decoded."""
        return json.loads(self.command(f"json {line}"))

    def words(self, *words: str | bytes):
        self.send_words(*words)
        return self.reply()

    def send_words(self, *words: str | bytes):
        """Sends without waiting for the answer; take it with reply()."""
        encoded = [word.encode() if isinstance(word, str) else word for word in words]
        parts = [b"*%d\r\n" % len(encoded)]
        parts += [b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded]
        self.send_raw(b"".join(parts))

    def send_raw(self, data: bytes):
        """Bytes as they are: inline commands, or what no client should send."""
        self._socket.sendall(data)

    def reply(self):
        """The next reply: str, int, None or a list of them."""
        line = self._reader.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError(f"the daemon closed the connection (after {line!r})")
        kind, rest = line[:1], line[1:-2].decode()
        match kind:
            case b"+":
                return rest
            case b"-":
                raise CommandRefused(rest)
            case b":":
                return int(rest)
            case b"$":
                size = int(rest)
                if size < 0:
                    return None
                data = self._reader.read(size + 2)
                assert data.endswith(b"\r\n"), data
                return data[:-2].decode(errors="surrogateescape")
            case b"*":
                return None if int(rest) < 0 else [self.reply() for _ in range(int(rest))]
            case _:
                raise AssertionError(f"not RESP: {line!r}")
