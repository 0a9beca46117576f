"""The two clients: wrk for speed, our own for whether the answers are right."""

import json
import os
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import machine
from .arena import Arena, CannotMeasure
from .cases import Case
from .contestants import Contestant, installed

CONNECTIONS = 64
REPORT = Path(__file__).resolve().parent / "wrk_report.lua"


@dataclass
class Sample:
    """One run of wrk against one contestant."""

    requests_per_second: float
    p50_us: float
    p99_us: float
    front_cpu_us: float | None  # None: there is no front
    worker_cpu_us: float
    foreign_server: float  # part of the servers' core that others had
    foreign_client: float  # of the load's core
    errors: dict[str, int] = field(default_factory=dict)

    def disturbed(self, limits: "NoiseLimits") -> bool:
        return self.foreign_server > limits.server or self.foreign_client > limits.client


@dataclass(frozen=True)
class NoiseLimits:
    """What others may have of a core before a run is repeated. The load's core has time to spare."""

    server: float = 0.10
    client: float = 0.50


def measure(arena: Arena, contestant: Contestant, case: Case, seconds: int) -> Sample:
    """Loads the contestant for a while. wrk is one thread with 64 connections."""
    command = [installed("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "20s",
               "-s", REPORT]
    if case.mode == "close":
        command += ["-H", "Connection: close"]
    command.append(f"http://127.0.0.1:{contestant.port}/{case.size}")
    servers = contestant.processes
    cores = {arena.server_core, arena.client_core}

    before = {pid: machine.cpu_seconds(pid) for pid in servers}
    user_before = {pid: machine.user_seconds(pid) for pid in servers}
    times_before = {core: machine.core_times(core) for core in cores}
    begun = time.monotonic()
    with arena.start(command, arena.client_core, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                     text=True) as wrk:
        output, wrk_user = finish(wrk, seconds + 60)
    # From counter to counter, which on a busy machine is longer than what wrk calls its run.
    between = time.monotonic() - begun
    times_after = {core: machine.core_times(core) for core in cores}
    after = {pid: machine.cpu_seconds(pid) for pid in servers}
    user_after = {pid: machine.user_seconds(pid) for pid in servers}

    try:
        report = json.loads(output.strip().splitlines()[-1])
    except (ValueError, IndexError):
        raise CannotMeasure(f"wrk said: {output}") from None
    requests = max(1, report["requests"])
    elapsed = report["duration_us"] / 1e6
    used = {pid: (after[pid] - before[pid]) * 1e6 / requests for pid in servers}
    servers_user = sum(user_after[pid] - user_before[pid] for pid in servers)
    one_core = arena.server_core == arena.client_core

    def foreign(core: int, own_user: float) -> float:
        return machine.foreign_share(times_before[core], times_after[core], own_user, between)

    return Sample(
        requests_per_second=report["requests"] / elapsed,
        p50_us=report["p50_us"], p99_us=report["p99_us"],
        front_cpu_us=None if contestant.front is None else used[contestant.front],
        worker_cpu_us=used[contestant.worker],
        foreign_server=foreign(arena.server_core, servers_user + (wrk_user if one_core else 0.0)),
        foreign_client=foreign(arena.client_core, wrk_user + (servers_user if one_core else 0.0)),
        errors={kind: count for kind, count in report["errors"].items() if count})


def finish(wrk: subprocess.Popen, limit_seconds: int) -> tuple[str, float]:
    """Everything wrk printed, and its user time. A wrk that does not end is killed."""
    watchdog = threading.Timer(limit_seconds, wrk.kill)
    watchdog.start()
    try:
        output = wrk.stdout.read()
        _, status, usage = os.wait4(wrk.pid, 0)
        wrk.returncode = os.waitstatus_to_exitcode(status)
    finally:
        watchdog.cancel()
    return output, usage.ru_utime


def check(program: Path, arena: Arena, contestant: Contestant, reference_port: int, case: Case,
          requests: int) -> dict[str, int]:
    """What became of a bounded number of requests, byte by byte; see bench/checking_client."""
    command = [program, "--server", f"127.0.0.1:{contestant.port}",
               "--reference", f"127.0.0.1:{reference_port}", "--target", f"/{case.size}",
               "--length", case.body_bytes, "--requests", requests, "--connections", CONNECTIONS,
               "--deadline-ms", 30_000]
    if case.mode == "close":
        command.append("--close")
    with arena.start(command, arena.client_core, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                     text=True) as client:
        try:
            output, complaints = client.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            client.kill()
            raise CannotMeasure("the checking client did not end") from None
    if client.returncode not in (0, 1):
        raise CannotMeasure(f"the checking client could not begin: {complaints}")
    return json.loads(output)
