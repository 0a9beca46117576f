"""Many idle keep-alive connections: what each costs batond in memory, and what all cost an active load.

Two batonds of the same kind run beside each other, one with the idle connections and one without, so
that the loads of both can alternate. Each idle connection has had a request answered.
"""

import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from . import load, machine
from .arena import Arena, CannotMeasure
from .cells import Cell, spread_of
from .goals import Findings, Goal, Row, Section
from .part import SETTLE_SECONDS, Context, Settings
from .servers import WORKER_PROGRAM, Contestant, Servers
from .tables import number, significant, spread_text, table

WANTED_CONNECTIONS = 20_000
# batond keeps back as many descriptors for other things, and the active load needs some.
RESERVED_DESCRIPTORS = 1_024 + 76
HOLDERS = 4  # processes that hold the connections
HOLD_SCRIPT = Path(__file__).resolve().parent / "hold.py"
HOLD_SECONDS = 60.0
MEMORY_ROUNDS = 5
SECONDS_PER_MEMORY_ROUND = 5.0

TARGET, BODY_BYTES = "/128", 128
LOAD_SECONDS = 3
SECONDS_AROUND_A_RUN = 0.5
PORTS = {"without": 9040, "with": 9041}
TEXTS = {"without": "none", "with": "idle ones"}

CASE_MEMORY = "idle keep-alive connections: batond's memory for each"
CASE_P99 = "idle keep-alive connections: p99 of an active load"
GOAL_MEMORY = Goal(2048, "at most", "figure")
GOAL_P99 = Goal(1.15, "at most")


class Batond(Servers):
    """A batond with one worker."""

    def __init__(self, arena: Arena, bin_dir: Path, folder: Path, port: int):
        super().__init__(arena, bin_dir, folder)
        self.port = port

    def start(self):
        config = self.write("baton-idle.conf", port=self.port, worker=self.program(WORKER_PROGRAM))
        batond = self.run_batond("baton", config, self.port)
        self.contestant = Contestant(self.port, batond.pid, self.wait_for_workers(batond, 1))

    def memory(self) -> dict[str, int]:
        return machine.memory_bytes(self.contestant.front)


