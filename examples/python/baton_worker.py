#!/usr/bin/python3
"""A worker of Baton's in plain Python: the wire format of docs/reference/worker-contract.md, and
nothing but the standard library. Copy it, or import it:

    from baton_worker import Worker

    worker = Worker()                         # an agent's environment says where and what for
    for request in worker:
        request.respond(200, "text/plain", b"hello\\n")
        request.done()

Run by itself it answers each request with what was asked. One request at a time; `slots=` and threads
of your own make it more: requests may be ended by any thread, `Worker` belongs to one.
"""

import fcntl
import os
import random
import select
import socket
import struct
import sys
import threading
import time
import urllib.parse
from email.utils import formatdate
from http.client import responses

HELLO, DONE, DECLINE, CREDIT, BYE = 1, 2, 3, 4, 5
WELCOME, TICKET, DRAIN, REINIT, STATUS, REFUSED = 33, 34, 35, 36, 37, 38
KEEP, CLOSE = 0, 1
NO_DESCRIPTOR, OVERLOADED = 1, 2
TAKES_BYTES_BESIDE, HANDS_BACK_REST = 1, 16  # capabilities
CLOSE_AFTER, REST_WELCOME, CONTINUED = 2, 4, 256  # flags of a ticket
OPTIONAL = 0x8000  # flag of a message: who does not know it may skip it

PACKET_LIMIT = 64 * 1024
WAIT_SECONDS = 30  # for a client that does nothing
QUICK_SECONDS = 0.05  # for one whose answer somebody else can send
DISCARD_LIMIT = 64 * 1024  # of a body that nobody has read


class Refused(Exception):
    """batond does not want this worker; the text says why."""


class Gone(Exception):
    """The client closed, reset, or did nothing for too long: end the request."""


class Malformed(Exception):
    """The client sent a body that cannot be read: answer 400, end the request."""


def message(kind: int, body: bytes = b"") -> bytes:
    body += bytes(-len(body) % 8)
    return struct.pack("<HHI", kind, 0, 8 + len(body)) + body


def messages(packet: bytes):
    """(type, body) of each message in a packet."""
    while packet:
        kind, flags, size = struct.unpack_from("<HHI", packet)
        if not 8 <= size <= len(packet) or size % 8:
            raise ConnectionError("a corrupt packet from batond")
        if not flags & OPTIONAL:
            yield kind, packet[8:size]
        packet = packet[size:]


