"""How long a lease is in the way of who waits for its slot.

Two clients take turns at a worker with one slot. With leases each request has to wait until the other
client's idle connection was called back; without, it is decided at once. The difference is what the
calling back takes.
"""

import os
import socket
import statistics
import time
from dataclasses import dataclass

from . import machine
from .arena import CannotMeasure
from .cells import Cell
from .goals import Findings, Goal, Row, Section
from .noise import Observed, Watch
from .part import Context, Settings
from .servers import WORKER_PROGRAM, Servers
from .tables import number, significant, spread_text, table

PORT = 9070
PATHS = {"decided": "the slot is free", "leased": "the slot has a lease"}
TURNS = 500  # a sample is their median
SECONDS_PER_SAMPLE = 0.5
CASE = "a lease called back because somebody waits, beyond a free slot"
GOAL = Goal(1, "at most", "figure")


@dataclass
class Sample(Observed):
    milliseconds: float


class House(Servers):
    def start(self):
        config = self.write("baton-revocation.conf", port=PORT, worker=self.program(WORKER_PROGRAM))
        self.batond = self.run_batond("baton", config, PORT, "/decided/work")


def ask(client: socket.socket, path: str) -> float:
    """Seconds until the answer has begun; it is short, and comes in one piece."""
    begun = time.perf_counter()
    client.sendall(f"GET /{path}/1 HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
    answer = client.recv(4096)
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise CannotMeasure(f"no answer, but {answer[:60]!r}")
    return time.perf_counter() - begun


def take_turns(path: str) -> float:
    """The median, in milliseconds."""
    clients = [socket.create_connection(("127.0.0.1", PORT), timeout=10) for _ in range(2)]
    try:
        return statistics.median(ask(clients[turn % 2], path) for turn in range(TURNS)) * 1e3
    finally:
        for client in clients:
            client.close()


class Revocation:
    name = "revocation"

    def seconds(self, settings: Settings) -> float:
        return 2 * settings.runs * SECONDS_PER_SAMPLE

    def goals(self) -> list[Row]:
        return [Row(CASE, "–", "ms", GOAL, PATHS["decided"])]

    def measure(self, context: Context) -> Findings:
        context.say("== a lease called back")
        runs = context.settings.runs
        with House(context.arena, context.bin_dir, context.folder) as house:
            servers = {house.batond.pid, *machine.descendants(house.batond.pid)}

            def measure(path: str, _round: int) -> Sample:
                own = os.times().user  # the clients are this process
                with Watch(context.arena, servers) as watch:
                    milliseconds = take_turns(path)
                return Sample(milliseconds=milliseconds, **watch.foreign(os.times().user - own))

            cells = {cell.path: cell for cell in context.case_run(
                "revocation", list(PATHS), context.budget(2 * runs, SECONDS_PER_SAMPLE), measure,
                steady_by="milliseconds")}
        context.say("   " + ", ".join(f"{PATHS[path]} {cell.figure('milliseconds'):.3f} ms (spread "
                                      f"{cell.spread:.0%})" for path, cell in cells.items()))
        return findings(cells)


TEXT = f"""\
Two clients on keep-alive connections take turns at a worker with one slot, {TURNS} requests a sample, whose
median counts: without leases (`lease=off`), and where each request finds the slot taken by the other
client's idle connection, which has to be called back (`lease=on`).
"""


def findings(cells: dict[str, Cell]) -> Findings:
    beyond = [leased.milliseconds - decided.milliseconds
              for leased, decided in zip(cells["leased"].samples, cells["decided"].samples, strict=True)]
    spread = (max(beyond) - min(beyond)) / cells["leased"].figure("milliseconds")
    row = Row(CASE, "–", "ms", GOAL, PATHS["decided"], statistics.median(beyond), spread,
              cells["decided"].figure("milliseconds"), cells["decided"].spread)
    lines = [[PATHS[path], number(cell.figure("milliseconds")), spread_text(cell.spread),
              ", ".join(cell.notes()) or "–"] for path, cell in cells.items()]
    return Findings(
        rows=[row], sections=[Section("A lease called back", f"{TEXT}\n" + table(
            ["the request finds", "ms", "spread", "notes"], lines))],
        record={"ms": {path: [significant(sample.milliseconds) for sample in cell.samples]
                       for path, cell in cells.items()}},
        cells=len(cells), unsteady=sum(cell.unsteady for cell in cells.values()))
