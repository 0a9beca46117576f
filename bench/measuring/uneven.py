"""Uneven work: eight workers that take one request at a time, most of it short and some of it long.

The load is an open loop with Poisson arrivals; all paths get the same arrivals in a round. Workers
sleep instead of computing, so that eight fit on one core and what is loaded is their slots.

What each run is held against is computed from its own arrivals and from how long its own workers say
that they had each request. That time begins with the request in the worker's hand and ends before the
answer is written: nothing that Baton costs is in it, neither handing over nor taking back, so the ideal
queue has no part of Baton's cost either.
"""

import statistics
from dataclasses import dataclass
from pathlib import Path

from . import open_loop
from .arena import Arena
from .cells import Cell
from .goals import Findings, Goal, Row, Section
from .ideal_queue import waiting_and_service
from .noise import Observed, Watch
from .open_loop import Arrival, Played, percentile
from .part import Context, Settings
from .servers import WORKER_PROGRAM, Contestant, Servers, installed
from .tables import number, significant, spread_text, table, times

WORKERS = 8
MIX = ((0.95, 0.001), (0.05, 0.050))  # share, seconds of work
MEAN_SERVICE = sum(share * work for share, work in MIX)
LOADS = {"70": 0.70, "85": 0.85}
LOAD_NAMES = {name: f"{load:.0%} load" for name, load in LOADS.items()}
PATHS = {
    "baton": "Baton",
    "maxconn": "haproxy, maxconn 1",
    "leastconn": "haproxy, leastconn",
    "roundrobin": "haproxy, roundrobin",
}
# What these two do with a long request in front of short ones is a matter of luck with the arrivals.
ERRATIC = ("leastconn", "roundrobin")
GOALS = {"roundrobin": Goal(0.3, "at most"), "leastconn": Goal(0.85, "at most"),
         "maxconn": Goal(1.05, "at most")}
IDEAL = "an ideal queue"
IDEAL_GOAL = Goal(0.10, "within")
CASE = "uneven work: p99"
UNIT = "ms"

WARM_UP_SECONDS = 1.0  # the queue fills; not counted
COUNTED_SECONDS = 8.0
SECONDS_AROUND_A_RUN = 1.2  # connections, files, what is still under way at the end
CONNECTIONS = 512
FIRST_SEED = 1
BATON_PORT, WORKER_PORT = 9010, 9020
HAPROXY_PORTS = {"roundrobin": 9011, "leastconn": 9012, "maxconn": 9013}


class Houses(Servers):
    """Eight workers behind haproxy, and eight behind Baton."""

    def __init__(self, arena: Arena, bin_dir: Path, folder: Path):
        super().__init__(arena, bin_dir, folder)
        self.paths: dict[str, Contestant] = {}
        self.reference = (WORKER_PORT, "/work")

    def start(self):
        workers = tuple(self.run_worker(f"worker{index}", WORKER_PORT + index, "--small").pid
                        for index in range(WORKERS))
        servers = "\n".join(f"    server worker{index} 127.0.0.1:{WORKER_PORT + index}"
                            for index in range(WORKERS))
        config = self.write("haproxy-uneven.cfg", servers=servers,
                            **{f"{name}_port": port for name, port in HAPROXY_PORTS.items()},
                            servers_of_one=servers.replace("\n", " maxconn 1\n") + " maxconn 1")
        haproxy = self.run("haproxy", [installed("haproxy"), "-db", "-f", config])
        for path, port in HAPROXY_PORTS.items():
            self.wait_for_answer(port, haproxy)
            self.paths[path] = Contestant(port, haproxy.pid, workers)
        config = self.write("baton-uneven.conf", port=BATON_PORT, workers=WORKERS,
                            worker=self.program(WORKER_PROGRAM))
        batond = self.run_batond("baton", config, BATON_PORT)
        own = self.wait_for_workers(batond, WORKERS)
        self.paths["baton"] = Contestant(BATON_PORT, batond.pid, own)


@dataclass
class Sample(Observed):
    """One run of one schedule."""

    p50_ms: float
    p99_ms: float
    ideal_p99_ms: float  # from this run's own arrivals and service times
    requests: int  # counted: those after the warm-up
    failed: int  # of all that were sent
    outcomes: dict[str, int]
    late_us: int  # how late the latest request was sent
    front_cpu_us: float

    @property
    def of_ideal(self) -> float:
        return self.p99_ms / self.ideal_p99_ms