class Request:
    """One request. `fields` has the names in lower case; `path` and `query` are not decoded."""

    def __init__(self, worker: "Worker", link: socket.socket, ticket: bytes, connection: socket.socket):
        (self.assignment, self.id, self.client, self.flags, self.attempt, head_bytes, beside_size,
         address_size, _, _) = struct.unpack_from("<QQQIIIIHHI", ticket)
        texts = ticket[48:]
        self.client_address = texts[:address_size].decode()
        self._beside = texts[address_size:address_size + beside_size]
        self._worker = worker
        self._link = link
        self._connection = connection
        # Python's time-outs leave the socket non-blocking, which it has to stay: O_NONBLOCK belongs
        # to the connection, and batond holds it, too. So never setblocking(True).
        connection.settimeout(WAIT_SECONDS)
        self._bytes_read = 0
        self._bytes_written = 0
        self._answered = False
        self._keep = False
        self._status = 0
        self._continue = False
        self._rest = -1  # a descriptor of what the client has not taken of the answer
        self._read_head(head_bytes)

    # -- reading

    def _read(self, limit: int) -> bytes:
        """Some bytes, from those beside the connection first."""
        if self._beside:
            data, self._beside = self._beside[:limit], self._beside[limit:]
        else:
            data = self._socket(self._connection.recv, limit)
        if not data:
            raise Gone("the client left in the middle of its request")
        self._bytes_read += len(data)
        return data

    def _read_exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += self._read(size - len(data))
        return data

    def _read_line(self, limit: int = 4096) -> bytes:
        """Byte by byte: what follows may be the next request, and is not to be touched."""
        line = b""
        while not line.endswith(b"\r\n"):
            if len(line) > limit:
                raise Malformed("a line of the body's framing is too long")
            line += self._read(1)
        return line[:-2]

    def _socket(self, call, *arguments):
        try:
            return call(*arguments)
        except OSError as error:  # time-outs are among them
            raise Gone(str(error)) from error

    def _read_head(self, size: int):
        """batond has checked it, so the simplest parser is good enough."""
        lines = self._read_exactly(size).decode("latin-1").strip("\r\n").split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ")
        self.path, _, self.query = self.target.partition("?")
        self.fields: dict[str, str] = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.fields.setdefault(name.lower(), value.strip(" \t"))
        options = [word.strip().lower() for word in self.fields.get("connection", "").split(",")]
        old = self.version == "HTTP/1.0"
        self._keep = "close" not in options and (not old or "keep-alive" in options)
        self._keep = self._keep and not self.flags & CLOSE_AFTER
        self._continue = (not old and self.fields.get("expect", "").lower() == "100-continue"
                          and not self.flags & CONTINUED)
        self._chunked = "transfer-encoding" in self.fields
        self._left = int(self.fields.get("content-length", 0))  # of a sized body

    def parameter(self, name: str, default: str = "") -> str:
        return urllib.parse.parse_qs(self.query, keep_blank_values=True).get(name, [default])[0]

    @property
    def _body_is_read(self) -> bool:
        return not self._chunked and self._left == 0

    def body(self, limit: int = 1 << 20) -> bytes:
        """The whole body; ValueError when there is more than `limit`."""
        if self._body_is_read:
            return b""
        if self._continue and not self._answered:
            self._continue = False
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not self._chunked:
            if self._left > limit:
                raise ValueError("the body is too large")
            data = self._read_exactly(self._left)
            self._left = 0
            return data
        data = b""
        while True:
            try:
                size = int(self._read_line().partition(b";")[0], 16)
            except ValueError as error:
                raise Malformed("a chunk without a size") from error
            if len(data) + size > limit:
                raise ValueError("the body is too large")
            if size == 0:
                break
            data += self._read_exactly(size)
            if self._read_line():
                raise Malformed("a chunk without an end")
        while self._read_line():
            pass  # trailers
        self._chunked = False
        return data

    # -- answering

    def _write(self, data: bytes):
        self._socket(self._connection.sendall, data)
        self._bytes_written += len(data)

    def respond(self, status: int, content_type: str, body: bytes,
                fields: dict[str, str] | None = None):
        """A complete answer, with Date and Content-Length."""
        if not self._body_is_read:
            self._discard_body()
        has_content = status not in (204, 304)
        lines = [f"HTTP/1.1 {status} {responses.get(status, 'Unknown')}",
                 f"Date: {formatdate(usegmt=True)}"]
        if has_content:
            lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
        if not self._keep:
            lines.append("Connection: close")
        elif self.version == "HTTP/1.0":
            lines.append("Connection: keep-alive")
        lines += [f"{name}: {value}" for name, value in (fields or {}).items()]
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        self._status = status
        self._answered = True
        answer = head + (body if has_content and self.method != "HEAD" else b"")
        if self.flags & REST_WELCOME:
            self._write_or_put_aside(answer)
        else:
            self._write(answer)

    def _write_or_put_aside(self, data: bytes):
        """A client that is slow takes the rest from batond, while this worker goes on."""
        left = memoryview(data)
        self._connection.settimeout(QUICK_SECONDS)
        while left:
            try:
                sent = self._connection.send(left)
            except TimeoutError:
                self._rest = os.memfd_create("baton", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
                with os.fdopen(self._rest, "wb", closefd=False) as memory:
                    memory.write(left)
                fcntl.fcntl(self._rest, fcntl.F_ADD_SEALS,
                            fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
                return
            except OSError as error:
                raise Gone(str(error)) from error
            self._bytes_written += sent
            left = left[sent:]

    def _discard_body(self):
        """A small body that has come is read away, so that the connection can be kept."""
        if self._continue or self._chunked or self._left > DISCARD_LIMIT:
            self._keep = False  # nobody can tell where the next request would begin
            return
        self._connection.settimeout(0)
        try:
            while self._left:
                self._left -= len(self._read(self._left))
        except Gone:
            self._keep = False
        self._connection.settimeout(WAIT_SECONDS)

    @property
    def client_gone(self) -> bool:
        poll = select.poll()
        poll.register(self._connection, select.POLLRDHUP)
        return bool(poll.poll(0))

    def done(self, lost: bool = False):
        """Gives connection and slot back. `lost`: the client is gone, nothing is written any more."""
        if not self._answered and not lost:
            try:
                self.respond(500, "text/plain", b"The worker gave no answer.\n")
            except Gone:
                lost = True
        keep = self._keep and self._body_is_read and self._answered and not lost
        done = struct.pack(
            "<QQQIHBB", self.assignment, self._bytes_read, self._bytes_written, 1, self._status,
            KEEP if keep else CLOSE, 0)
        if self._rest >= 0:
            return self._hand_back(done)
        # Closed first: once batond has heard `done`, nobody else may hold the connection. It is never
        # shut down here; with `close`, that is batond's to do, and to wait for the client.
        self._connection.close()
        self._worker.finish(self._link, done)

    def _hand_back(self, done: bytes):
        """With a rest it is closed behind `done`: if nobody has heard that, the rest is ours to send."""
        size = os.fstat(self._rest).st_size
        # Should batond end before it has read that, the client sees a reset, not an answer's end.
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        heard = self._worker.finish(self._link, done[:-1] + struct.pack("<BQQ", 1, 0, size), self._rest)
        if not heard:
            self._connection.settimeout(WAIT_SECONDS)
            with os.fdopen(self._rest, "rb", closefd=False) as memory:
                try:
                    self._connection.sendfile(memory, 0, size)
                    self._connection.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
                except OSError:
                    pass  # the client is gone, too
        os.close(self._rest)
        self._connection.close()


class Worker:
    """The link to batond. Iterate over it, or call accept(); what is not given comes from the
    environment that an agent sets."""

    def __init__(self, socket_path: str = "", service: str = "", slots: int = 0):
        self._path = socket_path or os.environ["BATON_WORKER_SOCKET"]
        self._service = service or os.environ["BATON_SERVICE"]
        by_agent = not (socket_path or service)
        self.id = int(os.environ.get("BATON_WORKER_ID", 0)) if by_agent else 0
        self._slots = slots or int(os.environ.get("BATON_SLOTS", 1))
        self._lock = threading.Lock()  # guards what threads that end requests need
        self._taken = 0
        self._owed = 0  # slots that are free, and of which batond does not know
        self._link: socket.socket | None = None
        self._draining = False
        self._reconnect_seconds = 0.0
        self._connect()

    def fileno(self) -> int:
        """Readable when accept() has something to do. Changes when batond was restarted."""
        return self._link.fileno()

    def __iter__(self):
        while (request := self.accept()) is not None:
            yield request

    def accept(self) -> Request | None:
        """The next request. None: leave, no more will come."""
        while not self._draining:
            packet, descriptors, flags = self._receive()
            if not packet:
                if not self._come_back():
                    return None
                continue
            for kind, body in messages(packet):
                if kind == TICKET:
                    request = self._take(body, descriptors, flags)
                    if request:
                        return request
                elif kind == DRAIN:
                    self._drain()
                elif kind not in (REINIT, STATUS):
                    raise ConnectionError(f"batond sent a message of type {kind}")
        return None

    def _receive(self):
        # Without a credit and without a request in hand nothing would ever come: ask again after a
        # while, when descriptors may be free again.
        while self._owed and not select.select([self._link], [], [], 0.5)[0]:
            with self._lock:
                owed, self._owed = self._owed, 0
            if owed:
                self._send(self._link, message(CREDIT, struct.pack("<II", owed, 0)))
        try:
            packet, descriptors, flags, _ = socket.recv_fds(
                self._link, PACKET_LIMIT, 1, socket.MSG_CMSG_CLOEXEC)
            return packet, descriptors, flags
        except ConnectionResetError:
            return self._receive()  # may come before what batond had sent; the end is an empty packet

    def _take(self, ticket: bytes, descriptors: list[int], flags: int) -> Request | None:
        assignment, = struct.unpack_from("<Q", ticket)
        if not descriptors:  # MSG_CTRUNC is set in `flags`: this process is at its limit
            with self._lock:
                self._owed += 1
            self._send(self._link, message(DECLINE, struct.pack("<QII", assignment, NO_DESCRIPTOR, 0)))
            return None
        connection = socket.socket(fileno=descriptors[0])
        with self._lock:
            self._taken += 1
        try:
            return Request(self, self._link, ticket, connection)
        except Gone:
            connection.close()
            self.finish(self._link, struct.pack("<QQQIHBB", assignment, 0, 0, 1, 0, CLOSE, 0))
            return None

    def _drain(self):
        with self._lock:
            self._draining = True
            last = self._taken == 0
        if last:
            self._send(self._link, message(BYE))

    def finish(self, link: socket.socket, done: bytes, rest: int = -1) -> bool:
        """Any thread. A `done` goes to the batond that gave the request; to another one the free slot
        is a credit. False: nobody has heard it."""
        with self._lock:
            self._taken -= 1
            credits, self._owed = 1 + self._owed, 0
            if self._draining:
                credits = 0
            last = self._draining and self._taken == 0
            current = self._link
        if current is None:
            return False  # the next hello counts the slot
        packet = b""
        if current is link:
            packet = message(DONE, done[:24] + struct.pack("<I", credits) + done[28:])
        elif credits:
            packet = message(CREDIT, struct.pack("<II", credits, 0))
        heard = current is link
        if heard and rest >= 0:  # alone in its packet
            heard, packet = self._send(current, packet, [rest]), b""
        if last:
            packet += message(BYE)
        if packet:
            self._send(current, packet)
        return heard

    @staticmethod
    def _send(link: socket.socket, packet: bytes, descriptors: list[int] | None = None) -> bool:
        try:
            socket.send_fds(link, [packet], descriptors or [])
        except OSError:
            return False  # batond is gone: reading the link will find that
        return True

    # -- finding batond

    def _connect(self):
        link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        link.connect(self._path)
        with self._lock:
            announced = self._slots - self._taken
            self._owed = 0
        name = self._service.encode()
        link.send(message(HELLO, struct.pack(
            "<HHIQIIIHH", 1, 1, TAKES_BYTES_BESIDE | HANDS_BACK_REST, self.id, self._slots, announced, os.getpid(),
            len(name), 0) + name))
        kind, body = next(messages(link.recv(PACKET_LIMIT)), (0, b""))
        if kind == REFUSED:
            size, _ = struct.unpack_from("<II", body)
            raise Refused(body[8:8 + size].decode())
        if kind != WELCOME:
            raise ConnectionError("batond did not answer")
        _, _, _, self.id, self._reconnect_seconds, _ = struct.unpack_from("<HHIQII", body)
        with self._lock:
            self._link = link
            freed_meanwhile = self._slots - self._taken - announced
        if freed_meanwhile > 0:
            self._send(link, message(CREDIT, struct.pack("<II", freed_meanwhile, 0)))

    def _come_back(self) -> bool:
        """batond is gone; it may be starting again. False: it stayed away for too long."""
        with self._lock:
            self._link = None
        give_up = time.monotonic() + self._reconnect_seconds
        delay = 0.05
        while True:
            time.sleep(delay * random.uniform(0.5, 1.5))
            try:
                self._connect()
                return True
            except Refused:
                return False
            except OSError:
                if time.monotonic() > give_up:
                    return False
            delay = min(2 * delay, 2.0)


def main():
    for request in Worker():
        try:
            body = request.body()
            text = f"{request.method} {request.target}\n".encode() + body
            request.respond(200, "text/plain; charset=utf-8", text,
                            {"X-Worker": str(os.getpid()), "X-Attempt": str(request.attempt)})
            request.done()
        except Malformed:
            request.respond(400, "text/plain", b"The body cannot be read.\n")
            request.done()
        except ValueError as error:
            request.respond(413, "text/plain", f"{error}\n".encode())
            request.done()
        except Gone:
            request.done(lost=True)


if __name__ == "__main__":
    try:
        main()
    except Refused as reason:
        sys.exit(f"baton_worker: {reason}")
