"""HTTP clients for tests: a raw one that decides about every byte, and curl."""

import re
import socket
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from .waiting import LIMIT_SECONDS

Address = tuple[str, int] | Path


@dataclass
class Response:
    status: int
    fields: dict[str, str]  # names in lower case; of a repeated field the last
    body: bytes = b""
    interim: list[int] = field(default_factory=list)  # the 1xx that came before

    @property
    def text(self) -> str:
        return self.body.decode()


def parse_head(head: bytes) -> Response:
    start, *lines = head.decode("latin-1").split("\r\n")
    match = re.fullmatch(r"HTTP/1\.[01] (\d{3})(?: .*)?", start)
    assert match, f"not a status line: {start!r}"
    pairs = (line.split(":", 1) for line in lines if line)
    return Response(int(match[1]), {name.lower(): value.strip() for name, value in pairs})


class HttpConnection:
    """A connected socket and what was read ahead of it. Nothing is sent that was not asked for."""

    def __init__(self, address: Address, receive_buffer: int = 0):
        family = socket.AF_UNIX if isinstance(address, Path) else (
            socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(LIMIT_SECONDS)
        if receive_buffer:  # before the connection, whose window depends on it
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(str(address) if isinstance(address, Path) else address)
        self._ahead = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data: bytes | str):
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def request(self, method: str, target: str, body: bytes = b"", **fields: str) -> Response:
        """Sends a request (a field's `_` stands for `-`) and reads its answer."""
        lines = [f"{method} {target} HTTP/1.1"]
        fields = {name.replace("_", "-"): value for name, value in fields.items()}
        lines += [f"{name}: {value}" for name, value in ({"Host": "test"} | fields).items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return self.response(method)

    def get(self, target: str, **fields: str) -> Response:
        return self.request("GET", target, **fields)

    def response(self, method: str = "GET") -> Response:
        """Reads one final answer, framed as RFC 9112 section 6.3 says."""
        interim = []
        while True:
            answer = parse_head(self.read_until(b"\r\n\r\n"))
            if not 100 <= answer.status < 200 or answer.status == 101:
                break
            interim.append(answer.status)
        answer.interim = interim
        if method == "HEAD" or answer.status in (101, 204, 304):
            return answer
        if answer.fields.get("transfer-encoding", "").lower() == "chunked":
            answer.body = self._chunks()
        elif "content-length" in answer.fields:
            answer.body = self.read(int(answer.fields["content-length"]))
        else:
            answer.body = self.read_to_end()
        return answer

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.read_until(b"\r\n").split(b";")[0], 16):
            body += self.read(size + 2)[:-2]
        while self.read_until(b"\r\n") != b"":
            pass  # trailers
        return body

    def read_until(self, mark: bytes) -> bytes:
        """The bytes before `mark`, which is taken too."""
        while mark not in self._ahead:
            self._more(f"{mark!r}")
        found, self._ahead = self._ahead.split(mark, 1)
        return found

    def read(self, size: int) -> bytes:
        while len(self._ahead) < size:
            self._more(f"{size} bytes")
        found, self._ahead = self._ahead[:size], self._ahead[size:]
        return found

    def read_to_end(self) -> bytes:
        """All up to the orderly end; a reset raises ConnectionResetError."""
        while data := self.socket.recv(65536):
            self._ahead += data
        found, self._ahead = self._ahead, b""
        return found

    def at_end(self) -> bool:
        """Waits: whether the other side ends in order now, with nothing more to read."""
        return not self._ahead and self.socket.recv(1) == b""

    def _more(self, wanted: str):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError(f"connection ended while waiting for {wanted}; got {self._ahead[:200]!r}")
        self._ahead += data

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends the connection with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Curl:
    """A curl under way. finish() waits and gives the answer; `exit_code` is curl's own."""

    def __init__(self, url: str, *options: str, folder: Path):
        self._body = folder / "body"
        self._head = folder / "head"
        self.exit_code: int | None = None
        self.process = subprocess.Popen(
            ["curl", "--silent", "--show-error", "--max-time", str(int(LIMIT_SECONDS)),
             "--output", self._body, "--dump-header", self._head, *options, url],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def finish(self) -> Response:
        """The final answer; ConnectionError when curl got none, or not the whole of it."""
        _, errors = self.process.communicate(timeout=LIMIT_SECONDS * 2)
        self.exit_code = self.process.returncode
        if self.exit_code != 0:
            raise ConnectionError(errors.strip())
        heads = [parse_head(head) for head in self._head.read_bytes().split(b"\r\n\r\n") if head]
        answer = heads[-1]
        answer.interim = [head.status for head in heads[:-1]]
        answer.body = self._body.read_bytes() if self._body.exists() else b""
        return answer
