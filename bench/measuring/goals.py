"""What has to be reached, and whether it was. Every row of the result has this form."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Goal:
    """A bound, on the ratio to the peer or on the figure itself."""

    bound: float
    kind: str  # "at least", "at most", "within" (of 1, to either side)
    of: str = "ratio"  # or "figure"

    def met_by(self, value: float) -> bool:
        if self.kind == "at least":
            return value >= self.bound
        if self.kind == "at most":
            return value <= self.bound
        return abs(value - 1) <= self.bound

    def text(self, unit: str) -> str:
        if self.kind == "within":
            return f"within {self.bound:.0%}"
        sign = "≥" if self.kind == "at least" else "≤"
        if self.of == "ratio":
            return f"{sign} {self.bound:g}×"
        return f"{sign} {self.bound:g} {unit}" if self.bound else "none"


@dataclass
class Row:
    """One figure of Baton, beside the same figure of a peer if there is one."""

    case: str
    variant: str  # the size, the load; "–" when there is only one
    unit: str
    goal: Goal | None = None
    peer: str = "–"
    baton: float | None = None
    spread: float | None = None  # of Baton's figure, between the runs
    peer_figure: float | None = None
    peer_spread: float | None = None
    ratio: float | None = None
    unmeasured: str = ""  # why there are no figures
    fault: str = ""  # why the figures cannot count: the goal is missed, whatever they are

    @property
    def met(self) -> bool | None:
        """None: there is no goal, or nothing was measured."""
        if self.goal is None or self.unmeasured:
            return None
        if self.fault:
            return False
        value = self.ratio if self.goal.of == "ratio" else self.baton
        return value is not None and self.goal.met_by(value)

    def goal_text(self) -> str:
        return "–" if self.goal is None else self.goal.text(self.unit)


def unmeasured(rows: list[Row], why: str) -> list[Row]:
    """The same rows, without figures."""
    return [Row(row.case, row.variant, row.unit, row.goal, row.peer, unmeasured=why) for row in rows]


@dataclass(frozen=True)
class Section:
    """A chapter of the page."""

    heading: str
    text: str


@dataclass
class Findings:
    """What one part of the benchmark has found out."""

    rows: list[Row]
    sections: list[Section]
    record: dict  # for the JSON, under the part's name
    cells: int = 0
    unsteady: int = 0  # cells whose figures say little
    checked: int = 0  # answers that were looked at, byte by byte
    failed: int = 0  # of these
    settings: dict[str, str] = field(default_factory=dict)  # conditions that the part adds
