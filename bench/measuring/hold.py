"""Holds idle keep-alive connections: each has had one complete answer, and asks nothing more.

    hold.py PORT COUNT TARGET LENGTH

Says READY and how many, holds them until its stdin ends, then says how many are still open.
"""

import socket
import sys
import time

ANSWER_SECONDS = 20.0
HEAD_LIMIT = 16 * 1024


def connect(port: int) -> socket.socket:
    """A full accept queue drops the handshake; TCP asks again after a second."""
    return socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS)


def ask_once(connection: socket.socket, target: str, length: int):
    """@raises ValueError  what came is not a complete 200"""
    connection.sendall(f"GET {target} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
    answer = b""
    while (head := answer.find(b"\r\n\r\n")) < 0 or len(answer) < head + 4 + length:
        piece = connection.recv(HEAD_LIMIT + length)
        if not piece:
            raise ValueError(f"the connection ended after {answer[:80]!r}")
        answer += piece
        kept = answer.startswith(b"HTTP/1.1 200 ") and b"\r\nconnection: close\r\n" not in answer.lower()
        if b"\r\n\r\n" in answer and not kept:
            raise ValueError(f"not an answer that keeps the connection: {answer[:80]!r}")


def is_open(connection: socket.socket) -> bool:
    try:
        connection.setblocking(False)
        return bool(connection.recv(1))  # bytes that nobody asked for are no open connection
    except BlockingIOError:
        return True
    except OSError:
        return False


def main() -> int:
    port, count, target, length = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    held = []
    for _ in range(count):
        connection = connect(port)
        ask_once(connection, target, length)
        held.append(connection)
    print("READY", len(held), flush=True)
    sys.stdin.read()
    print(sum(map(is_open, held)), flush=True)
    return 0


if __name__ == "__main__":
    begun = time.monotonic()
    try:
        sys.exit(main())
    except (OSError, ValueError) as error:
        sys.exit(f"hold.py, after {time.monotonic() - begun:.1f} s: {error}")
