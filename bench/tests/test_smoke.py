"""The whole benchmark in small: it must come to its end, its report be complete, no answer be wrong.

Nothing here looks at speed: other tests run beside it.
"""

import json
import os
import shutil
import subprocess
import sys

import pytest

from conftest import BENCH
from measuring.contestants import WORKER_PROGRAM

SERVERS = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def missing(bin_dir) -> list[str]:
    """What this machine or this build lacks for a benchmark."""
    names = [name for name in ("haproxy", "nginx", "wrk", "unshare", "ip")
             if shutil.which(name, path=SERVERS) is None]
    names += [name for name in ("batond", "baton-agent", WORKER_PROGRAM, "baton-checking-client")
              if not (bin_dir / name).exists()]
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    if "unshare" not in names and subprocess.run(
            ["unshare", *user, "--net", "true"], capture_output=True, check=False).returncode:
        names.append("the right to make a network namespace")
    return names


def test_a_short_benchmark_is_complete_and_no_answer_fails(bin_dir, patience, tmp_path):
    if lacking := missing(bin_dir):
        pytest.skip(f"missing: {', '.join(lacking)} (tools/bootstrap bench; tools/build release all)")
    done = subprocess.run(
        [sys.executable, BENCH / "run", "--beside-others", "--sizes", "16k", "--runs", "1",
         "--seconds", "1", "--limit", "1", "--checked-requests", "200", "--bin-dir", bin_dir,
         "--output", tmp_path],
        capture_output=True, text=True, timeout=2 * patience, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    written = json.loads((tmp_path / "benchmarks.json").read_text())
    measured = {(cell["mode"], cell["path"]) for cell in written["cells"]}
    assert len(measured) == 8, measured  # two modes; the worker alone, haproxy, nginx, Baton
    assert all(cell["requests_per_second"] > 0 for cell in written["cells"])
    assert all(failure["complete"] == 200 for failure in written["failures"]), written["failures"]
    assert {row["peer"] for row in written["rows"]} == {"haproxy", "nginx", "the worker alone"}
    assert all(written["conditions"].values())
    assert "| 16 KiB | Baton |" in (tmp_path / "benchmarks.md").read_text()
