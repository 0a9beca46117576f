"""A server that fails on purpose, for the tests of our clients: every way to fail must be counted."""

import socket
import struct
import threading

BODY = b"0123456789" * 100
RIGHT = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + BODY


class Server:
    """Answers the request number n, counted over all connections, by `answer(n)`.

    The answer is a list of what to send; b"" in it ends the connection, None resets it.
    """

    def __init__(self, answer):
        self.answer = answer
        self.count = 0
        self.connections = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, connection: socket.socket):
        reader = connection.makefile("rb")
        try:
            while head := list(iter(reader.readline, b"\r\n")):
                if b"" in head:
                    return
                with self.lock:
                    number, self.count = self.count, self.count + 1
                for piece in self.answer(number):
                    if piece is None:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                              struct.pack("ii", 1, 0))
                    if not piece:
                        return
                    connection.sendall(piece)
                if any(line.lower() == b"connection: close\r\n" for line in head):
                    return
        except OSError:
            pass
        finally:
            reader.close()
            connection.close()
