"""Figures become docs/benchmarks.json and docs/benchmarks.md. Nothing there is written by hand."""

import json
from dataclasses import dataclass
from pathlib import Path

from .cases import COMPARISONS, MODES, PATHS, SIZE_NAMES, SIZES, Case, Comparison
from .cells import SPREAD_LIMIT, Cell

Cells = dict[tuple[Case, str], Cell]


@dataclass
class Result:
    """All that one run of the benchmark found out."""

    conditions: dict[str, str]
    cells: Cells
    checks: dict[tuple[Case, str], dict[str, int]]


def significant(value: float | None, digits: int = 4) -> float | int | None:
    """As many digits as the measurement is worth."""
    if value is None:
        return None
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded == int(rounded) else rounded


def best_of(comparison: Comparison, cells: list[Cell]) -> Cell | None:
    """The peer at its best, by the figure that is compared."""
    known = [cell for cell in cells if getattr(cell, comparison.figure)]
    choose = max if comparison.better == "higher" else min
    return choose(known, key=lambda cell: getattr(cell, comparison.figure), default=None)


def compare(comparison: Comparison, size: str, cells: Cells) -> dict | None:
    """One row; None when one of the two was not measured."""
    case = Case(comparison.mode, size)
    baton = cells.get((case, "baton"))
    peer = best_of(comparison, [cells[case, path] for path in comparison.peers
                                if (case, path) in cells])
    if baton is None or peer is None:
        return None
    ours, theirs = getattr(baton, comparison.figure), getattr(peer, comparison.figure)
    ratio = ours / theirs
    goal = (comparison.goals or {}).get(size)
    met = None
    if goal is not None:
        met = ratio >= goal if comparison.better == "higher" else ratio <= goal
    return {
        "case": comparison.case, "size": SIZE_NAMES[size], "unit": comparison.unit,
        "better": comparison.better, "peer": PATHS[peer.path], "baton": significant(ours),
        "peer_figure": significant(theirs), "ratio": significant(ratio, 3), "goal": goal, "met": met,
    }


def rows(cells: Cells) -> list[dict]:
    return [row for comparison in COMPARISONS for size in SIZES
            if (row := compare(comparison, size, cells)) is not None]


def cell_record(cell: Cell) -> dict:
    return {
        "mode": MODES[cell.case.mode], "size": SIZE_NAMES[cell.case.size], "path": PATHS[cell.path],
        "requests_per_second": significant(cell.requests_per_second),
        "p50_us": significant(cell.p50_us), "p99_us": significant(cell.p99_us),
        "front_cpu_us": significant(cell.front_cpu_us, 3),
        "worker_cpu_us": significant(cell.worker_cpu_us, 3),
        "spread": significant(cell.spread, 2), "runs": len(cell.samples),
        "measured_again": cell.measured_again, "disturbed_runs": cell.disturbed_runs,
        "still_disturbed": cell.still_disturbed,
        "foreign_server": significant(cell.foreign_server, 2),
        "foreign_client": significant(cell.foreign_client, 2),
        "errors": cell.errors,
    }


def as_json(result: Result) -> str:
    return json.dumps({
        "conditions": result.conditions,
        "rows": rows(result.cells),
        "failures": [{"mode": MODES[case.mode], "size": SIZE_NAMES[case.size], "path": PATHS[path],
                      **counts} for (case, path), counts in result.checks.items()],
        "cells": [cell_record(cell) for cell in result.cells.values()],
    }, indent=1, ensure_ascii=False) + "\n"


# -- the document

def table(heading: list[str], lines: list[list[str]]) -> str:
    """Words to the left, figures to the right."""
    def is_figure(column: int) -> bool:
        return all(line[column][:1] in "0123456789–≥≤ " for line in lines)

    rule = ["---:" if is_figure(column) else "---" for column in range(len(heading))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [heading, rule, *lines]) + "\n"


def number(value: float | None) -> str:
    """1234567 -> 1 234 567; small ones keep what they have."""
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value:,.0f}".replace(",", "\u202f")
    if value >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def times(value: float) -> str:
    return f"{value:.3f}×" if value < 0.1 else f"{value:.2f}×"


def goal_text(row: dict) -> str:
    sign = "≥" if row["better"] == "higher" else "≤"
    return "–" if row["goal"] is None else f"{sign} {row['goal']}×"


def comparison_table(found: list[dict]) -> str:
    verdict = {True: "yes", False: "**no**", None: "–"}
    return table(
        ["case", "body", "Baton", "peer", "peer's figure", "unit", "ratio", "goal", "met"],
        [[row["case"], row["size"], number(row["baton"]), row["peer"], number(row["peer_figure"]),
          row["unit"], times(row["ratio"]), goal_text(row), verdict[row["met"]]] for row in found])


def ratio_to(cells: Cells, cell: Cell, path: str) -> str:
    other = cells.get((cell.case, path))
    if other is None or not other.requests_per_second:
        return "–"
    return f"{cell.requests_per_second / other.requests_per_second:.2f}"