def counted(arrivals: list[Arrival]) -> list[bool]:
    return [arrival.at >= WARM_UP_SECONDS for arrival in arrivals]


def sample_of(arrivals: list[Arrival], played: Played, **observed) -> Sample:
    """A request that failed has no latency; it is counted, and spoils the row."""
    records = played.records
    services = [arrival.service if record.took is None else record.took
                for arrival, record in zip(arrivals, records, strict=True)]
    ideal = waiting_and_service(arrivals, services, WORKERS)
    take = counted(arrivals)
    latencies = [record.latency for record, taken in zip(records, take, strict=True) if taken]
    stays = [stay for stay, taken in zip(ideal, take, strict=True) if taken]
    outcomes = {kind: count for kind, count in played.summary.items()
                if count and kind not in ("requests", "failed", "complete", "connections",
                                          "latest_us")}
    return Sample(p50_ms=percentile(latencies, 50) * 1e3, p99_ms=percentile(latencies, 99) * 1e3,
                  ideal_p99_ms=percentile(stays, 99) * 1e3, requests=len(latencies),
                  failed=played.summary["failed"], outcomes=outcomes,
                  late_us=played.summary["latest_us"], **observed)


def ratios(ours: Cell, theirs: Cell) -> list[float]:
    """Round by round, since both had the same arrivals in each."""
    return [one.p99_ms / other.p99_ms
            for one, other in zip(ours.samples, theirs.samples, strict=True)]


class Uneven:
    name = "uneven"

    def _lengths(self, settings: Settings) -> tuple[float, float]:
        """Of a schedule, and of a run with all around it."""
        length = WARM_UP_SECONDS + COUNTED_SECONDS * settings.scale
        return length, length + SECONDS_AROUND_A_RUN

    def seconds(self, settings: Settings) -> float:
        return len(LOADS) * len(PATHS) * settings.runs * self._lengths(settings)[1]

    def goals(self) -> list[Row]:
        return [Row(CASE, name, UNIT, goal, peer) for name in LOAD_NAMES.values()
                for peer, goal in [*((PATHS[path], goal) for path, goal in GOALS.items()),
                                   (IDEAL, IDEAL_GOAL)]]

    def measure(self, context: Context) -> Findings:
        length, run_seconds = self._lengths(context.settings)
        budget = context.budget(len(LOADS) * len(PATHS) * context.settings.runs, run_seconds)
        cells: dict[tuple[str, str], Cell] = {}
        with Houses(context.arena, context.bin_dir, context.folder) as houses:
            for load, share in LOADS.items():
                context.say(f"== uneven work, {LOAD_NAMES[load]}")
                rate = share * WORKERS / MEAN_SERVICE

                def measure(path: str, round_number: int, load=load, rate=rate) -> Sample:
                    seed = FIRST_SEED + round_number
                    arrivals = open_loop.poisson(rate, length, seed, MIX)
                    house = houses.paths[path]
                    with Watch(context.arena, house.processes) as watch:
                        played = open_loop.play(
                            context.arena, context.bin_dir, context.folder, house.port,
                            open_loop.schedule_lines(arrivals), length, CONNECTIONS,
                            houses.reference)
                    return sample_of(arrivals, played,
                                     front_cpu_us=watch.cpu_seconds[house.front] * 1e6 / len(arrivals),
                                     **watch.foreign(played.client_user))

                for cell in context.case_run(load, list(PATHS), budget, measure,
                                             steady_by="of_ideal", erratic=ERRATIC):
                    cells[load, cell.path] = cell
                    context.say(cell_line(cell))
        found = findings(cells)
        found.settings["open loops"] = (
            f"baton-open-load, {context.settings.runs} schedules of {length:.0f} s for each load, seeds "
            f"from {FIRST_SEED} on")
        return found


def cell_line(cell: Cell) -> str:
    return (f"   {PATHS[cell.path]:<22} p50 {cell.figure('p50_ms'):.2f} p99 {cell.figure('p99_ms'):.1f} "
            f"ms, ideal {cell.figure('ideal_p99_ms'):.1f} ms, {cell.figure('of_ideal'):.3f} of it  "
            f"spread {cell.spread:.1%}  front {cell.figure('front_cpu_us'):.0f} µs  "
            f"failed {failed_in(cell)}  latest sent {latest(cell)} µs late  "
            f"others {cell.foreign_server:.0%}/{cell.foreign_client:.0%}")


