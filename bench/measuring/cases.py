"""What is measured, and what has to be reached."""

from dataclasses import dataclass

# name -> bytes of the body; the worker serves each at "/" + name
SIZES = {"128": 128, "16k": 16 * 1024, "256k": 256 * 1024, "4m": 4 * 1024 * 1024}
SIZE_NAMES = {"128": "128 B", "16k": "16 KiB", "256k": "256 KiB", "4m": "4 MiB"}
MODES = {
    "keep": "keep-alive, returned after each response",
    "close": "a connection per request",
}
# In the order in which they are shown.
PATHS = {
    "direct": "the worker alone",
    "haproxy": "haproxy",
    "haproxy-splice": "haproxy, splice-response",
    "nginx": "nginx",
    "baton": "Baton",
}
SPLICE_FROM_BYTES = 256 * 1024


@dataclass(frozen=True)
class Case:
    mode: str
    size: str

    @property
    def body_bytes(self) -> int:
        return SIZES[self.size]

    def paths(self, wanted: list[str]) -> list[str]:
        """Of the wanted ones those that this case has: splicing is for large bodies."""
        return [path for path in PATHS if path in wanted
                and (path != "haproxy-splice" or self.body_bytes >= SPLICE_FROM_BYTES)]


@dataclass(frozen=True)
class Comparison:
    """One figure of Baton against the same figure of a peer; one row per size."""

    case: str
    mode: str
    figure: str  # a property of Cell
    unit: str
    peers: tuple[str, ...]  # the best of them counts
    better: str  # "higher" or "lower"
    goals: dict[str, float] | None = None  # size -> ratio to be reached; None: only reported


HAPROXY = ("haproxy", "haproxy-splice")

COMPARISONS = [
    Comparison(f"{MODES['keep']}: requests/s", "keep", "requests_per_second", "requests/s",
               HAPROXY, "higher", {"128": 1.15, "16k": 1.5, "256k": 1.3, "4m": 0.97}),
    Comparison(f"{MODES['keep']}: CPU of the front per request", "keep", "front_cpu_us", "µs",
               HAPROXY, "lower", {"128": 0.6, "16k": 0.4, "256k": 0.5, "4m": 0.05}),
    Comparison(f"{MODES['close']}: requests/s", "close", "requests_per_second", "requests/s",
               HAPROXY, "higher", {"128": 0.97, "16k": 1.05, "256k": 1.1, "4m": 1.2}),
    Comparison(f"{MODES['close']}: CPU of the front per request", "close", "front_cpu_us", "µs",
               HAPROXY, "lower"),
    *(Comparison(f"{text}: requests/s", mode, "requests_per_second", "requests/s", ("nginx",),
                 "higher") for mode, text in MODES.items()),
    *(Comparison(f"{text}: CPU of the front per request", mode, "front_cpu_us", "µs", ("nginx",),
                 "lower") for mode, text in MODES.items()),
    *(Comparison(f"{text}: requests/s", mode, "requests_per_second", "requests/s", ("direct",),
                 "higher") for mode, text in MODES.items()),
]