def cell_notes(cell: Cell) -> str:
    notes = []
    if cell.measured_again:
        notes.append(f"measured {cell.measured_again + 1}×")
    if cell.still_disturbed:
        notes.append(f"{cell.still_disturbed} of {len(cell.samples)} runs disturbed")
    notes += [f"wrk: {count} {kind} errors" for kind, count in cell.errors.items()]
    return ", ".join(notes) or "–"


def cell_table(cells: Cells, mode: str) -> str:
    lines = []
    for cell in cells.values():
        if cell.case.mode != mode:
            continue
        spread = f"{cell.spread:.0%}"
        lines.append([
            SIZE_NAMES[cell.case.size], PATHS[cell.path], number(cell.requests_per_second),
            ratio_to(cells, cell, "direct"), ratio_to(cells, cell, "haproxy"),
            f"{cell.requests_per_second * cell.case.body_bytes / 1e9:.2f}",
            number(cell.p50_us), number(cell.p99_us), number(cell.front_cpu_us),
            number(cell.worker_cpu_us), f"**{spread}**" if cell.spread > SPREAD_LIMIT else spread,
            f"{cell.foreign_server:.0%} / {cell.foreign_client:.0%}", cell_notes(cell)])
    return table(["body", "path", "requests/s", "of the worker alone", "of haproxy", "GB/s", "p50 µs",
                  "p99 µs", "front CPU µs", "worker CPU µs", "spread", "others", "notes"], lines)


def check_table(checks: dict[tuple[Case, str], dict[str, int]]) -> str:
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


HOW_TO_READ = """\
- **One core serves.** The front and the worker share a core, the load has the other. So requests/s is what
  one core sustains for front and worker *together*. With a connection per request the load's core is often
  the limit, since a new connection costs the client more than the server: read the CPU columns there.
- **Medians** of {runs} runs of {seconds} s for each cell, all paths of a case in alternation. *spread* is
  (greatest − smallest) / median of requests/s. A cell above {spread_limit} is measured again, at most
  {rounds} times; the steadier set counts, whichever figure it shows. What stayed above is bold.
- **The peer at its best.** haproxy runs with one thread, with connections to the same worker program kept
  and reused; for large bodies a second time with `option splice-response`. For each figure the better of
  the two is the one that Baton is held against. The configurations are in [bench/peers](../bench/peers/).
- **CPU** is user and system time of one process, from before a run to after it, divided by the answers that
  wrk counted: of haproxy, of nginx's worker process, of batond; its agent takes no part in a request. Work
  of the kernel for arriving packets is charged to whoever is on the core at that moment.
- **others** is the greatest part of the servers' core / of the load's core that other programs (or the
  hypervisor) had in a run that counts. Runs with more than {server} / {client} are repeated; where that did
  not help, *notes* says how many of the runs were disturbed.
- **p50, p99** are wrk's: {connections} connections that each ask again as soon as they are answered, so they
  measure how full the queue is. They are no promise of latency at a lower load.
- Figures of one table compare with each other. Figures of two runs of the benchmark do not.
"""


def as_markdown(result: Result, parameters: dict[str, str]) -> str:
    found = rows(result.cells)
    with_goal = [row for row in found if row["goal"] is not None]
    without = [row for row in found if row["goal"] is None]
    met = sum(row["met"] for row in with_goal)
    failed = sum(counts["failed"] for counts in result.checks.values())
    checked = sum(counts["requests"] for counts in result.checks.values())
    noisy = sum(cell.spread > SPREAD_LIMIT or cell.still_disturbed * 2 > len(cell.samples)
                for cell in result.cells.values())
    steadiness = "All cells were steady.\n" if not noisy else (
        f"**{noisy} of {len(result.cells)} cells were not steady**: they spread by more than "
        f"{SPREAD_LIMIT:.0%}, or others had\nthe cores in most runs that count. Ratios that rest on them "
        "say little; the tables below name them.\n")
    parts = [
        "# Benchmarks\n",
        "Measured, honestly: this page and [benchmarks.json](benchmarks.json) are written by `make bench`,\n"
        "and nothing in them by hand, whatever the figures are. [bench/](../bench/README.md) says how.\n",
        f"{met} of {len(with_goal)} goals are met. {failed} of {checked} checked answers were wrong or "
        "missing.\n",
        steadiness,
    ]
    if with_goal:
        parts += ["## Goals\n", comparison_table(with_goal)]
    if without:
        parts += ["## Other comparisons\n", comparison_table(without)]
    for mode, text in MODES.items():
        if any(case.mode == mode for case, _ in result.cells):
            parts += [f"## All figures: {text}\n", cell_table(result.cells, mode)]
    parts += [
        "## Failures\n",
        "Counted by a client of our own that looks at status, length and every byte of each answer; wrk\n"
        "does not. *reopened*: a kept connection ended between two answers, and the request was repeated\n"
        "on a new one, as RFC 9112 (9.3.1) allows.\n",
        check_table(result.checks),
        "## Conditions\n",
        table(["what", "which"], [[name, text] for name, text in result.conditions.items()]),
        "## How to read it\n",
        HOW_TO_READ.format(**parameters),
    ]
    return "\n".join(parts)


def write(result: Result, parameters: dict[str, str], folder: Path):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmarks.json").write_text(as_json(result))
    (folder / "benchmarks.md").write_text(as_markdown(result, parameters))
