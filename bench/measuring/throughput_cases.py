"""Closed loops: what is measured, and what has to be reached."""

from dataclasses import dataclass

from .goals import Goal

# name -> bytes of the body; the worker serves each at "/" + name
SIZES = {"128": 128, "16k": 16 * 1024, "256k": 256 * 1024, "4m": 4 * 1024 * 1024}
SIZE_NAMES = {"128": "128 B", "16k": "16 KiB", "256k": "256 KiB", "4m": "4 MiB"}
MODES = {"keep": "keep-alive", "close": "a connection per request"}
# In the order in which they are shown.
PATHS = {
    "direct": "the worker alone",
    "haproxy": "haproxy",
    "haproxy-splice": "haproxy, splice-response",
    "nginx": "nginx",
    "baton": "Baton",
    "leased": "Baton, leased",
}
SPLICE_FROM_BYTES = 256 * 1024


@dataclass(frozen=True)
class Case:
    mode: str
    size: str

    @property
    def body_bytes(self) -> int:
        return SIZES[self.size]

    @property
    def target(self) -> str:
        return f"/{self.size}"

    def paths(self, wanted: list[str]) -> list[str]:
        """Of the wanted ones those that this case has: splicing is for large bodies, and only a kept
        connection can be leased."""
        return [path for path in PATHS if path in wanted
                and (path != "haproxy-splice" or self.body_bytes >= SPLICE_FROM_BYTES)
                and (path != "leased" or self.mode == "keep")]


@dataclass(frozen=True)
class Comparison:
    """One figure of Baton against the same figure of a peer; one row per size."""

    part: str  # `--only` name that it belongs to
    case: str
    mode: str
    figure: str  # of a Sample
    unit: str
    peers: tuple[str, ...]  # the best of them counts
    better: str  # "higher" or "lower"
    goals: dict[str, float] | None = None  # size -> ratio to be reached; None: only reported
    path: str = "baton"

    def goal(self, size: str) -> Goal | None:
        if self.goals is None:
            return None
        return Goal(self.goals[size], "at least" if self.better == "higher" else "at most")


HAPROXY = ("haproxy", "haproxy-splice")
LEASED = "keep-alive, leased"
RETURNED = "keep-alive, returned after each response"
CLOSE = MODES["close"]
SPEED = ("requests_per_second", "requests/s")
CPU = ("front_cpu_us", "µs")
CPU_TEXT = "CPU of the front per request"

COMPARISONS = [
    Comparison("leased", f"{LEASED}: requests/s", "keep", *SPEED, ("direct",), "higher",
               dict.fromkeys(SIZES, 0.95), path="leased"),
    Comparison("returned", f"{RETURNED}: requests/s", "keep", *SPEED, HAPROXY, "higher",
               {"128": 1.15, "16k": 1.5, "256k": 1.3, "4m": 0.97}),
    Comparison("returned", f"{RETURNED}: {CPU_TEXT}", "keep", *CPU, HAPROXY, "lower",
               {"128": 0.6, "16k": 0.4, "256k": 0.5, "4m": 0.05}),
    Comparison("connection", f"{CLOSE}: requests/s", "close", *SPEED, HAPROXY, "higher",
               {"128": 0.97, "16k": 1.05, "256k": 1.1, "4m": 1.2}),
    Comparison("leased", f"{LEASED}: requests/s", "keep", *SPEED, HAPROXY, "higher", path="leased"),
    Comparison("leased", f"{LEASED}: {CPU_TEXT}", "keep", *CPU, HAPROXY, "lower", path="leased"),
    Comparison("connection", f"{CLOSE}: {CPU_TEXT}", "close", *CPU, HAPROXY, "lower"),
    Comparison("returned", f"{RETURNED}: requests/s", "keep", *SPEED, ("nginx",), "higher"),
    Comparison("connection", f"{CLOSE}: requests/s", "close", *SPEED, ("nginx",), "higher"),
    Comparison("returned", f"{RETURNED}: {CPU_TEXT}", "keep", *CPU, ("nginx",), "lower"),
    Comparison("connection", f"{CLOSE}: {CPU_TEXT}", "close", *CPU, ("nginx",), "lower"),
    Comparison("returned", f"{RETURNED}: requests/s", "keep", *SPEED, ("direct",), "higher"),
    Comparison("connection", f"{CLOSE}: requests/s", "close", *SPEED, ("direct",), "higher"),
]

# --only name -> mode; and what it needs to be measured at all, beside what it is compared with
PARTS = {"leased": "keep", "returned": "keep", "connection": "close"}


def paths_of(parts: list[str], mode: str, everything: bool) -> list[str]:
    """The ways that these parts are about, in one mode. Without `everything` only those that a goal
    needs."""
    wanted: set[str] = set()
    for comparison in COMPARISONS:
        if comparison.part in parts and comparison.mode == mode and (everything or comparison.goals):
            wanted |= {comparison.path, *comparison.peers}
    return [path for path in PATHS if path in wanted]
