#!/usr/bin/python3
"""The demo's workers in Python: `pages` serves the page and its live table, `report` the slow report.

Started by Baton's agent, which says by the environment where to connect and for which service. The wire
format is spoken by examples/python/baton_worker.py, in nothing but the standard library.
"""

import os
import sys
from pathlib import Path

DEMO = Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(DEMO.parent / "examples/python"))

from baton_worker import Gone, Refused, Worker  # noqa: E402  (after the path)

import report  # noqa: E402
from command_port import CommandPort  # noqa: E402
from page import Answer, Site, text  # noqa: E402


def answer_function(service: str):
    """What answers a request of this service."""
    port = CommandPort(os.environ["BATON_SOCKET"])
    if service == "report":
        return lambda request: report.answer(port, request.method, request.path)
    site = Site(DEMO / "www", port, os.environ.get("DEMO_COMMAND", "baton -c workers"))
    return lambda request: site.answer(request.method, request.path, request.query, request.fields)


def main():
    worker = Worker()
    answer_to = answer_function(os.environ["BATON_SERVICE"])
    for request in worker:
        try:
            answer: Answer = answer_to(request)
        except Exception as error:  # the next request may fare better than this one
            print(f"{request.method} {request.path}: {error!r}", file=sys.stderr, flush=True)
            answer = text(500, "the demo's worker made a mistake; its log says which")
        try:
            fields = answer.fields | {"X-Worker": str(os.getpid())}
            request.respond(answer.status, answer.content_type, answer.body, fields)
            request.done()
        except Gone:
            request.done(lost=True)


if __name__ == "__main__":
    try:
        main()
    except Refused as reason:
        sys.exit(f"demo worker: {reason}")
