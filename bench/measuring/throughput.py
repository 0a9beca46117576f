"""Closed loops: requests per second and CPU, for bodies of four sizes."""

import time

from . import load
from .cells import Cell
from .contestants import Contestants
from .goals import Findings, Row, Section
from .part import SETTLE_SECONDS, Context, Settings
from .tables import number, significant, spread_text, table
from .throughput_cases import (COMPARISONS, MODES, PARTS, PATHS, SIZE_NAMES, Case, Comparison,
                               paths_of)

SECONDS_AROUND_A_RUN = 0.4  # starting wrk, reading counters, settling
SECONDS_PER_CHECK = 1.0
CHECKED_BYTES = 1 << 30  # per path and size, at most

Cells = dict[tuple[Case, str], Cell]
Checks = dict[tuple[Case, str], dict[str, int]]


def best_of(comparison: Comparison, cells: list[Cell]) -> Cell | None:
    """The peer at its best, by the figure that is compared."""
    known = [cell for cell in cells if cell.figure(comparison.figure)]
    choose = max if comparison.better == "higher" else min
    return choose(known, key=lambda cell: cell.figure(comparison.figure), default=None)


def compare(comparison: Comparison, size: str, cells: Cells, missing: dict[str, str]) -> Row | None:
    """One row; None when one of the two was not measured and nobody says why."""
    case = Case(comparison.mode, size)
    row = Row(comparison.case, SIZE_NAMES[size], comparison.unit, comparison.goal(size))
    baton = cells.get((case, comparison.path))
    peer = best_of(comparison, [cells[case, path] for path in comparison.peers
                                if (case, path) in cells])
    if comparison.path in missing and comparison.goals:
        row.unmeasured = missing[comparison.path]
        row.peer = PATHS[comparison.peers[0]]
        return row
    if baton is None or peer is None:
        return None
    row.peer = PATHS[peer.path]
    row.baton, row.peer_figure = baton.figure(comparison.figure), peer.figure(comparison.figure)
    row.spread, row.peer_spread = (cell.spread_by(comparison.figure) for cell in (baton, peer))
    row.ratio = row.baton / row.peer_figure
    return row


def rows(cells: Cells, parts: list[str], sizes: list[str], missing: dict[str, str]) -> list[Row]:
    return [row for comparison in COMPARISONS if comparison.part in parts for size in sizes
            if (row := compare(comparison, size, cells, missing)) is not None]


