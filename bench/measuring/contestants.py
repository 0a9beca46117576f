"""The ways of a closed loop to the worker: alone, behind haproxy, behind nginx, behind Baton."""

from pathlib import Path

from . import machine
from .arena import Arena, CannotMeasure
from .servers import WORKER_PROGRAM, Contestant, Servers, batond_accepts, installed

WORKER_PORT, PLAIN_PORT, SPLICED_PORT, NGINX_PORT, BATON_PORT, LEASED_PORT = range(9000, 9006)
LEASE_LINE = "config service asked lease={}"


class Contestants(Servers):
    """Starts what the wanted paths need."""

    def __init__(self, arena: Arena, bin_dir: Path, folder: Path, wanted: list[str]):
        super().__init__(arena, bin_dir, folder)
        self.paths: dict[str, Contestant] = {}
        self.missing: dict[str, str] = {}  # path -> why it cannot be measured
        self.reference_port = WORKER_PORT
        self._wanted = wanted

    def start(self):
        worker = self.run_worker("worker", WORKER_PORT)
        self.paths["direct"] = Contestant(WORKER_PORT, None, (worker.pid,))
        if {"haproxy", "haproxy-splice"} & set(self._wanted):
            self._start_haproxy(worker.pid)
        if "nginx" in self._wanted:
            self._start_nginx(worker.pid)
        knows_leases = batond_accepts(self.bin_dir, LEASE_LINE.format("off"), self.folder)
        if "baton" in self._wanted:
            # A batond without leases returns every connection anyway.
            self._start_baton("baton", BATON_PORT, "lease=off" if knows_leases else "")
        if "leased" in self._wanted and knows_leases:
            self._start_baton("leased", LEASED_PORT, "lease=on")
        elif "leased" in self._wanted:
            self.missing["leased"] = "this batond does not know 'config service … lease=on'"

    def _start_haproxy(self, worker: int):
        config = self.write("haproxy.cfg", worker_port=WORKER_PORT, plain_port=PLAIN_PORT,
                            spliced_port=SPLICED_PORT)
        process = self.run("haproxy", [installed("haproxy"), "-db", "-f", config])
        self.wait_for_answer(PLAIN_PORT, process)
        self.paths["haproxy"] = Contestant(PLAIN_PORT, process.pid, (worker,))
        self.paths["haproxy-splice"] = Contestant(SPLICED_PORT, process.pid, (worker,))

    def _start_nginx(self, worker: int):
        config = self.write("nginx.conf", worker_port=WORKER_PORT, port=NGINX_PORT)
        process = self.run("nginx", [installed("nginx"), "-p", self.folder, "-e", "stderr",
                                     "-c", config])
        self.wait_for_answer(NGINX_PORT, process)
        front = machine.descendants(process.pid)
        if len(front) != 1:
            raise CannotMeasure(f"nginx has {len(front)} worker processes instead of one")
        self.paths["nginx"] = Contestant(NGINX_PORT, front[0], (worker,))

    def _start_baton(self, path: str, port: int, lease: str):
        config = self.write("baton.conf", f"{path}.conf", port=port, lease=lease,
                            worker=self.program(WORKER_PROGRAM))
        process = self.run_batond(path, config, port)
        workers = self.programs_below(process, WORKER_PROGRAM)
        if len(workers) != 1:
            raise CannotMeasure(f"Baton has {len(workers)} workers instead of one\n{self.logs()}")
        self.paths[path] = Contestant(port, process.pid, (workers[0],))
