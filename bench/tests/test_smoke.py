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
from measuring.servers import WORKER_PROGRAM

SERVERS = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def missing(bin_dir) -> list[str]:
    """What this machine or this build lacks for a benchmark."""
    names = [name for name in ("haproxy", "nginx", "wrk", "unshare", "ip")
             if shutil.which(name, path=SERVERS) is None]
    names += [name for name in ("batond", "baton-agent", "baton", WORKER_PROGRAM, "baton-checking-client",
                                "baton-open-load", "baton-start-timer") if not (bin_dir / name).exists()]
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    if "unshare" not in names and subprocess.run(
            ["unshare", *user, "--net", "true"], capture_output=True, check=False).returncode:
        names.append("the right to make a network namespace")
    return names


def run_short(bin_dir, patience, folder, *options) -> dict:
    """What one short run has written. Nothing here looks at speed."""
    if lacking := missing(bin_dir):
        pytest.skip(f"missing: {', '.join(lacking)} (tools/bootstrap bench; tools/build release all)")
    done = subprocess.run(
        [sys.executable, BENCH / "run", "--beside-others", "--runs", "1", "--seconds", "1", "--limit",
         "1", "--bin-dir", bin_dir, "--output", folder, *options],
        capture_output=True, text=True, timeout=2 * patience, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "benchmarks.json").read_text())


def test_a_short_closed_loop_is_complete_and_no_answer_fails(bin_dir, patience, tmp_path):
    written = run_short(bin_dir, patience, tmp_path, "--only", "leased,returned,connection", "--sizes",
                        "16k", "--checked-requests", "200")
    cells, failures = written["throughput"]["cells"], written["throughput"]["failures"]
    measured = {(cell["mode"], cell["path"]) for cell in cells} - {("keep-alive", "Baton, leased")}
    assert len(measured) == 8, measured  # two modes; the worker alone, haproxy, nginx, Baton
    assert all(cell["requests_per_second"] > 0 for cell in cells)
    assert all(failure["complete"] == 200 for failure in failures), failures
    assert {row["peer"] for row in written["rows"]} == {"haproxy", "nginx", "the worker alone"}
    assert all(written["conditions"].values())
    assert "| 16 KiB | Baton |" in (tmp_path / "benchmarks.md").read_text()


def test_a_short_run_of_the_other_parts_has_a_figure_for_each_goal(bin_dir, patience, tmp_path):
    written = run_short(bin_dir, patience, tmp_path, "--only", "uneven,kills,idle,first,revocation",
                        "--scale", "0.05")
    rows = written["rows"]
    assert [row["variant"] for row in rows] == [
        *["70% load"] * 4, *["85% load"] * 4, "all loads", *["1\u202f000 connections"] * 2, "–", "–"]
    assert [row["not_measured"] for row in rows] == [None] * len(rows)
    assert all(row["baton"] is not None for row in rows), rows
    assert all(cell["failed"] == 0 for cell in written["uneven"]["cells"])
    # Nobody goes without an answer, however often workers are killed.
    for each in written["kills"]["rounds"]:
        assert each["kills"], each
        assert each["counts"]["failed"] == 0, each
