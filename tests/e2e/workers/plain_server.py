"""An ordinary HTTP server, of Python's library, that has never heard of Baton.

    plain_server.py PORT [--fork | --asyncio]

    /who              process and client
    ?hold=before-read stops when it has accepted the connection and not yet read from it, once
    ?silent=1         reads and does not answer
    ?size=N           so much in the answer
    ?slow=1           waits for the test's word in the middle of it
    ?cut=1            ends in the middle of an answer that goes on to the connection's end, by a reset
    /deaf             (with --asyncio) does not close the connection although it is asked to
"""

import asyncio
import http.server
import json
import os
import select
import socket
import socketserver
import struct
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


port = int(sys.argv[1])
if "--asyncio" in sys.argv:
    asyncio.run(serve_with_asyncio(port))
else:
    (Forks if "--fork" in sys.argv else Threads)(("127.0.0.1", port), Handler).serve_forever()
