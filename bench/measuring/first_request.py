"""The first request to a service without a worker, beyond what the worker needs to start.

The worker's own share is measured in the same run, in alternation: started in the same way on the same
core, from its exec to its HELLO on a socket (bench/start_timer). The rest is Baton's: it sees that nobody
can take the request, has its agent start a worker, hands the request over when that is there; and the
answer's way.
"""

import json
import statistics
import subprocess
import time
from dataclasses import dataclass

from . import machine, open_loop
from .arena import CannotMeasure
from .cells import Cell
from .goals import Findings, Goal, Row, Section
from .noise import Observed, Watch
from .part import Context, Settings
from .servers import WORKER_PROGRAM, Servers
from .tables import number, significant, spread_text, table

PORT = 9050
PATHS = {"start": "the worker's own start", "first": "first request"}
STARTS_PER_SAMPLE = 5  # a sample is the median of these
SECONDS_PER_SAMPLE = 6.0
ENDS_WITHIN_SECONDS = 20.0
START_TIMER = "baton-start-timer"
CASE = "first request to a service without a worker, beyond the worker's own start"
GOAL = Goal(5, "at most", "figure")


@dataclass
class Sample(Observed):
    milliseconds: float


class House(Servers):
    def start(self):
        config = self.write("baton-first.conf", port=PORT, worker=self.program(WORKER_PROGRAM))
        self.batond = self.run_batond("baton", config, PORT, "/up/work")

    def wait_until_cold(self):
        """Until the service has no worker any more."""
        deadline = time.monotonic() + ENDS_WITHIN_SECONDS
        while self.workers_of(self.batond, "cold"):
            if time.monotonic() > deadline:
                raise CannotMeasure(f"an idle worker did not end within {ENDS_WITHIN_SECONDS:.0f} s")
            time.sleep(0.02)


def own_start(context: Context, house: House) -> float:
    """Milliseconds from exec to HELLO."""
    socket = context.folder / "start.sock"
    command = [house.program(START_TIMER), "--socket", socket, "--times", STARTS_PER_SAMPLE, "--",
               house.program(WORKER_PROGRAM), "--small"]
    with context.arena.start(command, context.arena.server_core, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True) as timer:
        output, complaints = timer.communicate(timeout=60)
    if timer.returncode != 0:
        raise CannotMeasure(complaints.strip())
    return statistics.median(json.loads(output)) / 1e6


def first_request(context: Context, house: House) -> float:
    """Milliseconds from sending to the last byte of the answer."""
    house.wait_until_cold()
    played = open_loop.play(context.arena, context.bin_dir, context.folder, PORT, "0 /cold/work?us=0\n",
                            1.0, 1, (PORT, "/up/work"))
    if played.summary["failed"]:
        raise CannotMeasure(f"a first request was not answered: {played.records[0].outcome}")
    return (played.records[0].done - played.records[0].sent) * 1e3


class FirstRequest:
    name = "first"

    def seconds(self, settings: Settings) -> float:
        return 2 * settings.runs * SECONDS_PER_SAMPLE / 2

    def goals(self) -> list[Row]:
        return [Row(CASE, "–", "ms", GOAL, PATHS["start"])]

    def measure(self, context: Context) -> Findings:
        context.say("== first request")
        runs = context.settings.runs
        with House(context.arena, context.bin_dir, context.folder) as house:

            def measure(path: str, _round: int) -> Sample:
                """Others matter most to the first request: a process that is new on a busy core waits
                for its turn before its exec. What the worker itself has of the core, a millisecond in a
                fifth of a second, is taken for theirs; a worker's own start is too short to look."""
                if path == "start":
                    return Sample(milliseconds=own_start(context, house))
                house.wait_until_cold()
                standing = {house.batond.pid, *machine.descendants(house.batond.pid)}
                with Watch(context.arena, standing) as watch:
                    taken = [first_request(context, house) for _ in range(STARTS_PER_SAMPLE)]
                return Sample(milliseconds=statistics.median(taken), **watch.foreign(0.0))

            budget = context.budget(2 * runs, SECONDS_PER_SAMPLE / 2)
            cells = {cell.path: cell for cell in context.case_run(
                "first", list(PATHS), budget, measure, steady_by="milliseconds")}
        found = findings(cells)
        context.say("   " + ", ".join(f"{PATHS[path]} {cell.figure('milliseconds'):.2f} ms (spread "
                                      f"{cell.spread:.0%}, others {cell.foreign_server:.0%})"
                                      for path, cell in cells.items()))
        return found


TEXT = f"""\
The same worker program, started on the same core in alternation: by `baton-start-timer`, from exec to
HELLO, and by Baton for a request to a service that has none, from the request's sending to the last byte
of its answer. A sample is the median of {STARTS_PER_SAMPLE} starts. The difference is Baton's share: attach,
agent, fork, handing over, and the answer's way.
"""


def beyond(cells: dict[str, Cell]) -> list[float]:
    """Round by round."""
    return [first.milliseconds - start.milliseconds
            for first, start in zip(cells["first"].samples, cells["start"].samples, strict=True)]


def findings(cells: dict[str, Cell]) -> Findings:
    differences = beyond(cells)
    middle = statistics.median(differences)
    spread = (max(differences) - min(differences)) / cells["first"].figure("milliseconds")
    row = Row(CASE, "–", "ms", GOAL, PATHS["start"], middle, spread,
              cells["start"].figure("milliseconds"), cells["start"].spread)
    lines = [[PATHS[path], number(cell.figure("milliseconds")), spread_text(cell.spread),
              ", ".join(cell.notes()) or "–"] for path, cell in cells.items()]
    return Findings(
        rows=[row], sections=[Section("First request", f"{TEXT}\n" + table(
            ["what", "ms", "spread", "notes"], lines))],
        record={"ms": {path: [significant(sample.milliseconds) for sample in cell.samples]
                       for path, cell in cells.items()}},
        cells=len(cells), unsteady=sum(cell.unsteady for cell in cells.values()))
