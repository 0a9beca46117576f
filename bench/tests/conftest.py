"""The scripts under test are beside this folder."""

import os
import pathlib
import sys

import pytest

BENCH = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BENCH))


@pytest.fixture
def bin_dir() -> pathlib.Path:
    return pathlib.Path(os.environ.get("BATON_BIN_DIR", BENCH.parent / "build/release/bin")).resolve()


@pytest.fixture
def patience() -> float:
    """Seconds after which something has failed; grows under sanitizers."""
    return 60 * float(os.environ.get("BATON_TEST_TIMEOUT_FACTOR", "1"))
