"""Where measuring happens: a network namespace with loopback alone, cores, priority.

A namespace of one's own keeps the traffic away from everybody, gives all ports, and allows to choose
the congestion control: BBR's pacing, the default of some hosts, halves large bodies on loopback.
"""

import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

OUTSIDE = "BATON_BENCH_OUTSIDE"  # the namespace that the script was started in
TCP = Path("/proc/sys/net/ipv4")
CONGESTION_CONTROL = "reno"
WANTED_DESCRIPTORS = 65_536
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


class CannotMeasure(Exception):
    """Says what is missing and what to do about it."""


def enter(arguments: list[str]):
    """Starts the script again inside a namespace of its own; returns there."""
    here = os.readlink("/proc/self/ns/net")
    outside = os.environ.get(OUTSIDE)
    if outside is None:
        unshare = shutil.which("unshare")
        if unshare is None:
            raise CannotMeasure("unshare is missing: apt-get install util-linux")
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        os.environ[OUTSIDE] = here
        sys.stdout.flush()
        os.execv(unshare, ["unshare", *user, "--net", "--", sys.executable, *arguments])
    if outside == here:
        raise CannotMeasure(f"{OUTSIDE} is set, but this is no network namespace of its own")


class Arena:
    """The namespace made ready, and how processes are started in it."""

    def __init__(self):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        (TCP / "tcp_congestion_control").write_text(CONGESTION_CONTROL)
        # A connection per request uses ports faster than TIME_WAIT gives them back.
        (TCP / "ip_local_port_range").write_text("10000 65535")
        self.congestion_control = (TCP / "tcp_congestion_control").read_text().strip()
        shown = subprocess.run(["ip", "-o", "link", "show", "lo"], capture_output=True, text=True,
                               check=True).stdout
        self.loopback_mtu = int(shown.split(" mtu ")[1].split()[0])
        cores = sorted(os.sched_getaffinity(0))
        self.server_core = cores[0]
        self.client_core = cores[1] if len(cores) > 1 else cores[0]
        # This script looks after what runs; on the servers' core it would be in their way.
        os.sched_setaffinity(0, {self.client_core})
        self.priority = self._allowed_priority()
        self._libc = ctypes.CDLL(None)
        # What batond's agent starts becomes ours when the agent ends, and can be buried.
        self._libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.descriptors = self._allow_descriptors()

    @staticmethod
    def _allow_descriptors() -> int:
        """As many as this user may have, here and in all that is started here."""
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        for wanted in (max(most, WANTED_DESCRIPTORS), most):
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
                return wanted
            except (ValueError, OSError):
                continue  # more than the limit needs a privilege
        return most

    @staticmethod
    def _allowed_priority() -> int:
        """-20 if this user may; tried in a child, since the way back needs the privilege too."""
        tried = subprocess.run(["nice", "-n", "-20", "nice"], capture_output=True, text=True,
                               check=False)
        return int(tried.stdout) if tried.stdout.strip().lstrip("-").isdigit() else 0

    def pinning(self) -> str:
        if self.server_core == self.client_core:
            return f"ONE core only ({self.server_core}) for servers and load: read ratios, not figures"
        return f"servers on core {self.server_core}, load on core {self.client_core}"

    def start(self, command: list, core: int, **options) -> subprocess.Popen:
        """A process pinned to a core, in a session of its own, that ends when this script dies."""

        def prepare():
            os.sched_setaffinity(0, {core})
            if self.priority < 0:
                os.setpriority(os.PRIO_PROCESS, 0, self.priority)
            self._libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)

        process = subprocess.Popen([str(word) for word in command], preexec_fn=prepare,
                                   start_new_session=True, **options)
        self.raise_group(process.pid)
        return process

    def raise_group(self, pid: int):
        """With autogroups, nice counts only within a session; this is the session's own."""
        if self.priority < 0:
            try:
                Path(f"/proc/{pid}/autogroup").write_text(str(self.priority))
            except OSError:
                pass  # no autogroups, or already gone
