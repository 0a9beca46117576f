"""Workers killed under load, one a second: how many clients go without a complete answer.

Every fourth worker is killed from outside, at whatever it does at that moment; the others die at a point
of their own work (bench/worker/deaths.hpp), since the rarer moments, as the one between an answer's last
byte and the word that it is done, would hardly ever be met by chance.
"""

import json
import os
import random
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field

from . import load, machine
from .arena import CannotMeasure
from .goals import Findings, Goal, Row, Section
from .part import Context, Settings
from .servers import WORKER_PROGRAM, Servers
from .tables import number, table

PORT, REFERENCE_PORT = 9030, 9031
WORKERS = 4  # of each service
ROUND_SECONDS = 4.6
SECONDS_AROUND_A_ROUND = 0.6
BETWEEN_KILLS = (0.7, 1.3)  # seconds, by chance: one a second on average
DEATH_SECONDS = 0.5  # within which a worker that has requests comes to its point
SEED = 1
CONNECTIONS = 16
BLAME_SECONDS = 0.5  # a failure so long after a kill is still put down to it
CLOCK_SECONDS = 0.01  # that the client's clock began later, and that a death is noticed late

# In turns: how a worker dies, and the signal for it.
WAYS = {
    "answered": ("its answer written, not yet said to be done", signal.SIGRTMIN + 2),
    "outside": ("wherever it was", signal.SIGKILL),
    "received": ("its request read, nothing written", signal.SIGRTMIN + 1),
    "done": ("having said that it is done", signal.SIGRTMIN + 3),
}
CASE = "a worker killed every second: clients without a complete answer"
GOAL = Goal(0, "at most", "figure")
FAILURE = re.compile(r"after ([\d.]+) s: (\w+)")


@dataclass(frozen=True)
class Load:
    """What the clients do in one round."""

    text: str
    service: str
    target: str
    length: int
    close: bool = False


LOADS = [
    Load("16 KiB, keep-alive", "single", "/single/16k", 16 * 1024),
    Load("128 B, keep-alive", "single", "/single/128", 128),
    Load("16 KiB, a connection per request", "single", "/single/16k", 16 * 1024, close=True),
    Load("16 KiB after 1 ms, keep-alive", "single", "/single/16k?us=1000", 16 * 1024),
    Load("16 KiB, keep-alive, 16 slots", "many", "/many/16k", 16 * 1024),
]


@dataclass(frozen=True)
class Kill:
    at: float  # seconds after the load began
    way: str


@dataclass
class Round:
    """What became of one load."""

    load: Load
    kills: list[Kill]
    counts: dict[str, int]  # of the checking client
    complaints: list[str] = field(default_factory=list)  # the first failures, as it tells them

    @property
    def failed(self) -> int:
        return self.counts["failed"]

    def blamed(self) -> dict[str, int]:
        """Way of dying -> failures right after; only as many as were told one by one."""
        found: dict[str, int] = {}
        for line in self.complaints:
            if (match := FAILURE.match(line)) is None:
                continue
            at = float(match.group(1))
            before = [kill for kill in self.kills if -CLOCK_SECONDS <= at - kill.at <= BLAME_SECONDS]
            way = max(before, key=lambda kill: kill.at).way if before else "no kill"
            found[way] = found.get(way, 0) + 1
        return found


class House(Servers):
    """Baton with its workers, and one worker beside it that says what the answers must be."""

    def start(self):
        self.run_worker("reference", REFERENCE_PORT, "--small")
        config = self.write("baton-kills.conf", port=PORT, worker=self.program(WORKER_PROGRAM))
        self.batond = self.run_batond("baton", config, PORT, "/single/128")
        self.wait_for_answer(PORT, self.batond, "/many/128")
        self.wait_for_workers(self.batond, 2 * WORKERS)


def is_gone(pid: int, started: str) -> bool:
    return machine.start_time(pid) != started


def dies(pid: int, started: str, by: int) -> bool:
    """Sends a signal, and waits for a while for the process to be gone."""
    deadline = time.monotonic() + DEATH_SECONDS
    try:
        os.kill(pid, by)
    except ProcessLookupError:
        return True
    while not is_gone(pid, started):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.0005)
    return True


