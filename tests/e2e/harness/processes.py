"""Keeping track of every process a test brought to life, even when its parent died."""

import ctypes
import os
import signal

from .waiting import wait_until

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Orphans become children of this process instead of init's, so that none is lost sight of."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(pid: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        texts = [open(f"/proc/{pid}/task/{thread}/children").read() for thread in threads]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(word) for text in texts for word in text.split()]


def descendants(pid: int) -> list[int]:
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def state(pid: int) -> str:
    """One letter of proc(5), `Z` for a zombie; empty when there is no such process."""
    try:
        return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def command_line(pid: int) -> str:
    try:
        return open(f"/proc/{pid}/cmdline").read().replace("\0", " ").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def reap(pid: int):
    """Buries an adopted zombie."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass


def left_over(before: set[int]) -> list[int]:
    """Live descendants of this process that were not there before; dead ones are buried."""
    found = []
    for pid in descendants(os.getpid()):
        if pid in before:
            continue
        if state(pid) == "Z":
            reap(pid)
        elif state(pid):
            found.append(pid)
    return found


def kill_9(pid: int):
    """Kills and waits until the process runs no more (it may stay a zombie of its parent)."""
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: state(pid) in ("", "Z"), f"process {pid} is dead")
