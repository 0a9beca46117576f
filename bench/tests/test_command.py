"""What bench/run refuses to do, and how it says so."""

import subprocess
import sys

from conftest import BENCH


def test_documents_are_refused_when_they_would_say_too_little(bin_dir):
    done = subprocess.run([sys.executable, BENCH / "run", "--write-docs", "--quick"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "at least 5 runs" in done.stderr


def test_programs_that_are_not_there_are_named(tmp_path):
    done = subprocess.run(
        [sys.executable, BENCH / "run", "--beside-others", "--bin-dir", tmp_path],
        capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "batond is missing: tools/build release bench-programs" in done.stderr
