"""The clients: wrk for speed, our own for whether the answers are right, and for open loops."""

import json
import os
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

from .arena import Arena, CannotMeasure
from .noise import Observed, Watch
from .servers import Contestant, installed

CONNECTIONS = 64
REPORT = Path(__file__).resolve().parent / "wrk_report.lua"
CHECKING_CLIENT = "baton-checking-client"


@dataclass
class Sample(Observed):
    """One run of wrk against one contestant."""

    requests_per_second: float
    p50_us: float
    p99_us: float
    front_cpu_us: float | None  # None: there is no front
    worker_cpu_us: float
    errors: dict[str, int] = field(default_factory=dict)


def measure(arena: Arena, contestant: Contestant, target: str, seconds: int,
            close: bool = False) -> Sample:
    """Loads the contestant for a while. wrk is one thread with 64 connections.

    @param close  a connection of its own for each request
    """
    command = [installed("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "20s",
               "-s", REPORT]
    if close:
        command += ["-H", "Connection: close"]
    command.append(f"http://127.0.0.1:{contestant.port}{target}")
    with Watch(arena, contestant.processes) as watch:
        with arena.start(command, arena.client_core, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True) as wrk:
            output, wrk_user = finish(wrk, seconds + 60)
    try:
        report = json.loads(output.strip().splitlines()[-1])
    except (ValueError, IndexError):
        raise CannotMeasure(f"wrk said: {output}") from None
    requests = max(1, report["requests"])
    used = {pid: seconds * 1e6 / requests for pid, seconds in watch.cpu_seconds.items()}
    return Sample(
        requests_per_second=report["requests"] / (report["duration_us"] / 1e6),
        p50_us=report["p50_us"], p99_us=report["p99_us"],
        front_cpu_us=None if contestant.front is None else used[contestant.front],
        worker_cpu_us=sum(used[pid] for pid in contestant.workers),
        errors={kind: count for kind, count in report["errors"].items() if count},
        **watch.foreign(wrk_user))


def finish(client: subprocess.Popen, limit_seconds: float) -> tuple[str, float]:
    """Everything a client printed, and its user time. One that does not end is killed."""
    watchdog = threading.Timer(limit_seconds, client.kill)
    watchdog.start()
    try:
        output = client.stdout.read()
        _, status, usage = os.wait4(client.pid, 0)
        client.returncode = os.waitstatus_to_exitcode(status)
    finally:
        watchdog.cancel()
    return output, usage.ru_utime


def checking_command(bin_dir: Path, port: int, reference_port: int, target: str, length: int,
                     *options) -> list:
    """See bench/checking_client."""
    return [bin_dir / CHECKING_CLIENT, "--server", f"127.0.0.1:{port}",
            "--reference", f"127.0.0.1:{reference_port}", "--target", target, "--length", length,
            *options]


def check(arena: Arena, bin_dir: Path, port: int, reference_port: int, target: str, length: int,
          requests: int, close: bool = False) -> dict[str, int]:
    """What became of a bounded number of requests, byte by byte."""
    command = checking_command(bin_dir, port, reference_port, target, length, "--requests", requests,
                               "--connections", CONNECTIONS, "--deadline-ms", 30_000,
                               *["--close"] * close)
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
