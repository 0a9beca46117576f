"""Fixtures of the end-to-end tests. `baton` is a daemon that the test starts with a configuration."""

import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness import processes  # noqa: E402  (after the path)
from harness.daemon import Baton  # noqa: E402
from harness.stage import Stage  # noqa: E402
from harness.waiting import FACTOR  # noqa: E402

TEST_LIMIT_SECONDS = int(60 * FACTOR)


def pytest_configure(config):
    processes.adopt_orphans()
    config.addinivalue_line("markers", "needs_net_admin: needs CAP_NET_ADMIN")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Puts the daemon's log beside a failure."""
    outcome = yield
    report = outcome.get_result()
    baton = getattr(item, "funcargs", {}).get("baton")
    if report.failed and baton is not None:
        report.sections.append(("batond's log", baton.log_text()[-20_000:]))


@pytest.fixture(autouse=True)
def time_limit():
    """A test that hangs fails with its stack, instead of taking the whole run along."""

    def on_alarm(*_):
        pytest.fail(f"test did not end within {TEST_LIMIT_SECONDS} s")

    previous = signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(TEST_LIMIT_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture
def baton(tmp_path):
    """A daemon of one's own: baton.start(config). Ends with it, leaving no process and no report."""
    daemon = Baton(tmp_path)
    yield daemon
    daemon.close()


@pytest.fixture
def stage(tmp_path):
    """Where scripted workers (workers/scripted_worker.py) stop and wait for the test's word."""
    stage = Stage(tmp_path)
    yield stage
    stage.close()
