"""An ordinary HTTP server, of Python's library, that has never heard of Baton.

    plain_server.py PORT [--fork | --asyncio | --start HOW]
    plain_server.py --answer

    /who              process and client
    ?hold=before-read stops when it has accepted the connection and not yet read from it, once
    ?silent=1         reads and does not answer
    ?size=N           so much in the answer
    ?slow=1           waits for the test's word in the middle of it
    ?cut=1            ends in the middle of an answer that goes on to the connection's end, by a reset
    /deaf             (with --asyncio) does not close the connection although it is asked to

With --start each connection is answered by a child of its own, started as HOW says, which waits for
the test's word before it does; --answer is such a child, with the connection as standard input.
"""

import asyncio
import ctypes
import http.server
import json
import os
import select
import signal
import socket
import socketserver
import struct
import subprocess
import sys
import urllib.parse


def reached(name: str):
    """The test is told, and may kill this process, or let it go on."""
    with socket.socket(socket.AF_UNIX) as stage:
        stage.connect(os.environ["BATON_TEST_STAGE"])
        stage.sendall(json.dumps({"pid": os.getpid(), "stage": name, "attempt": 0}).encode() + b"\n")
        if stage.recv(1) == b"":
            os._exit(3)


def first_time(name: str) -> bool:
    """Of all processes of this test."""
    path = f"{os.environ['BATON_TEST_STAGE']}.{name}"
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        if "BATON_TEST_STAGE" in os.environ:
            head = self.request.recv(4096, socket.MSG_PEEK)
            if b"hold=before-read" in head and first_time("before-read"):
                reached("before-read")
        super().setup()

    def do_GET(self):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        if query.get("silent"):
            select.select([], [], [])
        if query.get("cut"):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf of the answ")
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        body = f"{os.getpid()} {self.client_address[0]}:{self.client_address[1]}".encode()
        if self.path == "/fields":
            body = json.dumps(dict(self.headers.items())).encode()
        if "size" in query:
            body = b"x" * int(query["size"])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        half = len(body) // 2
        self.wfile.write(body[:half])
        if query.get("slow"):
            reached("mid-answer")
        self.wfile.write(body[half:])

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = str(len(body)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Threads(http.server.ThreadingHTTPServer):
    allow_reuse_address = False

    def shutdown_request(self, request):
        reset = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == struct.pack("ii", 1, 0)
        if reset:  # no end of the stream before it
            self.close_request(request)
        else:
            super().shutdown_request(request)


class Forks(socketserver.ForkingMixIn, http.server.HTTPServer):
    """A process for each connection, which the parent closes at once."""


def answer_in_child(connection: socket.socket):
    connection.recv(65536)
    reached("in-child")
    body = str(os.getpid()).encode()
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                       % (len(body), body))


def start_by_posix_spawn(connection: socket.socket):
    os.posix_spawn(sys.executable, [sys.executable, __file__, "--answer"], os.environ,
                   file_actions=[(os.POSIX_SPAWN_DUP2, connection.fileno(), 0)])


def start_by_vfork(connection: socket.socket):
    subprocess.Popen([sys.executable, __file__, "--answer"], stdin=connection)


def start_by__Fork(connection: socket.socket):
    if ctypes.PyDLL(None)._Fork() == 0:
        answer_in_child(connection)
        os._exit(0)


class Part(ctypes.Structure):
    """struct iovec."""

    _fields_ = [("bytes", ctypes.c_char_p), ("size", ctypes.c_size_t)]


class Message(ctypes.Structure):
    """struct msghdr."""

    _fields_ = [("name", ctypes.c_void_p), ("name_size", ctypes.c_uint32),
                ("parts", ctypes.POINTER(Part)), ("count", ctypes.c_size_t),
                ("control", ctypes.c_char_p), ("control_size", ctypes.c_size_t),
                ("flags", ctypes.c_int)]


class SentMessage(ctypes.Structure):
    """struct mmsghdr."""

    _fields_ = [("message", Message), ("sent", ctypes.c_uint)]


def start_helper() -> socket.socket:
    """A process that answers what it is passed, before there is any connection."""
    here, there = socket.socketpair()
    if os.fork() != 0:
        there.close()
        return here
    here.close()
    while True:
        _, passed, _, _ = socket.recv_fds(there, 1, 1)
        if not passed:
            os._exit(0)
        with socket.socket(fileno=passed[0]) as connection:
            answer_in_child(connection)


def start_by_sendmmsg(connection: socket.socket):
    """In the second of two messages."""
    control = struct.pack("@Niii4x", 20, socket.SOL_SOCKET, socket.SCM_RIGHTS, connection.fileno())
    part = ctypes.pointer(Part(b"x", 1))
    messages = (SentMessage * 2)()
    messages[1].message = Message(parts=part, count=1, control=control, control_size=len(control))
    assert ctypes.CDLL(None).sendmmsg(helper.fileno(), messages, 2, 0) == 2


class Starts(http.server.HTTPServer):
    """As inetd: the connection is the child's, and this process closes its own descriptor at once."""

    def process_request(self, request, _):
        globals()[f"start_by_{sys.argv[3]}"](request)
        self.close_request(request)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
    while head := await reader.readline():
        fields = []
        while field := (await reader.readline()).strip():
            fields.append(field.lower())
        host, port = writer.get_extra_info("peername")[:2]
        body = f"{os.getpid()} {host}:{port}".encode()
        writer.write(b"HTTP/1.1 200 Fine\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        if b"connection: close" in fields and not head.startswith(b"GET /deaf"):
            break
    writer.close()


async def serve_with_asyncio(port: int):
    server = await asyncio.start_server(answer, "127.0.0.1", port)
    await server.serve_forever()


if sys.argv[1] == "--answer":
    with socket.socket(fileno=0) as connection:
        answer_in_child(connection)
    sys.exit()
port = int(sys.argv[1])
if "--start" in sys.argv:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    helper = start_helper()
    Starts(("127.0.0.1", port), None).serve_forever()
if "--asyncio" in sys.argv:
    asyncio.run(serve_with_asyncio(port))
else:
    (Forks if "--fork" in sys.argv else Threads)(("127.0.0.1", port), Handler).serve_forever()
