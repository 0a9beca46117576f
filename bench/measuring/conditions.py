"""Under what conditions the figures came about: versions, machine, build."""

import datetime
import os
import platform
import re
import subprocess
from pathlib import Path

from .arena import Arena, CannotMeasure
from .servers import installed

ROOT = Path(__file__).resolve().parents[2]


def first_line(*command) -> str:
    """What a program says about itself; some say it on stderr, some with a status."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              timeout=20, check=False)
    except OSError:
        return "not found"
    text = (done.stdout + done.stderr).strip()
    return text.splitlines()[0].strip() if text else "says nothing"


def cached(bin_dir: Path, variable: str) -> str:
    """A variable of the build that the programs come from; empty when there is none."""
    cache = bin_dir.parent / "CMakeCache.txt"
    text = cache.read_text() if cache.exists() else ""
    found = re.search(rf"^{re.escape(variable)}:[^=]*=(.*)$", text, re.MULTILINE)
    return found.group(1) if found else ""


def build_problem(bin_dir: Path) -> str:
    """Why figures of this build would mislead; empty when they would not."""
    if sanitizers := cached(bin_dir, "BATON_SANITIZE"):
        return f"built with sanitizers ({sanitizers})"
    kind = cached(bin_dir, "CMAKE_BUILD_TYPE")
    if kind not in ("Release", "RelWithDebInfo"):
        return f"built as '{kind}', not as RelWithDebInfo or Release"
    return ""


def compiler(bin_dir: Path) -> str:
    path = cached(bin_dir, "CMAKE_CXX_COMPILER") or "c++"
    kind = cached(bin_dir, "CMAKE_BUILD_TYPE")
    flags = cached(bin_dir, f"CMAKE_CXX_FLAGS_{kind.upper()}") if kind else ""
    return f"{first_line(path, '--version')}, {kind} ({flags})".replace(" ()", "")


def commit() -> str:
    """The commit, marked when the sources differ from it."""
    def git(*words) -> str:
        done = subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    head = git("rev-parse", "--short=12", "HEAD")
    if not head:
        return "not a git checkout"
    changed = git("status", "--porcelain", "--", "src", "include", "bench", "cmake", "CMakeLists.txt")
    return f"{head} with uncommitted changes" if changed else head


def processor() -> str:
    info = Path("/proc/cpuinfo").read_text()
    found = {key: match.group(1) for key in ("model name", "cpu family", "model")
             if (match := re.search(rf"^{key}\s*: (.*)$", info, re.MULTILINE))}
    return (f"{found.get('model name', platform.machine())}, family {found.get('cpu family', '?')} "
            f"model {found.get('model', '?')}, {os.cpu_count()} cores")


def distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")
    except OSError:
        return "unknown"


def package(name: str) -> str:
    """Debian's version of a package, since it holds Debian's patches; empty elsewhere."""
    try:
        done = subprocess.run(["dpkg-query", "-W", "-f=${Version}", name], capture_output=True,
                              text=True, check=False)
    except OSError:
        return ""
    return f" ({done.stdout})" if done.returncode == 0 and done.stdout else ""


def version(program: str, *words: str) -> str:
    """Of a peer; it may be missing when its part was not measured."""
    try:
        return first_line(installed(program), *words)
    except CannotMeasure:
        return "not installed"


def collect(arena: Arena, bin_dir: Path, settings: dict[str, str]) -> dict[str, str]:
    """Name -> text, in the order in which it is shown."""
    memory = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text()).group(1))
    priority = f"nice {arena.priority}, also of the session" if arena.priority else \
        "not raised (not allowed): others on the machine show more"
    return {
        "measured": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "Baton": f"{first_line(bin_dir / 'batond', '--version')}, one loop",
        "compiler": compiler(bin_dir),
        "processor": processor(),
        "memory": f"{memory / 1024 / 1024:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "system": distribution(),
        "haproxy": version("haproxy", "-v").split(" - ")[0],
        "nginx": version("nginx", "-v").removeprefix("nginx version: ")
        + (package("nginx") or package("nginx-light")),
        "wrk": version("wrk", "-v").split(" [")[0],
        "cores": arena.pinning(),
        "priority": priority,
        "network": f"a namespace of its own, loopback only, MTU {arena.loopback_mtu}, "
                   f"congestion control {arena.congestion_control}",
    } | settings