class Throughput:
    """The parts `leased`, `returned` and `connection`, whichever are wanted: they share cells."""

    name = "throughput"

    def __init__(self, parts: list[str], sizes: list[str], paths: list[str]):
        self._parts = [part for part in PARTS if part in parts]
        modes = [mode for mode in MODES if mode in {PARTS[part] for part in self._parts}]
        everything = len(self._parts) == len(PARTS)
        self._wanted = {mode: [path for path in paths_of(self._parts, mode, everything)
                               if path in paths] for mode in modes}
        self._sizes = sizes
        self._cases = [Case(mode, size) for mode in modes for size in sizes]

    def _paths(self, case: Case) -> list[str]:
        return case.paths(self._wanted[case.mode])

    def _must_runs(self, runs: int) -> int:
        return sum(len(self._paths(case)) for case in self._cases) * runs

    def seconds(self, settings: Settings) -> float:
        checks = sum(len(self._paths(case)) for case in self._cases) * SECONDS_PER_CHECK
        return checks + self._must_runs(settings.runs) * (settings.seconds + SECONDS_AROUND_A_RUN)

    def goals(self) -> list[Row]:
        return [Row(comparison.case, SIZE_NAMES[case.size], comparison.unit,
                    comparison.goal(case.size), PATHS[comparison.peers[0]])
                for comparison in COMPARISONS if comparison.part in self._parts and comparison.goals
                for case in self._cases if case.mode == comparison.mode]

    def measure(self, context: Context) -> Findings:
        wanted = sorted({path for paths in self._wanted.values() for path in paths})
        with Contestants(context.arena, context.bin_dir, context.folder, wanted) as contestants:
            checks = self._check(context, contestants)
            cells = self._measure_cells(context, contestants)
        found = findings(cells, checks, self._parts, self._sizes, contestants.missing)
        found.settings["closed loops"] = (
            f"wrk, 1 thread, {load.CONNECTIONS} connections, {context.settings.runs} runs of "
            f"{context.settings.seconds} s for each cell")
        return found

    def _measurable(self, case: Case, contestants: Contestants) -> list[str]:
        return [path for path in self._paths(case) if path not in contestants.missing]

    def _check(self, context: Context, contestants: Contestants) -> Checks:
        context.say("== are the answers right?")
        checks: Checks = {}
        for case in self._cases:
            requests = max(1, min(context.settings.checked_requests,
                                  CHECKED_BYTES // case.body_bytes))
            for path in self._measurable(case, contestants):
                counts = checks[case, path] = load.check(
                    context.arena, context.bin_dir, contestants.paths[path].port,
                    contestants.reference_port, case.target, case.body_bytes, requests,
                    close=case.mode == "close")
                if counts["failed"] or counts["reopened"]:
                    context.say(f"   {case.mode} {case.size} {PATHS[path]}: " + ", ".join(
                        f"{count} {kind}" for kind, count in counts.items() if count))
        failed = sum(counts["failed"] for counts in checks.values())
        context.say(f"   {failed} of {sum(counts['requests'] for counts in checks.values())} were not")
        return checks

    def _measure_cells(self, context: Context, contestants: Contestants) -> Cells:
        settings = context.settings
        budget = context.budget(self._must_runs(settings.runs), settings.seconds + SECONDS_AROUND_A_RUN)
        cells: Cells = {}
        for case in self._cases:
            context.say(f"== {MODES[case.mode]}, {SIZE_NAMES[case.size]}")

            def measure(path: str, _round: int, case=case) -> load.Sample:
                sample = load.measure(context.arena, contestants.paths[path], case.target,
                                      settings.seconds, close=case.mode == "close")
                time.sleep(SETTLE_SECONDS)
                return sample

            for cell in context.case_run(case, self._measurable(case, contestants), budget, measure):
                cells[case, cell.path] = cell
                context.say(cell_line(cell))
        return cells


def cell_line(cell: Cell) -> str:
    front = cell.figure("front_cpu_us")
    cpu = "" if front is None else f"front {front:.1f} µs, "
    return (f"   {PATHS[cell.path]:<26} {cell.figure('requests_per_second'):>9.0f} requests/s  "
            f"p50 {cell.figure('p50_us'):.0f} p99 {cell.figure('p99_us'):.0f} µs  {cpu}"
            f"worker {cell.figure('worker_cpu_us'):.1f} µs  spread {cell.spread:.0%}  "
            f"others {cell.foreign_server:.0%}/{cell.foreign_client:.0%}  ({cell_notes(cell)})")


# -- the document

def errors_of(cell: Cell) -> dict[str, int]:
    total: dict[str, int] = {}
    for sample in cell.samples:
        for kind, count in sample.errors.items():
            total[kind] = total.get(kind, 0) + count
    return total


def cell_notes(cell: Cell) -> str:
    notes = cell.notes()
    notes += [f"wrk: {count} {kind} errors" for kind, count in errors_of(cell).items()]
    return ", ".join(notes) or "–"


def cell_record(cell: Cell) -> dict:
    return {
        "mode": MODES[cell.case.mode], "size": SIZE_NAMES[cell.case.size], "path": PATHS[cell.path],
        "requests_per_second": significant(cell.figure("requests_per_second")),
        "p50_us": significant(cell.figure("p50_us")), "p99_us": significant(cell.figure("p99_us")),
        "front_cpu_us": significant(cell.figure("front_cpu_us"), 3),
        "worker_cpu_us": significant(cell.figure("worker_cpu_us"), 3),
        "spread": significant(cell.spread, 2), "runs": len(cell.samples),
        "measured_again": cell.measured_again, "disturbed_runs": cell.disturbed_runs,
        "still_disturbed": cell.still_disturbed,
        "foreign_server": significant(cell.foreign_server, 2),
        "foreign_client": significant(cell.foreign_client, 2),
        "errors": errors_of(cell),
    }


def ratio_to(cells: Cells, cell: Cell, path: str) -> str:
    other = cells.get((cell.case, path))
    if other is None or not other.figure("requests_per_second"):
        return "–"
    return f"{cell.figure('requests_per_second') / other.figure('requests_per_second'):.2f}"


def cell_table(cells: Cells, mode: str) -> str:
    lines = []
    for cell in cells.values():
        if cell.case.mode != mode:
            continue
        speed = cell.figure("requests_per_second")
        lines.append([
            SIZE_NAMES[cell.case.size], PATHS[cell.path], number(speed),
            ratio_to(cells, cell, "direct"), ratio_to(cells, cell, "haproxy"),
            f"{speed * cell.case.body_bytes / 1e9:.2f}",
            number(cell.figure("p50_us")), number(cell.figure("p99_us")),
            number(cell.figure("front_cpu_us")), number(cell.figure("worker_cpu_us")),
            spread_text(cell.spread), f"{cell.foreign_server:.0%} / {cell.foreign_client:.0%}",
            cell_notes(cell)])
    return table(["body", "path", "requests/s", "of the worker alone", "of haproxy", "GB/s", "p50 µs",
                  "p99 µs", "front CPU µs", "worker CPU µs", "spread", "others", "notes"], lines)


def check_table(checks: Checks) -> str:
    """One line for each way to the worker, the sizes together; what failed names its size."""
    sums: dict[tuple[str, str], list] = {}
    for (case, path), counts in checks.items():
        total = sums.setdefault((path, case.mode), [0, 0, [], 0])
        total[0] += counts["requests"]
        total[1] += counts["failed"]
        total[2] += [f"{SIZE_NAMES[case.size]}: {count} {kind.replace('_', ' ')}"
                     for kind, count in counts.items()
                     if count and kind not in ("requests", "failed", "complete", "reopened")]
        total[3] += counts["reopened"]
    return table(
        ["path", "case", "requests", "failed", "how", "reopened"],
        [[PATHS[path], MODES[mode], number(requests), str(failed), ", ".join(how) or "none",
          str(reopened)]
         for (path, mode), (requests, failed, how, reopened) in sorted(
             sums.items(), key=lambda item: (list(MODES).index(item[0][1]),
                                             list(PATHS).index(item[0][0])))])


CHECKS_TEXT = """\
Counted by a client of our own that looks at status, length and every byte of each answer; wrk
does not. *reopened*: a kept connection ended between two answers, and the request was repeated
on a new one, as RFC 9112 (9.3.1) allows.
"""


def findings(cells: Cells, checks: Checks, parts: list[str], sizes: list[str],
             missing: dict[str, str]) -> Findings:
    sections = [Section(f"Closed loop: {text}", cell_table(cells, mode))
                for mode, text in MODES.items() if any(case.mode == mode for case, _ in cells)]
    sections.append(Section("Closed loop: failures", f"{CHECKS_TEXT}\n{check_table(checks)}"))
    return Findings(
        rows=rows(cells, parts, sizes, missing), sections=sections,
        record={"cells": [cell_record(cell) for cell in cells.values()],
                "failures": [{"mode": MODES[case.mode], "size": SIZE_NAMES[case.size],
                              "path": PATHS[path], **counts}
                             for (case, path), counts in checks.items()]},
        cells=len(cells), unsteady=sum(cell.unsteady for cell in cells.values()),
        checked=sum(counts["requests"] for counts in checks.values()),
        failed=sum(counts["failed"] for counts in checks.values()))
