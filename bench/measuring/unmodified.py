"""An unmodified nginx as Baton's worker, beside the same nginx by itself."""

import os
import random
import subprocess
import time
from pathlib import Path

from . import load, machine
from .arena import Arena, CannotMeasure
from .cells import Cell
from .goals import Findings, Goal, Row, Section
from .part import SETTLE_SECONDS, Context, Settings
from .servers import Contestant, Servers, batond_accepts, installed
from .tables import number, significant, spread_text, table
from .throughput import cell_notes, errors_of
from .throughput_cases import SIZE_NAMES, SIZES

MEASURED_SIZES = ("128", "16k", "256k")
PATHS = {"direct": "nginx by itself", "preload": "Baton, preloaded", "adopt": "Baton, adopted"}
GOALS = {"preload": Goal(0.93, "at least"), "adopt": Goal(0.85, "at least")}
CASES = {path: f"an unmodified nginx, {text}: requests/s, keep-alive"
         for path, text in (("preload", "preloaded"), ("adopt", "adopted"))}
PORTS = {"direct": 9060, "preload": 9061, "adopt": 9062}
OWN_PORTS = {"direct": 9060, "preload": 9063, "adopt": 9064}  # that each nginx listens on, needed or not
CHECKED_REQUESTS = 2_000
SECONDS_AROUND_A_RUN = 0.4
ACCEPT_LIBRARY = "libbaton-accept.so"


class House(Servers):
    """One nginx by itself, and one in each of the ways that this build has."""

    def __init__(self, arena: Arena, bin_dir: Path, folder: Path):
        super().__init__(arena, bin_dir, folder)
        self.paths: dict[str, Contestant] = {}
        self.missing: dict[str, str] = {}  # path -> why it cannot be measured

    def start(self):
        self._write_files()
        nginx = self.run("nginx", [installed("nginx"), "-p", self.folder, "-e", "stderr", "-c",
                                   self._nginx_config("direct")])
        self.wait_for_answer(PORTS["direct"], nginx)
        self.paths["direct"] = Contestant(PORTS["direct"], None, self._processes(nginx))
        for path, problem in (("preload", self._preload_problem), ("adopt", self._adopt_problem)):
            config = self.write(f"baton-{path}.conf", port=PORTS[path], nginx=installed("nginx"),
                                nginx_config=self._nginx_config(path), baton=self.bin_dir / "baton")
            try:
                if why := problem(config):
                    raise CannotMeasure(why)
                batond = self.run_batond(path, config, PORTS[path])
                self.paths[path] = Contestant(PORTS[path], batond.pid, self._processes(batond))
            except CannotMeasure as reason:
                print(f"   {PATHS[path]} is not measured: {reason}")
                self.missing[path] = str(reason).splitlines()[0]

    def _write_files(self):
        folder = self.folder / "www"
        folder.mkdir()
        dice = random.Random(1)
        for size in MEASURED_SIZES:
            (folder / size).write_bytes(dice.randbytes(SIZES[size]))

    def _nginx_config(self, path: str) -> Path:
        (self.folder / path).mkdir(exist_ok=True)
        return self.write("nginx-static.conf", f"nginx-{path}.conf", instance=path, port=OWN_PORTS[path],
                          user="user root;" if os.geteuid() == 0 else "")

    def _processes(self, process: subprocess.Popen) -> tuple[int, ...]:
        """nginx's master and worker, in whatever depth below, and who watches over them."""
        below = (process.pid, *machine.descendants(process.pid))
        return tuple(pid for pid in below if machine.program_of(pid) in ("nginx", "baton"))

    def _preload_problem(self, config: Path) -> str:
        if not any((self.bin_dir.parent / folder / ACCEPT_LIBRARY).exists() for folder in ("lib", "bin")):
            return f"{ACCEPT_LIBRARY} is not built"
        if not batond_accepts(self.bin_dir, config.read_text(), self.folder):
            return "this batond does not know the configuration of bench/peers/baton-preload.conf.in"
        return ""

    def _adopt_problem(self, config: Path) -> str:
        asked = subprocess.run([self.bin_dir / "baton", "adopt", "--help"], capture_output=True,
                               text=True, timeout=20, check=False)
        if asked.returncode != 0 or "adopt" not in asked.stdout:
            return "this baton does not know 'adopt'"
        if not batond_accepts(self.bin_dir, config.read_text(), self.folder):
            return "this batond does not know the configuration of bench/peers/baton-adopt.conf.in"
        return ""


