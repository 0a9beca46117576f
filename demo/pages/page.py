"""The demo's page and what it asks for: which answer belongs to which request. No I/O but files."""

import json
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/colours.js": ("colours.js", "text/javascript; charset=utf-8"),
    "/live.js": ("live.js", "text/javascript; charset=utf-8"),
    "/pictures.js": ("pictures.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
TEXT = "text/plain; charset=utf-8"

# Nothing from elsewhere, and nobody else's frame around the button that kills.
POLICY = "default-src 'self'; frame-ancestors 'none'"


@dataclass
class Answer:
    status: int
    content_type: str
    body: bytes
    fields: dict[str, str] = field(default_factory=dict)


def text(status: int, words: str, **fields: str) -> Answer:
    return Answer(status, TEXT, f"{words}\n".encode(), {"Cache-Control": "no-store"} | fields)


class Site:
    """`port` answers json(*commands); `command` is the line that the page tells people to type."""

    def __init__(self, folder: Path, port, command: str):
        self._folder = folder
        self._port = port
        self._command = command

    def answer(self, method: str, path: str, query: str, fields: dict[str, str]) -> Answer:
        """`fields`: the request's, names in lower case."""
        if path == "/kill":
            return self._kill(method, query, fields)
        if method not in ("GET", "HEAD"):
            return text(405, "this is only to be looked at", Allow="GET, HEAD")
        if path == "/live":
            return self._live()
        if path in FILES:
            name, content_type = FILES[path]
            body = (self._folder / name).read_bytes()
            return Answer(200, content_type, body,
                          {"Cache-Control": "no-cache", "Content-Security-Policy": POLICY})
        return text(404, "there is no such page")

    def _live(self) -> Answer:
        try:
            services, workers = self._port.json("services", "workers")
        except (OSError, ValueError) as error:
            return text(503, f"the daemon did not answer: {error}")
        body = json.dumps({"services": services, "workers": workers, "command": self._command})
        return Answer(200, "application/json", body.encode(), {"Cache-Control": "no-store"})

    def _kill(self, method: str, query: str, fields: dict[str, str]) -> Answer:
        """Kills a worker of the gallery as a crash would, for the page's button.

        Only this page can ask for it: another site's could send a POST, but not with a field of its
        own. Only a worker of the gallery is killed, and only one that is there at this moment.
        """
        if method != "POST":
            return text(405, "killing is done by POST", Allow="POST")
        if fields.get("x-demo") != "kill":
            return text(403, "this is for the demo's own page")
        name, _, wanted = query.partition("=")
        if name != "worker" or not wanted.isascii() or not wanted.isdigit():
            return text(400, "say which: /kill?worker=3")
        try:
            pid = self._pid_of(int(wanted))
            if pid is None:
                return text(404, f"the gallery has no worker {int(wanted)} that runs")
            # A descriptor, so that the number cannot be another process's by the time of the signal.
            process = os.pidfd_open(pid)
            try:
                if self._pid_of(int(wanted)) == pid:
                    signal.pidfd_send_signal(process, signal.SIGKILL)
            finally:
                os.close(process)
        except ProcessLookupError:
            return text(404, f"worker {int(wanted)} has just ended")
        except (OSError, ValueError) as error:
            return text(503, f"worker {int(wanted)} was not killed: {error}")
        return text(200, f"Worker {int(wanted)} (pid {pid}) got SIGKILL. What it was drawing goes to another.")

    def _pid_of(self, worker: int) -> int | None:
        workers, = self._port.json("workers")
        return next((row["pid"] for row in workers
                     if row["service"] == "gallery" and row["id"] == worker), None)
