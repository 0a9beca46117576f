"""What bench/run refuses to do, and how it says so."""

import shutil
import subprocess
import sys

import pytest

from conftest import BENCH

SERVERS = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


def test_documents_are_refused_when_they_would_say_too_little(bin_dir):
    done = subprocess.run([sys.executable, BENCH / "run", "--write-docs", "--quick"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "at least 5 runs" in done.stderr


def test_programs_that_are_not_there_are_named(tmp_path):
    if lacking := [name for name in ("unshare", "ip") if shutil.which(name, path=SERVERS) is None]:
        pytest.skip(f"missing: {', '.join(lacking)}")
    done = subprocess.run(
        [sys.executable, BENCH / "run", "--beside-others", "--bin-dir", tmp_path],
        capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "baton-bench-worker is missing: tools/build" in done.stderr or "unshare" in done.stderr