class IdleConnections:
    """A context manager: `count` connections are open within it."""

    def __init__(self, arena: Arena, port: int, count: int):
        self._arena = arena
        self._port = port
        self._counts = [count // HOLDERS + (index < count % HOLDERS) for index in range(HOLDERS)]
        self._holders: list[subprocess.Popen] = []
        self.still_open = 0  # at the end

    def __enter__(self):
        try:
            for count in self._counts:
                self._holders.append(self._arena.start(
                    [sys.executable, HOLD_SCRIPT, self._port, count, TARGET, BODY_BYTES],
                    self._arena.client_core, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE, text=True))
            for holder in self._holders:
                if not holder.stdout.readline().startswith("READY"):
                    raise CannotMeasure(f"idle connections: {holder.stderr.read().strip()}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for holder in self._holders:
            try:
                output, _ = holder.communicate(timeout=HOLD_SECONDS)
                self.still_open += int(output.split()[-1]) if output.split() else 0
            except subprocess.TimeoutExpired:
                holder.kill()
                holder.wait()


class Idle:
    name = "idle"

    def seconds(self, settings: Settings) -> float:
        runs = 2 * settings.runs * (self._load_seconds(settings) + SECONDS_AROUND_A_RUN)
        return self._memory_rounds(settings) * SECONDS_PER_MEMORY_ROUND + runs

    @staticmethod
    def _memory_rounds(settings: Settings) -> int:
        return min(MEMORY_ROUNDS, settings.runs)

    @staticmethod
    def _load_seconds(settings: Settings) -> int:
        return max(1, round(LOAD_SECONDS * settings.scale))

    def goals(self) -> list[Row]:
        text = f"{WANTED_CONNECTIONS:,} connections".replace(",", " ")
        return [Row(CASE_MEMORY, text, "bytes", GOAL_MEMORY),
                Row(CASE_P99, text, "µs", GOAL_P99, "without them")]

    def measure(self, context: Context) -> Findings:
        settings = context.settings
        count = min(WANTED_CONNECTIONS, context.arena.descriptors - RESERVED_DESCRIPTORS,
                    round(WANTED_CONNECTIONS * min(1.0, settings.scale)))
        context.say(f"== {count} idle connections")
        memory: list[dict[str, float]] = []
        for round_number in range(self._memory_rounds(settings)):
            last = round_number + 1 == self._memory_rounds(settings)
            with ExitStack() as stack:
                full = stack.enter_context(self._batond(context, "with"))
                # Its heap has had all that a load needs before the idle ones come.
                load.measure(context.arena, full.contestant, TARGET, 1)
                before = full.memory()
                idle = stack.enter_context(IdleConnections(context.arena, full.port, count))
                after = full.memory()
                memory.append({kind: (after[kind] - before[kind]) / count for kind in before})
                context.say("   " + ", ".join(f"{kind} {value:.0f} bytes"
                                              for kind, value in memory[-1].items()) + " each")
                if last:
                    cells = self._active_loads(context, full)
        if idle.still_open != count:
            raise CannotMeasure(f"only {idle.still_open} of {count} idle connections were still open "
                                "at the end")
        return findings(count, memory, cells)

    def _batond(self, context: Context, which: str) -> Batond:
        return Batond(context.arena, context.bin_dir, context.folder / which, PORTS[which])

    def _active_loads(self, context: Context, full: Batond) -> dict[str, Cell]:
        settings = context.settings
        seconds = self._load_seconds(settings)
        memory_seconds = self._memory_rounds(settings) * SECONDS_PER_MEMORY_ROUND
        share = max(0.1, 1 - memory_seconds / max(1.0, context.seconds))
        budget = context.budget(2 * settings.runs, seconds + SECONDS_AROUND_A_RUN, share)
        with self._batond(context, "without") as empty:
            batonds = {"without": empty, "with": full}

            def measure(path: str, _round: int) -> load.Sample:
                sample = load.measure(context.arena, batonds[path].contestant, TARGET, seconds)
                time.sleep(SETTLE_SECONDS)
                return sample

            cells = context.case_run("idle", list(batonds), budget, measure, steady_by="p99_us")
        for cell in cells:
            context.say(f"   {TEXTS[cell.path]:<10} {cell.figure('requests_per_second'):.0f} requests/s  "
                        f"p50 {cell.figure('p50_us'):.0f} "
                        f"p99 {cell.figure('p99_us'):.0f} µs  front {cell.figure('front_cpu_us'):.1f} µs  "
                        f"spread {cell.spread:.0%}  wrk's errors {errors_in(cell)}  "
                        f"others {cell.foreign_server:.0%}/{cell.foreign_client:.0%}")
        return {cell.path: cell for cell in cells}


def errors_in(cell: Cell) -> int:
    return sum(sum(sample.errors.values()) for sample in cell.samples)


TEXT = """\
{count} connections that have had one answer each and stay open, over {rounds} fresh batonds: the growth of
batond's own memory divided by their number, from a batond that has served a load before, and the greater of
the two ways to count (rss; pss, in which shared pages count by their share). The kernel's memory for a
socket is not in it.{limit} The active load is wrk with {connections} other connections and bodies of 128 B, as much
as one core can do; it alternates between two batonds that run beside each other, one of them without the
idle connections.
"""
LIMITED = """ {wanted} were wanted; a process may have {descriptors} descriptors here, of which
batond keeps some back."""


def findings(count: int, memory: list[dict[str, float]], cells: dict[str, Cell]) -> Findings:
    variant = f"{number(count)} connections"
    each = sorted(max(figures.values()) for figures in memory)
    middle = statistics.median(each)
    ours, plain = cells["with"], cells["without"]
    rows = [
        Row(CASE_MEMORY, variant, "bytes", GOAL_MEMORY, baton=middle, spread=spread_of(each)),
        Row(CASE_P99, variant, "µs", GOAL_P99, "without them", ours.figure("p99_us"), ours.spread,
            plain.figure("p99_us"), plain.spread, ours.figure("p99_us") / plain.figure("p99_us")),
    ]
    if errors := errors_in(ours) + errors_in(plain):
        rows[1].fault = f"wrk met {errors} errors"
    text = TEXT.format(
        count=number(count), rounds=len(memory), connections=load.CONNECTIONS,
        limit="" if count >= WANTED_CONNECTIONS else LIMITED.format(
            wanted=number(WANTED_CONNECTIONS), descriptors=number(count + RESERVED_DESCRIPTORS)))
    lines = [[TEXTS[path], number(cell.figure("requests_per_second")),
              number(cell.figure("p50_us")), number(cell.figure("p99_us")),
              number(cell.figure("front_cpu_us")), spread_text(cell.spread),
              f"{cell.foreign_server:.0%} / {cell.foreign_client:.0%}",
              ", ".join(cell.notes()) or "–"] for path, cell in cells.items()]
    heading = ["beside the load", "requests/s", "p50 µs", "p99 µs", "front CPU µs", "spread", "others", "notes"]
    return Findings(
        rows=rows, sections=[Section("Idle connections", f"{text}\n{table(heading, lines)}")],
        record={"connections": count,
                "bytes_each": [{kind: significant(value) for kind, value in figures.items()}
                               for figures in memory],
                "p99_us": {path: [significant(sample.p99_us) for sample in cell.samples]
                           for path, cell in cells.items()}},
        cells=len(cells), unsteady=sum(cell.unsteady for cell in cells.values()))
