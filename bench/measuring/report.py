"""Findings become docs/benchmarks.json and docs/benchmarks.md. Nothing there is written by hand."""

import json
from dataclasses import dataclass
from pathlib import Path

from .cells import ROUNDS_AGAIN, SPREAD_LIMIT
from .goals import Findings, Row
from .load import CONNECTIONS
from .noise import NoiseLimits
from .part import Settings
from .tables import number, significant, spread_text, table, times


@dataclass
class Result:
    """All that one run of the benchmark found out; findings by the name of their part."""

    conditions: dict[str, str]
    findings: dict[str, Findings]
    settings: Settings

    @property
    def rows(self) -> list[Row]:
        return [row for part in self.findings.values() for row in part.rows]

    def total(self, name: str) -> int:
        return sum(getattr(part, name) for part in self.findings.values())


def row_record(row: Row) -> dict:
    return {
        "case": row.case, "variant": row.variant, "unit": row.unit, "baton": significant(row.baton),
        "spread": significant(row.spread, 2), "peer": row.peer,
        "peer_figure": significant(row.peer_figure), "peer_spread": significant(row.peer_spread, 2),
        "ratio": significant(row.ratio, 3), "goal": None if row.goal is None else row.goal_text(),
        "bound": None if row.goal is None else row.goal.bound, "met": row.met,
        "not_measured": row.unmeasured or None, "fault": row.fault or None,
    }


def as_json(result: Result) -> str:
    return json.dumps({
        "conditions": result.conditions,
        "rows": [row_record(row) for row in result.rows],
        **{name: part.record for name, part in result.findings.items()},
    }, indent=1, ensure_ascii=False) + "\n"


def verdict(row: Row) -> str:
    if row.unmeasured:
        return f"not measured: {row.unmeasured}"
    if row.goal is None:
        return "–"
    return "yes" if row.met else "**no**" + (f": {row.fault}" if row.fault else "")


def row_table(rows: list[Row]) -> str:
    return table(
        ["case", "for", "Baton", "spread", "peer", "peer's figure", "its spread", "unit", "ratio",
         "goal", "met"],
        [[row.case, row.variant, number(row.baton), spread_text(row.spread), row.peer,
          number(row.peer_figure), spread_text(row.peer_spread), row.unit, times(row.ratio),
          row.goal_text(), verdict(row)] for row in rows])


def summary(rows: list[Row]) -> str:
    """How many goals there are, how many are met, and how many nobody knows of."""
    with_goal = [row for row in rows if row.goal is not None]
    met = sum(row.met is True for row in with_goal)
    unknown = sum(bool(row.unmeasured) for row in with_goal)
    text = f"{met} of {len(with_goal)} goals are met"
    return text + (f"; {unknown} could not be measured." if unknown else ".")


HOW_TO_READ = """\
- **One core serves.** The front and the worker share a core, the load has the other. So requests/s is what
  one core sustains for front and worker *together*. With a connection per request the load's core is often
  the limit, since a new connection costs the client more than the server: read the CPU columns there.
- **Medians** of {runs} runs for each cell, all paths of a case in alternation; of {seconds} s where the load
  is a closed loop. *spread* is (greatest − smallest) / median. A cell above {spread_limit} is measured again,
  at most {rounds} times and while the time allows; the steadier set counts, whichever figure it shows.
  What stayed above is bold.
- **The peer at its best.** haproxy runs with one thread, with connections to the same worker program kept
  and reused; for large bodies a second time with `option splice-response`. For each figure the better of
  the two is the one that Baton is held against. The configurations are in [bench/peers](../bench/peers/).
- **CPU** is user and system time of one process, from before a run to after it, divided by the answers that
  the load counted: of haproxy, of nginx's worker process, of batond; its agent takes no part in a request.
  Work of the kernel for arriving packets is charged to whoever is on the core at that moment.
- **others** is the greatest part of the servers' core / of the load's core that other programs (or the
  hypervisor) had in a run that counts. Runs with more than {server} / {client} are repeated; where that did
  not help, *notes* says how many of the runs were disturbed.
- **p50, p99** of closed loops are wrk's: {connections} connections that each ask again as soon as they are
  answered, so they measure how full the queue is. They are no promise of latency at a lower load.
- A goal that was **not measured** is not met. Figures of one table compare with each other; figures of two
  runs of the benchmark do not.
"""


def how_to_read(settings: Settings) -> str:
    noise = NoiseLimits()
    return HOW_TO_READ.format(
        runs=settings.runs, seconds=settings.seconds, spread_limit=f"{SPREAD_LIMIT:.0%}",
        rounds=ROUNDS_AGAIN, server=f"{noise.server:.0%}", client=f"{noise.client:.0%}",
        connections=CONNECTIONS)


def steadiness(cells: int, unsteady: int) -> str:
    if not cells:
        return "No cell was measured.\n"
    if not unsteady:
        return "All cells were steady.\n"
    return (f"**{unsteady} of {cells} cells were not steady**: they spread by more than "
            f"{SPREAD_LIMIT:.0%}, or others had\nthe cores in most runs that count. Ratios that rest "
            "on them say little; the tables below name them.\n")


def as_markdown(result: Result) -> str:
    with_goal = [row for row in result.rows if row.goal is not None]
    without = [row for row in result.rows if row.goal is None]
    parts = [
        "# Benchmarks\n",
        "Measured, honestly: this page and [benchmarks.json](benchmarks.json) are written by `make bench`,\n"
        "and nothing in them by hand, whatever the figures are. [bench/](../bench/README.md) says how.\n",
        f"{summary(result.rows)} {result.total('failed')} of {result.total('checked')} checked answers "
        "were wrong or missing.\n",
        steadiness(result.total("cells"), result.total("unsteady")),
    ]
    if with_goal:
        parts += ["## Goals\n", row_table(with_goal)]
    if without:
        parts += ["## Other comparisons\n", row_table(without)]
    for part in result.findings.values():
        for section in part.sections:
            parts += [f"## {section.heading}\n", section.text]
    parts += [
        "## Conditions\n",
        table(["what", "which"], [[name, text] for name, text in result.conditions.items()]),
        "## How to read it\n",
        how_to_read(result.settings),
    ]
    return "\n".join(parts)


def write(result: Result, folder: Path):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmarks.json").write_text(as_json(result))
    (folder / "benchmarks.md").write_text(as_markdown(result))
