"""Requests at times of their own: Poisson schedules, and their playing by baton-open-load.

Latencies count from the planned time, so waiting to be sent is not omitted.
"""

import json
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .arena import Arena, CannotMeasure
from .load import finish

PROGRAM = "baton-open-load"
WORK_BYTES = 8  # of the body that /work is answered with


@dataclass(frozen=True)
class Arrival:
    at: float  # seconds after the start
    service: float  # seconds of work that are asked for


@dataclass(frozen=True)
class Record:
    """What became of one arrival; seconds after the start."""

    planned: float
    sent: float
    done: float
    took: float | None  # as the worker says; none: no answer
    outcome: str

    @property
    def latency(self) -> float:
        return self.done - self.planned


def poisson(rate: float, seconds: float, seed: int,
            mix: tuple[tuple[float, float], ...]) -> list[Arrival]:
    """Arrivals without memory, `rate` per second; the same for the same seed, everywhere.

    @param mix  (share, seconds of work) whose shares sum up to 1
    """
    dice = random.Random(seed)
    shares = [share for share, _ in mix]
    works = [work for _, work in mix]
    arrivals = []
    at = dice.expovariate(rate)
    while at < seconds:
        arrivals.append(Arrival(at, dice.choices(works, shares)[0]))
        at += dice.expovariate(rate)
    return arrivals


def percentile(values: list[float], percent: float) -> float:
    """The smallest value that at least `percent` of all do not exceed."""
    if not values:
        raise ValueError("no value, no percentile")
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def schedule_lines(arrivals: list[Arrival], prefix: str = "") -> str:
    return "".join(f"{round(arrival.at * 1e9)} {prefix}/work?us={round(arrival.service * 1e6)}\n"
                   for arrival in arrivals)


def parse_records(text: str) -> list[Record]:
    records = []
    for line in text.splitlines():
        planned, sent, done, took, outcome = line.split()
        records.append(Record(int(planned) / 1e9, int(sent) / 1e9, int(done) / 1e9,
                              None if int(took) < 0 else int(took) / 1e9, outcome))
    return records


@dataclass
class Played:
    records: list[Record]
    summary: dict[str, int]
    client_user: float  # seconds


def play(arena: Arena, bin_dir: Path, folder: Path, port: int, lines: str, seconds: float,
         connections: int, reference: tuple[int, str]) -> Played:
    """Plays a schedule against a port.

    @param connections  opened beforehand; more are when none is free
    @param reference    port and target of the body that every answer is held against
    """
    schedule, records = folder / "schedule", folder / "records"
    schedule.write_text(lines)
    command = [bin_dir / PROGRAM, "--server", f"127.0.0.1:{port}", "--schedule", schedule,
               "--records", records, "--connections", connections,
               "--reference", f"127.0.0.1:{reference[0]}", "--reference-target", reference[1],
               "--length", WORK_BYTES]
    with arena.start(command, arena.client_core, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                     text=True) as client:
        output, user = finish(client, seconds + 90)
    if client.returncode not in (0, 1):
        raise CannotMeasure(f"{PROGRAM}: {output.strip() or f'status {client.returncode}'}")
    return Played(parse_records(records.read_text()), json.loads(output), user)
