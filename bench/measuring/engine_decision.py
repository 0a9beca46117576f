"""What one decision of the engine costs in a large house; measured by a Google Benchmark program."""

import json
import statistics
import subprocess

from .arena import CannotMeasure
from .cells import spread_of
from .goals import Findings, Goal, Row, Section
from .part import Context, Settings
from .tables import number, significant, spread_text, table

PROGRAM = "engine_bench"
FILTER = "decision_at_scale"
REPETITIONS = 9
SECONDS_PER_REPETITION = 0.2
POLICIES = 2
CASE = "engine: one decision with 1,000 workers and 10,000 waiting"
GOAL = Goal(1, "at most", "figure")
TEXT = """\
`engine_bench`, without sockets or threads: a request arrives and queues up, one of 1,000 busy workers is
done, the first of 10,000 waiting requests is given to it. One figure is for all three calls together, so it
is more than one decision.
"""


def samples(report: dict) -> dict[str, list[float]]:
    """Name -> microseconds of each repetition."""
    found: dict[str, list[float]] = {}
    for each in report["benchmarks"]:
        if each["run_type"] == "iteration":
            if each["time_unit"] != "ns":
                raise CannotMeasure(f"{PROGRAM} counts in {each['time_unit']}, not ns")
            name = each["run_name"].removeprefix(f"{FILTER}/").split("/")[0]
            found.setdefault(f"pick={name}", []).append(each["cpu_time"] / 1e3)
    return found


class EngineDecision:
    name = "engine"

    def seconds(self, settings: Settings) -> float:
        return POLICIES * (1.0 + REPETITIONS * SECONDS_PER_REPETITION * 2)

    def goals(self) -> list[Row]:
        return [Row(CASE, "pick=ready", "µs", GOAL), Row(CASE, "pick=warm", "µs", GOAL)]

    def measure(self, context: Context) -> Findings:
        program = context.bin_dir.parent / "bench" / PROGRAM
        if not program.exists():
            raise CannotMeasure(f"{program} is missing: tools/bootstrap bench, then "
                                "tools/build release bench-programs")
        command = [program, f"--benchmark_filter={FILTER}", "--benchmark_format=json",
                   f"--benchmark_repetitions={REPETITIONS}",
                   f"--benchmark_min_time={SECONDS_PER_REPETITION}"]
        context.say("== engine decision")
        with context.arena.start(command, context.arena.server_core, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True) as bench:
            output, _ = bench.communicate(timeout=120)
        try:
            found = samples(json.loads(output))
        except (ValueError, KeyError):
            raise CannotMeasure(f"{PROGRAM} said: {output[:200]}") from None
        if not found:
            raise CannotMeasure(f"{program} knows no {FILTER}: build it anew")
        return findings(found)


def findings(found: dict[str, list[float]]) -> Findings:
    rows = [Row(CASE, name, "µs", GOAL, baton=statistics.median(values), spread=spread_of(values))
            for name, values in found.items()]
    lines = [[name, number(statistics.median(values)), number(min(values)), number(max(values)),
              spread_text(spread_of(values)), str(len(values))] for name, values in found.items()]
    return Findings(
        rows=rows, sections=[Section("Engine", f"{TEXT}\n" + table(
            ["policy", "median µs", "least", "most", "spread", "repetitions"], lines))],
        record={"us": {name: [significant(value) for value in values]
                       for name, values in found.items()}})
