"""A worker that does what each request's query tells it, and stops where the test wants it.

Speaks the wire format by itself, without libbaton: a second opinion on the contract. The request is
peeked first, so that it can be left unread.

    ?hold=STAGE    stop at before-read, after-read, mid-answer or after-answer, on the first attempt only
    ?fork=1        before that, leave a child behind that holds connection and link;
                   fork=daemon: one that has left session and group, as daemon(3) does
    ?size=N        length of the answer's body
    ?status=N      its status
    ?close=1       say `close` instead of `keep`
    ?lie=N         add N to bytes_read
    ?unread=1      answer without reading the body, say `keep`
    ?decline=1     decline, on the first attempt
    ?nothing=1     read, write nothing, say `keep`; with close=1 `close`
    ?silent=1      read and never answer
    ?stall=1       answer a part and stand still
    ?upgrade=1     answer 101, say `released`, echo what comes
    ?exit=N        end with this status after the answer
"""

import json
import os
import select
import socket
import struct
import sys
import urllib.parse

HELLO, DONE, DECLINE, CREDIT, BYE = 1, 2, 3, 4, 5
WELCOME, TICKET, DRAIN, REFUSED = 33, 34, 35, 38
KEEP, CLOSE, RELEASED = 0, 1, 2


def message(kind: int, body: bytes) -> bytes:
    size = 8 + (len(body) + 7) // 8 * 8
    return struct.pack("<HHI", kind, 0, size) + body.ljust(size - 8, b"\0")


class Stage:
    """The test, asked at each point where it may want to kill this process."""

    def __init__(self):
        path = os.environ.get("BATON_TEST_STAGE")
        self.socket = None
        if path:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(path)

    def reached(self, name: str, attempt: int):
        line = json.dumps({"pid": os.getpid(), "stage": name, "attempt": attempt})
        self.socket.sendall(line.encode() + b"\n")
        if self.socket.recv(1) == b"":
            sys.exit(3)


class Worker:
    def __init__(self):
        self.stage = Stage()
        self.link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.link.connect(os.environ["BATON_WORKER_SOCKET"])
        slots = int(os.environ.get("BATON_SLOTS", "1"))
        service = os.environ["BATON_SERVICE"].encode()
        capabilities = 0 if "--no-bytes-beside" in sys.argv else 1
        self.link.send(message(HELLO, struct.pack(
            "<HHIQIIIHH", 1, 1, capabilities, int(os.environ.get("BATON_WORKER_ID", "0")), slots,
            slots, os.getpid(), len(service), 0) + service))

    def run(self):
        while True:
            data, descriptors, _, _ = socket.recv_fds(self.link, 65536, 4)
            if not data:
                sys.exit(0)
            kind, _, size = struct.unpack_from("<HHI", data)
            body = data[8:size]
            if kind == REFUSED:
                sys.exit(f"refused: {body[8:]!r}")
            if kind == DRAIN:
                self.link.send(message(BYE, b""))
                sys.exit(0)
            if kind == TICKET:
                self.serve(body, socket.socket(fileno=descriptors[0]))

    def serve(self, ticket: bytes, client: socket.socket):
        (assignment, request, _, _, attempt, head_bytes, beside_size, address_size, _,
         _) = struct.unpack_from("<QQQIIIIHHI", ticket)
        beside = ticket[48 + address_size:48 + address_size + beside_size]
        client.setblocking(True)
        head = beside[:head_bytes]
        if len(head) < head_bytes:
            head += client.recv(head_bytes - len(head), socket.MSG_PEEK | socket.MSG_WAITALL)
        method, target, _ = head.lstrip(b"\r\n").split(b"\r\n")[0].decode("latin-1").split(" ")
        query = {key: values[0] for key, values in
                 urllib.parse.parse_qs(urllib.parse.urlsplit(target).query).items()}
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n")
                       if line.startswith(b"content-length:")), 0)

        if query.get("decline") and attempt == 0 and not hasattr(self, "declined"):
            self.declined = True
            client.close()
            self.link.send(message(DECLINE, struct.pack("<QII", assignment, 2, 0)))
            self.link.send(message(CREDIT, struct.pack("<II", 1, 0)))
            return

        def hold(name):
            if query.get("hold") == name and attempt == 0:
                if query.get("fork") and os.fork() == 0:
                    if query["fork"] == "daemon":
                        os.setsid()
                        if os.fork() != 0:
                            os._exit(0)
                    select.select([], [], [])  # holds connection and link until it is killed
                self.stage.reached(name, attempt)

        hold("before-read")
        expected = head_bytes + (0 if query.get("unread") else length)
        read = beside
        while len(read) < expected:
            piece = client.recv(expected - len(read))
            if not piece:
                break
            read += piece
        hold("after-read")
        if query.get("silent"):
            select.select([], [], [])
        if query.get("upgrade"):
            return self.upgrade(assignment, client, len(read))

        content = b"x" * int(query.get("size", "10"))
        if query.get("echo"):
            content = read[head_bytes:]
        fields = {"Content-Length": len(content), "X-Worker": os.getpid(), "X-Attempt": attempt,
                  "X-Request": request, "X-Method": method}
        if query.get("close"):
            fields["Connection"] = "close"
        answer = f"HTTP/1.1 {query.get('status', '200')} Fine\r\n".encode() + b"".join(
            f"{name}: {value}\r\n".encode() for name, value in fields.items()) + b"\r\n"
        if method != "HEAD":
            answer += content
        half = len(answer) - len(content) // 2
        written = 0
        if query.get("hold") == "mid-answer" or query.get("stall"):
            client.sendall(answer[:half])
            written = half
            hold("mid-answer")
            if query.get("stall"):
                select.select([], [], [])
        if not query.get("nothing"):
            client.sendall(answer[written:])
        hold("after-answer")
        disposition = CLOSE if query.get("close") else KEEP
        client.close()
        self.link.send(message(DONE, struct.pack(
            "<QQQIHBB", assignment, len(read) + int(query.get("lie", "0")), len(answer), 1,
            int(query.get("status", "200")), disposition, 0)))
        if "exit" in query:
            sys.exit(int(query["exit"]))

    def upgrade(self, assignment: int, client: socket.socket, read: int):
        answer = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
        client.sendall(answer)
        self.link.send(message(DONE, struct.pack(
            "<QQQIHBB", assignment, read, len(answer), 0, 101, RELEASED, 0)))
        while data := client.recv(4096):
            client.sendall(data)
        client.close()
        self.link.send(message(CREDIT, struct.pack("<II", 1, 0)))


Worker().run()
