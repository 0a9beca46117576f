"""Figures of one contestant in one case, and when they are measured again."""

import statistics
import time
from dataclasses import dataclass, field
from typing import Callable, Hashable

from .noise import NoiseLimits, Observed

SPREAD_LIMIT = 0.15
ROUNDS_AGAIN = 2  # how often a noisy cell is measured anew
TRIES = 3  # how often one disturbed run is


def spread_of(values: list[float]) -> float:
    """(greatest - smallest) / median."""
    middle = statistics.median(values)
    return (max(values) - min(values)) / middle if middle else float("inf")


@dataclass
class Cell:
    """The samples that count. Figures are medians."""

    case: Hashable
    path: str
    samples: list[Observed]
    measured_again: int = 0
    disturbed_runs: int = 0  # runs thrown away since others were busy
    noise: NoiseLimits = field(default_factory=NoiseLimits)
    steady_by: str = "requests_per_second"  # the figure whose spread tells a noisy cell

    def figure(self, name: str) -> float | None:
        """The median; none when it does not apply."""
        values = [getattr(sample, name) for sample in self.samples]
        return None if None in values else statistics.median(values)

    def spread_by(self, name: str) -> float:
        return spread_of([getattr(sample, name) for sample in self.samples])

    @property
    def spread(self) -> float:
        return self.spread_by(self.steady_by)

    @property
    def foreign_server(self) -> float:
        return max(sample.foreign_server for sample in self.samples)

    @property
    def foreign_client(self) -> float:
        return max(sample.foreign_client for sample in self.samples)

    @property
    def still_disturbed(self) -> int:
        """Samples that count although others were busy: no time was left to repeat them."""
        return sum(sample.disturbed(self.noise) for sample in self.samples)

    @property
    def unsteady(self) -> bool:
        """Its figures say little."""
        return self.spread > SPREAD_LIMIT or self.still_disturbed * 2 > len(self.samples)

    def notes(self) -> list[str]:
        found = []
        if self.measured_again:
            found.append(f"measured {self.measured_again + 1}×")
        if self.still_disturbed:
            found.append(f"{self.still_disturbed} of {len(self.samples)} runs disturbed")
        return found


class Budget:
    """The time for one part of the benchmark. What is left beside the runs that must be is for
    repeats, and each case has its share of that, so that the first ones do not use it up."""

    def __init__(self, seconds: float, must_runs: int, run_seconds: float,
                 clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._deadline = clock() + seconds
        self._run_seconds = run_seconds
        self._must_runs = must_runs
        self._must_begun = 0
        self._must_done = 0
        self._extra_runs = max(0, int(seconds / run_seconds) - must_runs)
        self._extra_done = 0

    def begin_case(self, must_runs: int):
        self._must_begun += must_runs

    def done(self, extra: bool):
        if extra:
            self._extra_done += 1
        else:
            self._must_done += 1

    def allows(self, extra_runs: int) -> bool:
        earned = self._extra_runs * self._must_begun // self._must_runs
        needed = (self._must_runs - self._must_done + extra_runs) * self._run_seconds
        return (self._extra_done + extra_runs <= earned
                and self._clock() + needed <= self._deadline)


class CaseRun:
    """Measures all paths of one case, in alternation, each round beginning with another one."""

    def __init__(self, case: Hashable, paths: list[str], runs: int, budget: Budget,
                 noise: NoiseLimits, measure: Callable[[str, int], Observed],
                 say: Callable[[str], None], steady_by: str = "requests_per_second",
                 erratic: tuple[str, ...] = ()):
        """@param measure  one sample of a path in a round; @param erratic  paths that spread by
        themselves, so that measuring them again would not help"""
        self._case = case
        self._paths = paths
        self._runs = runs
        self._budget = budget
        self._noise = noise
        self._measure = measure
        self._say = say
        self._steady_by = steady_by
        self._erratic = erratic
        self._thrown_away = dict.fromkeys(paths, 0)

    def run(self) -> list[Cell]:
        self._budget.begin_case(len(self._paths) * self._runs)
        sets = self._sets(self._paths, extra=False)
        cells = {path: self._cell(path, samples) for path, samples in sets.items()}
        for _ in range(ROUNDS_AGAIN):
            noisy = [path for path, cell in cells.items()
                     if cell.spread > SPREAD_LIMIT and path not in self._erratic]
            if not noisy or not self._budget.allows(len(noisy) * self._runs):
                break
            self._say(f"   again, spread above {SPREAD_LIMIT:.0%}: " + ", ".join(
                f"{path} {cells[path].spread:.0%}" for path in noisy))
            for path, samples in self._sets(noisy, extra=True).items():
                again = self._cell(path, samples)
                again.measured_again = cells[path].measured_again + 1
                # The steadier of the two sets counts, whichever figure it shows.
                if again.spread >= cells[path].spread:
                    again.samples = cells[path].samples
                cells[path] = again
        for path, cell in cells.items():
            cell.disturbed_runs = self._thrown_away[path]
        return list(cells.values())

    def _cell(self, path: str, samples: list[Observed]) -> Cell:
        return Cell(self._case, path, samples, noise=self._noise, steady_by=self._steady_by)

    def _sets(self, paths: list[str], extra: bool) -> dict[str, list[Observed]]:
        sets: dict[str, list[Observed]] = {path: [] for path in paths}
        for round_number in range(self._runs):
            start = round_number % len(paths)
            for path in paths[start:] + paths[:start]:
                sets[path].append(self._undisturbed(path, round_number))
                self._budget.done(extra)
        return sets

    def _undisturbed(self, path: str, round_number: int) -> Observed:
        """A run without others on the machine, or of some tries the one with the least of them."""
        best = self._measure(path, round_number)
        for _ in range(TRIES - 1):
            if not best.disturbed(self._noise) or not self._budget.allows(1):
                break
            self._thrown_away[path] += 1
            again = self._measure(path, round_number)
            self._budget.done(extra=True)
            if again.foreign_server + again.foreign_client < best.foreign_server + best.foreign_client:
                best = again
        return best
