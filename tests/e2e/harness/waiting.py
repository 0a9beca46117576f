"""Waiting for events, with a limit that grows under sanitizers."""

import os
import time
from typing import Callable, TypeVar

T = TypeVar("T")

FACTOR = float(os.environ.get("BATON_TEST_TIMEOUT_FACTOR", "1"))
LIMIT_SECONDS = 20 * FACTOR


def wait_until(condition: Callable[[], T], what: str, limit: float = LIMIT_SECONDS) -> T:
    """The first true value of `condition`; `what` is said when it never comes.

    For events that can only be asked for, not waited on. The limit is no part of what a test proves.
    """
    deadline = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {limit:.0f} s in vain: {what} (last: {value!r})")
        time.sleep(0.01)
