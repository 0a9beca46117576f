"""Asks the daemon: commands over its socket, answers as JSON.

A command is one line of text in, one RESP bulk string out; so this is all that a client needs.
"""

import json
import socket

ANSWER_SECONDS = 5


class CommandPort:
    """A connection that is made when it is needed, and again after it was lost."""

    def __init__(self, path: str):
        self._path = path
        self._reader = None
        self._socket: socket.socket | None = None

    def json(self, *commands: str) -> list:
        """The answers of commands, sent in one go. OSError or ValueError: ask again later."""
        try:
            return self._ask(commands)
        except ConnectionError:
            self.close()  # the daemon may have been restarted since
            return self._ask(commands)
        except (OSError, ValueError):
            self.close()  # what is still to come would be taken for the next answer
            raise

    def _ask(self, commands: tuple[str, ...]) -> list:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.settimeout(ANSWER_SECONDS)
            self._socket.connect(self._path)
            self._reader = self._socket.makefile("rb")
        self._socket.sendall("".join(f"json {command}\r\n" for command in commands).encode())
        return [json.loads(self._bulk_string()) for _ in commands]

    def _bulk_string(self) -> bytes:
        line = self._reader.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionResetError("the daemon closed the command connection")
        if not line.startswith(b"$"):
            raise ValueError(line.decode(errors="replace").strip())
        size = int(line[1:])
        return self._reader.read(size + 2)[:-2]

    def close(self):
        if self._socket is not None:
            self._reader.close()
            self._socket.close()
            self._socket = None