def failed_in(cell: Cell) -> int:
    return sum(sample.failed for sample in cell.samples)


def latest(cell: Cell) -> int:
    return max(sample.late_us for sample in cell.samples)


def row_of(load: str, ours: Cell, peer: str, peer_p99: float, peer_spread: float | None,
           pairs: list[float], goal: Goal) -> Row:
    row = Row(CASE, LOAD_NAMES[load], UNIT, goal, peer, ours.figure("p99_ms"), ours.spread, peer_p99,
              peer_spread, statistics.median(pairs))
    if lost := failed_in(ours):
        row.fault = f"{lost} of Baton's requests failed"
    return row


def rows(cells: dict[tuple[str, str], Cell]) -> list[Row]:
    found = []
    for load in LOADS:
        ours = cells[load, "baton"]
        for path, goal in GOALS.items():
            theirs = cells[load, path]
            found.append(row_of(load, ours, PATHS[path], theirs.figure("p99_ms"), theirs.spread,
                                ratios(ours, theirs), goal))
        found.append(row_of(load, ours, IDEAL, ours.figure("ideal_p99_ms"), None,
                            [sample.of_ideal for sample in ours.samples], IDEAL_GOAL))
    return found


TEXT = f"""\
{WORKERS} workers with one slot each; {MIX[0][0]:.0%} of the requests take {MIX[0][1] * 1e3:.0f} ms, the
others {MIX[1][1] * 1e3:.0f} ms. The worker sleeps for that long, so the load is one of slots, not of the
core. Arrivals are Poisson, computed beforehand from a seed; each round has another seed, and all paths of
a round have the same arrivals. Latency counts from the planned arrival; the load opens a connection
when none is free. The first second is left out. *ideal* is one queue before {WORKERS} servers,
first come first served, computed for each run from its own arrivals and from the times that its own
workers say they had each request (in hand to answer composed, so that nothing of the front's cost is in
it). Ratios are medians of the rounds' own. *spread* is that of p99 / ideal; with roundrobin and leastconn
it comes from the arrivals, so they are not measured again for it.
"""


def cell_table(cells: dict[tuple[str, str], Cell]) -> str:
    return table(
        ["load", "path", "p50 ms", "p99 ms", "ideal p99 ms", "p99 / ideal", "spread", "front CPU µs",
         "requests", "failed", "latest sent, µs", "others", "notes"],
        [[LOAD_NAMES[load], PATHS[path], number(cell.figure("p50_ms")), number(cell.figure("p99_ms")),
          number(cell.figure("ideal_p99_ms")), times(cell.figure("of_ideal")),
          spread_text(cell.spread), number(cell.figure("front_cpu_us")),
          number(sum(sample.requests for sample in cell.samples)), str(failed_in(cell)),
          str(latest(cell)), f"{cell.foreign_server:.0%} / {cell.foreign_client:.0%}",
          ", ".join(cell.notes()) or "–"] for (load, path), cell in cells.items()])


def cell_record(load: str, cell: Cell) -> dict:
    return {"load": LOADS[load], "path": PATHS[cell.path],
            **{name: significant(cell.figure(name)) for name in (
                "p50_ms", "p99_ms", "ideal_p99_ms", "of_ideal", "front_cpu_us")},
            "p99_ms_of_rounds": [significant(sample.p99_ms) for sample in cell.samples],
            "spread": significant(cell.spread, 2), "failed": failed_in(cell),
            "measured_again": cell.measured_again, "still_disturbed": cell.still_disturbed}


def findings(cells: dict[tuple[str, str], Cell]) -> Findings:
    steady_ones = [cell for cell in cells.values() if cell.path not in ERRATIC]
    return Findings(
        rows=rows(cells), sections=[Section("Uneven work", f"{TEXT}\n{cell_table(cells)}")],
        record={"cells": [cell_record(load, cell) for (load, _), cell in cells.items()],
                "ideal": "FIFO before 8 servers, from each run's arrivals and the service times that "
                         "its workers measured"},
        cells=len(steady_ones), unsteady=sum(cell.unsteady for cell in steady_ones),
        checked=sum(sample.requests for cell in cells.values() for sample in cell.samples),
        failed=sum(failed_in(cell) for cell in cells.values()))
