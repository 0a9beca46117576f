"""What all parts of the benchmark have in common."""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Protocol

from .arena import Arena
from .cells import Budget, CaseRun, Cell
from .goals import Findings, Row
from .noise import NoiseLimits, Observed

SETTLE_SECONDS = 0.1  # connections that a load left behind are noticed and closed


@dataclass(frozen=True)
class Settings:
    """How much is measured."""

    runs: int  # of each cell
    seconds: int  # of a closed-loop run
    scale: float = 1.0  # of the lengths that parts have for themselves; a first look wants less
    checked_requests: int = 5000


@dataclass
class Context:
    """Where and how long a part measures."""

    arena: Arena
    bin_dir: Path
    folder: Path  # the part's own, temporary
    settings: Settings
    say: Callable[[str], None]
    seconds: float = 0.0  # that the part has; repeats only while they fit
    noise: NoiseLimits = NoiseLimits()

    def budget(self, must_runs: int, run_seconds: float, share: float = 1.0) -> Budget:
        return Budget(self.seconds * share, must_runs, run_seconds)

    def case_run(self, case, paths: list[str], budget: Budget,
                 measure: Callable[[str, int], Observed], **more) -> list[Cell]:
        return CaseRun(case, paths, self.settings.runs, budget, self.noise, measure, self.say,
                       **more).run()


class Part(Protocol):
    """One part of the benchmark: it starts its servers, measures, ends them."""

    name: str

    def seconds(self, settings: Settings) -> float:
        """What it takes at least."""

    def goals(self) -> list[Row]:
        """Its rows with goals, without figures: what is shown when it cannot be measured."""

    def measure(self, context: Context) -> Findings:
        """@raises CannotMeasure  nothing of it can be measured; the text says why"""
