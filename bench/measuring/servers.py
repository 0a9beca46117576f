"""Servers that are measured: started by id, pinned to their core, and ended by the ids that were kept."""

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
START_SECONDS = 20
STOP_SECONDS = 15
WORKER_PROGRAM = "baton-bench-worker"


@dataclass(frozen=True)
class Contestant:
    """One way to a worker."""

    port: int
    front: int | None  # process id; None: the worker alone
    workers: tuple[int, ...]

    @property
    def processes(self) -> set[int]:
        return {*self.workers} if self.front is None else {self.front, *self.workers}


class Servers:
    """A context manager: at its end no process is left. Subclasses start theirs in start()."""

    def __init__(self, arena: Arena, bin_dir: Path, folder: Path):
        self.arena = arena
        self.bin_dir = bin_dir
        self.folder = folder
        self._started: list[subprocess.Popen] = []
        self._kept: dict[int, str] = {}  # process id -> start time, of all that ever was below us
        folder.mkdir(exist_ok=True, parents=True)

    def start(self):
        raise NotImplementedError

    def __enter__(self):
        try:
            self.start()
            self.raise_all()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def logs(self) -> str:
        return "".join(f"--- {path.name}\n{path.read_text(errors='replace')[-4000:]}"
                       for path in sorted(self.folder.glob("*.log")))

    # -- starting

    def program(self, name: str) -> Path:
        return self.bin_dir / name

    def write(self, template: str, name: str = "", **values) -> Path:
        """A configuration of peers/, its places filled in."""
        text = string.Template((PEERS / f"{template}.in").read_text())
        path = self.folder / (name or template)
        path.write_text(text.substitute(values, folder=self.folder))
        return path

    def run(self, name: str, command: list, **options) -> subprocess.Popen:
        with open(self.folder / f"{name}.log", "ab") as log:
            process = self.arena.start(command, self.arena.server_core, cwd=self.folder,
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)
        self._started.append(process)
        return process

    def run_worker(self, name: str, port: int, *options: str) -> subprocess.Popen:
        """The worker by itself, answering."""
        process = self.run(name, [self.program(WORKER_PROGRAM), "--listen", f"127.0.0.1:{port}",
                                  *options])
        self.wait_for_answer(port, process)
        return process

    def run_batond(self, name: str, config: Path, port: int, target: str = "/128",
                   options: tuple[str, ...] = (), **more) -> subprocess.Popen:
        """A batond with one loop, answering `target`."""
        process = self.run(name, [self.program("batond"), "--loops", "1", "--socket",
                                  self.folder / f"{name}.sock", *options, config], **more)
        self.wait_for_answer(port, process, target)
        return process

    def programs_below(self, process: subprocess.Popen, program: str) -> list[int]:
        return [pid for pid in machine.descendants(process.pid)
                if machine.program_of(pid) == program]

    def workers_of(self, batond: subprocess.Popen, service: str) -> list[int]:
        return [pid for pid in self.programs_below(batond, WORKER_PROGRAM)
                if machine.environment_of(pid, "BATON_SERVICE") == service]

    def wait_for_workers(self, process: subprocess.Popen, count: int) -> tuple[int, ...]:
        """Until a batond has that many of them."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            found = self.programs_below(process, WORKER_PROGRAM)
            if len(found) == count:
                return tuple(found)
            time.sleep(0.05)
        raise CannotMeasure(f"Baton has {len(found)} workers instead of {count}\n{self.logs()}")

    def wait_for_answer(self, port: int, process: subprocess.Popen, target: str = "/128"):
        deadline = time.monotonic() + START_SECONDS
        last = "no connection"
        request = f"GET {target} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode()
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise CannotMeasure(f"{process.args[0]} ended with status {process.returncode}\n"
                                    f"{self.logs()}")
            try:
                with socket.create_connection(("127.0.0.1", port), 5) as connection:
                    connection.sendall(request)
                    last = connection.recv(200).decode(errors="replace").split("\r\n")[0]
                    if " 200 " in last:
                        return
            except OSError as error:
                last = str(error)
            time.sleep(0.05)
        raise CannotMeasure(f"{Path(process.args[0]).name} did not answer within {START_SECONDS} s: {last}\n"
                            f"{self.logs()}")

    def raise_all(self):
        """The priority of all that runs by now, each in its own session."""
        self._keep()
        for pid in self._kept:
            self.arena.raise_group(pid)

    # -- ending

    def _keep(self):
        """Remembers all descendants, with their start times: ids alone may be given out again."""
        for process in self._started:
            for pid in (process.pid, *machine.descendants(process.pid)):
                self._kept.setdefault(pid, machine.start_time(pid))

    def _alive(self) -> list[int]:
        return [pid for pid, started in self._kept.items()
                if started and machine.start_time(pid) == started]

    def end(self, process: subprocess.Popen):
        """One of them, with all below it, before the others."""
        self._keep()
        below = [pid for pid in machine.descendants(process.pid) if pid in self._kept]
        process.terminate()
        self._wait_for_end({process.pid, *below})
        self._started.remove(process)

    def stop(self):
        """Ends the fronts before the worker behind them; what does not end in time is killed."""
        self._keep()
        for process in reversed(self._started):
            if process.poll() is None:
                process.terminate()
        self._wait_for_end(set(self._kept))
        self._started.clear()

    def _wait_for_end(self, pids: set[int]):
        deadline = time.monotonic() + STOP_SECONDS
        while pids.intersection(self._alive()) and time.monotonic() < deadline:
            self._bury()
            time.sleep(0.02)
        for pid in pids.intersection(self._alive()):
            print(f"bench: {machine.program_of(pid)} ({pid}) did not end within {STOP_SECONDS} s: killed")
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for process in self._started:
            if process.pid in pids:
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    print(f"bench: {process.args[0]} ({process.pid}) cannot be ended")
        self._bury()

    def _bury(self):
        """Takes the status of what has ended: our own, and what became ours when its parent ended.
        Nobody else's: a client may be waited for elsewhere."""
        for process in self._started:
            process.poll()
        for pid in set(self._kept) - {process.pid for process in self._started}:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass


def installed(program: str) -> str:
    """Debian has servers in sbin, which is not on every PATH."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/sbin")
    if path is None:
        raise CannotMeasure(f"{program} is missing: tools/bootstrap bench")
    return path


def batond_accepts(bin_dir: Path, line: str, folder: Path) -> bool:
    """Whether this batond knows the words of one line of configuration."""
    file = folder / "asked.conf"
    file.write_text(line + "\n")
    try:
        asked = subprocess.run([bin_dir / "batond", "--check", file], capture_output=True, timeout=20,
                               check=False)
    except OSError:
        return False
    return asked.returncode == 0
