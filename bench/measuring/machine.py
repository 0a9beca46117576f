"""What the kernel counts: CPU time of processes, and of everybody else."""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """utime + stime of a whole process so far.

    The scheduler's own sum (schedstat, in nanoseconds) where no thread has ended, since it is what
    utime + stime is cut from in ticks of 10 ms; a loop that needs 30 µs for 4 MiB shows nothing there.
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = (int(fields[11]) + int(fields[12])) / TICKS
    try:
        exact = sum(int((task / "schedstat").read_text().split()[0])
                    for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9
    except (FileNotFoundError, ProcessLookupError, ValueError, IndexError):
        return ticks
    return exact if abs(exact - ticks) < 0.05 else ticks


def user_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / TICKS


def start_time(pid: int) -> str:
    """Tells a process from a later one with the same id; empty when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] == "Z" else fields[19]


def descendants(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(word) for task in tasks for word in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [found for child in children for found in (child, *descendants(child))]


def program_of(pid: int) -> str:
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return ""


def environment_of(pid: int, name: str) -> str:
    """A variable that a process was started with; empty: not set, or the process is gone."""
    try:
        words = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    return next((word.partition("=")[2] for word in words if word.startswith(f"{name}=")), "")


def memory_bytes(pid: int) -> dict[str, int]:
    """What a process has in memory: rss, and pss, in which what it shares counts by its share."""
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in ("Rss", "Pss"):
            found[name.lower()] = int(rest.split()[0]) * 1024
    return found


@dataclass(frozen=True)
class CoreTimes:
    """User time (with nice) and time that the hypervisor gave to others, in seconds."""

    user: float
    stolen: float


def core_times(core: int) -> CoreTimes:
    for line in Path("/proc/stat").read_text().splitlines():
        words = line.split()
        if words[0] == f"cpu{core}":
            values = [int(word) / TICKS for word in words[1:]]
            return CoreTimes(values[0] + values[1], values[7])
    raise ValueError(f"/proc/stat does not know core {core}")


def foreign_share(before: CoreTimes, after: CoreTimes, own_user: float, seconds: float) -> float:
    """The part of a core that others had: their user time, and what the hypervisor took.

    User time, since softirq work of our own packets is on nobody's account.
    """
    others = after.user - before.user - own_user + after.stolen - before.stolen
    return max(0.0, others / seconds)