class Unmodified:
    name = "unmodified"

    def seconds(self, settings: Settings) -> float:
        cells = len(MEASURED_SIZES) * len(PATHS)
        return cells * (settings.runs * (settings.seconds + SECONDS_AROUND_A_RUN) + 1)

    def goals(self) -> list[Row]:
        return [Row(CASES[path], SIZE_NAMES[size], "requests/s", goal, PATHS["direct"])
                for path, goal in GOALS.items() for size in MEASURED_SIZES]

    def measure(self, context: Context) -> Findings:
        settings = context.settings
        cells: dict[tuple[str, str], Cell] = {}
        context.say("== an unmodified nginx")
        with House(context.arena, context.bin_dir, context.folder) as house:
            if not set(GOALS) & set(house.paths):
                raise CannotMeasure("; ".join(house.missing.values()))
            paths = list(house.paths)
            checks = self._check(context, house)
            budget = context.budget(len(MEASURED_SIZES) * len(paths) * settings.runs,
                                    settings.seconds + SECONDS_AROUND_A_RUN)
            for size in MEASURED_SIZES:

                def measure(path: str, _round: int, size=size) -> load.Sample:
                    sample = load.measure(context.arena, house.paths[path], f"/{size}",
                                          settings.seconds)
                    time.sleep(SETTLE_SECONDS)
                    return sample

                for cell in context.case_run(size, paths, budget, measure):
                    cells[size, cell.path] = cell
                    context.say(f"   {SIZE_NAMES[size]:<8} {PATHS[cell.path]:<18} "
                                f"{cell.figure('requests_per_second'):.0f} requests/s  spread "
                                f"{cell.spread:.0%}  ({cell_notes(cell)})")
        return findings(cells, checks, house.missing)

    def _check(self, context: Context, house: House) -> dict[str, dict[str, int]]:
        checks = {}
        for size in MEASURED_SIZES:
            for path, contestant in house.paths.items():
                checks[f"{SIZE_NAMES[size]}, {PATHS[path]}"] = load.check(
                    context.arena, context.bin_dir, contestant.port, PORTS["direct"], f"/{size}",
                    SIZES[size], CHECKED_REQUESTS)
        return checks


TEXT = """\
nginx with one worker process and static files, sendfile, 64 connections that are kept. *preloaded*:
started by Baton with libbaton-accept in front of its accept(). *adopted*: started by `baton adopt`.
"""


def rows(cells: dict[tuple[str, str], Cell], missing: dict[str, str]) -> list[Row]:
    found = []
    for path, goal in GOALS.items():
        for size in MEASURED_SIZES:
            row = Row(CASES[path], SIZE_NAMES[size], "requests/s", goal, PATHS["direct"])
            if path in missing:
                row.unmeasured = missing[path]
            else:
                ours, plain = cells[size, path], cells[size, "direct"]
                row.baton, row.spread = ours.figure("requests_per_second"), ours.spread
                row.peer_figure, row.peer_spread = plain.figure("requests_per_second"), plain.spread
                row.ratio = row.baton / row.peer_figure
            found.append(row)
    return found


def findings(cells: dict[tuple[str, str], Cell], checks: dict[str, dict[str, int]],
             missing: dict[str, str]) -> Findings:
    lines = [[SIZE_NAMES[size], PATHS[path], number(cell.figure("requests_per_second")),
              number(cell.figure("p50_us")), number(cell.figure("p99_us")),
              number(cell.figure("front_cpu_us")), number(cell.figure("worker_cpu_us")),
              spread_text(cell.spread), f"{cell.foreign_server:.0%} / {cell.foreign_client:.0%}",
              cell_notes(cell)] for (size, path), cell in cells.items()]
    heading = ["body", "path", "requests/s", "p50 µs", "p99 µs", "front CPU µs", "nginx CPU µs", "spread",
               "others", "notes"]
    return Findings(
        rows=rows(cells, missing),
        sections=[Section("An unmodified nginx", f"{TEXT}\n{table(heading, lines)}")],
        record={"cells": [{"size": SIZE_NAMES[size], "path": PATHS[path],
                           "requests_per_second": significant(cell.figure("requests_per_second")),
                           "front_cpu_us": significant(cell.figure("front_cpu_us"), 3),
                           "worker_cpu_us": significant(cell.figure("worker_cpu_us"), 3),
                           "spread": significant(cell.spread, 2), "errors": errors_of(cell)}
                          for (size, path), cell in cells.items()],
                "failures": checks},
        cells=len(cells), unsteady=sum(cell.unsteady for cell in cells.values()),
        checked=sum(counts["requests"] for counts in checks.values()),
        failed=sum(counts["failed"] for counts in checks.values()))
