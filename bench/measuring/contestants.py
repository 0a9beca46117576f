"""The ways to the worker: alone, behind haproxy, behind nginx, behind Baton. Started once, ended by id."""

import os
import shutil
import signal
import socket
import string
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import machine
from .arena import Arena, CannotMeasure

PEERS = Path(__file__).resolve().parent.parent / "peers"
WORKER_PORT, PLAIN_PORT, SPLICED_PORT, NGINX_PORT, BATON_PORT = range(9000, 9005)
START_SECONDS = 20
STOP_SECONDS = 15
WORKER_PROGRAM = "baton-bench-worker"


@dataclass(frozen=True)
class Contestant:
    port: int
    front: int | None  # process id; None: the worker alone
    worker: int

    @property
    def processes(self) -> set[int]:
        return {self.worker} if self.front is None else {self.front, self.worker}


class Contestants:
    """Starts what the wanted paths need. A context manager: at its end no process is left."""

    def __init__(self, arena: Arena, bin_dir: Path, folder: Path, wanted: list[str]):
        self.paths: dict[str, Contestant] = {}
        self.reference_port = WORKER_PORT
        self._arena = arena
        self._bin_dir = bin_dir
        self._folder = folder
        self._wanted = wanted
        self._started: list[subprocess.Popen] = []
        self._kept: dict[int, str] = {}  # process id -> start time, of all that ever was below us

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def logs(self) -> str:
        return "".join(f"--- {path.name}\n{path.read_text(errors='replace')[-4000:]}"
                       for path in sorted(self._folder.glob("*.log")))

    # -- starting

    def _start(self):
        worker_program = self._program(WORKER_PROGRAM)
        worker = self._run("worker", [worker_program, "--listen", f"127.0.0.1:{WORKER_PORT}"])
        self._wait_for_answer(WORKER_PORT, worker)
        self.paths["direct"] = Contestant(WORKER_PORT, None, worker.pid)
        if {"haproxy", "haproxy-splice"} & set(self._wanted):
            self._start_haproxy(worker.pid)
        if "nginx" in self._wanted:
            self._start_nginx(worker.pid)
        if "baton" in self._wanted:
            self._start_baton(worker_program)
        self._keep()
        for pid in self._kept:
            self._arena.raise_group(pid)

    def _start_haproxy(self, worker: int):
        config = self._write("haproxy.cfg", worker_port=WORKER_PORT, plain_port=PLAIN_PORT,
                             spliced_port=SPLICED_PORT)
        process = self._run("haproxy", [installed("haproxy"), "-db", "-f", config])
        self._wait_for_answer(PLAIN_PORT, process)
        self.paths["haproxy"] = Contestant(PLAIN_PORT, process.pid, worker)
        self.paths["haproxy-splice"] = Contestant(SPLICED_PORT, process.pid, worker)

    def _start_nginx(self, worker: int):
        config = self._write("nginx.conf", worker_port=WORKER_PORT, port=NGINX_PORT)
        process = self._run("nginx", [installed("nginx"), "-p", self._folder, "-e", "stderr",
                                      "-c", config])
        self._wait_for_answer(NGINX_PORT, process)
        front = machine.descendants(process.pid)
        if len(front) != 1:
            raise CannotMeasure(f"nginx has {len(front)} worker processes instead of one")
        self.paths["nginx"] = Contestant(NGINX_PORT, front[0], worker)

    def _start_baton(self, worker_program: Path):
        config = self._write("baton.conf", port=BATON_PORT, worker=worker_program)
        process = self._run("batond", [self._program("batond"), "--loops", "1", "--socket",
                                       self._folder / "baton.sock", config])
        self._wait_for_answer(BATON_PORT, process)
        workers = [pid for pid in machine.descendants(process.pid)
                   if machine.program_of(pid) == WORKER_PROGRAM]
        if len(workers) != 1:
            raise CannotMeasure(f"Baton has {len(workers)} workers instead of one\n{self.logs()}")
        self.paths["baton"] = Contestant(BATON_PORT, process.pid, workers[0])

    def _program(self, name: str) -> Path:
        path = self._bin_dir / name
        if not path.exists():
            raise CannotMeasure(f"{path} is missing: tools/build release programs")
        return path

    def _write(self, name: str, **values) -> Path:
        template = string.Template((PEERS / f"{name}.in").read_text())
        path = self._folder / name
        path.write_text(template.substitute(values, folder=self._folder))
        return path

    def _run(self, name: str, command: list) -> subprocess.Popen:
        with open(self._folder / f"{name}.log", "ab") as log:
            process = self._arena.start(command, self._arena.server_core, cwd=self._folder,
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._started.append(process)
        return process

    def _wait_for_answer(self, port: int, process: subprocess.Popen):
        deadline = time.monotonic() + START_SECONDS
        last = "no connection"
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise CannotMeasure(f"{process.args[0]} ended with status {process.returncode}\n"
                                    f"{self.logs()}")
            try:
                with socket.create_connection(("127.0.0.1", port), 5) as connection:
                    connection.sendall(b"GET /128 HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
                    last = connection.recv(200).decode(errors="replace").split("\r\n")[0]
                    if " 200 " in last:
                        return
            except OSError as error:
                last = str(error)
            time.sleep(0.05)
        raise CannotMeasure(f"{process.args[0]} did not answer within {START_SECONDS} s: {last}\n"
                            f"{self.logs()}")

    # -- ending

    def _keep(self):
        """Remembers all descendants, with their start times: ids alone may be given out again."""
        for pid in machine.descendants(os.getpid()):
            self._kept.setdefault(pid, machine.start_time(pid))

    def _alive(self) -> list[int]:
        return [pid for pid, started in self._kept.items()
                if started and machine.start_time(pid) == started]

    def stop(self):
        """Ends the fronts before the worker behind them; what does not end in time is killed."""
        self._keep()
        for process in reversed(self._started):
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while self._alive() and time.monotonic() < deadline:
            bury()
            time.sleep(0.02)
        for pid in self._alive():
            print(f"bench: {machine.program_of(pid)} ({pid}) did not end within {STOP_SECONDS} s: killed")
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for process in self._started:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                print(f"bench: {process.args[0]} ({process.pid}) cannot be ended")
        self._started.clear()
        bury()


def bury():
    """Takes the status of whatever child has ended, adopted ones too."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def installed(program: str) -> str:
    """Debian has servers in sbin, which is not on every PATH."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/sbin")
    if path is None:
        raise CannotMeasure(f"{program} is missing: tools/bootstrap bench")
    return path
