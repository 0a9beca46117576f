"""What others had of the machine while something was measured."""

import time
from dataclasses import dataclass

from . import machine
from .arena import Arena


@dataclass(frozen=True)
class NoiseLimits:
    """What others may have of a core before a run is repeated. The load's core has time to spare."""

    server: float = 0.10
    client: float = 0.50


@dataclass(kw_only=True)
class Observed:
    """The base of every sample: how much of the two cores others had."""

    foreign_server: float = 0.0
    foreign_client: float = 0.0

    def disturbed(self, limits: NoiseLimits) -> bool:
        return self.foreign_server > limits.server or self.foreign_client > limits.client


class Watch:
    """A context around one run: CPU of our servers, and of everybody else on the two cores.

    From counter to counter, which on a busy machine is longer than what a client calls its run.
    Processes that begin or end meanwhile must not be among `servers`; name their user time at finish().
    """

    def __init__(self, arena: Arena, servers: set[int]):
        self._arena = arena
        self._servers = servers
        self.cpu_seconds: dict[int, float] = {}

    def __enter__(self):
        self._cpu = {pid: machine.cpu_seconds(pid) for pid in self._servers}
        self._user = {pid: machine.user_seconds(pid) for pid in self._servers}
        self._times = self._core_times()
        self._begun = time.monotonic()
        return self

    def __exit__(self, *_):
        self._between = time.monotonic() - self._begun
        self._after = self._core_times()
        self.cpu_seconds = {pid: machine.cpu_seconds(pid) - self._cpu[pid] for pid in self._servers}
        self._servers_user = sum(machine.user_seconds(pid) - self._user[pid] for pid in self._servers)

    def foreign(self, client_user: float, more_server_user: float = 0.0) -> dict[str, float]:
        """For an Observed. @param client_user  user time of the load"""
        server = self._servers_user + more_server_user
        one_core = self._arena.server_core == self._arena.client_core
        both = server + client_user
        return {"foreign_server": self._share(self._arena.server_core, both if one_core else server),
                "foreign_client": self._share(self._arena.client_core,
                                              both if one_core else client_user)}

    def _core_times(self) -> dict[int, machine.CoreTimes]:
        return {core: machine.core_times(core)
                for core in {self._arena.server_core, self._arena.client_core}}

    def _share(self, core: int, own_user: float) -> float:
        return machine.foreign_share(self._times[core], self._after[core], own_user, self._between)