class Killer:
    """Kills by turns in the ways there are, one worker of a service each second or so."""

    def __init__(self, house: House, service: str, dice: random.Random, turn: int):
        self._house = house
        self._service = service
        self._dice = dice
        self._turn = turn
        self.kills: list[Kill] = []

    def run(self, begun: float, client: subprocess.Popen, seconds: float):
        """Until the client has ended, or shortly before it will."""
        next_at = begun + self._dice.uniform(0.3, 0.6)
        while next_at < begun + seconds - 0.3 and client.poll() is None:
            time.sleep(max(0.0, next_at - time.monotonic()))
            self._kill(begun)
            next_at = max(next_at + self._dice.uniform(*BETWEEN_KILLS), time.monotonic())

    def _kill(self, begun: float):
        workers = self._house.workers_of(self._house.batond, self._service)
        if not workers:
            raise CannotMeasure(f"no worker is left to be killed\n{self._house.logs()}")
        victim = self._dice.choice(workers)
        started = machine.start_time(victim)
        way = list(WAYS)[self._turn % len(WAYS)]
        if not dies(victim, started, WAYS[way][1]):
            # It has no requests, as when others hold all connections: it dies idle, and the next
            # victim is to die in this way.
            way, self._turn = "outside", self._turn - 1
            if not dies(victim, started, signal.SIGKILL):
                raise CannotMeasure(f"worker {victim} outlived SIGKILL")
        self._turn += 1
        self.kills.append(Kill(time.monotonic() - begun, way))


class Kills:
    name = "kills"

    def seconds(self, settings: Settings) -> float:
        return len(LOADS) * (ROUND_SECONDS * settings.scale + SECONDS_AROUND_A_ROUND)

    def goals(self) -> list[Row]:
        return [Row(CASE, "all loads", "clients", GOAL)]

    def measure(self, context: Context) -> Findings:
        seconds = max(1.0, ROUND_SECONDS * context.settings.scale)
        dice = random.Random(SEED)
        rounds: list[Round] = []
        context.say("== workers killed under load")
        with House(context.arena, context.bin_dir, context.folder) as house:
            for each in LOADS:
                turn = sum(len(done.kills) for done in rounds)
                rounds.append(self._round(context, house, each, seconds,
                                          Killer(house, each.service, dice, turn)))
                context.say(round_line(rounds[-1]))
        found = findings(rounds)
        found.settings["kills"] = (f"{len(LOADS)} loads of {seconds:.1f} s, baton-checking-client, strict, "
                                   f"{CONNECTIONS} connections")
        return found

    def _round(self, context: Context, house: House, each: Load, seconds: float,
               killer: Killer) -> Round:
        command = load.checking_command(
            context.bin_dir, PORT, REFERENCE_PORT, each.target, each.length, "--strict",
            "--requests", 1_000_000_000, "--for-ms", round(seconds * 1e3), "--connections", CONNECTIONS,
            "--deadline-ms", round(seconds * 1e3) + 20_000, *["--close"] * each.close)
        with context.arena.start(command, context.arena.client_core, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True) as client:
            try:
                killer.run(time.monotonic(), client, seconds)
                output, complaints = client.communicate(timeout=seconds + 40)
            except BaseException:
                client.kill()
                raise
        if client.returncode not in (0, 1):
            raise CannotMeasure(f"the checking client could not begin: {complaints}")
        return Round(each, killer.kills, json.loads(output), complaints.splitlines())


def how(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in counts.items()
                     if count and kind not in ("requests", "failed", "complete", "reopened")) or "none"


def round_line(each: Round) -> str:
    blamed = ", ".join(f"{count} after '{way}'" for way, count in each.blamed().items())
    return (f"   {each.load.text:<34} {len(each.kills)} kills, {each.counts['requests']} requests, "
            f"{each.failed} failed ({how(each.counts)}{'; ' + blamed if blamed else ''})")


TEXT = """\
Workers are killed (SIGKILL) while {connections} connections ask without a pause, idempotent requests whose
answers are written in one call; a killed worker is started again. The client looks at every byte. It is
strict: a connection that ends when the next request is already on its way has failed that request.
One worker after the other dies: {ways}.
"""


def findings(rounds: list[Round]) -> Findings:
    failed = sum(each.failed for each in rounds)
    kills = sum(len(each.kills) for each in rounds)
    row = Row(CASE, "all loads", "clients", GOAL, baton=failed)
    if kills < len(rounds):
        row.unmeasured = f"only {kills} workers were killed"
    ways = [text for text, _ in WAYS.values()]
    text = TEXT.format(connections=CONNECTIONS, ways="; ".join(ways[:-1]) + f"; or {ways[-1]}")
    lines = [[each.load.text, number(each.counts["requests"]), str(len(each.kills)), str(each.failed),
              how(each.counts),
              ", ".join(f"{count}: {WAYS[way][0] if way in WAYS else way}"
                        for way, count in each.blamed().items()) or "–"] for each in rounds]
    heading = ["load", "requests", "workers killed", "failed", "how", "died before that"]
    return Findings(
        rows=[row], sections=[Section("Workers killed under load", f"{text}\n{table(heading, lines)}")],
        record={"rounds": [{"load": each.load.text, "counts": each.counts,
                            "kills": [{"at": round(kill.at, 3), "way": kill.way} for kill in each.kills],
                            "failures": each.complaints} for each in rounds]})
